/** The report in tests/README.md: its counts, and that it names every file of tests. */
import { assert, assertEquals } from "./assert.ts";
import { bombs } from "./bombs.ts";
import { properties } from "./properties.ts";
import { sessionProperties } from "./session_properties.ts";
import { SEQUENCES } from "./smuggling.ts";
import { roles } from "./soak/roles.ts";

const folder = new URL("./", import.meta.url);
const report = await Deno.readTextFile(new URL("README.md", folder));
const conformance = await Deno.readTextFile(new URL("conformance.md", folder));

/** Files of a folder beside this one, with that ending. */
const files = (path: string, ending: string) =>
  Array.from(Deno.readDirSync(new URL(path, folder)), ({ name }) => name)
    .filter((name) => name.endsWith(ending));

/** Rows of a table, without its two first lines. */
const rows = (text: string) =>
  text.split("\n").filter((line) => /^\| (?!-|Section |Name )/.test(line));

const [requirements, leniences] = conformance.split("\n## Leniences\n").map(rows);

const counts: [what: string, count: number][] = [
  ["requirements", requirements.length],
  ["leniences", leniences.length],
  ["dialogues", files("dialogues/", ".txt").length],
  ["properties", properties.length + sessionProperties.length],
  ["sequences", SEQUENCES.length],
  ["messages", files("messages/", ".eml").length],
  ["bombs", Object.keys(bombs).length],
  ["roles", Object.keys(roles).length],
];
for (const [what, count] of counts) {
  Deno.test(`the report counts ${what}`, () => {
    const [, told] = new RegExp(`\\b(\\d+) ${what}\\b`).exec(report) ?? [];
    assertEquals(told, `${count}`);
  });
}

Deno.test("the report names every file of tests", () => {
  const tests = [
    ...files("./", "_test.ts"),
    ...files("e2e/", "_test.ts").map((name) => `e2e/${name}`),
  ];
  const unnamed = tests.filter((name) => !report.includes(`\`${name.replace(/\.ts$/, "")}\``));
  assertEquals(unnamed, []);
  assert(tests.length > 40);
});
