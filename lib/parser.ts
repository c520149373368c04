/**
 * The parser of messages, loaded when it is first needed: it is most of the memory that this program
 * takes, and most servers are idle most of the time.
 */
import { contentOf, type Parse, type Parser } from "./content.ts";

let parser: Parser | null = null;

/**
 * Loads the parser, once for all calls. Rejects where it cannot be loaded, and then always, since a
 * runtime does not try a module twice.
 */
export async function load(): Promise<Parser> {
  return parser ??= await import("./mailparser.ts");
}

/** What parses messages in this thread, in which meanwhile nothing else is done. */
export const parseHere: Parse = async (data, needs) => contentOf(data, await load(), needs);
