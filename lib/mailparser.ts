/**
 * A message into its parts, by mailparser (MIME, RFC 2045 to 2049; encoded words, RFC 2047; parameters,
 * RFC 2231). This is the only file that loads mailparser, and it is not to be imported but by parser.ts:
 * it brings in most of the memory that this program takes.
 *
 * mailparser finds the parts, reads their headers and the addresses. What it would lose is decided by
 * others: character sets in charset.ts, what a reader sees in reading.ts.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
// @ts-types="./npm/mailparser.d.ts"
import { MailParser } from "npm:mailparser@3.9.31";
// What mailparser itself uses, in the same versions.
// @ts-types="./npm/libmime.d.ts"
import libmime from "npm:libmime@5.4.6";
import iconv from "npm:iconv-lite@0.7.3";
import type { PartHeader } from "./npm/mailparser.d.ts";
import { addressFields } from "./address_fields.ts";
import { decodeBase64 } from "./base64.ts";
import {
  decode,
  type Decoded,
  hasAsciiWithin,
  type RareDecoder,
  readInstead,
  start,
} from "./charset.ts";
import type { File, Parts, Warn } from "./content.ts";
import { readWords } from "./encoded_words.ts";
import type { Field } from "./header.ts";
import { distinct, filenameOf } from "./filename.ts";
import { renderer } from "./html.ts";
import { lineFeedsIn, MAX_SHORT, withLineFeeds } from "./line_end.ts";
import { isNeeded, type Needs } from "./needs.ts";
import { release } from "./octets.ts";
import { decodeQuotedPrintable } from "./quoted_printable.ts";
import { leavesOf, once, type Part as TextPart, readingOf } from "./reading.ts";
import { type DecodeName, type Found, split } from "./splitter.ts";

/** One for all messages, as what is used of it takes each at once. An attached message is an attachment. */
const mailparser = new MailParser({ ignoreEmbedded: true });

/** Decodes the encoded words in the value of a header field; `warn` takes what had to be guessed. */
export function decodeWords(text: string, warn: Warn): string {
  // Most have none, and looking for them in earnest takes longer than all else that a field takes.
  if (!text.includes("=?")) return text;
  const words = new libmime.Libmime();
  readWords(words, ({ octets, charset }) => {
    const { text, doubt } = decode(octets(), charset, decodeRare);
    if (doubt !== null) warn(`The header has a word that ${doubt}`);
    return text;
  });
  return words.decodeWords(text);
}

/**
 * Reads what is needed of a message; null where for that more than `most` octets would have to be decoded,
 * or lines looked at. It throws for what it was not made for.
 */
export function parse(
  fields: readonly Field[],
  body: Uint8Array,
  needs: Needs,
  most: number,
): Parts | null {
  const warnings = new Set<string>();
  const warn = (text: string) => warnings.add(text);
  const reader = readerOf(warn, needs);
  const found = partsOf(mimeHeader(fields), body, most, reader);
  if (found === null) return null;
  const root = treeOf(found, reader);
  const leaves = leavesOf(root);
  const needsFiles = isNeeded(needs, "attachments");
  const decoded = leaves.filter(({ file }) => file === undefined || needsFiles);
  if (decoded.reduce((sum, { cost }) => sum + cost, 0) > most) return null;
  const isFound = leaves.some(({ file, text }) => file !== undefined || (text?.() ?? "") !== "");
  const processHeaders = mailparser.processHeaders.bind(mailparser);
  return {
    ...readingOf(root, renderer(warn), needs),
    ...addressFields(fields, needs, processHeaders, warn),
    attachments: needsFiles ? filesOf(leaves) : [],
    isFound,
    warnings: [...warnings],
  };
}

/** The attachments, no two of the same name. */
function filesOf(leaves: readonly Part[]): File[] {
  const files = leaves.flatMap(({ file }) => file?.() ?? []);
  const names = distinct(files.map(({ filename }) => filename));
  return files.map((file, index) => ({ ...file, filename: names[index] }));
}

