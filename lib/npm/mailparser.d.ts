// Types for `mailparser` 3.9.31, as far as it is used here. `createNode`, the header it takes and the part
// it makes are its own affair, undocumented, and the reason why its version is pinned.

/** The header of a part, before mailparser makes a part of it. */
export interface PartHeader {
  contentType: string | false;
  charset: string | false;
  readonly encoding: string | false;
  readonly filename: string | false;
  readonly disposition: string | false;
  readonly multipart: string | false;
  /** Whether the part is the message itself. */
  readonly root: boolean;
  readonly headers: { lines: readonly HeaderLine[]; getList(): readonly HeaderLine[] };
  /** The stream that undoes the transfer encoding. */
  getDecoder(): object;
}

export interface HeaderLine {
  /** The name in lower case. */
  readonly key: string;
  /** All of the field. */
  readonly line: string;
}

/** A part; its parts are its children. */
export interface Part {
  /** The media type in lower case; false where nothing says it. */
  readonly contentType: string | false;
  /** Undefined for an attachment, and for what has children. */
  readonly textContent?: string;
  readonly children: readonly Part[];
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

export interface AttachmentStream {
  readonly type: "attachment";
  readonly content: {
    on(event: "data", listener: (octets: Uint8Array) => void): void;
    on(event: "end", listener: () => void): void;
    on(event: "error", listener: (error: Error) => void): void;
  };
  readonly contentType: string | false;
  readonly contentDisposition?: string;
  readonly contentId?: string;
  readonly filename?: string;
  /** In hexadecimal, once the content has ended. */
  readonly checksum: string;
  /** Lets the parser go on. */
  release(): void;
}

export class MailParser {
  constructor(options: {
    readonly Iconv: new (charset: string) => object;
    readonly checksumAlgo: string;
    readonly ignoreEmbedded: boolean;
    readonly skipHtmlToText: boolean;
    readonly skipTextToHtml: boolean;
    readonly skipImageLinks: boolean;
  });
  createNode(header: PartHeader): Part;
  on(event: "headers", listener: (headers: Headers) => void): void;
  on(event: "data", listener: (data: AttachmentStream | { readonly type: "text" }) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "end", listener: () => void): void;
  end(message: Uint8Array): void;
}
