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
import { isNeeded, type Needs } from "./needs.ts";
import type { Reading } from "./reading.ts";

/** An attachment as it is kept. */
export interface File extends Omit<Attachment, "content" | "octets" | "isIncluded"> {
  /** Octets, of which base64 is made when somebody asks for it, or base64. */
  readonly content: Uint8Array | string;
}

/** All that a message says; what nobody needs is empty. */
export interface Content extends Reading {
  /** All header fields in order, decoded. */
  readonly headers: readonly Field[];
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

/** The same, and where the body begins: the octets after the header, counted from the end. */
export interface Parsed extends Content {
  /** Octets. */
  readonly bodySize: number;
}

/** What a parser makes of a message. */
export interface Parts extends Omit<Content, "headers"> {
  /** Whether there is any text or attachment, needed or not. */
  readonly isFound: boolean;
}

/** Takes a sentence on what had to be guessed or left out. */
export type Warn = (text: string) => void;

/** What knows MIME. */
export interface Parser {
  /**
   * Reads what is needed of a message that has these fields and that body; null where for that more than
   * `most` octets would have to be decoded, or lines looked at. It may throw.
   */
  readonly parse: (
    fields: readonly Field[],
    body: Uint8Array,
    needs: Needs,
    most: number,
  ) => Parts | null;
  /** Decodes the encoded words in the value of a header field; `warn` takes what had to be guessed. */
  readonly decodeWords: (text: string, warn: Warn) => string;
}

/** Reads the octets of a message, for those who need that of it. It rejects only where it has no parser. */
export type Parse = (data: Uint8Array, needs: Needs) => Promise<Parsed>;

/** What a parser is needed for. */
const PARTS = [
  ...["body", "text", "html", "replyText", "attachments"],
  ...["from", "to", "cc", "bcc", "replyTo"],
] as const satisfies readonly (keyof Parts)[];

/** Whether more than the header of a message is needed. */
export function needsParts(needs: Needs): boolean {
  return isNeeded(needs, ...PARTS);
}

/** A message with more has been made to have them. */
const MAX_WARNINGS = 50;

/** Reads what is needed of a message; what the parser does not take is left as it was received. */
export function contentOf(data: Uint8Array, parser: Parser, needs: Needs): Parsed {
  return contentWithin(Infinity, data, parser, needs)!;
}

/** The same; null where for that more than `most` octets would have to be decoded, or lines looked at. */
export function contentWithin(
  most: number,
  data: Uint8Array,
  parser: Parser,
  needs: Needs,
): Parsed | null {
  const { fields, body, warnings } = sectionsOf(data);
  const parts = needsParts(needs) ? partsOf(fields, body, parser, needs, most) : nothing;
  if (parts === null) return null;
  const guessed = new Set<string>();
  const warn = (text: string) => guessed.add(text);
  const headers = fields.map((field) => decodeField(field, parser, warn));
  return {
    ...parts,
    headers,
    warnings: atMost(MAX_WARNINGS, [...warnings, ...guessed, ...parts.warnings]),
    bodySize: body.length,
  };
}

/** What a message of nothing says. */
export const nothing: Content = {
  ...{ headers: [], body: "", text: "", html: "", replyText: "", attachments: [], warnings: [] },
  ...{ from: [], to: [], cc: [], bcc: [], replyTo: [] },
};

function partsOf(
  fields: readonly Field[],
  body: Uint8Array,
  parser: Parser,
  needs: Needs,
  most: number,
): Omit<Content, "headers"> | null {
  try {
    const read = parser.parse(fields, body, needs, most);
    if (read === null) return null;
    const { isFound, ...parts } = read;
    if (isFound || isBlank(body)) return parts;
    if (body.length > most) return null;
    // None is found in a multipart message whose boundary never comes.
    const warning = "The message has no part that could be found, its body is as received";
    return { ...parts, ...asReceived(body), warnings: [...parts.warnings, warning] };
  } catch (error) {
    if (body.length > most) return null;
    const warnings = [`The message could not be parsed: ${(error as Error).message}`];
    return { ...nothing, ...asReceived(body), warnings };
  }
}

function atMost(count: number, warnings: readonly string[]): readonly string[] {
  const more = warnings.length - count;
  return more <= 0 ? warnings : [...warnings.slice(0, count), `There are ${more} more warnings`];
}

/** What can be told of a message without parsing it, where that failed for a `reason`. */
export function unparsed(data: Uint8Array, parser: Parser, reason: string): Parsed {
  const parse = () => {
    throw new Error(reason);
  };
  return contentOf(data, { ...parser, parse }, null);
}

function asReceived(body: Uint8Array): Reading {
  const text = withLineFeeds(guess(body).text);
  return { body: text, text, html: "", replyText: text };
}

const BLANKS = new Set([0x09, 0x0a, 0x0d, 0x20]);
const isBlank = (octets: Uint8Array) => octets.every((octet) => BLANKS.has(octet));

function decodeField({ name, value }: Field, { decodeWords }: Parser, warn: Warn): Field {
  try {
    return { name, value: oneLine(decodeWords(value, warn)) };
  } catch {
    return { name, value: oneLine(value) };
  }
}

/**
 * An encoded word can hold a line end, but a field is one line; and half a surrogate pair, which is no
 * character, and which strict readers of JSON refuse.
 */
function oneLine(text: string): string {
  return text.toWellFormed().replace(/[\t\r\n]+/g, " ").trim();
}
