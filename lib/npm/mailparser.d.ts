// Types for `mailparser` 3.9.31, as far as it is used here. `createNode`, the header it takes and the part
// it makes are its own affair, as the splitter is, undocumented, and the reason why its version is pinned.

/** The header of a part, before mailparser makes a part of it. */
export interface PartHeader {
  readonly type: "node";
  readonly contentType: string | false;
  readonly charset: string | false;
  readonly flowed: boolean;
  readonly delSp: boolean;
  readonly encoding: string | false;
  readonly filename: string | false;
  readonly disposition: string | false;
  /** Whether the part is the message itself. */
  readonly root: boolean;
  readonly headers: {
    lines: readonly HeaderLine[];
    getList(): readonly HeaderLine[];
    getFirst(name: string): string;
  };
}

/** What a splitter finds: the header of a part, a piece of its content, and what is neither. */
export type Found =
  | PartHeader
  | { readonly type: "body"; readonly node: PartHeader; readonly value: Uint8Array }
  | { readonly type: "data" };

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
  /** What a line is: 1 and 3 begin a part, 2 and 4 end a multipart. */
  checkBoundary(line: Uint8Array): 1 | 2 | 3 | 4 | false;
  removeAllListeners(): void;
  on(event: "data", listener: (found: Found) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "end", listener: () => void): void;
  once(event: "drain", listener: () => void): void;
  /** False where it wants no more before it says "drain". */
  write(octets: Uint8Array): boolean;
  end(): void;
}

export class MailParser {
  constructor(options: { readonly ignoreEmbedded: boolean });
  readonly splitter: Splitter;
  createNode(header: PartHeader): PartNode;
}
