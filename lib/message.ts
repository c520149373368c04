/**
 * A `Mail` into the context that templates see: the envelope as it came, and what mailparser makes of
 * the message (MIME, RFC 2045 to 2049; encoded words, RFC 2047; parameters, RFC 2231).
 *
 * A message that cannot be read is still a message: whatever goes wrong ends up in `warnings`, and the
 * fields that cannot be known are empty. The parser is loaded when it is first needed, since it is most
 * of the memory that this program takes; `load` lets the wait begin earlier.
 */
import { Buffer } from "node:buffer";
// @ts-types="npm:@types/mailparser@3.4.6"
import type { AddressObject, EmailAddress, ParsedMail } from "npm:mailparser@3.9.31";
import { type Field, type Sections, sectionsOf } from "./header.ts";
import type { Mail } from "./mail.ts";
import { addressOf } from "./path.ts";

/** What a template may use beside the message. */
export interface Surroundings {
  /** This program's version. */
  readonly version: string;
  /** The name of this machine. */
  readonly hostname: () => string;
  /** An environment variable; undefined where it is not set or not allowed. */
  readonly env: (name: string) => string | undefined;
  /** The values of `--var`. */
  readonly vars: Readonly<Record<string, string>>;
}

/** An address of a header field. */
export interface Address {
  /** The display name, decoded; empty where there is none. */
  readonly name: string;
  /** The address; empty where there is none. */
  readonly address: string;
}

/** The addresses of one header field, groups dissolved. */
export interface Addresses extends ReadonlyArray<Address> {
  /** The whole field as written, decoded. */
  readonly text: string;
}

/** A part of a message that is not its text. */
export interface Attachment {
  /** Empty where it has none. */
  readonly filename: string;
  readonly contentType: string;
  /** Octets, decoded. */
  readonly size: number;
  /** Without angle brackets, as `cid:` URLs name it; empty where it has none. */
  readonly contentId: string;
  /** `attachment` or `inline`; empty where the part does not say. */
  readonly disposition: string;
  /** SHA-256 of the content, in hexadecimal. */
  readonly checksum: string;
  /** The content in base64 (RFC 4648 section 4). */
  readonly content: string;
}

/** A name for each value, read by name only; a name that is not there is `""`. */
export type Dictionary = Readonly<Record<string, string>>;

/**
 * Everything that a template can name. Text fields are `""` where the message does not have them.
 * What is costly is computed when it is read.
 */
export interface TemplateContext {
  readonly id: string;
  readonly timestamp: Timestamp;
  readonly sender: string;
  readonly recipients: readonly string[];
  /** The message as received: UTF-8, or ISO-8859-1 (a character an octet) where it is not that. */
  readonly data: string;
  /** The part of `data` after the header. */
  readonly rawBody: string;
  readonly subject: string;
  /** The text of the message, or its HTML rendered as text; lines end with LF. */
  readonly body: string;
  /** The text parts; empty for a message that is HTML alone. */
  readonly text: string;
  readonly html: string;
  readonly from: Addresses;
  readonly to: Addresses;
  readonly cc: Addresses;
  readonly bcc: Addresses;
  readonly replyTo: Addresses;
  /** `""` where the Date field is missing or unreadable. */
  readonly date: Timestamp | "";
  readonly messageId: string;
  readonly inReplyTo: string;
  readonly references: readonly string[];
  /** First value of each field, by lower-case name. */
  readonly header: Dictionary;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly attachments: readonly Attachment[];
  readonly client: {
    readonly address: string;
    readonly port: number;
    readonly hostname: string;
    readonly tls: boolean;
    readonly user: string;
  };
  /** Octets received. */
  readonly size: number;
  readonly hostname: string;
  readonly version: string;
  readonly warnings: readonly string[];
  readonly env: Dictionary;
  readonly var: Dictionary;
}

/** A moment, as templates write it: `{{timestamp}}`, `{{timestamp.local}}`, `{{timestamp.unix}}`. */
export class Timestamp {
  readonly #date: Date;

  /** Fractions of a second are dropped. */
  constructor(date: Date) {
    this.#date = date;
  }

