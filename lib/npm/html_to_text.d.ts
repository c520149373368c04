// Types for `html-to-text`, as far as it is used here; version 10 has none of its own.
export interface Element {
  /** Of a tag; a text has none. */
  readonly name?: string;
  /** What stands before it. */
  readonly prev?: Element | null;
  readonly attribs?: Readonly<Record<string, string>>;
  readonly children?: readonly Element[];
}
export interface Builder {
  addInline(text: string): void;
  /** As it is, blanks and all. */
  addLiteral(text: string): void;
}
export type Formatter = (
  element: Element,
  walk: (children: readonly Element[], builder: Builder) => void,
  builder: Builder,
  options: object,
) => void;
export interface Options {
  readonly wordwrap?: number | false;
  readonly formatters?: Readonly<Record<string, Formatter>>;
  readonly limits?: { readonly maxInputLength?: number; readonly maxDepth?: number };
  readonly selectors?: readonly {
    readonly selector: string;
    readonly format?: string;
    readonly options?: object;
  }[];
}
export function compile(options: Options): (html: string) => string;
