/** Tries every property on inputs that are made up, and on every input that was ever found and kept. */
import fc from "npm:fast-check@4.10.2";
import { assert } from "./assert.ts";
import { findings } from "./finding.ts";
import { properties } from "./properties.ts";

const RUNS = 300;

for (const { name, inputs, holds } of properties) {
  Deno.test(name, () => {
    let telling = 0;
    const property = fc.property(inputs, (input) => {
      if (holds(input)) telling++;
    });
    // Where it fails, the seed is part of what it says.
    fc.assert(property, { numRuns: RUNS });
    assert(telling >= RUNS / 20, `only ${telling} of ${RUNS} inputs told anything`);
  });
}

for (const [file, { property, input }] of findings()) {
  Deno.test(`${property} (${file})`, () => {
    const found = properties.find(({ name }) => name === property);
    assert(found !== undefined, "no property has this name any more, so the input proves nothing");
    found.holds(input);
  });
}
