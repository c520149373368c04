/**
 * The parser of messages, loaded when it is first needed: it is most of the memory that this program
 * takes, and most servers are idle most of the time.
 */
import type * as mailparser from "./mailparser.ts";

export type { Parsed } from "./mailparser.ts";

/** A parser that has been loaded. */
export type Parser = Pick<typeof mailparser, "parse" | "decodeWords">;

let parser: Promise<Parser> | undefined;

/** Loads the parser, once. Call it as soon as a message may come. */
export function load(): Promise<Parser> {
  if (parser === undefined) {
    parser = import("./mailparser.ts");
    // Whoever awaits it is told; whoever comes next tries again.
    parser.catch(() => parser = undefined);
  }
  return parser;
}
