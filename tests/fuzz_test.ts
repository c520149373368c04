/** The fuzzer: it finds what is planted for it, keeps it, and stops. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "./assert.ts";
import { findings, keep } from "./finding.ts";
import { fuzz, read } from "./fuzz.ts";
import { fails, hangs, holds } from "./planted.ts";
import { properties } from "./properties.ts";
import { TextLineStream } from "./std.ts";

/** Calls `test` with the URL of a folder that is there for as long as it takes. */
async function withFolder(test: (folder: URL) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await test(new URL(`file://${path}/`));
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

/** Writes a module that has these planted properties and no others. */
async function plant(names: string, folder: URL): Promise<URL> {
  const module = new URL("properties.ts", folder);
  const source = `import { ${names} } from "${new URL("planted.ts", import.meta.url)}";
export const properties = [${names}];
`;
  await Deno.writeTextFile(module, source);
  return module;
}

const RUNS = /^ *[0-9,]+ /;

Deno.test("fuzz() finds what is planted, makes it small, keeps it, and says what it did", () =>
  withFolder(async (folder) => {
    const lines: string[] = [];
    const files = await fuzz({
      milliseconds: 300,
      seed: 1,
      module: new URL("planted.ts", import.meta.url),
      folder: new URL("findings/", folder),
      patienceMs: 60_000,
      stop: new AbortController().signal,
      say: (line) => lines.push(line),
    });
    const finding = { property: fails.name, seen: "RangeError: it has", input: [1_001] };
    assertEquals(findings(new URL("findings/", folder)), [[files[0], finding]]);
    assertEquals(lines.slice(0, 2), [
      "2 properties for 0.3 s with seed 1",
      `${fails.name}: RangeError: it has`,
    ]);
    const said = lines.slice(2);
    assertEquals(said.slice(0, 2).map((line) => line.replace(RUNS, "")), [
      holds.name,
      `${fails.name}: failed, see ${files[0]}`,
    ]);
    assertMatch(said[2].replace(RUNS, ""), /^runs in \d+ s: 1 of 2 failed$/);
    const [some, others, all] = said.map((line) =>
      Number(line.match(RUNS)![0].replaceAll(",", ""))
    );
    assert(some > 100 && others > 0, "each has had a turn");
    assertEquals(all, some + others);
  }));

Deno.test("fuzz() ends when it is told to, in the midst of an input that has no end", () =>
  withFolder(async (folder) => {
    const module = await plant("fails, hangs", folder);
    const stopping = new AbortController();
    const lines: string[] = [];
    const files = await fuzz({
      milliseconds: 3_600_000,
      seed: 1,
      module,
      folder: new URL("findings/", folder),
      patienceMs: 3_600_000,
      stop: stopping.signal,
      say: (line) => {
        lines.push(line);
        // What hangs comes next.
        if (line.startsWith(`${fails.name}: `)) setTimeout(() => stopping.abort());
      },
    });
    assertEquals(findings(new URL("findings/", folder)).map(([name]) => name), files);
    assertMatch(lines.at(-1)!, /: 1 of 2 failed$/);
  }));

Deno.test("an input that is never done with is given up and kept, and the others go on", () =>
  withFolder(async (folder) => {
    const lines: string[] = [];
    await fuzz({
      milliseconds: 1_000,
      seed: 1,
      module: await plant("hangs, fails", folder),
      folder: new URL("findings/", folder),
      patienceMs: 1_000,
      stop: new AbortController().signal,
      say: (line) => lines.push(line),
    });
    const kept = findings(new URL("findings/", folder)).map(([, finding]) => finding);
    const [first, second] = kept.toSorted((one, other) => one.property < other.property ? -1 : 1);
    assertEquals([first.property, second.property], [hangs.name, fails.name]);
    assertEquals(first.seen, "not done after 1000 ms");
    assert(Array.isArray(first.input) && first.input.length > 2);
    assertMatch(lines.at(-1)!, /: 2 of 2 failed$/);
  }));

Deno.test("the file of a kept input is named after it, and gives it back", () =>
  withFolder(async (folder) => {
    const property = "a sentence";
    const input = ["\ud800", "\0\xff\r\n", null, { a: [1.5] }];
    assertEquals(findings(new URL("none/", folder)), []);
    const file = await keep({ property, seen: "once", input }, folder);
    assertEquals(await keep({ property, seen: "again", input }, folder), file);
    assertNotEquals(await keep({ property, seen: "once", input: [] }, folder), file);
    const found = findings(folder);
    assertEquals(found.length, 2);
    assertEquals(found.find(([name]) => name === file)?.[1], { property, seen: "again", input });
  }));

Deno.test("read() takes a time and a seed, and nothing else", () => {
  assertEquals(read(["--seconds", "5", "--seed", "7"]), { milliseconds: 5_000, seed: 7 });
  assertEquals(read(["--minutes", "0.5", "--seed", "0"]), { milliseconds: 30_000, seed: 0 });
  assertEquals(read([])?.milliseconds, 60_000);
  for (
    const words of [
      ["--seconds"],
      ["--seconds", "soon"],
      ["--seconds", "0"],
      ["--seconds", "-1"],
      ["--seed", "1.5"],
      ["--hours", "1"],
      ["5"],
    ]
  ) assertEquals(read(words), null, words.join(" "));
});

function deno(root: string | URL, ...args: readonly string[]): Deno.ChildProcess {
  const env = { NO_COLOR: "1" };
  const options = { cwd: root, env, stdout: "piped", stderr: "piped" } as const;
  return new Deno.Command(Deno.execPath(), { args: [...args], ...options }).spawn();
}

/** As `deno task fuzz` does. */
const start = (root: string | URL, ...args: readonly string[]) =>
  deno(root, "run", "--allow-read", "--allow-write=tests/findings", "tests/fuzz.ts", ...args);

/** Waits for its end; `hear` is told each line it says. */
async function end(child: Deno.ChildProcess, hear: (line: string) => void = () => {}) {
  const lines: string[] = [];
  const stream = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TextLineStream(),
  );
  for await (const line of stream) {
    lines.push(line);
    hear(line);
  }
  const faults = await new Response(child.stderr).text();
  return { code: (await child.status).code, lines, faults };
}

