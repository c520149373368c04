/**
 * A message into its parts, by mailparser (MIME, RFC 2045 to 2049; encoded words, RFC 2047; parameters,
 * RFC 2231). This is the only file that knows mailparser, and it is not to be imported but by parser.ts:
 * it brings in most of the memory that this program takes.
 *
 * mailparser finds the parts, undoes their transfer encodings and reads the addresses. What it would
 * lose is decided by others: character sets in charset.ts, what a reader sees in reading.ts.
 */
import { Buffer } from "node:buffer";
import { Transform } from "node:stream";
// @ts-types="./npm/mailparser.d.ts"
import { MailParser } from "npm:mailparser@3.9.31";
// What mailparser itself uses, in the same versions.
// @ts-types="./npm/libmime.d.ts"
import libmime from "npm:libmime@5.4.6";
import iconv from "npm:iconv-lite@0.7.3";
import type {
  AddressObject,
  AttachmentStream,
  EmailAddress,
  Headers,
  Part,
  PartHeader,
} from "./npm/mailparser.d.ts";
import { decode, type RareDecoder, start } from "./charset.ts";
import type { Address, Attachment } from "./context.ts";
import { render } from "./html.ts";
import { decodeQuotedPrintable } from "./quoted_printable.ts";
import { type Reading, readingOf } from "./reading.ts";

/** What a parser makes of a message. */
export interface Parsed extends Reading {
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
  readonly attachments: readonly Attachment[];
  /** What had to be guessed; a sentence each. */
  readonly warnings: readonly string[];
}

/** Decodes the encoded words in the value of a header field. */
export function decodeWords(text: string): string {
  return libmime.decodeWords(text);
}

const rare: RareDecoder = (octets, charset) => {
  const name = libmime.normalizeCharset(charset);
  return iconv.encodingExists(name) ? iconv.decode(Buffer.from(octets), name) : null;
};

const OPTIONS = {
  // An attached message is an attachment.
  ignoreEmbedded: true,
  // All of these are settled in reading.ts, or wanted by nobody.
  skipHtmlToText: true,
  skipTextToHtml: true,
  skipImageLinks: true,
  checksumAlgo: "sha256",
};

/** Reads a message. It rejects, or never settles, for what it was not made for. */
export async function parse(message: Uint8Array): Promise<Parsed> {
  const warnings = new Set<string>();
  const { root, headers, attachments } = await takeApart(message, (text) => warnings.add(text));
  return {
    ...readingOf(root, render),
    from: addressesOf(headers, "from"),
    to: addressesOf(headers, "to"),
    cc: addressesOf(headers, "cc"),
    bcc: addressesOf(headers, "bcc"),
    replyTo: addressesOf(headers, "reply-to"),
    attachments: attachments.map(attachmentOf),
    warnings: [...warnings],
  };
}

/** What mailparser makes of a message. */
interface Pieces {
  /** Null for a message of nothing. */
  root: Part | null;
  headers: Headers;
  readonly attachments: { readonly header: AttachmentStream; readonly content: Buffer }[];
}

type Warn = (text: string) => void;

/** Runs mailparser. Its listeners only collect: what they throw would be thrown at nobody. */
function takeApart(message: Uint8Array, warn: Warn): Promise<Pieces> {
  const { promise, resolve, reject } = Promise.withResolvers<Pieces>();
  const pieces: Pieces = { root: null, headers: new Map(), attachments: [] };
  const decoder = decoderOf((doubt) => warn(`The text ${doubt}`));
  const parser = new MailParser({ ...OPTIONS, Iconv: decoder });
  const createNode = parser.createNode.bind(parser);
  parser.createNode = (header) => {
    try {
      const part = createNode(mended(header, warn));
      pieces.root ??= part;
      return part;
    } catch (error) {
      reject(error);
      throw error;
    }
  };
  parser.on("headers", (headers) => pieces.headers = headers);
  parser.on("data", (data) => {
    if (data.type === "text") return;
    const chunks: Uint8Array[] = [];
    data.content.on("data", (chunk) => chunks.push(chunk));
    data.content.on("error", reject);
    data.content.on("end", () => {
      pieces.attachments.push({ header: data, content: Buffer.concat(chunks) });
      data.release();
    });
  });
  parser.on("error", reject);
  parser.on("end", () => resolve(pieces));
  parser.end(Buffer.from(message.buffer as ArrayBuffer, message.byteOffset, message.byteLength));
  return promise;
}

