/**
 * The conformance page: each requirement of the RFCs has its proof, each proof exists, and each dialogue
 * proves something. What a dialogue proves is its own test's affair.
 */
import { assert, assertEquals } from "./assert.ts";

/** The RFCs of which the page has a section each. */
const RFCS = [1870, 2033, 2034, 2920, 3030, 3463, 4954, 5321, 6152, 6531, 9422];

const LEVELS = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "stated"];

const HEAD = {
  requirements: ["Section", "Level", "What a server has to do", "Proof"],
  leniences: [
    ...["Name", "What is taken", "For whom, and why", "Shown by"],
    "Why framing stays as sound",
  ],
} as const;

/** What a page may name. */
interface Proofs {
  /** The names of all dialogues. */
  readonly dialogues: readonly string[];
  /** Whether a file has a test or a property of that name, given as its source has it. */
  readonly hasTest: (file: string, name: string) => boolean;
}

/** All that is wrong with a page. */
function faultsOf(page: string, { dialogues, hasTest }: Proofs): string[] {
  const faults: string[] = [];
  const named = new Set<string>();
  const seen = new Set<string>();

  /** Notes the proofs that a cell names; false where it names none. */
  const note = (cell: string, row: string): boolean => {
    const names = Array.from(cell.matchAll(/`([^`]+)`/g), ([, name]) => name);
    for (const name of names) {
      const [, file, test] = /^(\S+\.ts): (.+)$/.exec(name) ?? [];
      const exists = file === undefined ? dialogues.includes(name) : hasTest(file, test);
      if (!exists) faults.push(`${row}: there is no ${name}`);
      named.add(name);
    }
    return names.length > 0;
  };

  for (const section of page.split(/^## /m).slice(1)) {
    const [title] = section.split("\n");
    const isLeniences = title === "Leniences";
    const head = isLeniences ? HEAD.leniences : HEAD.requirements;
    const lines = section.split("\n").filter((line) => line.startsWith("|"));
    const [columns, , ...rows] = lines.map(cellsOf);
    assertEquals(columns, [...head], title);
    if (rows.length === 0) faults.push(`${title}: there are no rows`);
    for (const cells of rows) {
      const row = `${title}, ${cells[0]} ${cells[isLeniences ? 1 : 2]}`;
      if (seen.has(row)) faults.push(`${row}: there are two of it`);
      seen.add(row);
      if (cells.length !== head.length || cells.includes("")) {
        faults.push(`${row}: its cells are not ${head.length}, each with a text`);
        continue;
      }
      if (isLeniences) {
        if (!note(cells[3], row)) faults.push(`${row}: nothing shows it`);
        if (!note(cells[4], row)) faults.push(`${row}: nothing proves that framing stays sound`);
        continue;
      }
      const [number, level, , proof] = cells;
      if (!/^\d+(?:\.\d+)*$/.test(number)) faults.push(`${row}: ${number} is no section`);
      if (!LEVELS.includes(level)) faults.push(`${row}: ${level} is no level`);
      const excuse = /^Not (?:done|applicable): /.test(proof);
      if (/Not (?:done|applicable)/.test(excuse ? proof.slice(1) : proof)) {
        faults.push(`${row}: what is not done must be said first`);
      }
      if (!note(proof, row) && !excuse) faults.push(`${row}: it has no proof`);
    }
  }
  for (const name of dialogues) {
    if (!named.has(name)) faults.push(`no row names ${name}`);
  }
  return faults;
}

function cellsOf(line: string): string[] {
  return line.split("|").slice(1, -1).map((cell) => cell.trim());
}

/** Whether a source calls a test function, or property(), with that name in quotes or a template. */
function declares(source: string, name: string): boolean {
  const call = /\b(?:test\w*|property)\(\s*(?:\[[^\]]*\],\s*)?(["`])/g;
  return source.matchAll(call).some(({ index, 0: { length }, 1: quote }) =>
    source.startsWith(name + quote, index + length)
  );
}

const directory = new URL("./", import.meta.url);
const page = await Deno.readTextFile(new URL("conformance.md", directory));