const ROOT = new URL("../", import.meta.url);

Deno.test("the fuzzer exits with 0 where every property held, and has a line for each", async () => {
  const { code, lines } = await end(start(ROOT, "--seconds", "0.5", "--seed", "1"));
  assertEquals(code, 0);
  assertEquals(lines[0], `${properties.length} properties for 0.5 s with seed 1`);
  assertEquals(
    lines.slice(1, -1).map((line) => line.replace(RUNS, "")),
    properties.map(({ name }) => name),
  );
  assertMatch(lines.at(-1)!, /^ *[1-9][0-9,]* runs in \d+ s: all held$/);
});

/** What the fuzzer and the tests of properties are made of, but for the properties. */
const PARTS = [
  "fuzz",
  "fuzz_worker",
  "finding",
  "property",
  "planted",
  "properties_test",
  "assert",
];

/** Calls `test` with a tree that has these planted properties and no others. */
const withPlanted = (names: string, test: (root: URL) => Promise<void>) =>
  withFolder(async (root) => {
    const tests = new URL("tests/", root);
    await Deno.mkdir(tests);
    await Deno.symlink(new URL("lib", ROOT).pathname, new URL("lib", root).pathname);
    for (const name of PARTS) {
      await Deno.copyFile(new URL(`${name}.ts`, import.meta.url), new URL(`${name}.ts`, tests));
    }
    const source = `import * as planted from "./planted.ts";
const { ${names} } = planted;
export const properties = [${names}];
`;
    await Deno.writeTextFile(new URL("properties.ts", tests), source);
    await test(root);
  });

Deno.test("the fuzzer exits with 1 where a property did not hold, and its input is tried for ever", () =>
  withPlanted("fails", async (root) => {
    const folder = new URL("tests/findings/", root);
    const { code, faults } = await end(start(root, "--seconds", "1"));
    assertEquals({ code, faults }, { code: 1, faults: "" });
    const [[file, { input }], ...others] = findings(folder);
    assertEquals([input, others], [[1_001], []]);

    const holding = await keep({ property: fails.name, seen: "", input: [1_000] }, folder);
    const lost = await keep({ property: "what nobody says", seen: "", input: null }, folder);
    const testing = deno(root, "test", "--no-check", "--allow-read", "tests/properties_test.ts");
    const { code: failed, lines } = await end(testing);
    assertEquals(failed, 1);
    const resultOf = (name: string) =>
      lines.map((line) => line.split(" ... ")).find(([found]) => found === name)?.[1].split(" ")[0];
    assertEquals(resultOf(fails.name), "FAILED");
    assertEquals(resultOf(`${fails.name} (${file})`), "FAILED");
    assertEquals(resultOf(`${fails.name} (${holding})`), "ok");
    assertEquals(resultOf(`what nobody says (${lost})`), "FAILED");
    assert(lines.some((line) => /^{ seed: -?\d+, path: /.test(line)), "the seed is said");
  }));

Deno.test("the fuzzer says what it takes where it is asked for that", async () => {
  const { code, lines } = await end(start(ROOT, "--help"));
  assertEquals(code, 0);
  assertMatch(lines.join(), /^Usage: deno task fuzz /);
});

Deno.test("the fuzzer exits with 2 where it cannot use its arguments, and says what it takes", async () => {
  const { code, faults } = await end(start(ROOT, "--hours", "1"));
  assertEquals(code, 2);
  assertMatch(faults, /^Usage: deno task fuzz /);
});

Deno.test("a signal ends the fuzzer early, also while an input has no end, and it says what it did", () =>
  withPlanted("fails, hangs", async (root) => {
    const child = start(root, "--minutes", "600");
    const { code, lines } = await end(child, (line) => {
      // What hangs comes next.
      if (line.startsWith(`${fails.name}: `)) child.kill("SIGINT");
    });
    assertEquals(code, 1);
    assertEquals(lines.length, 5);
    assertMatch(lines.at(-1)!, /runs in \d+ s: 1 of 2 failed$/);
  }));
