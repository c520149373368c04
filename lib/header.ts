/**
 * The header section of a message, read off its octets (RFC 5322 section 2.2): where it ends, and its
 * fields in order, unfolded. What a field's value means is for message.ts.
 *
 * Two faults of real messages are mended here, since a parser would otherwise lose what they say:
 * octets that are not UTF-8 (RFC 6532) are read as windows-1252, field by field; and a message that
 * begins without any field is all body.
 */
import { concat } from "./octets.ts";

/** One header field. */
export interface Field {
  /** As written. */
  readonly name: string;
  /** Unfolded, without the blanks around it; encoded words are still encoded. */
  readonly value: string;
}

/** A message taken apart. */
export interface Sections {
  readonly fields: readonly Field[];
  /** The octets after the empty line. */
  readonly body: Uint8Array;
  /** The message with a header section that is UTF-8 throughout, for a parser. */
  readonly mended: Uint8Array;
  /** What had to be mended, in words; empty for a sound message. */
  readonly warnings: readonly string[];
}

const LF = 0x0a;
const CR = 0x0d;
const EMPTY_LINE = new TextEncoder().encode("\r\n");

/** `field-name ":"`, with the blanks before the colon that RFC 5322 section 4.5 still allows. */
const FIELD = /^([!-9;-~]+)[ \t]*:([^]*)$/;

/** Takes a message apart. It never throws. */
export function sectionsOf(data: Uint8Array): Sections {
  if (!beginsWithField(data)) {
    return {
      fields: [],
      body: data,
      mended: concat([EMPTY_LINE, data]),
      warnings: data.length === 0 ? [] : ["The message has no header"],
    };
  }
  const { header, body } = split(data);
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let foreign = false;
  const lines = linesOf(header).map((line) => {
    try {
      return utf8.decode(line);
    } catch {
      foreign = true;
      return new TextDecoder("windows-1252").decode(line);
    }
  });
  return {
    fields: unfold(lines),
    body,
    mended: foreign ? concat([new TextEncoder().encode(lines.join("")), rest(data, header)]) : data,
    warnings: foreign ? ["The header has octets that are not UTF-8, read as windows-1252"] : [],
  };
}

const rest = (data: Uint8Array, header: Uint8Array) => data.subarray(header.length);

/** Whether the first line is a header field, or is empty and so ends a header without fields. */
function beginsWithField(data: Uint8Array): boolean {
  const end = data.indexOf(LF);
  const line = new TextDecoder("latin1").decode(end === -1 ? data : data.subarray(0, end));
  return FIELD.test(line) || (end !== -1 && line.trim() === "");
}

/** The octets before and after the first empty line. */
function split(data: Uint8Array): { header: Uint8Array; body: Uint8Array } {
  let start = 0;
  for (;;) {
    const end = data.indexOf(LF, start);
    if (end === -1) return { header: data, body: data.subarray(data.length) };
    if (end === start || (end === start + 1 && data[start] === CR)) {
      return { header: data.subarray(0, start), body: data.subarray(end + 1) };
    }
    start = end + 1;
  }
}

/** Lines with their ends. */
function linesOf(octets: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  while (start < octets.length) {
    const end = octets.indexOf(LF, start) + 1 || octets.length;
    lines.push(octets.subarray(start, end));
    start = end;
  }
  return lines;
}

/** Fields of one or more lines (RFC 5322 section 2.2.3); lines that are no part of one are left out. */
function unfold(lines: readonly string[]): Field[] {
  const folded: string[][] = [];
  for (const line of lines) {
    const text = line.replace(/\r?\n$/, "");
    if (/^[ \t]/.test(text)) folded.at(-1)?.push(text);
    else folded.push([text]);
  }
  return folded.flatMap((parts) => {
    const match = FIELD.exec(parts.join(""));
    return match === null ? [] : [{ name: match[1], value: match[2].trim() }];
  });
}
