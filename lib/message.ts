/**
 * A `Mail` into the context that templates see: the envelope as it came, and what the message says, as
 * content.ts has it made of the octets.
 */
import { encodeBase64 } from "./base64.ts";
import type { Content, File, Parse } from "./content.ts";
import type { Address, Addresses, Attachment, Surroundings, TemplateContext } from "./context.ts";
import { anyCase, dictionary, lookup } from "./dictionary.ts";
import type { Field } from "./header.ts";
import type { Mail } from "./mail.ts";
import { characters, utf8 } from "./octets.ts";
import { parseHere } from "./parser.ts";
import { addressOf } from "./path.ts";
import { readDate, Timestamp } from "./timestamp.ts";

/** Reads a message. It does not reject for anything that a message can hold. */
export async function read(
  mail: Mail,
  surroundings: Surroundings,
  parse: Parse = parseHere,
): Promise<TemplateContext> {
  const { bodySize, ...content } = await parse(mail.data);
  const body = mail.data.subarray(mail.data.length - bodySize);
  return assemble(mail, body, content, surroundings);
}

/** Puts together what a template can name; `body` is the octets after the header. */
export function assemble(
  mail: Mail,
  body: Uint8Array,
  content: Content,
  surroundings: Surroundings,
): TemplateContext {
  const header = anyCase(firstValues(content.headers));
  // RFC 5322 section 3.6 wants these fields once; programs that repeat them mean all of them.
  const allValues = (name: string) =>
    content.headers.filter((field) => field.name.toLowerCase() === name)
      .map(({ value }) => value).filter((value) => value !== "").join(", ");
  const { text, html } = content;
  const attachments = content.attachments.map(attachmentOf);
  const filenames = attachments.map(({ filename }) => filename).join("");
  return {
    ...content,
    attachments,
    id: mail.id,
    timestamp: new Timestamp(mail.receivedAt),
    sender: mail.envelope.reversePath === null ? "" : addressOf(mail.envelope.reversePath),
    recipients: mail.envelope.forwardPaths.map(addressOf),
    get data() {
      return octetsAsText(mail.data);
    },
    get rawBody() {
      return octetsAsText(body);
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

function attachmentOf(file: File): Attachment {
  return {
    ...file,
    get content() {
      const { content } = file;
      return typeof content === "string" ? content : encodeBase64(content);
    },
  };
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
