/**
 * A message into its parts, by mailparser (MIME, RFC 2045 to 2049; encoded words, RFC 2047; parameters,
 * RFC 2231). This is the only file that knows mailparser, and it is not to be imported but by parser.ts:
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
import type {
  AddressObject,
  EmailAddress,
  Found,
  Headers,
  PartHeader,
  PartNode,
  Splitter,
} from "./npm/mailparser.d.ts";
import { decodeBase64 } from "./base64.ts";
import { decode, type RareDecoder, readInstead, start } from "./charset.ts";
import type { File, Parts } from "./content.ts";
import type { Address } from "./context.ts";
import { renderer } from "./html.ts";
import { withLineFeeds } from "./line_end.ts";
import { concat } from "./octets.ts";
import { decodeQuotedPrintable } from "./quoted_printable.ts";
import { leavesOf, type Part as TextPart, readingOf } from "./reading.ts";

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

type Warn = (text: string) => void;

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
  limitWords(parser.splitter as Splitter & AtNode, warn);
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

/** Octets that a splitter gets at a time. */
const SLICE_OCTETS = 64 * 1024;

/** Runs a splitter as fast as it works, as long as there is anything for it to find. */
async function split(
  splitter: Splitter,
  [header, body]: readonly [Uint8Array, Uint8Array],
  warn: Warn,
  take: (found: Found) => void,
): Promise<void> {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const isFull = limit(splitter, warn);
  // Those of the parser.
  splitter.removeAllListeners();
  splitter.on("data", (found) => {
    try {
      take(found);
    } catch (error) {
      // It would be thrown at nobody.
      reject(error);
    }
  });
  splitter.on("error", reject);
  splitter.on("end", resolve);
  splitter.write(header);
  for (let at = 0; at < body.length && !isFull(); at += SLICE_OCTETS) {
    if (splitter.write(body.subarray(at, at + SLICE_OCTETS))) continue;
    await Promise.race([ended, new Promise<void>((goOn) => splitter.once("drain", goOn))]);
  }
  splitter.end();
  await ended;
}

/** Parts of a message, itself and all multiparts among them; real ones stay below a hundred. */
const MAX_PARTS = 500;

/** Keeps a splitter from finding more parts than that, and tells when there were more. */
function limit(splitter: Splitter, warn: Warn): () => boolean {
  let isFull = false;
  const checkBoundary = splitter.checkBoundary.bind(splitter);
  splitter.checkBoundary = (line) => {
    const kind = checkBoundary(line);
    if (kind !== 1 && kind !== 3 || splitter.nodeCounter < MAX_PARTS) return kind;
    if (!isFull) warn(`The message has too many parts, only the first ${MAX_PARTS} were read`);
    isFull = true;
    // No part begins here, but the parts before it end: the next number says that.
    return kind === 1 ? 2 : 4;
  };
  return () => isFull;
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

/** Octets of all encoded names of attachments together: they can be UTF-7 too. */
const MAX_NAMES_OCTETS = 256 * 1024;

/** What decodes the parameters of a header: of each part another. */
interface Words {
  decodeWord(charset: string, encoding: string, text: string): string;
}

/** The splitter's own affair as well: the part that it is at. */
interface AtNode {
  readonly node: { readonly libmime: Words };
  newNode(parent: unknown): void;
}

/** Has a splitter decode no more of the names of attachments than may be. */
function limitWords(splitter: Splitter & AtNode, warn: Warn): void {
  let room = MAX_NAMES_OCTETS;
  const watch = ({ libmime }: { readonly libmime: Words }) => {
    const decodeWord = libmime.decodeWord.bind(libmime);
    libmime.decodeWord = (charset, encoding, text) => {
      if (text.length > room) {
        warn("The names of attachments are too long to be decoded");
        return text;
      }
      room -= text.length;
      return decodeWord(charset, encoding, text);
    };
  };
  const newNode = splitter.newNode.bind(splitter);
  splitter.newNode = (parent) => {
    newNode(parent);
    watch(splitter.node);
  };
  watch(splitter.node);
}

const SINGLE_FIELDS = ["from", "reply-to"];
const ADDRESS_FIELDS = ["from", "to", "cc", "bcc", "reply-to"];

/** Characters of all address fields together: reading them can take the square of their length. */
const MAX_ADDRESS_LENGTH = 64 * 1024;

/** The fields that mailparser has to read: the addresses of the message. */
function addressLines({ headers, root }: PartHeader, warn: Warn) {
  if (!root) return [];
  let room = MAX_ADDRESS_LENGTH;
  const seen = new Set<string>();
  return headers.getList().filter(({ key, line }) => {
    // Of a repeated From the first counts, as it does for `header.from`; mailparser takes the last.
    if (!ADDRESS_FIELDS.includes(key) || (SINGLE_FIELDS.includes(key) && seen.has(key))) {
      return false;
    }
    seen.add(key);
    if (line.length > room) {
      warn(`The field "${key}" is too long to be read`);
      return false;
    }
    room -= line.length;
    return true;
  });
}

function addressesOf(headers: Headers, name: string): Address[] {
  const field = headers.get(name) as AddressObject | AddressObject[] | undefined;
  return [field ?? []].flat().flatMap(({ value }) => value.flatMap(members));
}

/** An address itself, or the members of a group (RFC 5322 section 3.4). */
function members({ name, address, group }: EmailAddress): Address[] {
  return group === undefined
    ? [{ name: name.toWellFormed(), address: (address ?? "").toWellFormed() }]
    : group.flatMap(members);
}

/** A name that names no directory, whoever made it up and wherever it is written to. */
function filenameOf(name: string): string {
  const base = name.toWellFormed().replace(/\p{Cc}/gu, "").split(/[/\\]/).at(-1)!.trim();
  return base === "." || base === ".." ? "" : base;
}
