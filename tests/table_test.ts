/** Tables that fit a terminal, and text, times and sizes that may stand in them. */
import { ahead, counted, size, span } from "../lib/quantity.ts";
import { type Column, layout } from "../lib/table.ts";
import { columnsOf, cut, harmless, jsonLine, oneLine } from "../lib/terminal.ts";
import { assert, assertEquals } from "./assert.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const spans: [ms: number, text: string][] = [
  [-5000, "0s"],
  [0, "0s"],
  [999, "0s"],
  [1000, "1s"],
  [MINUTE - 1, "59s"],
  [MINUTE, "1m"],
  [3.9 * MINUTE, "3m"],
  [HOUR - 1, "59m"],
  [HOUR, "1h"],
  [DAY - 1, "23h"],
  [DAY, "1d"],
  [400.5 * DAY, "400d"],
];
for (const [ms, text] of spans) {
  Deno.test(`span() says ${text} of ${ms} ms`, () => assertEquals(span(ms), text));
}

const aheads: [ms: number, text: string][] = [
  [-DAY, "now"],
  [0, "now"],
  // What is ahead is not now.
  [1, "in 1s"],
  [29_001, "in 30s"],
  [30_000, "in 30s"],
  [59_001, "in 1m"],
  [4 * HOUR, "in 4h"],
];
for (const [ms, text] of aheads) {
  Deno.test(`ahead() says ${text} of ${ms} ms`, () => assertEquals(ahead(ms), text));
}

const sizes: [octets: number, text: string][] = [
  [0, "0"],
  [1, "1"],
  [1023, "1023"],
  [1024, "1.0K"],
  [4300, "4.2K"],
  [10 * 1024, "10K"],
  [1024 ** 2, "1.0M"],
  [1.25 * 1024 ** 3, "1.3G"],
  [5000 * 1024 ** 3, "5000G"],
];
for (const [octets, text] of sizes) {
  Deno.test(`size() says ${text} of ${octets} octets`, () => assertEquals(size(octets), text));
}

Deno.test("counted() has one word for one, and another for none and several", () => {
  assertEquals([0, 1, 2].map((count) => counted(count, "message")), [
    ...["0 messages", "1 message", "2 messages"],
  ]);
  assertEquals(counted(2, "delivery", "deliveries"), "2 deliveries");
});

/** A text, and what becomes of it in one line, in several, and in JSON. */
const texts: [text: string, line: string, lines: string, json: string][] = [
  ["a", "a", "a", '"a"'],
  ["\x1b[31mred", "[31mred", "\ufffd[31mred", '"\\u001b[31mred"'],
  // The one-character form of ESC [, which some terminals obey.
  ["a\x9b31mb", "a 31mb", "a\ufffd31mb", '"a\\u009b31mb"'],
  ["a\r\nb\rc\n", "a b c", "a\nb\ufffdc\n", '"a\\r\\nb\\rc\\n"'],
  ["a\tb\x07\x00", "a b", "a\tb\ufffd\ufffd", '"a\\tb\\u0007\\u0000"'],
  // What turns the direction of writing would mix up the columns.
  ["a\u202eb\u2028c", "a b c", "a\u202eb\u2028c", '"a\\u202eb\\u2028c"'],
  ["a\u{e0041}b", "a b", "a\u{e0041}b", '"a\\udb40\\udc41b"'],
  ["ü漢😀", "ü漢😀", "ü漢😀", '"ü漢😀"'],
];
for (const [text, line, lines, json] of texts) {
  Deno.test(`a terminal obeys nothing in ${JSON.stringify(text)}`, () => {
    assertEquals([oneLine(text), harmless(text), jsonLine(text)], [line, lines, json]);
    assertEquals(JSON.parse(json), text);
  });
}

const widths: [text: string, columns: number][] = [
  ["", 0],
  ["abc", 3],
  ["üßñ", 3],
  ["e\u0301", 1],
  ["漢字", 4],
  ["かな", 4],
  ["한글", 4],
  ["ﾊﾝｶｸ", 4],
  ["Ａ", 2],
  ["😀", 2],
  ["…", 1],
];
for (const [text, columns] of widths) {
  Deno.test(`${JSON.stringify(text)} takes ${columns} columns`, () => {
    assertEquals(columnsOf(text), columns);
  });
}

