/** The header section as header.ts reads it off the octets of a message. */
import { sectionsOf } from "../lib/header.ts";
import { assertEquals } from "./assert.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (octets: Uint8Array) => new TextDecoder().decode(octets);

const CASES: [what: string, message: string, fields: [string, string][], body: string][] = [
  ["nothing of nothing", "", [], ""],
  ["fields and a body", "A: 1\r\nb:2\r\n\r\nC: 3\r\n", [["A", "1"], ["b", "2"]], "C: 3\r\n"],
  ["fields that end with LF", "A: 1\nB: 2\n\nx\n", [["A", "1"], ["B", "2"]], "x\n"],
  ["fields without a body", "A: 1\r\nB: 2", [["A", "1"], ["B", "2"]], ""],
  ["a body without fields", "\r\nA: 1\r\n", [], "A: 1\r\n"],
  ["a body that begins at once", "so it is\r\nA: 1\r\n", [], "so it is\r\nA: 1\r\n"],
  ["a folded field", "A: 1\r\n 2\r\n\t3\r\n\r\n", [["A", "1 2\t3"]], ""],
  ["an empty field", "A:\r\nB: \r\n\r\n", [["A", ""], ["B", ""]], ""],
  ["blanks before a colon", "A \t: 1\r\n\r\n", [["A", "1"]], ""],
  ["colons in a value", "A: b: c\r\n\r\n", [["A", "b: c"]], ""],
  [
    "no field of a line without a colon",
    "A: 1\r\nwhat\r\nB: 2\r\n\r\n",
    [["A", "1"], ["B", "2"]],
    "",
  ],
  ["no field of a name with a space", "A: 1\r\nb c: 2\r\n\r\n", [["A", "1"]], ""],
  [
    "repeated fields in order",
    "A: 1\r\nB: 2\r\nA: 3\r\n\r\n",
    [["A", "1"], ["B", "2"], ["A", "3"]],
    "",
  ],
  ["no mbox line", "From a Sat Jan  1 10:10:20 2022\nA: 1\n\nx", [["A", "1"]], "x"],
  ["a bare CR as content", "A: 1\rB: 2\r\n\r\nx", [["A", "1\rB: 2"]], "x"],
];

for (const [what, message, fields, body] of CASES) {
  Deno.test(`sectionsOf() reads ${what}`, () => {
    const sections = sectionsOf(encode(message));
    assertEquals(sections.fields.map(({ name, value }) => [name, value]), fields);
    assertEquals(decode(sections.body), body);
  });
}

Deno.test("sectionsOf() hands a sound field on as it is", () => {
  const { fields, warnings } = sectionsOf(encode("Subject: =?utf-8?Q?caf=C3=A9?= é\r\n\r\nx\r\n"));
  assertEquals(fields, [{ name: "Subject", value: "=?utf-8?Q?caf=C3=A9?= é" }]);
  assertEquals(warnings, []);
});

Deno.test("sectionsOf() reads the lines that are not UTF-8 as windows-1252, and no others", () => {
  const lines = [encode("A: é\r\nB: "), Uint8Array.of(0xe9, 0x80), encode("\r\n\r\n"), [0xe9]];
  const { fields, body, warnings } = sectionsOf(
    Uint8Array.from(lines.flatMap((line) => [...line])),
  );
  assertEquals(fields.map(({ value }) => value), ["é", "é€"]);
  assertEquals(body, Uint8Array.of(0xe9));
  assertEquals(warnings, ["The header has octets that are not UTF-8, read as windows-1252"]);
});

Deno.test("sectionsOf() says so where a message has no header", () => {
  const { fields, body, warnings } = sectionsOf(encode("so it is\r\n"));
  assertEquals([fields, decode(body)], [[], "so it is\r\n"]);
  assertEquals(warnings, ["The message has no header"]);
});

