// Types for `mailparser` 3.9.31, as far as it is used here. What is used of its splitter and of the header that
// this makes is undocumented, as `processHeaders` is, and the reason why its version is pinned.

/** The header of a part. */
export interface PartHeader {
  /** Tells it from pieces of content. */
  readonly type: "node";
  /** The header of what it is a part of; false for the message itself. */
  readonly parentNode: PartHeader | false;
  /** The subtype of a multipart; false for what is none. */
  readonly multipart: string | false;
  /** In lower case, without parameters; false where there is none, also below. */
  readonly contentType: string | false;
  /** The parameter `charset`. */
  readonly charset: string | false;
  /** Whether it is `format=flowed` (RFC 3676). */
  readonly flowed: boolean;
  /** Whether blanks at soft line ends go (RFC 3676 section 4.1). */
  readonly delSp: boolean;
  /** The transfer encoding in lower case. */
  readonly encoding: string | false;
  /** Decoded. */
  readonly filename: string | false;
  /** In lower case, without parameters. */
  readonly disposition: string | false;
  /** Whether the part is the message itself. */
  readonly root: boolean;
  /** Its fields; false until all of them are there. */
  readonly headers: false | {
    /** All of them. */
    getList(): readonly HeaderLine[];
    /** The value of the first field of that name; empty where there is none. */
    getFirst(name: string): string;
  };
}

/** A field of a header, one character an octet. */
export interface HeaderLine {
  /** The name in lower case. */
  readonly key: string;
  /** All of the field. */
  readonly line: string;
}

export interface EmailAddress {
  readonly name: string;
  readonly address?: string;
  /** The members, where this is a group. */
  readonly group?: readonly EmailAddress[];
}

/** A field of addresses. */
export interface AddressObject {
  readonly value: readonly EmailAddress[];
}

/** Fields by lower-case name, each read as what it is. */
export type Headers = ReadonlyMap<string, unknown>;

/** What finds the parts. */
export interface Splitter {
  /** Parts that began so far, the message itself among them. */
  nodeCounter: number;
  /** The part that it is at, and what decodes the parameters of its header. */
  readonly node: PartHeader & {
    readonly libmime: { decodeWord(charset: string, encoding: string, text: string): string };
  };
  /** Begins a message. */
  newNode(): void;
  /** What a line is: 1 and 3 begin a part, 2 and 4 end a multipart. */
  checkBoundary(line: Uint8Array): 1 | 2 | 3 | 4 | false;
  /** Takes a line with its end, and tells at once what it is: a header that is complete, or a piece. */
  processLine(
    line: Uint8Array,
    isLast: boolean,
    tell: (
      error: Error | null,
      found?: PartHeader | { readonly type: "body" | "data" } | false,
    ) => void,
  ): void;
  /** Takes what else it finds. */
  push: (found: unknown) => void;
}

export class MailParser {
  constructor(options: { readonly ignoreEmbedded: boolean });
  readonly splitter: Splitter;
  /** Reads fields. */
  processHeaders(lines: readonly HeaderLine[]): Headers;
}
