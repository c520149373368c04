// Types for `mailparser` 3.9.31, as far as it is used here. `createNode`, the header it takes and the part
// it makes are its own affair, as the splitter is, undocumented, and the reason why its version is pinned.

/** The header of a part, before mailparser makes a part of it. */
export interface PartHeader {
  /** Tells it from pieces of content. */
  readonly type: "node";
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
  /** Its fields. */
  readonly headers: {
    /** All of them, which mailparser reads. */
    lines: readonly HeaderLine[];
    /** The same. */
    getList(): readonly HeaderLine[];
    /** The value of the first field of that name; empty where there is none. */
    getFirst(name: string): string;
  };
}

/** What a splitter finds: the header of a part, a piece of its content, and what is neither. */
export type Found =
  | PartHeader
  | { readonly type: "body"; readonly node: PartHeader; readonly value: Uint8Array }
  | { readonly type: "data" };

/** A field of a header. */
export interface HeaderLine {
  /** The name in lower case. */
  readonly key: string;
  /** All of the field. */
  readonly line: string;
}

/** A part; its parts are its children. */
export interface PartNode {
  readonly children: readonly PartNode[];
  readonly headers: Headers;
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
  readonly nodeCounter: number;
  /** The part that it is at, and what decodes the parameters of its header. */
  readonly node: {
    readonly libmime: { decodeWord(charset: string, encoding: string, text: string): string };
  };
  /** Begins a part. */
  newNode(parent: unknown): void;
  /** What a line is: 1 and 3 begin a part, 2 and 4 end a multipart. */
  checkBoundary(line: Uint8Array): 1 | 2 | 3 | 4 | false;
  /** As any emitter of Node. */
  removeAllListeners(): void;
  /** Listens for what it finds. */
  on(event: "data", listener: (found: Found) => void): void;
  /** Listens for what it cannot take. */
  on(event: "error", listener: (error: Error) => void): void;
  /** Listens for the end. */
  on(event: "end", listener: () => void): void;
  /** Listens once for the moment when it wants more. */
  once(event: "drain", listener: () => void): void;
  /** False where it wants no more before it says "drain". */
  write(octets: Uint8Array): boolean;
  /** Says that there is no more. */
  end(): void;
}

export class MailParser {
  constructor(options: { readonly ignoreEmbedded: boolean });
  readonly splitter: Splitter;
  createNode(header: PartHeader): PartNode;
}
