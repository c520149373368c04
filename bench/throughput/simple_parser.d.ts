/** What the peer uses of mailparser. */
import type { Readable } from "node:stream";

/** What a message says. */
export interface ParsedMail {
  /** The text, or one made of the HTML. */
  readonly text?: string;
  readonly subject?: string;
}

/** Parses a message that comes as a stream. */
export function simpleParser(source: Readable): Promise<ParsedMail>;
