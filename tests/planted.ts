/** Properties that do not hold, for `fuzz_test.ts` to see them found; one that does, and one without end. */
import fc from "npm:fast-check@4.10.2";
import { property } from "./property.ts";

/** They stand in for those of `properties.ts`. */
export const properties = [
  property("a list is a list", fc.array(fc.nat()), (list) => void list.length),
  property("no list has a number over a thousand", fc.array(fc.nat()), (list) => {
    if (list.some((number) => number > 1_000)) throw new RangeError("it has\none");
  }),
  property("a list comes to an end", fc.array(fc.nat()), (list) => {
    while (list.length > 2);
  }),
];