Deno.test("each row of the page names proofs that exist, and each dialogue is named", () => {
  const dialogues = Array.from(Deno.readDirSync(new URL("dialogues/", directory)))
    .flatMap(({ name }) => name.endsWith(".txt") ? [name.slice(0, -4)] : []).toSorted();
  assert(dialogues.length > 100);
  const sources = new Map<string, string>();
  const hasTest = (file: string, name: string) => {
    if (!sources.has(file)) {
      sources.set(file, Deno.readTextFileSync(new URL(file, directory)));
    }
    return declares(sources.get(file)!, name);
  };
  assertEquals(faultsOf(page, { dialogues, hasTest }), []);
});

Deno.test("the page has a section for each RFC, and one for the leniences", () => {
  const titles = Array.from(page.matchAll(/^## (.*)$/gm), ([, title]) => title);
  const numbers = titles.map((title) => Number(/^RFC (\d+)/.exec(title)?.[1]));
  assertEquals(numbers.filter((number) => !isNaN(number)).toSorted((a, b) => a - b), RFCS);
  assertEquals(titles.at(-1), "Leniences");
  assertEquals(titles.length, RFCS.length + 1);
});

const SOUND = `# A page

Words.

## RFC 1: One

Words.

| Section | Level  | What a server has to do | Proof                                           |
| ------- | ------ | ----------------------- | ----------------------------------------------- |
| 1       | MUST   | greet                   | \`one\`, and it says \`a_test.ts: it greets\` too |
| 1.2.3   | stated | sing                    | Not done: nobody listens. \`one\`                 |
| 2       | SHOULD | dance                   | Not applicable: it has no feet                  |

## Leniences

| Name | What is taken | For whom, and why | Shown by | Why framing stays as sound |
| ---- | ------------- | ----------------- | -------- | -------------------------- |
| Late | \`NOOP\` late   | the old           | \`two\`    | it is counted: \`one\`       |
`;

const proofs: Proofs = {
  dialogues: ["one", "two"],
  hasTest: (file, name) => file === "a_test.ts" && name === "it greets",
};

Deno.test("a sound page has no faults", () => assertEquals(faultsOf(SOUND, proofs), []));

const broken: readonly (readonly [what: string, from: string, to: string, fault: string])[] = [
  ["a dialogue that is not there", "`one`, and", "`three`, and", "there is no three"],
  ["a test that is not there", "it greets`", "it greeted`", "there is no a_test.ts: it greeted"],
  ["a test file that is not there", "a_test", "b_test", "there is no b_test.ts: it greets"],
  ["a dialogue that no row names", "`two`", "`one`", "no row names two"],
  ["a row without a proof", "Not applicable: it has", "It has", "it has no proof"],
  ["an excuse without its reason", "Not applicable: it has no feet", "Not done:", "no proof"],
  ["an excuse that hides", "it has no feet", "Not done: it has no feet", "must be said first"],
  ["a level that is none", "| SHOULD |", "| COULD |", "COULD is no level"],
  ["a section that is none", "| 1.2.3 ", "| 1.2.  ", "1.2. is no section"],
  ["a row of three cells", "| dance ", "dance ", "its cells are not 4"],
  ["an empty cell", "| greet ", "|  ", "its cells are not 4"],
  ["the same row twice", "| 2       | SHOULD | dance", "| 1 | MUST | greet", "two of it"],
  ["a lenience that nothing shows", "| `two`", "| two", "nothing shows it"],
  ["a lenience without its proof", "counted: `one`", "counted", "that framing stays sound"],
  ["a lenience that names no dialogue", "counted: `one`", "counted: `x`", "there is no x"],
];

for (const [what, from, to, fault] of broken) {
  Deno.test(`a page has a fault where it has ${what}`, () => {
    assert(SOUND.includes(from));
    const faults = faultsOf(SOUND.replace(from, to), proofs);
    assert(faults.some((found) => found.includes(fault)), faults.join("\n"));
  });
}

const sources: readonly (readonly [source: string, has: boolean])[] = [
  ['Deno.test("it greets", () => {});', true],
  ["Deno.test(`it greets`, () => {});", true],
  ['testConnection(\n  "it greets",\n  async () => {});', true],
  ['testWith(["sh"], "it greets", run);', true],
  ['property("it greets", inputs, holds)', true],
  ['// "it greets"', false],
  ['assertEquals("it greets", x);', false],
  ['Deno.test("it greets twice", () => {});', false],
  ['Deno.test("when it greets", () => {});', false],
];

for (const [source, has] of sources) {
  Deno.test(`${JSON.stringify(source)} ${has ? "is" : "is not"} a test of that name`, () => {
    assertEquals(declares(source, "it greets"), has);
  });
}