const cuts: [text: string, columns: number, cut: string][] = [
  ["abcdef", 6, "abcdef"],
  ["abcdef", 5, "abcd…"],
  ["abcdef", 1, "…"],
  // Half a character is none.
  ["漢字漢字", 6, "漢字…"],
  ["漢字漢字", 8, "漢字漢字"],
  ["e\u0301e\u0301e\u0301", 2, "e\u0301…"],
  ["😀😀", 3, "😀…"],
];
for (const [text, columns, expected] of cuts) {
  Deno.test(`cut() makes ${expected} of ${text}`, () => {
    assertEquals(cut(text, columns), expected);
    assert(columnsOf(expected) <= columns);
  });
}

Deno.test("cut() leaves the mark out where it is told to", () => {
  assertEquals(cut("abcdef", 3, ""), "abc");
});

const COLUMNS: readonly Column[] = [
  { heading: "ID", least: 4, isCutPlainly: true },
  { heading: "N", isNumber: true },
  { heading: "NAME", least: 4 },
  { heading: "ANSWER", least: 4 },
];
const HEADINGS = COLUMNS.map(({ heading }) => heading);
const ROWS = [
  ["0190c8a5", "1", "a@x.example", "endpoint answered 503"],
  ["0190c8a6", "12", "漢字@y.example", "-"],
];

const table = (width: number | null, rows: string[][] = ROWS) =>
  [HEADINGS, ...rows].map(layout(COLUMNS, rows, width));

Deno.test("a table that no terminal shows is as wide as its cells", () => {
  assertEquals(table(null), [
    "ID         N  NAME            ANSWER",
    "0190c8a5   1  a@x.example     endpoint answered 503",
    "0190c8a6  12  漢字@y.example  -",
  ]);
});

Deno.test("a table narrows its widest columns first", () => {
  assertEquals(table(80), table(null));
  assertEquals(table(51), table(null));
  assertEquals(table(44), [
    "ID         N  NAME            ANSWER",
    "0190c8a5   1  a@x.example     endpoint answ…",
    "0190c8a6  12  漢字@y.example  -",
  ]);
  assertEquals(table(32), [
    "ID         N  NAME      ANSWER",
    "0190c8a5   1  a@x.exa…  endpoin…",
    "0190c8a6  12  漢字@y.…  -",
  ]);
  assertEquals(table(20), [
    "ID     N  NAME  ANS…",
    "0190   1  a@x…  end…",
    "0190  12  漢…   -",
  ]);
});

Deno.test("a table is never wider than the terminal, down to the least that columns take", () => {
  for (let width = 20; width <= 60; width++) {
    for (const line of table(width)) assert(columnsOf(line) <= width, `${width}: ${line}`);
  }
  // Narrower than that it cannot be.
  assertEquals(table(10), table(20));
});

Deno.test("rows that come later are cut on a terminal, where the last column gets all the room", () => {
  const later = ["0190c8a5ffff", "12", "b".repeat(30), "c".repeat(60)];
  const line = layout(COLUMNS, ROWS, 60)(later);
  assertEquals(line, `0190c8a5  12  ${"b".repeat(13)}…  ${"c".repeat(29)}…`);
  assertEquals(columnsOf(line), 60);
  assertEquals(layout(COLUMNS, ROWS, null)(later), later.join("  "));
});

Deno.test("a number is never cut", () => {
  assertEquals(layout(COLUMNS, ROWS, 20)(["1", "12345", "c", "-"]), "1     12345  c     -");
});

Deno.test("a long cell does not push the others away where nothing is cut", () => {
  const long = "c".repeat(60);
  const rows = [["1", "1", long, "-"], ["2", "2", "d", "-"]];
  assertEquals(table(null, rows).slice(1), [
    `1   1  ${long}  -`,
    `2   2  ${"d".padEnd(40)}  -`,
  ]);
});
