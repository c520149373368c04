/** Properties for `fuzz_test.ts` to see found: one that holds, one that does not, and one that has no end. */
import fc from "npm:fast-check@4.10.2";
import { type Property, property } from "./property.ts";

/** It holds. */
export const holds: Property = property("a list is a list", fc.array(fc.nat()), (list) => {
  list.length;
});

/** It fails, for `[1001]` if the input is made small. */
export const fails: Property = property(
  "no list has a number over a thousand",
  fc.array(fc.nat()),
  (list) => {
    if (list.some((number) => number > 1_000)) throw new RangeError("it has\none");
  },
);

/** It is never done with a list of three. */
export const hangs: Property = property("a list has an end", fc.array(fc.nat()), (list) => {
  // As good as a loop to whoever waits for it, and no burden to the machine.
  if (list.length > 2) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});

/** Those that have an end; they stand in for `properties` of `properties.ts`. */
export const properties: readonly Property[] = [holds, fails];