/** The fields that say what a message is made of (RFC 2045 section 9), and an empty line. */
function mimeHeader(fields: readonly Field[]): string {
  const lines = fields.filter(({ name }) => MIME_FIELD.test(name))
    .map(({ name, value }) => `${name}: ${value}\r\n`);
  return `${lines.join("")}\r\n`;
}

const MIME_FIELD = /^content-/i;

/** Headers of messages in one part, read, by what they are made of: those of most are a few texts. */
const known = new Map<string, PartHeader>();

/** So many are known at most, of so many characters: half a megabyte in all. */
const [MAX_KNOWN, MAX_KNOWN_LENGTH] = [100, 400];

/** The parts of a message. To know its header already saves 10 to 40 of 60 µs for a mail of 4 KB. */
function partsOf(
  header: string,
  body: Uint8Array,
  most: number,
  { warn, rare }: Reader,
): readonly Found[] | null {
  const read = known.get(header);
  if (read !== undefined) return [{ header: read, content: body }];
  const octets = new TextEncoder().encode(header);
  const decodeName: DecodeName = (octets, charset) => {
    const { text, doubt } = decode(octets, charset, rare);
    if (doubt !== null) warn(`The file name ${doubt}`);
    return text;
  };
  const parts = split(mailparser.splitter, octets, body, most, warn, decodeName);
  if (parts?.[0].header.multipart === false && header.length <= MAX_KNOWN_LENGTH) {
    if (known.size === MAX_KNOWN) known.clear();
    known.set(header, parts[0].header);
  }
  return parts;
}

/** A part as this file leaves it. */
interface Part extends TextPart {
  readonly children: Part[];
  /** What decoding it takes: as many octets of what takes longest; 0 of a multipart. */
  readonly cost: number;
  /** Where the part is an attachment. */
  readonly file?: () => File;
}

/** The first part, with all others in it. */
function treeOf(found: readonly Found[], reader: Reader): Part {
  const parts = new Map<PartHeader | false, Part>();
  for (const { header, content } of found) {
    const part = partOf(header, content, reader);
    parts.set(header, part);
    parts.get(header.parentNode)?.children.push(part);
  }
  return parts.get(found[0].header)!;
}

/** `type/subtype` (RFC 2045 section 5.1). */
const MEDIA_TYPE = /^[^\s/]+\/[^\s/]+$/;

const OTHER_TEXT = /^text\/(?!html$)/;

/** What is shown and not attached, if the part does not say otherwise. */
const SHOWN = ["text/plain", "text/html", "message/delivery-status"];