  /** RFC 3339 in this machine's time zone, such as `2022-01-01T11:10:20+01:00`. */
  get local(): string {
    const offset = -this.#date.getTimezoneOffset();
    const shifted = new Date(this.#date.getTime() + offset * 60_000).toISOString().slice(0, 19);
    const minutes = Math.abs(offset);
    const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
    return `${shifted}${offset < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
  }

  /** Seconds since 1970-01-01T00:00:00Z. */
  get unix(): number {
    return Math.floor(this.#date.getTime() / 1000);
  }

  /** RFC 3339 in UTC, such as `2022-01-01T10:10:20Z`. */
  toString(): string {
    return this.#date.toISOString().slice(0, 19) + "Z";
  }

  /** As `toString`. */
  toJSON(): string {
    return this.toString();
  }
}

interface Parser {
  readonly parse: (message: Buffer) => Promise<ParsedMail>;
  readonly decodeWords: (text: string) => string;
  readonly htmlToText: (html: string) => string;
}

let parser: Promise<Parser> | undefined;

/** Loads the parser, once. Call it as soon as a message may come. */
export function load(): Promise<Parser> {
  return parser ??= importParser();
}

async function importParser(): Promise<Parser> {
  const [{ simpleParser }, { default: libmime }, { htmlToText }] = await Promise.all([
    import("npm:mailparser@3.9.31"),
    // Both are what mailparser itself uses: words of header fields that it leaves encoded, and HTML
    // that it leaves unrendered, then read the same.
    import("npm:libmime@5.4.6"),
    import("npm:html-to-text@10.0.1"),
  ]);
  return {
    parse: (message) => simpleParser(message, PARSE_OPTIONS),
    decodeWords: (text) => libmime.decodeWords(text),
    htmlToText: (html) => htmlToText(html),
  };
}

/** An attached message is an attachment, images stay where they are, and nobody wants a text as HTML. */
const PARSE_OPTIONS = {
  skipTextToHtml: true,
  skipImageLinks: true,
  keepCidLinks: true,
  checksumAlgo: "sha256",
  ignoreEmbedded: true,
};

/** Reads a message. It does not reject for anything that a message can hold. */
export async function read(mail: Mail, surroundings: Surroundings): Promise<TemplateContext> {
  const sections = sectionsOf(mail.data);
  return assemble(mail, sections, await contentOf(sections, await load()), surroundings);
}

/** What only a parser can tell of a message. */
export interface Content {
  /** All header fields in order, decoded. */
  readonly headers: readonly Field[];
  readonly body: string;
  readonly text: string;
  readonly html: string;
  readonly from: readonly Address[];
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly replyTo: readonly Address[];
  readonly attachments: readonly Attachment[];
  readonly warnings: readonly string[];
}

async function contentOf(
  { fields, body, mended }: Sections,
  { parse, decodeWords, htmlToText }: Parser,
): Promise<Content> {
  const headers = fields.map((field) => decodeField(field, decodeWords));
  try {
    const parsed = await parse(
      Buffer.from(mended.buffer as ArrayBuffer, mended.byteOffset, mended.byteLength),
    );
    const html = parsed.html || "";
    return {
      headers,
      body: parsed.text || htmlToText(html),
      text: contentTypeOf(parsed) === "text/html" ? "" : parsed.text ?? "",
      html,
      from: addressesOf(parsed.from),
      to: addressesOf(parsed.to),
      cc: addressesOf(parsed.cc),
      bcc: addressesOf(parsed.bcc),
      replyTo: addressesOf(parsed.replyTo),
      attachments: parsed.attachments.map(attachmentOf),
      warnings: [],
    };
  } catch (error) {
    const text = textOf(body).replaceAll("\r\n", "\n");
    return {
      ...{ headers, body: text, text, html: "", attachments: [] },
      ...{ from: [], to: [], cc: [], bcc: [], replyTo: [] },
      warnings: [`The message could not be parsed: ${(error as Error).message}`],
    };
  }
}

/** Puts together what a template can name. */
export function assemble(
  mail: Mail,
  sections: Sections,
  content: Content,
  surroundings: Surroundings,
): TemplateContext {
  const header = dictionary(firstValues(content.headers));
  const { text, html } = content;
  return {
    ...content,
    id: mail.id,
    timestamp: new Timestamp(mail.receivedAt),
    sender: mail.envelope.reversePath === null ? "" : addressOf(mail.envelope.reversePath),
    recipients: mail.envelope.forwardPaths.map(addressOf),
    get data() {
      return textOf(mail.data);
    },
    get rawBody() {
      return textOf(sections.body);
    },
    subject: header.subject,
    from: withText(content.from, header.from),
    to: withText(content.to, header.to),
    cc: withText(content.cc, header.cc),
    bcc: withText(content.bcc, header.bcc),
    replyTo: withText(content.replyTo, header["reply-to"]),
    date: dateOf(header.date),
    messageId: header["message-id"],
    inReplyTo: header["in-reply-to"],
    references: header.references.split(/\s+/).filter((reference) => reference !== ""),
    header,
    client: {
      ...mail.client,
      hostname: mail.client.hostname ?? "",
      user: mail.client.user ?? "",
    },
    size: mail.data.length,
    get hostname() {
      return surroundings.hostname();
    },
    version: surroundings.version,
    warnings: [
      ...sections.warnings,
      ...content.warnings,
      ...undecoded({ subject: header.subject, text, html }),
    ],
    env: lookup(surroundings.env),
    var: dictionary(surroundings.vars),
  };
}

/** U+FFFD stands for octets that a character set does not define. */
function undecoded(texts: Readonly<Record<string, string>>): string[] {
  return Object.keys(texts).filter((name) => texts[name].includes("\ufffd"))
    .map((name) => `The ${name} has octets that its character set does not define`);
}

function contentTypeOf(parsed: ParsedMail): string {
  const value = parsed.headers.get("content-type");
  return typeof value === "object" && "params" in value ? value.value.toLowerCase() : "";
}

function addressesOf(field: AddressObject | AddressObject[] | undefined): Address[] {
  return [field ?? []].flat().flatMap(({ value }) => value.flatMap(members));
}

/** An address itself, or the members of a group (RFC 5322 section 3.4). */
function members({ name, address, group }: EmailAddress): Address[] {
  return group === undefined ? [{ name, address: address ?? "" }] : group.flatMap(members);
}

function attachmentOf(attachment: ParsedMail["attachments"][number]): Attachment {
  return {
    filename: attachment.filename ?? "",
    contentType: attachment.contentType,
    size: attachment.size,
    contentId: attachment.contentId?.trim().replace(/^<|>$/g, "") ?? "",
    disposition: attachment.contentDisposition ?? "",
    checksum: attachment.checksum,
    get content() {
      return attachment.content.toString("base64");
    },
  };
}

function decodeField({ name, value }: Field, decodeWords: Parser["decodeWords"]): Field {
  try {
    return { name, value: decodeWords(value) };
  } catch {
    return { name, value };
  }
}

function firstValues(headers: readonly Field[]): Record<string, string> {
  const values: Record<string, string> = Object.create(null);
  for (const { name, value } of headers) values[name.toLowerCase()] ??= value;
  return values;
}

function withText(addresses: readonly Address[], text: string): Addresses {
  return Object.assign([...addresses], { text });
}

function dateOf(text: string): Timestamp | "" {
  // A comment such as "(UTC)" at the end is allowed (RFC 5322 section 3.3) and says nothing.
  const date = new Date(text.replace(/\s*\([^()]*\)\s*$/, ""));
  return Number.isNaN(date.getTime()) ? "" : new Timestamp(date);
}

function textOf(octets: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return Buffer.from(octets).toString("latin1");
  }
}

/** A dictionary over a record that can be listed. */
function dictionary(values: Readonly<Record<string, string>>): Dictionary {
  return new Proxy(values, {
    has: (_, name) => typeof name === "string",
    get: (values, name) =>
      typeof name === "string" ? (Object.hasOwn(values, name) ? values[name] : "") : undefined,
  });
}

/** A dictionary over a function, which cannot be listed. */
function lookup(value: (name: string) => string | undefined): Dictionary {
  return new Proxy(Object.freeze({}), {
    has: (_, name) => typeof name === "string",
    get: (_, name) => typeof name === "string" ? value(name) ?? "" : undefined,
  });
}
