/**
 * A message into its parts, by mailparser (MIME, RFC 2045 to 2049; encoded words, RFC 2047; parameters,
 * RFC 2231). This is the only file that loads mailparser, and it is not to be imported but by parser.ts:
 * it brings in most of the memory that this program takes.
 *
 * mailparser finds the parts, undoes their transfer encodings and reads the addresses. What it would
 * lose is decided by others: character sets in charset.ts, what a reader sees in reading.ts.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
// @ts-types="./npm/mailparser.d.ts"
import { MailParser } from "npm:mailparser@3.9.31";
// What mailparser itself uses, in the same versions.
// @ts-types="./npm/libmime.d.ts"
import libmime from "npm:libmime@5.4.6";
import iconv from "npm:iconv-lite@0.7.3";
import type { Headers, PartHeader, PartNode } from "./npm/mailparser.d.ts";
import { addressesOf, addressLines } from "./address_fields.ts";
import { decodeBase64 } from "./base64.ts";
import { decode, type RareDecoder, readInstead, start } from "./charset.ts";
import type { File, Parts } from "./content.ts";
import { renderer } from "./html.ts";
import { withLineFeeds } from "./line_end.ts";
import { concat } from "./octets.ts";
import { decodeQuotedPrintable } from "./quoted_printable.ts";
import { leavesOf, type Part as TextPart, readingOf } from "./reading.ts";
import { split, type Warn } from "./splitter.ts";

/** Decodes the encoded words in the value of a header field. */
export function decodeWords(text: string): string {
  return libmime.decodeWords(text);
}

/** Reads a message. It rejects, or never settles, for what it was not made for. */
export async function parse(header: Uint8Array, body: Uint8Array): Promise<Parts> {
  const warnings = new Set<string>();
  const warn = (text: string) => warnings.add(text);
  const { root, headers } = await takeApart(header, body, warn);
  return {
    ...readingOf(root, renderer(warn)),
    from: addressesOf(headers, "from"),
    to: addressesOf(headers, "to"),
    cc: addressesOf(headers, "cc"),
    bcc: addressesOf(headers, "bcc"),
    replyTo: addressesOf(headers, "reply-to"),
    attachments: root === null ? [] : leavesOf(root).flatMap(({ file }) => file ?? []),
    warnings: [...warnings],
  };
}

/** A part as this file leaves it. */
interface Part extends TextPart {
  readonly children: readonly Part[];
  text?: string;
  /** Where the part is an attachment. */
  file?: File;
}

/** What mailparser makes of a message. */
interface Pieces {
  /** Null for a message of nothing. */
  readonly root: Part | null;
  readonly headers: Headers;
}

/** An attached message is an attachment. */
const OPTIONS = { ignoreEmbedded: true };

const EMPTY_LINE = new TextEncoder().encode("\r\n");

/**
 * Has mailparser find the parts and read the addresses. Contents are taken from its splitter: it would
 * itself decode them in many small steps, and take up to seventy times their size for it. Where there is
 * nothing to find in it, the body is kept from the splitter, which looks at each line.
 */
async function takeApart(header: Uint8Array, body: Uint8Array, warn: Warn): Promise<Pieces> {
  let pieces: Pieces = { root: null, headers: new Map() };
  const leaves = new Map<PartHeader, { readonly chunks: Uint8Array[]; readonly take: Take }>();
  const parser = new MailParser(OPTIONS);
  const reader = readerOf(warn);
  const isMultipart = /multipart/i.test(new TextDecoder().decode(header));
  const parts = isMultipart ? body : body.subarray(body.length);
  await split(parser.splitter, [concat([header, EMPTY_LINE]), parts], warn, (found) => {
    if (found.type === "body") leaves.get(found.node)?.chunks.push(found.value);
    if (found.type !== "node") return;
    const { node, take } = partOf(found, parser, reader);
    if (pieces.root === null) pieces = { root: node, headers: node.headers };
    if (take !== null) leaves.set(found, { chunks: [], take });
  });
  for (const { chunks, take } of leaves.values()) take(isMultipart ? concat(chunks) : body);
  return pieces;
}

/** `type/subtype` (RFC 2045 section 5.1). */
const MEDIA_TYPE = /^[^\s/]+\/[^\s/]+$/;

const OTHER_TEXT = /^text\/(?!html$)/;

/** What is shown and not attached, if the part does not say otherwise. */
const SHOWN = ["text/plain", "text/html", "message/delivery-status"];

