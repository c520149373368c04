/** What was most likely meant by a word that is none of those known. */
// @ts-types="./std/closest_string.d.ts"
import { closestString } from "npm:deno-std@1.4.0/text/closest_string.js";

/** The known word that takes the fewest changes; there must be one. */
export function nearest(word: string, known: readonly string[]): string {
  return closestString(word, known);
}
