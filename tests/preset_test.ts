/** Presets by their names. */
import { isFaults } from "../lib/fault.ts";
import { listing, presetOf } from "../lib/preset.ts";
import { assert, assertEquals } from "./assert.ts";

const presets = {
  apple: () =>
    Promise.resolve({
      default: "---\ndescription: red\ndocs: https://a.example\nvars: {x: how}\n---\n{}",
    }),
  pear: () =>
    Promise.resolve({ default: "---\ndescription: green\nurl: http://a.example\n---\n{}" }),
};

Deno.test("presetOf() gives all of a preset", async () => {
  const setting = await presetOf({ text: "pear", label: "L" }, presets);
  assert(!isFaults(setting));
  assertEquals(setting, { text: (await presets.pear()).default, label: "L" });
});

for (const text of ["appel", "", "constructor", "__proto__", "toString"]) {
  Deno.test(`presetOf() has none of the name ${JSON.stringify(text)}`, async () => {
    const setting = await presetOf({ text, label: "L" }, presets);
    assert(isFaults(setting));
    assert(setting.faults[0].startsWith("Cannot use L: no such preset, the nearest is "));
  });
}

Deno.test("listing() tells of each what it is for and what it must be given", async () => {
  assertEquals(
    await listing(presets),
    "apple           red\n                --url URL\n                --var x=VALUE  how\n" +
      "                https://a.example\n\npear            green\n",
  );
});
