/**
 * What a message says, whoever sends it to whom: its header, its texts, its attachments. It is made of
 * the octets alone and is plain data, so that it can be made in another thread.
 *
 * A message that cannot be read is still a message: whatever goes wrong ends up in `warnings`, and what
 * cannot be known is empty.
 */
import { guess } from "./charset.ts";
import type { Address, Attachment } from "./context.ts";
import { type Field, sectionsOf } from "./header.ts";
import { withLineFeeds } from "./line_end.ts";
import type { Reading } from "./reading.ts";

/** An attachment as it is kept. */
export interface File extends Omit<Attachment, "content"> {
  /** Octets, of which base64 is made when somebody asks for it, or base64. */
  readonly content: Uint8Array | string;
}

/** What a parser makes of a message. */
export interface Parts extends Reading {
  /** The addresses of the fields of that name. */
  readonly from: readonly Address[];
  /** As `from`. */
  readonly to: readonly Address[];
  /** As `from`. */
  readonly cc: readonly Address[];
  /** As `from`. */
  readonly bcc: readonly Address[];
  /** As `from`. */
  readonly replyTo: readonly Address[];
  /** All parts that are not text, in order. */
  readonly attachments: readonly File[];
  /** What had to be guessed or left out; a sentence each. */
  readonly warnings: readonly string[];
}

/** All that a message says. */
export interface Content extends Parts {
  /** All header fields in order, decoded. */
  readonly headers: readonly Field[];
}

/** The same, and where the body begins: the octets after the header, counted from the end. */
export interface Parsed extends Content {
  /** Octets. */
  readonly bodySize: number;
}

/** What knows MIME. */
export interface Parser {
  /** Reads a header section that is UTF-8, and the body. It may reject, and may never settle. */
  readonly parse: (header: Uint8Array, body: Uint8Array) => Promise<Parts>;
  /** Decodes the encoded words in the value of a header field. */
  readonly decodeWords: (text: string) => string;
}

/** Reads the octets of a message. It rejects only where there is no parser to be had. */
export type Parse = (data: Uint8Array) => Promise<Parsed>;

/** A message with more has been made to have them. */
const MAX_WARNINGS = 50;

/** Reads a message; what the parser rejects is left as it was received. */
export async function contentOf(data: Uint8Array, parser: Parser): Promise<Parsed> {
  const { fields, header, body, warnings } = sectionsOf(data);
  const headers = fields.map((field) => decodeField(field, parser));
  const result = (parts: Parts): Parsed => {
    const all = [...warnings, ...parts.warnings];
    const more = all.length - MAX_WARNINGS;
    const shown = more <= 0
      ? all
      : [...all.slice(0, MAX_WARNINGS), `There are ${more} more warnings`];
    return { ...parts, headers, warnings: shown, bodySize: body.length };
  };
  try {
    const parts = await parser.parse(header, body);
    const { text, html, attachments } = parts;
    const isFound = text !== "" || html !== "" || attachments.length > 0 || isBlank(body);
    // None is found in a multipart message whose boundary never comes.
    const warning = "The message has no part that could be found, its body is as received";
    return result(
      isFound ? parts : { ...parts, ...asReceived(body), warnings: [...parts.warnings, warning] },
    );
  } catch (error) {
    return result({
      ...{ ...asReceived(body), attachments: [] },
      ...{ from: [], to: [], cc: [], bcc: [], replyTo: [] },
      warnings: [`The message could not be parsed: ${(error as Error).message}`],
    });
  }
}

/** What can be told of a message without parsing it, where that failed for a `reason`. */
export function unparsed(data: Uint8Array, parser: Parser, reason: string): Promise<Parsed> {
  return contentOf(data, { ...parser, parse: () => Promise.reject(new Error(reason)) });
}

function asReceived(body: Uint8Array): Reading {
  const text = withLineFeeds(guess(body).text);
  return { body: text, text, html: "" };
}

const BLANKS = new Set([0x09, 0x0a, 0x0d, 0x20]);
const isBlank = (octets: Uint8Array) => octets.every((octet) => BLANKS.has(octet));

function decodeField({ name, value }: Field, { decodeWords }: Parser): Field {
  // An encoded word can hold a line end, but a field is one line; and half a surrogate pair, which is no
  // character, and which strict readers of JSON refuse.
  const oneLine = (text: string) => text.toWellFormed().replace(/[\r\n]+/g, " ").trim();
  try {
    return { name, value: oneLine(decodeWords(value)) };
  } catch {
    return { name, value: oneLine(value) };
  }
}
