/**
 * The header section of a message, read off its octets (RFC 5322 section 2.2): where it ends, and its
 * fields in order, unfolded. What a field's value means is for content.ts.
 *
 * Faults of real messages are mended here, since a parser would otherwise lose what they say: octets
 * that are not UTF-8 (RFC 6532) are read, line by line, in the character set that the message names for
 * its text, or else as windows-1252; encoded words in a character set that nobody knows, or with a bare
 * question mark, are rewritten; the line that mbox files put before a message is dropped; and a message
 * that begins without any field is all body. Of a header that is too long the start is read.
 */
import { encodingOf, guess, isRare, isUnordered, start } from "./charset.ts";
import { characters, utf8 } from "./octets.ts";

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
  /** The octets after the empty line: the end of the message itself, not a copy. */
  readonly body: Uint8Array;
  /** What had to be mended, in words; empty for a sound message. */
  readonly warnings: readonly string[];
}

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const COLON = 0x3a;
const DELETE = 0x7f;
const GREATER = 0x3e;
const F = 0x46;

/** Octets of a header, and fields, that are read: real ones stay below 100 KB and 300 fields. */
const MAX_HEADER_OCTETS = 256 * 1024;
const MAX_FIELDS = 1_000;

/** Character sets that are looked up: it takes a while to learn that there is none of a name. */
const MAX_CHARSETS = 50;

/** `field-name ":"`, with the blanks before the colon that RFC 5322 section 4.5 still allows. */
const FIELD = /^([!-9;-~]+)[ \t]*:([^]*)$/;

/** The line before each message of an mbox file (RFC 4155), which some pipe into a mailer. */
const MBOX_LINE = /^>?From \S+ [^\r\n]*\d\d:\d\d[^\r\n]*\r?\n/;

/** Takes a message apart. It never throws. */
export function sectionsOf(data: Uint8Array): Sections {
  const message = data.subarray(mboxLine(data).length);
  if (!beginsWithField(message)) {
    const warnings = data.length === 0 ? [] : ["The message has no header"];
    return { fields: [], body: data, warnings };
  }
  const { header, body } = split(message);
  const { lines, charset } = textLines(header.subarray(0, MAX_HEADER_OCTETS));
  const folded = foldedFields(lines);
  const { fields, unknown } = mendWords(folded.slice(0, MAX_FIELDS));
  const isLong = header.length > MAX_HEADER_OCTETS || folded.length > MAX_FIELDS;
  return {
    fields: fields.flatMap(fieldOf),
    body,
    warnings: [
      ...(isLong ? ["The header is too long, only the start of it was read"] : []),
      ...(charset === null ? [] : [`The header has octets that are not UTF-8, read as ${charset}`]),
      ...Array.from(
        unknown,
        (name) =>
          `The header has words in the unknown character set "${name}", read as windows-1252`,
      ),
    ],
  };
}

function mboxLine(data: Uint8Array): string {
  const isLikely = data[0] === GREATER || (data[0] === F && data[4] === SPACE);
  return isLikely ? MBOX_LINE.exec(characters(data.subarray(0, 1000)))?.[0] ?? "" : "";
}

/** Whether the first line is a header field, or is empty and so ends a header without fields. */
function beginsWithField(data: Uint8Array): boolean {
  const start = data.subarray(0, MAX_HEADER_OCTETS);
  let at = 0;
  while (start[at] > SPACE && start[at] < DELETE && start[at] !== COLON) at++;
  const isNamed = at > 0;
  while (start[at] === SPACE || start[at] === TAB) at++;
  if (isNamed && start[at] === COLON) return true;
  const end = start.indexOf(LF);
  return end !== -1 && characters(start.subarray(0, end)).trim() === "";
}

/** The octets before and after the first empty line. */
function split(data: Uint8Array): { header: Uint8Array; body: Uint8Array } {
  for (let start = 0; start < data.length;) {
    const end = data.indexOf(LF, start);
    if (end === -1) break;
    if (end === start || (end === start + 1 && data[start] === CR)) {
      return { header: data.subarray(0, start), body: data.subarray(end + 1) };
    }
    start = end + 1;
  }
  return { header: data, body: data.subarray(data.length) };
}

/** Lines with their ends, as text, and the character set that they had to be read in if not UTF-8. */
function textLines(header: Uint8Array): { lines: string[]; charset: string | null } {
  const text = utf8(header);
  if (text !== null) return { lines: text.split(/(?<=\n)/), charset: null };
  const octets = octetLines(header);
  const charset = declaredIn(octets.map(characters));
  const decoder = new TextDecoder(charset ?? "windows-1252");
  const read = (line: Uint8Array) =>
    utf8(line) ?? (charset === null ? guess(line).text : decoder.decode(line));
  return { lines: octets.map(read), charset: decoder.encoding };
}

/** The character set of the text, as Content-Type names it; null where that can be none of a header. */
function declaredIn(lines: readonly string[]): string | null {
  const type = foldedFields(lines).flatMap(fieldOf)
    .find(({ name }) => name.toLowerCase() === "content-type");
  const [, charset] = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type?.value ?? "") ?? [];
  const name = encodingOf(charset ?? "");
  return name === null || /^utf-|^replacement$/.test(name) ? null : name;
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

/** Names of character sets in which any parser sees one. */
const NAME = /^[\w-]+$/;

/** Lines with encoded words that any parser decodes, and the character sets that nobody knows. */
function mendWords(fields: readonly (readonly string[])[]) {
  const names = new Map<string, string | null>();
  const nameOf = (charset: string) => {
    if (names.has(charset) || names.size === MAX_CHARSETS) return names.get(charset);
    const encoding = isUnordered(charset) ? charset : encodingOf(charset);
    const known = encoding ?? (isRare(charset) && NAME.test(charset) ? charset : null);
    names.set(charset, known);
    return known;
  };
  const mend = (words: string) =>
    words.replace(WORD, (_, charset, language = "", b, base64, q, quoted) => {
      const content = b === undefined ? quoted.replaceAll("?", "=3F") : base64;
      return `=?${nameOf(charset) ?? "windows-1252"}${language}?${b ?? q}?${content}?=`;
    });
  const mendLine = (line: string) =>
    !line.includes("=?") ? line : line.replace(/\S+/g, (token) => {
      // No word is looked for where none can end: from each of many starts it would be in vain.
      const end = token.lastIndexOf("?=") + 2;
      return end < 2 ? token : mend(token.slice(0, end)) + token.slice(end);
    });
  const mended = fields.map((lines) => lines.map(mendLine));
  const unknown = [...names.keys()].filter((charset) => names.get(charset) === null);
  return { fields: mended, unknown: new Set(unknown.map(start)) };
}

/** The lines of each field together (RFC 5322 section 2.2.3), and those that are part of none. */
function foldedFields(lines: readonly string[]): string[][] {
  const folded: string[][] = [];
  for (const line of lines) {
    const field = folded.at(-1);
    if (field !== undefined && /^[ \t]/.test(line)) field.push(line);
    else folded.push([line]);
  }
  return folded;
}

/** A field, unfolded; nothing for lines that are none. */
function fieldOf(lines: readonly string[]): Field[] {
  // The last line end is a blank at the end of the value.
  const line = lines.length === 1 ? lines[0] : lines.map(withoutEnd).join("");
  const match = FIELD.exec(line);
  return match === null ? [] : [{ name: match[1], value: match[2].trim() }];
}

const withoutEnd = (line: string) => line.replace(/\r?\n$/, "");