/** `type/subtype` (RFC 2045 section 5.1). */
const MEDIA_TYPE = /^[^\s/]+\/[^\s/]+$/;

const OTHER_TEXT = /^text\/(?!html$)/;

const TRANSFER_ENCODINGS = ["", "7bit", "8bit", "binary", "base64", "quoted-printable"];

/** Marks the name of a character set, so that mailparser leaves none of them to itself. */
const MARK = "x-declared-";

const SINGLE_FIELDS = ["from", "reply-to"];
const ADDRESS_FIELDS = ["from", "to", "cc", "bcc", "reply-to"];

/** Characters of all address fields together: reading them can take the square of their length. */
const MAX_ADDRESS_LENGTH = 64 * 1024;

/** The fields that mailparser has to read. */
function neededLines({ headers, root }: PartHeader, warn: Warn) {
  let room = MAX_ADDRESS_LENGTH;
  const seen = new Set<string>();
  return headers.getList().filter(({ key, line }) => {
    if (!root || !ADDRESS_FIELDS.includes(key)) return key.startsWith("content-");
    // Of a repeated From the first counts, as it does for `header.from`; mailparser takes the last.
    if (SINGLE_FIELDS.includes(key) && seen.has(key)) return false;
    seen.add(key);
    if (line.length > room) {
      warn(`The field "${key}" is too long to be read`);
      return false;
    }
    room -= line.length;
    return true;
  });
}

/** A header of a part that says what its part is. */
function mended(header: PartHeader, warn: Warn): PartHeader {
  header.headers.lines = neededLines(header, warn);
  // "Content-Type: text", as sendmail of old, is plain text (RFC 2045 section 5.2).
  if (header.contentType && !MEDIA_TYPE.test(header.contentType)) header.contentType = "text/plain";
  // A message that is some other kind of text is shown as that (RFC 2046 section 4.1.4).
  const { contentType, root, filename, disposition } = header;
  if (root && !filename && disposition !== "attachment" && OTHER_TEXT.test(contentType || "")) {
    header.contentType = "text/plain";
  }
  const encoding = header.encoding || "";
  if (encoding === "quoted-printable") header.getDecoder = () => whole(decodeQuotedPrintable);
  if (!header.multipart && !TRANSFER_ENCODINGS.includes(encoding)) {
    warn(`A part has the unknown transfer encoding "${start(encoding)}"`);
  }
  header.charset = MARK + (header.charset || "");
  return header;
}

/** The class that mailparser wants to decode a character set with: a stream of octets to UTF-8. */
function decoderOf(warn: (doubt: string) => void) {
  return class {
    constructor(charset: string) {
      return whole((octets) => {
        const { text, doubt } = decode(octets, charset.slice(MARK.length), rare);
        if (doubt !== null) warn(doubt);
        return new TextEncoder().encode(text);
      });
    }
  };
}

/** A stream that puts out what `convert` makes of all that was put in. */
function whole(convert: (octets: Uint8Array) => Uint8Array): Transform {
  const chunks: Uint8Array[] = [];
  return new Transform({
    transform(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
    flush(done) {
      done(null, convert(Buffer.concat(chunks)));
    },
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

function attachmentOf({ header: data, content }: Pieces["attachments"][number]): Attachment {
  return {
    filename: filenameOf(data.filename || ""),
    contentType: data.contentType || "application/octet-stream",
    size: content.length,
    contentId: data.contentId?.trim().replace(/^<|>$/g, "").trim() ?? "",
    disposition: data.contentDisposition || "",
    checksum: data.checksum,
    get content() {
      return content.toString("base64");
    },
  };
}

/** A name that names no directory, whoever made it up and wherever it is written to. */
function filenameOf(name: string): string {
  const base = name.toWellFormed().replace(/\p{Cc}/gu, "").split(/[/\\]/).at(-1)!.trim();
  return base === "." || base === ".." ? "" : base;
}
