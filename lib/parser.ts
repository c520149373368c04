/**
 * The parser of messages, loaded when it is first needed: it is most of the memory that this program
 * takes, and most servers are idle most of the time.
 */
import type * as mailparser from "./mailparser.ts";

export type { Parsed } from "./mailparser.ts";

/** A parser that has been loaded. */
export type Parser = Pick<typeof mailparser, "parse" | "decodeWords">;

/**
 * Loads the parser; all calls share one. Rejects where it cannot be loaded, and then always, since a
 * runtime does not try a module twice.
 */
export function load(): Promise<Parser> {
  return import("./mailparser.ts");
}
