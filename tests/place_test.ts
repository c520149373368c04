/** Places in texts, as an editor names them, and to look at. */
import { excerptOf, positionOf } from "../lib/place.ts";
import { assertEquals } from "./assert.ts";

const positions: [text: string, offset: number, position: string][] = [
  ["", 0, "line 1, column 1"],
  ["abc", 2, "line 1, column 3"],
  ["a\nb", 1, "line 1, column 2"],
  ["a\nb", 2, "line 2, column 1"],
  ["a\r\nb", 3, "line 2, column 1"],
  ["😀a", 2, "line 1, column 3"],
];
for (const [text, offset, position] of positions) {
  Deno.test(`positionOf() finds offset ${offset} of ${JSON.stringify(text)}`, () => {
    assertEquals(positionOf({ text }, offset), position);
  });
}

Deno.test("positionOf() counts the lines of the file that a text is the end of", () => {
  assertEquals(positionOf({ text: "a\nb", line: 7 }, 2), "line 8, column 1");
});

const excerpts: [text: string, offset: number, line: string, caret: string][] = [
  ["", 0, "", "^"],
  ["abc", 1, "abc", " ^"],
  ["one\ntwo\nthree", 5, "two", " ^"],
  ["one\r\ntwo", 3, "one", "   ^"],
  ["\t{{a", 1, " {{a", " ^"],
  // Wide characters take two columns.
  ["大{{a", 1, "大{{a", "  ^"],
  ["\x1b[2J{{a", 4, "\ufffd[2J{{a", "    ^"],
  ["x".repeat(60) + "{{a", 60, "…" + "x".repeat(50) + "{{a", " ".repeat(51) + "^"],
  ["{{a" + "x".repeat(60), 0, "{{a" + "x".repeat(23) + "…", "^"],
];
for (const [text, offset, line, caret] of excerpts) {
  Deno.test(`excerptOf() shows offset ${offset} of ${JSON.stringify(text)}`, () => {
    assertEquals(excerptOf({ text }, offset), `\n    ${line}\n    ${caret}`);
  });
}
