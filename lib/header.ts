/**
 * The header section of a message, read off its octets (RFC 5322 section 2.2): where it ends, and its
 * fields in order, unfolded. What a field's value means is for message.ts.
 *
 * Faults of real messages are mended here, since a parser would otherwise lose what they say: octets
 * that are not UTF-8 (RFC 6532) are read as windows-1252, line by line; encoded words in a character
 * set that nobody knows, or with a bare question mark, are rewritten; the line that mbox files put
 * before a message is dropped; and a message that begins without any field is all body.
 */
import { encodingOf, guess, start } from "./charset.ts";
import { concat, utf8 } from "./octets.ts";

/** One header field. */
export interface Field {
  /** As written. */
  readonly name: string;
  /** Unfolded, without the blanks around it; encoded words are still encoded. */
  readonly value: string;
}

/** A message taken apart. */
export interface Sections {
  /** In order, without the lines that are no field. */
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

/** Real headers stay below 100 KB; mailparser refuses 1 MiB, and 10 MiB take it a while. */
const MAX_HEADER_OCTETS = 512 * 1024;

/** `field-name ":"`, with the blanks before the colon that RFC 5322 section 4.5 still allows. */
const FIELD = /^([!-9;-~]+)[ \t]*:([^]*)$/;

/** The line before each message of an mbox file (RFC 4155), which some pipe into a mailer. */
const MBOX_LINE = /^>?From \S+ [^\r\n]*\d\d:\d\d[^\r\n]*\r?\n/;

/** Takes a message apart. It never throws. */
export function sectionsOf(data: Uint8Array): Sections {
  const message = data.subarray(mboxLine(data).length);
  if (!beginsWithField(message)) {
    return {
      fields: [],
      body: data,
      mended: concat([EMPTY_LINE, data]),
      warnings: data.length === 0 ? [] : ["The message has no header"],
    };
  }
  const { header, body } = split(message);
  const isLong = header.length > MAX_HEADER_OCTETS;
  const read = isLong ? concat([header.subarray(0, MAX_HEADER_OCTETS), EMPTY_LINE]) : header;
  const { lines, foreign } = textLines(read);
  const words = lines.map(mendWords);
  const mendedLines = words.map(({ text }) => text);
  const isSound = !foreign && !isLong && mendedLines.every((line, index) => line === lines[index]);
  return {
    fields: unfold(mendedLines),
    body,
    mended: isSound
      ? message
      : concat([new TextEncoder().encode(mendedLines.join("")), message.subarray(header.length)]),
    warnings: [
      ...(isLong ? ["The header is too long, only the start of it was read"] : []),
      ...(foreign ? ["The header has octets that are not UTF-8, read as windows-1252"] : []),
      ...new Set(words.flatMap(({ warnings }) => warnings)),
    ],
  };
}

function mboxLine(data: Uint8Array): string {
  const start = new TextDecoder("latin1").decode(data.subarray(0, 1000));
  return MBOX_LINE.exec(start)?.[0] ?? "";
}

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

/** Lines with their ends, as text. */
function textLines(header: Uint8Array): { lines: string[]; foreign: boolean } {
  const text = utf8(header);
  return text === null
    ? { lines: octetLines(header).map((line) => guess(line).text), foreign: true }
    : { lines: text.split(/(?<=\n)/), foreign: false };
}

/** Lines with their ends, as octets. */
function octetLines(octets: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  while (start < octets.length) {
    const end = octets.indexOf(LF, start) + 1 || octets.length;
    lines.push(octets.subarray(start, end));
    start = end;
  }
  return lines;
}

/** An encoded word (RFC 2047 section 2), if its text has question marks in it even so. */
const WORD = /=\?([^?\s*]+)(\*[^?\s]*)?\?(?:([Bb])\?([^?\s]*)|([Qq])\?((?:[^?\s]|\?(?!=))*))\?=/g;

/** Encoded words that any parser decodes. */
function mendWords(line: string): { text: string; warnings: string[] } {
  if (!line.includes("=?")) return { text: line, warnings: [] };
  const warnings: string[] = [];
  const mend = (words: string) =>
    words.replace(WORD, (_, charset, language = "", b, base64, q, quoted) => {
      const known = encodingOf(charset) ?? (RARE.test(charset) ? charset : null);
      if (known === null) {
        warnings.push(
          `The header has words in the unknown character set "${
            start(charset)
          }", read as windows-1252`,
        );
      }
      const content = b === undefined ? quoted.replaceAll("?", "=3F") : base64;
      return `=?${known ?? "windows-1252"}${language}?${b ?? q}?${content}?=`;
    });
  // No word is looked for where none can end: from each of many starts it would be looked for in vain.
  const text = line.replace(/\S+/g, (token) => {
    const end = token.lastIndexOf("?=") + 2;
    return end < 2 ? token : mend(token.slice(0, end)) + token.slice(end);
  });
  return { text, warnings };
}

/** Character sets that the platform has no name for, but the parser has. */
const RARE = /^(?:utf-?(?:7|32)|cp|ibm|mac|win|iso|latin|l\d)/i;

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
