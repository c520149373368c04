/** What a template can name, and what it can name beside the message. Types only. */
import type { Dictionary } from "./dictionary.ts";
import type { OctetText } from "./octets.ts";
import type { Timestamp } from "./timestamp.ts";

/** Which attachments templates get. */
export interface AttachmentPolicy {
  /** With their content, without it, or none at all. */
  readonly mode: "include" | "metadata" | "drop";
  /** Octets of the largest one whose content is given. */
  readonly maxOctets: number;
}

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
  /** All of them with their content where it is left out. */
  readonly attachments?: AttachmentPolicy;
  /** The time, for `{{now}}`; that at which a message was received where it is left out. */
  readonly now?: () => Date;
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
  /** The whole field as written, decoded; names that need quotes have them. */
  readonly text: string;
}

/** A part of a message that is not its text. */
export interface Attachment {
  /** Fit to be the name of a file, and no other has it; made of its type where the part gives none. */
  readonly filename: string;
  /** Its media type in lower case, without parameters. */
  readonly contentType: string;
  /** Octets, decoded. */
  readonly size: number;
  /** Without angle brackets, as `cid:` URLs name it; empty where it has none. */
  readonly contentId: string;
  /** `attachment` or `inline`; empty where the part does not say. */
  readonly disposition: string;
  /** SHA-256 of the content, in hexadecimal. */
  readonly checksum: string;
  /** Whether its content is given. */
  readonly isIncluded: boolean;
  /** The content in base64 (RFC 4648 section 4); empty where it is left out. */
  readonly content: string;
  /** The content in octets. Templates do not see functions. */
  readonly octets: () => Uint8Array<ArrayBuffer>;
}

/** The client that handed a message over, as far as it is known; texts are empty where it is not. */
export interface ClientContext {
  /** IP address. */
  readonly address: string;
  /** TCP port; like the address it is not known of clients on a Unix socket. */
  readonly port: number | "";
  /** The name that it gave with EHLO, HELO or LHLO, unchecked. */
  readonly hostname: string;
  /** Whether the connection was encrypted, as far as to a proxy that says so. */
  readonly tls: boolean;
  /** The user name of AUTH, unchecked. */
  readonly user: string;
}

/** A header field as templates see it. */
export interface FieldContext {
  /** As written. */
  readonly name: string;
  /** Unfolded and decoded. */
  readonly value: string;
}

/** All header fields of one name. */
export interface FieldsContext {
  /** In lower case. */
  readonly name: string;
  /** That of the first one. */
  readonly value: string;
  /** Those of all, in order. */
  readonly values: readonly string[];
  /** Whether there are several. */
  readonly isRepeated: boolean;
}

/**
 * Everything that a template can name. Text fields are `""` where the message does not have them, and
 * lines end with LF except in `data` and `rawBody`. What is costly is computed when it is read.
 */
export interface TemplateContext {
  /** UUID version 7, the same in logs, reply and request. */
  readonly id: string;
  /** When the SMTP session, or what followed its last reset, began. */
  readonly timestamp: Timestamp;
  /** When this attempt to deliver it is made. */
  readonly now: Timestamp;
  /** The reverse path of the envelope; `""` for `<>`. */
  readonly sender: string;
  /** The forward paths of the envelope, in order. */
  readonly recipients: readonly string[];
  /** The message as received: UTF-8, or ISO-8859-1 (a character an octet) where it is not that. */
  readonly data: OctetText | "";
  /** The part of `data` before the body: the header as received, without the empty line behind it. */
  readonly rawHeader: OctetText | "";
  /** The part of `data` after the header. */
  readonly rawBody: OctetText | "";
  /** Decoded, on one line. */
  readonly subject: string;
  /** What a reader sees: the text, or HTML rendered as text where there is no text instead of it. */
  readonly body: string;
  /** The text parts; empty for a message that is HTML alone. */
  readonly text: string;
  /** The HTML parts. */
  readonly html: string;
  /** What is new in an answer: `body` without the earlier mail that it quotes, and without signature. */
  readonly replyText: string;
  /** Who wrote it. */
  readonly from: Addresses;
  /** Whom it is for. */
  readonly to: Addresses;
  /** Who is told. */
  readonly cc: Addresses;
  /** Who is told without the others knowing, if the client left it in. */
  readonly bcc: Addresses;
  /** Where answers go. */
  readonly replyTo: Addresses;
  /** `""` where the Date field is missing or unreadable. */
  readonly date: Timestamp | "";
  /** With its angle brackets. */
  readonly messageId: string;
  /** With its angle brackets. */
  readonly inReplyTo: string;
  /** With their angle brackets. */
  readonly references: readonly string[];
  /** First value of each field, by lower-case name. */
  readonly header: Dictionary;
  /** All fields in order. */
  readonly headers: readonly FieldContext[];
  /** All fields by their names, in the order in which these first come. */
  readonly headerFields: readonly FieldsContext[];
  /** All parts that are not text, in order, as far as they are not dropped. */
  readonly attachments: readonly Attachment[];
  /** Those of them whose content is given. */
  readonly files: readonly Attachment[];
  /** Who handed the message over. */
  readonly client: ClientContext;
  /** Octets received. */
  readonly size: number;
  /** The name of this machine. */
  readonly hostname: string;
  /** This program's version. */
  readonly version: string;
  /** What could not be decoded, or only by a guess; a sentence each. */
  readonly warnings: readonly string[];
  /** Environment variables. */
  readonly env: Dictionary;
  /** The values of `--var`. */
  readonly var: Dictionary;
}
