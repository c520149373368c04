/**
 * A `Mail` into the context that templates see: the envelope as it came, the header as header.ts reads
 * it, and what the parser makes of the rest.
 *
 * A message that cannot be read is still a message: whatever goes wrong ends up in `warnings`, and the
 * fields that cannot be known are empty.
 */
import { guess } from "./charset.ts";
import type { Address, Addresses, Surroundings, TemplateContext } from "./context.ts";
import { anyCase, dictionary, lookup } from "./dictionary.ts";
import { type Field, type Sections, sectionsOf } from "./header.ts";
import type { Mail } from "./mail.ts";
import { characters, utf8 } from "./octets.ts";
import { load, type Parsed, type Parser } from "./parser.ts";
import { addressOf } from "./path.ts";
import { readDate, Timestamp } from "./timestamp.ts";

/** What only a parser can tell of a message. */
export interface Content extends Parsed {
  /** All header fields in order, decoded. */
  readonly headers: readonly Field[];
}

/** How a message is read. */
export interface ReadOptions {
  /** Loads the parser. */
  readonly load: () => Promise<Parser>;
  /** Milliseconds after which a parser that has not settled is not awaited any longer. */
  readonly parseTimeoutMs: number;
}

const DEFAULTS: ReadOptions = { load, parseTimeoutMs: 30_000 };

/** Reads a message. It does not reject for anything that a message can hold. */
export async function read(
  mail: Mail,
  surroundings: Surroundings,
  { load, parseTimeoutMs }: ReadOptions = DEFAULTS,
): Promise<TemplateContext> {
  const sections = sectionsOf(mail.data);
  const content = await contentOf(sections, await load(), parseTimeoutMs);
  return assemble(mail, sections, content, surroundings);
}

async function contentOf(
  { fields, body, mended }: Sections,
  { parse, decodeWords }: Parser,
  timeoutMs: number,
): Promise<Content> {
  const headers = fields.map((field) => decodeField(field, decodeWords));
  try {
    const parsed = await within(timeoutMs, parse(mended));
    const { text, html, attachments } = parsed;
    if (text !== "" || html !== "" || attachments.length > 0 || isBlank(body)) {
      return { headers, ...parsed };
    }
    // Such as a multipart message whose boundary never comes.
    const warning = "The message has no part that could be found, its body is as received";
    return { headers, ...parsed, ...asReceived(body), warnings: [...parsed.warnings, warning] };
  } catch (error) {
    return {
      ...{ headers, ...asReceived(body), attachments: [] },
      ...{ from: [], to: [], cc: [], bcc: [], replyTo: [] },
      warnings: [`The message could not be parsed: ${(error as Error).message}`],
    };
  }
}

async function within<Result>(timeoutMs: number, result: Promise<Result>): Promise<Result> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`it took longer than ${timeoutMs / 1000} s`)),
    timeoutMs,
  );
  try {
    return await Promise.race([result, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function asReceived(body: Uint8Array): Pick<Content, "body" | "text" | "html"> {
  const text = guess(body).text.replace(/\r\n?/g, "\n");
  return { body: text, text, html: "" };
}

const BLANKS = new Set([0x09, 0x0a, 0x0d, 0x20]);
const isBlank = (octets: Uint8Array) => octets.every((octet) => BLANKS.has(octet));

/** Puts together what a template can name. */
export function assemble(
  mail: Mail,
  sections: Sections,
  content: Content,
  surroundings: Surroundings,
): TemplateContext {
  const header = anyCase(firstValues(content.headers));
  // RFC 5322 section 3.6 wants these fields once; programs that repeat them mean all of them.
  const allValues = (name: string) =>
    content.headers.filter((field) => field.name.toLowerCase() === name)
      .map(({ value }) => value).filter((value) => value !== "").join(", ");
  const { text, html, attachments } = content;
  const filenames = attachments.map(({ filename }) => filename).join("");
  return {
    ...content,
    id: mail.id,
    timestamp: new Timestamp(mail.receivedAt),
    sender: mail.envelope.reversePath === null ? "" : addressOf(mail.envelope.reversePath),
    recipients: mail.envelope.forwardPaths.map(addressOf),
    get data() {
      return octetsAsText(mail.data);
    },
    get rawBody() {
      return octetsAsText(sections.body);
    },
    subject: header.subject,
    from: withText(content.from, header.from),
    to: withText(content.to, allValues("to")),
    cc: withText(content.cc, allValues("cc")),
    bcc: withText(content.bcc, allValues("bcc")),
    replyTo: withText(content.replyTo, header["reply-to"]),
    date: readDate(header.date) ?? "",
    messageId: header["message-id"],
    inReplyTo: header["in-reply-to"],
    references: header.references.split(/\s+/).filter((reference) => reference !== ""),
    header,
    client: {
      ...mail.client,
      address: mail.client.address ?? "",
      port: mail.client.port ?? "",
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
      ...undecoded({ subject: header.subject, text, html, "file name": filenames }),
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

function decodeField({ name, value }: Field, decodeWords: Parser["decodeWords"]): Field {
  // An encoded word can hold a line end, but a field is one line; and half a surrogate pair, which is no
  // character, and which strict readers of JSON refuse.
  const oneLine = (text: string) => text.toWellFormed().replace(/[\r\n]+/g, " ").trim();
  try {
    return { name, value: oneLine(decodeWords(value)) };
  } catch {
    return { name, value: oneLine(value) };
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

/** UTF-8, or else a character an octet, so that nothing is lost. */
function octetsAsText(octets: Uint8Array): string {
  return utf8(octets) ?? characters(octets);
}
