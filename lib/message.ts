/**
 * A `Mail` into the context that templates see: the envelope as it came, and what the message says, as
 * content.ts has it made of the octets.
 */
import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { Content, File, Parse } from "./content.ts";
import type {
  Address,
  Addresses,
  Attachment,
  AttachmentPolicy,
  FieldsContext,
  Surroundings,
  TemplateContext,
} from "./context.ts";
import { anyCase, dictionary, lookup } from "./dictionary.ts";
import type { Field } from "./header.ts";
import type { Mail } from "./mail.ts";
import type { Needs } from "./needs.ts";
import { octetsOf, OctetText } from "./octets.ts";
import { parseHere } from "./parser.ts";
import { addressOf } from "./path.ts";
import { readDate, Timestamp } from "./timestamp.ts";

/** Reads what is needed of a message. It does not reject for anything that a message can hold. */
export async function read(
  mail: Mail,
  surroundings: Surroundings,
  parse: Parse = parseHere,
  needs: Needs = null,
): Promise<TemplateContext> {
  const { bodySize, ...content } = await parse(mail.data, needs);
  const body = mail.data.subarray(mail.data.length - bodySize);
  return assemble(mail, body, content, surroundings);
}

/**
 * Puts together what a template can name; `body` is the octets after the header. What takes a while is
 * made when it is named.
 */
export function assemble(
  mail: Mail,
  body: Uint8Array,
  content: Content,
  surroundings: Surroundings,
): TemplateContext {
  const header = anyCase(firstValues(content.headers));
  const { text, html, replyText } = content;
  return {
    text,
    html,
    replyText,
    body: content.body,
    headers: content.headers,
    id: mail.id,
    timestamp: new Timestamp(mail.receivedAt),
    now: new Timestamp(surroundings.now?.() ?? mail.receivedAt),
    sender: mail.envelope.reversePath === null ? "" : addressOf(mail.envelope.reversePath),
    recipients: mail.envelope.forwardPaths.map(addressOf),
    get data() {
      return textOf(mail.data);
    },
    get rawHeader() {
      return textOf(withoutEmptyLine(mail.data.subarray(0, mail.data.length - body.length)));
    },
    get rawBody() {
      return textOf(body);
    },
    subject: header.subject,
    get from() {
      return withText(content.from, header.from);
    },
    get to() {
      return withText(content.to, allValues(content.headers, "to"));
    },
    get cc() {
      return withText(content.cc, allValues(content.headers, "cc"));
    },
    get bcc() {
      return withText(content.bcc, allValues(content.headers, "bcc"));
    },
    get replyTo() {
      return withText(content.replyTo, header["reply-to"]);
    },
    get date() {
      return readDate(header.date) ?? "";
    },
    messageId: header["message-id"],
    inReplyTo: header["in-reply-to"],
    get references() {
      return header.references.split(/\s+/).filter((reference) => reference !== "");
    },
    header,
    get headerFields() {
      return fieldsByName(content.headers);
    },
    get attachments() {
      return attachmentsOf(content.attachments, surroundings.attachments ?? ALL);
    },
    get files() {
      return this.attachments.filter(({ isIncluded }) => isIncluded);
    },
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
    get warnings() {
      const filenames = content.attachments.map(({ filename }) => filename).join("");
      const texts = { subject: header.subject, text, html, "file name": filenames };
      return [...content.warnings, ...undecoded(texts)];
    },
    env: lookup(surroundings.env),
    var: dictionary(surroundings.vars),
  };
}

/** U+FFFD stands for octets that a character set does not define. */
function undecoded(texts: Readonly<Record<string, string>>): string[] {
  return Object.keys(texts).filter((name) => texts[name].includes("\ufffd"))
    .map((name) => `The ${name} has octets that its character set does not define`);
}

const ALL: AttachmentPolicy = { mode: "include", maxOctets: Infinity };

function attachmentsOf(
  files: readonly File[],
  { mode, maxOctets }: AttachmentPolicy,
): Attachment[] {
  if (mode === "drop") return [];
  return files.map(({ content: whole, ...file }) => {
    const isIncluded = mode === "include" && file.size <= maxOctets;
    const content = isIncluded ? whole : "";
    return {
      ...file,
      isIncluded,
      get content() {
        return typeof content === "string" ? content : encodeBase64(content);
      },
      octets: () =>
        typeof content === "string"
          ? decodeBase64(octetsOf(content))
          : content as Uint8Array<ArrayBuffer>,
    };
  });
}

function firstValues(headers: readonly Field[]): Record<string, string> {
  const values: Record<string, string> = Object.create(null);
  for (const { name, value } of headers) values[name.toLowerCase()] ??= value;
  return values;
}

function fieldsByName(headers: readonly Field[]): FieldsContext[] {
  const groups = Map.groupBy(headers, ({ name }) => name.toLowerCase());
  return Array.from(groups, ([name, fields]) => {
    const values = fields.map(({ value }) => value);
    return { name, value: values[0], values, isRepeated: values.length > 1 };
  });
}

/** RFC 5322 section 3.6 wants these fields once; programs that repeat them mean all of them. */
function allValues(headers: readonly Field[], name: string): string {
  return headers.filter((field) => field.name.toLowerCase() === name && field.value !== "")
    .map(({ value }) => value).join(", ");
}

/**
 * A name that comes in an encoded word needs no quotes there, but in a text it does: else "Doe, John" would
 * be two addresses (RFC 5322 section 3.2.4).
 */
function withText(addresses: readonly Address[], text: string): Addresses {
  const isSound = addresses.every(({ name }) =>
    !SPECIALS.test(name) || text.includes(quoted(name))
  );
  const whole = isSound ? text : addresses.map(formatAddress).join(", ");
  return Object.assign([...addresses], { text: whole });
}

const SPECIALS = /[()<>[\]:;@\\,"]/;
const quoted = (name: string) => `"${name.replace(/["\\]/g, "\\$&")}"`;

function formatAddress({ name, address }: Address): string {
  if (name === "") return address;
  return `${SPECIALS.test(name) ? quoted(name) : name} <${address}>`;
}

const [CR, LF] = [0x0d, 0x0a];

function withoutEmptyLine(octets: Uint8Array): Uint8Array {
  if (octets.at(-1) !== LF) return octets;
  const end = octets.at(-2) === CR ? -2 : -1;
  return octets.at(end - 1) === LF || octets.length === -end ? octets.subarray(0, end) : octets;
}

/** What is empty is nothing, also to a section. */
function textOf(octets: Uint8Array): OctetText | "" {
  return octets.length === 0 ? "" : new OctetText(octets);
}