function partOf(header: PartHeader, content: Uint8Array, reader: Reader): Part {
  const contentType = mediaTypeOf(header);
  if (/^multipart\//.test(contentType)) return { contentType, children: [], cost: 0 };
  const leaf = leafOf(header, contentType, content, reader);
  return { contentType, children: [], cost: content.length, ...leaf };
}

function mediaTypeOf({ contentType, root, filename, disposition }: PartHeader): string {
  if (!contentType) return root ? "text/plain" : "application/octet-stream";
  // "Content-Type: text", as sendmail of old, is plain text (RFC 2045 section 5.2).
  if (!MEDIA_TYPE.test(contentType)) return "text/plain";
  // A message that is some other kind of text is shown as that (RFC 2046 section 4.1.4).
  const isShown = root && !filename && disposition !== "attachment" && OTHER_TEXT.test(contentType);
  return isShown ? "text/plain" : contentType;
}

/** A part that has none itself: its text, or a file. Both are made when they are asked for. */
function leafOf(
  header: PartHeader,
  contentType: string,
  content: Uint8Array,
  { warn, rare, needs }: Reader,
): Pick<Part, "text" | "file"> & Partial<Pick<Part, "cost">> {
  const { filename, disposition, flowed, delSp } = header;
  const charset = header.charset || "";
  const decodeTransfer = transferDecoder(header.encoding || "", warn);
  if (SHOWN.includes(contentType) && (!disposition || disposition === "inline")) {
    const isAsItStands = decodeTransfer === asItStands && hasAsciiWithin(charset);
    const text = once(() => {
      const { text, doubt } = isAsItStands && content.length > MAX_SHORT
        ? decodeLong(content, charset, rare)
        : decode(decodeTransfer(content), charset, rare);
      if (doubt !== null) warn(`The text ${doubt}`);
      const lines = withLineFeeds(text);
      return flowed && lines.length <= MAX_FLOWED ? libmime.decodeFlowed(lines, delSp) : lines;
    });
    const isCheap = isAsItStands && contentType !== "text/html" && !flowed &&
      !isNeeded(needs, "replyText");
    return { text, ...(isCheap ? { cost: content.length / CHEAPER } : {}) };
  }
  // Many programs call everything that; the name tells more.
  const isUnknown = contentType === "application/octet-stream" && filename;
  const file = (): File => {
    const octets = decodeTransfer(content);
    return {
      filename: filenameOf(filename || "", contentType, libmime.detectExtension),
      contentType: isUnknown ? libmime.detectMimeType(filename) : contentType,
      size: octets.length,
      contentId: contentIdOf(header),
      disposition: dispositionOf(disposition || ""),
      checksum: isNeeded(needs, "checksum")
        ? createHash("sha256").update(octets).digest("hex")
        : "",
      content: octets,
    };
  };
  return { file };
}

/** What nobody knows is an attachment (RFC 2183 section 2.8). */
function dispositionOf(given: string): string {
  return given === "" || given === "inline" ? given : "attachment";
}

/** With LF at line ends already: of a long text that takes a third of the time, and less memory. */
function decodeLong(content: Uint8Array, charset: string, rare: RareDecoder): Decoded {
  const octets = lineFeedsIn(content.slice());
  const decoded = decode(octets, charset, rare);
  release(octets);
  return decoded;
}

function contentIdOf({ headers }: PartHeader): string {
  return headers === false ? "" : headers.getFirst("content-id").replace(/^<|>$/g, "").trim();
}

/** Characters: longer text that is `format=flowed` (RFC 3676) is left in the lines that it came in. */
const MAX_FLOWED = 1024 * 1024;

/**
 * So much less than what takes longest, such as HTML, a text takes that is sent as it stands: others wait
 * 75 ms longer for 10 MB, and 0.35 s if none of it is UTF-8. In the thread it would take several times its
 * size in memory more.
 */
const CHEAPER = 80;

const asItStands = (octets: Uint8Array) => octets;

/** What undoes a transfer encoding (RFC 2045 section 6). */
function transferDecoder(encoding: string, warn: Warn): (octets: Uint8Array) => Uint8Array {
  if (encoding === "base64") return decodeBase64;
  if (encoding === "quoted-printable") return decodeQuotedPrintable;
  if (!["", "7bit", "8bit", "binary"].includes(encoding)) {
    warn(`A part has the unknown transfer encoding "${start(encoding)}"`);
  }
  return asItStands;
}

/** Octets of a message that are read as UTF-7: iconv-lite takes a tenth of a second for them. */
const MAX_UTF_7_OCTETS = 64 * 1024;

/** What reads the parts of one message. */
interface Reader {
  readonly warn: Warn;
  readonly rare: RareDecoder;
  readonly needs: Needs;
}

function readerOf(warn: Warn, needs: Needs): Reader {
  let room = MAX_UTF_7_OCTETS;
  const rare: RareDecoder = (octets, charset) => {
    if (/utf-?7/i.test(libmime.normalizeCharset(charset))) {
      if (octets.length > room) return readInstead(octets, "is too long to be read as UTF-7");
      room -= octets.length;
    }
    return decodeRare(octets, charset);
  };
  return { warn, rare, needs };
}

const decodeRare: RareDecoder = (octets, charset) => {
  const name = libmime.normalizeCharset(charset);
  return iconv.encodingExists(name)
    ? { text: iconv.decode(Buffer.from(octets), name), doubt: null }
    : null;
};
