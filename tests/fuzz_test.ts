/** The fuzzer: it finds what is planted for it, keeps it, and stops. */
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { findings, keep } from "./finding.ts";
import { fuzz, type Plan, read } from "./fuzz.ts";
import { properties } from "./planted.ts";
import { properties as all } from "./properties.ts";
import { TextLineStream } from "./std.ts";

const PLANTED = new URL("planted.ts", import.meta.url);

/** What planted.ts has. */
const HOLDS = 0;
const FAILS = 1;
const HANGS = 2;
const names = properties.map(({ name }) => name);

/** Fuzzes what is planted; gives what was said, the names of the files, and what they hold. */
async function plant(changes: Partial<Plan> = {}) {
  const path = await Deno.makeTempDir();
  const folder = new URL(`file://${path}/findings/`);
  const lines: string[] = [];
  try {
    const files = await fuzz({
      milliseconds: 1_000,
      seed: 1,
      module: PLANTED,
      folder,
      patienceMs: 1_000,
      stop: new AbortController().signal,
      say: (line) => lines.push(line),
      ...changes,
    });
    return { lines, files, kept: findings(folder) };
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

Deno.test("fuzz() finds what is planted, makes it small, keeps it, and goes on with the others", async () => {
  const { lines, files, kept } = await plant();
  assertEquals(kept.map(([name]) => name).toSorted(), files.toSorted());
  const [fails, hangs] = [FAILS, HANGS].map((index) =>
    kept.find(([, { property }]) => property === names[index])![1]
  );
  assertEquals(kept.length, 2);
  assertEquals(fails, { property: names[FAILS], seen: "RangeError: it has", input: [1_001] });
  assertEquals(hangs.seen, "not done after 1000 ms");
  assert(Array.isArray(hangs.input) && hangs.input.length > 2);
  const said = lines.slice(-4);
  assertMatch(said[HOLDS], new RegExp(`^ *[1-9][0-9,]* ${names[HOLDS]}$`));
  assertMatch(said[FAILS], new RegExp(`^ *[1-9][0-9,]* ${names[FAILS]}: failed, see .*\\.json$`));
  assertMatch(said[HANGS], new RegExp(`^ *[1-9][0-9,]* ${names[HANGS]}: failed, see .*\\.json$`));
  assertMatch(said[3], /^ *[1-9][0-9,]* runs in \d+ s: 2 of 3 failed$/);
});

Deno.test("the numbers of runs that fuzz() says add up", async () => {
  const { lines } = await plant();
  const numbers = lines.slice(-4).map((line) =>
    Number(/^ *([0-9,]+)/.exec(line)![1].replaceAll(",", ""))
  );
  assertEquals(numbers[0] + numbers[1] + numbers[2], numbers[3]);
});

Deno.test("a kept input fails again when it is tried, and its file is named after it", async () => {
  const path = await Deno.makeTempDir();
  const folder = new URL(`file://${path}/`);
  const { name, holds } = properties[FAILS];
  try {
    const file = await keep({ property: name, seen: "once", input: [5_000] }, folder);
    assertEquals(await keep({ property: name, seen: "again", input: [5_000] }, folder), file);
    const [[found, { property, input }], ...others] = findings(folder);
    assertEquals([found, property, input, others], [file, name, [5_000], []]);
    let seen: unknown;
    try {
      holds(input);
    } catch (error) {
      seen = error;
    }
    assert(seen instanceof RangeError);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});

Deno.test("fuzz() ends when it is told to, within an input that is never done too", async () => {
  const stopping = new AbortController();
  const lines: string[] = [];
  const { files } = await plant({
    milliseconds: 3_600_000,
    patienceMs: 3_600_000,
    stop: stopping.signal,
    // What fails is told at once, and what hangs comes after it.
    say: (line) => {
      lines.push(line);
      if (lines.length === 2) setTimeout(() => stopping.abort(), 200);
    },
  });
  assertEquals(files.length, 1);
  assertMatch(lines.at(-1)!, /: 1 of 3 failed$/);
});

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

/** As `deno task fuzz` does. */
const TASK = ["run", "--allow-read", "--allow-write=tests/findings", "tests/fuzz.ts"];

function start(root: string | URL, ...args: readonly string[]): Deno.ChildProcess {
  const options = { cwd: root, stdout: "piped", stderr: "piped" } as const;
  return new Deno.Command(Deno.execPath(), { args: [...TASK, ...args], ...options }).spawn();
}

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
  const { code, lines } = await end(start(ROOT, "--seconds", "1", "--seed", "1"));
  assertEquals(code, 0);
  assertEquals(lines[0], `${all.length} properties for 1 s with seed 1`);
  assertEquals(
    lines.slice(1, -1).map((line) => line.replace(/^ *[1-9][0-9,]* /, "")),
    all.map(({ name }) => name),
  );
  assertMatch(lines.at(-1)!, /^ *[1-9][0-9,]* runs in \d+ s: all held$/);
});

Deno.test("the fuzzer exits with 1 where a property did not hold, and its input is kept", async () => {
  const root = await Deno.makeTempDir();
  const tests = new URL(`file://${root}/tests/`);
  try {
    await Deno.mkdir(tests);
    await Deno.symlink(new URL("lib", ROOT).pathname, `${root}/lib`);
    for (const name of ["fuzz", "fuzz_worker", "finding", "property", "planted"]) {
      await Deno.copyFile(new URL(`${name}.ts`, import.meta.url), new URL(`${name}.ts`, tests));
    }
    const source = 'import { properties as planted } from "./planted.ts";\n' +
      `export const properties = [planted[${FAILS}]];\n`;
    await Deno.writeTextFile(new URL("properties.ts", tests), source);
    const { code, faults } = await end(start(root, "--seconds", "1"));
    assertEquals({ code, faults }, { code: 1, faults: "" });
    const kept = findings(new URL("findings/", tests));
    assertEquals(kept.map(([, { input }]) => input), [[1_001]]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("the fuzzer exits with 2 where it cannot use its arguments, and says what it takes", async () => {
  const { code, faults } = await end(start(ROOT, "--hours", "1"));
  assertEquals(code, 2);
  assertMatch(faults, /^Usage: deno task fuzz /);
});

Deno.test("a signal ends the fuzzer early, and it says what it has done", async () => {
  const child = start(ROOT, "--minutes", "60", "--seed", "2");
  const { code, lines } = await end(child, (line) => {
    if (line.endsWith("with seed 2")) child.kill("SIGINT");
  });
  assertEquals(code, 0);
  assertEquals(lines.length, all.length + 2);
  assertMatch(lines.at(-1)!, /runs in \d+ s: all held$/);
});