/** Takes the content of a part, its transfer encoding not yet undone. */
type Take = (octets: Uint8Array) => void;

/** Makes a part, and what takes its content; null for a multipart, which has none. */
function partOf(header: PartHeader, parser: MailParser, reader: Reader) {
  const contentType = mediaTypeOf(header);
  const leaf = /^multipart\//.test(contentType) ? null : leafOf(header, contentType, reader);
  header.headers.lines = addressLines(header, reader.warn);
  const node = Object.assign(parser.createNode(header) as PartNode & Part, { contentType });
  const take: Take | null = leaf && ((octets) => void Object.assign(node, leaf(octets)));
  return { node, take };
}

function mediaTypeOf({ contentType, root, filename, disposition }: PartHeader): string {
  if (!contentType) return root ? "text/plain" : "application/octet-stream";
  // "Content-Type: text", as sendmail of old, is plain text (RFC 2045 section 5.2).
  if (!MEDIA_TYPE.test(contentType)) return "text/plain";
  // A message that is some other kind of text is shown as that (RFC 2046 section 4.1.4).
  const isShown = root && !filename && disposition !== "attachment" && OTHER_TEXT.test(contentType);
  return isShown ? "text/plain" : contentType;
}

/** What makes of the content of a part its text, or a file. */
function leafOf(
  header: PartHeader,
  contentType: string,
  { warn, rare }: Reader,
): (octets: Uint8Array) => Pick<Part, "text" | "file"> {
  const { filename, disposition, charset, flowed, delSp } = header;
  const decodeTransfer = transferDecoder(header.encoding || "", warn);
  if (SHOWN.includes(contentType) && (!disposition || disposition === "inline")) {
    return (octets) => {
      const { text, doubt } = decode(decodeTransfer(octets), charset || "", rare);
      if (doubt !== null) warn(`The text ${doubt}`);
      const lines = withLineFeeds(text);
      const isFlowed = flowed && lines.length <= MAX_FLOWED;
      return { text: isFlowed ? libmime.decodeFlowed(lines, delSp) : lines };
    };
  }
  // Many programs call everything that; the name tells more.
  const isUnknown = contentType === "application/octet-stream" && filename;
  const fileType = isUnknown ? libmime.detectMimeType(filename) : contentType;
  const contentId = header.headers.getFirst("content-id").replace(/^<|>$/g, "").trim();
  return (octets) => {
    const content = decodeTransfer(octets);
    const file: File = {
      filename: filenameOf(filename || ""),
      contentType: fileType,
      size: content.length,
      contentId,
      disposition: disposition || "",
      checksum: createHash("sha256").update(content).digest("hex"),
      content,
    };
    return { file };
  };
}

/** Characters: longer text that is `format=flowed` (RFC 3676) is left in the lines that it came in. */
const MAX_FLOWED = 1024 * 1024;

/** What undoes a transfer encoding (RFC 2045 section 6). */
function transferDecoder(encoding: string, warn: Warn): (octets: Uint8Array) => Uint8Array {
  if (encoding === "base64") return decodeBase64;
  if (encoding === "quoted-printable") return decodeQuotedPrintable;
  if (!["", "7bit", "8bit", "binary"].includes(encoding)) {
    warn(`A part has the unknown transfer encoding "${start(encoding)}"`);
  }
  return (octets) => octets;
}

/** Octets of a message that are read as UTF-7: iconv-lite takes a second for half a MB of it. */
const MAX_UTF_7_OCTETS = 256 * 1024;

/** What reads the parts of one message. */
interface Reader {
  readonly warn: Warn;
  readonly rare: RareDecoder;
}

function readerOf(warn: Warn): Reader {
  let room = MAX_UTF_7_OCTETS;
  const rare: RareDecoder = (octets, charset) => {
    const name = libmime.normalizeCharset(charset);
    if (!iconv.encodingExists(name)) return null;
    if (/utf-?7/i.test(name)) {
      if (octets.length > room) return readInstead(octets, "is too long to be read as UTF-7");
      room -= octets.length;
    }
    return { text: iconv.decode(Buffer.from(octets), name), doubt: null };
  };
  return { warn, rare };
}

/** A name that names no directory, whoever made it up and wherever it is written to. */
function filenameOf(name: string): string {
  const base = name.toWellFormed().replace(/\p{Cc}/gu, "").split(/[/\\]/).at(-1)!.trim();
  return base === "." || base === ".." ? "" : base;
}
