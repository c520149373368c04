/** The help page: all options, on an ordinary terminal, with examples that work. */
import { configure, configureQueue } from "../lib/config.ts";
import { isFaults } from "../lib/fault.ts";
import { help } from "../lib/help.ts";
import { grammar, tieValues } from "../lib/flags.ts";
import { commands, type Option, options, type Tool, tools } from "../lib/options.ts";
import { target } from "../lib/request.ts";
import { sampleContexts } from "../lib/sample.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { parseArgs } from "./std.ts";

const page = help("1.2.3");

Deno.test("the help page fits 80 columns of ASCII and ends with a line end", () => {
  const tooLong = page.split("\n").filter((line) => line.length > 79);
  assertEquals(tooLong, []);
  assertMatch(page, /^[\n -~]+[^\n]\n$/);
  assert(!/ \n/.test(page));
});

Deno.test("the help page begins with name, version and purpose", () => {
  assertMatch(page, /^smtp-pigeon 1\.2\.3: accepts mail/);
});

/** An entry of the page: from its term to the next one, in one line. */
function entryOf(term: string): string {
  const start = page.indexOf(`\n  ${term}`);
  assert(start !== -1, term);
  const [entry] = page.slice(start + 1).split(/\n(?! {26})/);
  return entry.replaceAll(/\s+/g, " ").trim();
}

for (const option of options as readonly Option[]) {
  const { name, value, help, preset, repeats } = option;
  Deno.test(`the help page explains --${name}`, () => {
    const entry = entryOf(`--${name}${value === null ? "" : ` ${value}`}`);
    assertStringIncludes(entry, help);
    assertEquals(/\(.*default ([^,)]+)\)/.exec(entry)?.[1], preset);
    assertEquals(/\(repeatable[,)]/.test(entry), repeats === true);
  });
}

Deno.test("the help page has each heading once, and all of its options below", () => {
  const headings = Array.from(page.matchAll(/^(\w[\w ]*):$/gm), ([, heading]) => heading);
  assertEquals(headings, [
    ...["Commands", "Endpoint", "Queue", "SMTP", "Limits", "Queue tools", "Other", "Examples"],
  ]);
  for (const { group } of options) {
    const [, below] = page.split(`\n${group}:\n`);
    const terms = below.split("\n\n")[0].matchAll(/^ {2}--([\w-]+)/gm);
    const names = options.filter((option) => option.group === group).map(({ name }) => name);
    assertEquals(Array.from(terms, ([, name]) => name), names);
  }
});

for (const [name, sentence] of Object.entries(commands)) {
  Deno.test(`the help page explains the command ${name}`, () => {
    assertEquals(entryOf(`${name} `), `${name} ${sentence}`);
  });
}

for (const [name, { operands, switches, help }] of Object.entries<Tool>(tools)) {
  const term = `queue ${name} ${operands}`.trimEnd();
  Deno.test(`the help page explains ${term}, and which switches it has`, () => {
    assertEquals(entryOf(term), `${term} ${help}`);
    for (const { name: option, group } of options) {
      if (group !== "Queue tools") continue;
      const [, tools] = /^--\w+ ([a-z, ]+):/.exec(entryOf(`--${option}`))!;
      assertEquals(tools.split(", ").includes(name), switches.includes(option), option);
    }
  });
}

Deno.test("the help page tells of variables and of files", () => {
  for (const text of ["SMTP_PIGEON_URL for --url", "SMTP_PIGEON_URL_FILE", "Flags win"]) {
    assertStringIncludes(page, text);
  }
});

/** The examples as a shell would read them. */
function examples(): string[][] {
  const [, text] = page.split("\nExamples:\n");
  return text.replaceAll(/\\\n\s*/g, "").split("\n").map((line) => line.trim())
    .filter((line) => line.startsWith("smtp-pigeon "))
    .map((line) => Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, a, b]) => a ?? b).slice(1));
}

Deno.test("the help page has examples of messages and of queue tools", () => {
  assertEquals(Map.groupBy(examples(), ([name]) => name).get("queue")?.length, 2);
  assertEquals(examples().length, 6);
});

const sources = { env: () => undefined, readTextFile: () => "" };

for (const args of examples().filter(([name]) => name === "queue")) {
  Deno.test(`the example "${args.join(" ")}" is taken`, () => {
    const { config, faults } = configureQueue(parseArgs(tieValues(args), grammar), sources);
    assertEquals([config.queue, faults], ["queue.db", []]);
  });
}

for (const args of examples().filter(([name]) => name !== "queue")) {
  Deno.test(`the example "${args.join(" ")}" works`, async () => {
    const { config, faults } = configure(parseArgs(tieValues(args), grammar), sources);
    assertEquals(faults, []);
    const { url, headers, template } = config;
    const samples = sampleContexts({
      version: "1",
      hostname: () => "",
      env: () => undefined,
      vars: {},
    });
    const setting = template ?? { text: "{}", label: "the default template" };
    const made = await target({ url, headers, template: setting, version: "1" }, samples);
    assert(!isFaults(made));
    const request = await made.request(samples[0], new Date(0));
    assert(!isFaults(request));
    if (template !== null) assertEquals(request.body, samples[0].body);
  });
}
