/**
 * The parser of messages, loaded when it is first needed: it is most of the memory that this program
 * takes, and most servers are idle most of the time.
 */
import { contentOf, type Parse, type Parser, unparsed } from "./content.ts";
import { within } from "./deadline.ts";

/** Longer than any message takes that people send, in milliseconds; the client waits all the while. */
export const PARSE_TIMEOUT_MS = 4_000;

/**
 * Loads the parser; all calls share one. Rejects where it cannot be loaded, and then always, since a
 * runtime does not try a module twice.
 */
export function load(): Promise<Parser> {
  return import("./mailparser.ts");
}

/** How messages are parsed. */
export interface ParseOptions {
  /** Loads the parser. */
  readonly load: () => Promise<Parser>;
  /** Milliseconds after which a message is left unparsed. */
  readonly timeoutMs: number;
}

/** What parses messages in this thread, in which meanwhile nothing else is done. */
export function parserHere({ load, timeoutMs }: ParseOptions): Parse {
  return async (data) => {
    const parser = await load();
    try {
      return await within(timeoutMs, contentOf(data, parser));
    } catch (error) {
      return await unparsed(data, parser, (error as Error).message);
    }
  };
}

/** The parser of this thread, as the program has it. */
export const parseHere: Parse = parserHere({ load, timeoutMs: PARSE_TIMEOUT_MS });
