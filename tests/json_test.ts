/** What is JSON, and where a text stops being it. */
import { explain, isJson, withoutLastCommas } from "../lib/json.ts";
import { positionOf } from "../lib/place.ts";
import { assertEquals } from "./assert.ts";

const texts: [text: string, fault: string | null][] = [
  ["{}", null],
  ["[]", null],
  ["null", null],
  ["-0.5e+3", null],
  [' \t\r\n"\\u2028\u2028\\ud800" ', null],
  ['{"a":{"b":[1,true,"x"]}}', null],
  ["", "line 1, column 1: value expected"],
  ["  \n ", "line 2, column 2: value expected"],
  ['{\n  "a": ,\n}', "line 2, column 8: value expected"],
  ['{"a": "one\ntwo"}', "line 1, column 7: unexpected end of string"],
  ['{"a": "it\'s "quoted""}', "line 1, column 14: invalid symbol"],
  ['{"a": "C:\\x"}', "line 1, column 7: invalid escape character"],
  ['{"a": 1,}', "line 1, column 9: property name expected"],
  ["[1 2]", "line 1, column 4: comma expected"],
  ["{} {}", "line 1, column 4: end of file expected"],
  ['{"a": 1 // note\n}', "line 1, column 9: invalid comment token"],
  ['{"a" 1}', "line 1, column 6: colon expected"],
  ["{'a': 1}", "line 1, column 2: invalid symbol"],
  ["undefined", "line 1, column 1: invalid symbol"],
  ['{"a": 1', "line 1, column 8: close brace expected"],
  ["[1", "line 1, column 3: close bracket expected"],
  ["01", "line 1, column 2: end of file expected"],
  ["NaN", "line 1, column 1: invalid symbol"],
  ["\ufeff{}", "line 1, column 1: invalid symbol"],
  ['"\x01"', "line 1, column 1: invalid character"],
];
/** What `explain` says, as an editor would name the place. */
async function told(text: string): Promise<string> {
  const { offset, reason } = await explain(text);
  return `${positionOf({ text }, offset)}: ${reason}`;
}

for (const [text, fault] of texts) {
  Deno.test(`isJson() and explain() judge ${JSON.stringify(text)}`, async () => {
    assertEquals(isJson(text), fault === null);
    if (fault !== null) assertEquals(await told(text), fault);
  });
}

for (const [text, fault] of texts) {
  Deno.test(`isJson() judges ${JSON.stringify(text)} with much behind it as without`, () => {
    assertEquals(isJson(text + " ".repeat(1024 ** 2)), fault === null);
  });
}

const strings: [inside: string, isSound: boolean][] = [
  ["", true],
  ['\\"', true],
  ["\\\\", true],
  ["\\u12aF\\/\\b\\f\\n\\r\\t", true],
  ["ä\u2028😀\ud800\x7f", true],
  ["\\", false],
  ["\\x", false],
  ["\\u12a", false],
  ["\\U12aF", false],
  ["\\u12a\\n", false],
  ["\n", false],
  ["\x1f", false],
  ['"', false],
  ['","', false],
];
for (const [inside, isSound] of strings) {
  Deno.test(`isJson() judges a string of ${JSON.stringify(inside)} alike in a short text and in a long one`, () => {
    const text = `{"key": "${inside}"}`;
    assertEquals([isJson(text), isJson(text + " ".repeat(1024 ** 2))], [isSound, isSound]);
    const filler = "long ".repeat(300_000);
    assertEquals(isJson(`{"${filler}": "${filler}${inside}"}`), isSound);
  });
}

Deno.test("explain() does not fail for what is nested deep", async () => {
  assertEquals(await told("[".repeat(1_000_000)), "line 1, column 1: nested too deep");
});

const commas: [text: string, without: string][] = [
  ["[1,2,]", "[1,2]"],
  ['{"a":1, "b":[1 , \n\t],}', '{"a":1, "b":[1  \n\t]}'],
  ["[1,2]", "[1,2]"],
  ['[",]", "a\\",}", ","]', '[",]", "a\\",}", ","]'],
  ['["\\\\",]', '["\\\\"]'],
  // What is more than one comma too many, or never ends, is left as it is.
  ["[1,,]", "[1,]"],
  ["[,]", "[]"],
  ["[1,", "[1,"],
  ['"a,]', '"a,]'],
  ["", ""],
];
for (const [text, without] of commas) {
  Deno.test(`withoutLastCommas() makes ${JSON.stringify(without)} of ${JSON.stringify(text)}`, () => {
    assertEquals(withoutLastCommas(text), without);
  });
}
