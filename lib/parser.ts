/**
 * The parser of messages, loaded when it is first needed: it is most of the memory that this program
 * takes, and most servers are idle most of the time.
 */
import { contentOf, contentWithin, type Parsed, type Parser } from "./content.ts";
import type { Needs } from "./needs.ts";

let parser: Parser | null = null;

/**
 * Loads the parser, once for all calls. Rejects where it cannot be loaded, and then always, since a
 * runtime does not try a module twice.
 */
export async function load(): Promise<Parser> {
  return parser ??= await import("./mailparser.ts");
}

/**
 * Parses a message in this thread, in which meanwhile nothing else is done; null where for that more than
 * `most` octets would have to be decoded, or lines looked at.
 */
export async function parseWithin(
  most: number,
  data: Uint8Array,
  needs: Needs,
): Promise<Parsed | null> {
  return contentWithin(most, data, await load(), needs);
}

/** Parses a message in this thread, whatever it takes. */
export async function parseHere(data: Uint8Array, needs: Needs): Promise<Parsed> {
  return contentOf(data, await load(), needs);
}
