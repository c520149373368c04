/** Values by name: nothing is there that nobody put there. */
import { anyCase, dictionary, lookup } from "../lib/dictionary.ts";
import { assertEquals } from "./assert.ts";

const INHERITED = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];
const values: Record<string, string> = { colour: "red", empty: "" };

for (
  const [kind, names] of [
    ["dictionary()", dictionary(values)],
    ["anyCase()", anyCase(values)],
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

Deno.test("anyCase() gives a value by its name in any case, the others do not", () => {
  const fields = { "x-priority": "1", constructor: "c" };
  const names = anyCase(fields as never);
  assertEquals([names["X-Priority"], names["x-PRIORITY"], names["x-priority"]], ["1", "1", "1"]);
  assertEquals([names.Constructor, names.ToString, names.__PROTO__], ["c", "", ""]);
  assertEquals(dictionary(fields as never)["X-Priority"], "");
});

Deno.test("dictionary() and anyCase() list their names as they are, lookup() does not", () => {
  assertEquals(Object.keys(dictionary(values)), ["colour", "empty"]);
  assertEquals(Object.keys(anyCase(values)), ["colour", "empty"]);
  assertEquals(JSON.stringify(anyCase(values)), '{"colour":"red","empty":""}');
  assertEquals(Object.keys(lookup((name) => name)), []);
});
