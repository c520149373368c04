/** Values by name: nothing is there that nobody put there. */
import { dictionary, lookup } from "../lib/dictionary.ts";
import { assertEquals } from "./assert.ts";

const INHERITED = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];
const values: Record<string, string> = { colour: "red", empty: "" };

for (
  const [kind, names] of [
    ["dictionary()", dictionary(values)],
    ["lookup()", lookup((name) => Object.hasOwn(values, name) ? values[name] : undefined)],
  ] as const
) {
  Deno.test(`${kind} gives a value by its name`, () => {
    assertEquals([names.colour, names.empty], ["red", ""]);
  });

  Deno.test(`${kind} gives an empty text for a name that is not there`, () => {
    assertEquals([names.missing, names[""]], ["", ""]);
  });

  for (const name of INHERITED) {
    Deno.test(`${kind} gives an empty text for ${name}`, () => assertEquals(names[name], ""));
  }

  Deno.test(`${kind} has every name, so that Mustache does not look elsewhere`, () => {
    assertEquals(["colour" in names, "missing" in names], [true, true]);
  });
}

Deno.test("dictionary() gives the value of a name that objects have by themselves", () => {
  assertEquals(dictionary(JSON.parse('{"__proto__":"p","constructor":"c"}')).__proto__, "p");
  assertEquals(dictionary({ constructor: "c" } as never).constructor as unknown, "c");
});

Deno.test("dictionary() lists its names, lookup() does not", () => {
  assertEquals(Object.keys(dictionary(values)), ["colour", "empty"]);
  assertEquals(Object.keys(lookup((name) => name)), []);
});