const WORDS: [word: string, mended: string][] = [
  ["=?utf-8?Q?a=C3=A9?=", "=?utf-8?Q?a=C3=A9?="],
  ["=?ISO-8859-1?Q?=93?=", "=?windows-1252?Q?=93?="],
  ["=?x-lamp?B?6Q==?=", "=?windows-1252?B?6Q==?="],
  ["=?x-lamp*de?q?=E9?=", "=?windows-1252*de?q?=E9?="],
  ["=?cp850?Q?=84?=", "=?cp850?Q?=84?="],
  ["=?utf-8?Q?what??=", "=?utf-8?Q?what=3F?="],
  ["=?utf-8?Q?a?b?=", "=?utf-8?Q?a=3Fb?="],
  ["=?utf-8?X?a?=", "=?utf-8?X?a?="],
  ["=?utf-8?Q?a", "=?utf-8?Q?a"],
];

for (const [word, mended] of WORDS) {
  Deno.test(`sectionsOf() makes ${mended} of ${word}`, () => {
    assertEquals(sectionsOf(encode(`A: ${word} b\r\n\r\n`)).fields[0].value, `${mended} b`);
  });
}

const DECLARED: [charset: string, octets: number[], text: string, read: string | null][] = [
  // From a printer in Poland; as windows-1252 it would be "¿ó³w".
  ["iso-8859-2", [0xbf, 0xf3, 0xb3, 0x77], "żółw", "iso-8859-2"],
  ['"ISO-8859-2"', [0xbf, 0xf3, 0xb3, 0x77], "żółw", "iso-8859-2"],
  ["koi8-r; format=flowed", [0xd0, 0xc9], "пи", "koi8-r"],
  ["gb2312", [0xc4, 0xe3, 0xba, 0xc3], "你好", "gbk"],
  ["windows-1252", [0xe9], "é", "windows-1252"],
  // These can be none of a header, or say nothing of octets beyond ASCII.
  ["utf-8", [0xe9], "é", "windows-1252"],
  ["us-ascii", [0xe9], "é", "windows-1252"],
  ["utf-16", [0xe9], "é", "windows-1252"],
  ["x-lamp", [0xe9], "é", "windows-1252"],
  // A line that is UTF-8 is UTF-8, whatever the message claims.
  ["iso-8859-2", [0xc5, 0xbc], "ż", null],
];

for (const [charset, octets, text, read] of DECLARED) {
  Deno.test(`sectionsOf() makes ${text} of octets of a message in ${charset}, by ${read}`, () => {
    const { fields, warnings } = sectionsOf(Uint8Array.from([
      ...[...encode("Subject: "), ...octets, ...encode("\r\n")],
      ...encode(`content-type: text/plain;\r\n charset=${charset}\r\n\r\nx\r\n`),
    ]));
    assertEquals(fields[0].value, text);
    const warning = `The header has octets that are not UTF-8, read as ${read}`;
    assertEquals(warnings, read === null ? [] : [warning]);
  });
}

const LONG: [what: string, header: string, kept: number][] = [
  ["a field of a million octets", `A: 1\r\nB: ${"x".repeat(1_000_000)}\r\n`, 256 * 1024 - 2],
  ["a million lines", "A: 1\r\n".repeat(1_000_000), 4_000],
  ["a million octets without a line end", `A: 1\r\nB: ${"x".repeat(1_000_000)}`, 256 * 1024 - 2],
];

for (const [what, text, kept] of LONG) {
  Deno.test(`sectionsOf() reads the start of a header of ${what}`, () => {
    const isWhole = text.endsWith("\n");
    const { fields, body, warnings } = sectionsOf(
      encode(isWhole ? `${text}\r\nbody` : text),
    );
    assertEquals(fields[0], { name: "A", value: "1" });
    assertEquals(decode(body), isWhole ? "body" : "");
    // Its lines may end with CRLF, of which fields have nothing.
    const length = fields.reduce((sum, { name, value }) => sum + `${name}: ${value}`.length, 0);
    assertEquals(length, kept);
    assertEquals(warnings, ["The header is too long, only the start of it was read"]);
  });
}

Deno.test("sectionsOf() reads a header of a thousand fields, folded, in full", () => {
  const { fields, warnings } = sectionsOf(encode(`${"A: 1\r\n 2\r\n".repeat(1_000)}\r\n`));
  assertEquals([fields.length, fields.at(-1)], [1_000, { name: "A", value: "1 2" }]);
  assertEquals(warnings, []);
});
