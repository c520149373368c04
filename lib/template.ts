/**
 * A template context into text, by Mustache (mustache(5)). What Mustache leaves open is settled here:
 * how a value is escaped, which follows the content type of the request, and what a template sees of a
 * context: its fields and nothing that JavaScript puts behind them, `{{json.NAME}}`, and `first`, `last`
 * and `index` beside each item of a list.
 */
// @ts-types="npm:@types/mustache@4.2.6"
import Mustache from "npm:mustache@4.2.0";
import { fault, type Faults, isFaults, type Setting } from "./fault.ts";
import { positionOf } from "./json.ts";
import type { TemplateContext } from "./context.ts";

/** Makes a value harmless where it is put. */
export type Escape = (text: string) => string;

/** A template that could be parsed. */
export interface Template {
  /** The text that it makes of a context; it does not throw. */
  readonly render: (context: TemplateContext, escape: Escape) => string;
}

/** Parses a template, or says in which line and column it cannot be parsed. */
export function compile(source: string): Template | Faults {
  // A writer of its own: its cache goes with it, and nobody else's settings are changed.
  const writer = new Mustache.Writer();
  let tokens: ReturnType<typeof writer.parse>;
  try {
    tokens = writer.parse(source);
  } catch (error) {
    return fault(explain(source, error as Error));
  }
  // `{{{name}}}` prints as `{{name}}` does, but for the escaping.
  writer.unescapedValue = ([, name], scope) => print(scope.lookup(name));
  return {
    render: (context, escape) =>
      writer.renderTokens(tokens, new Scope(context, undefined), undefined, source, {
        // A JSON value is for JSON as it is; in a form or a URL it is a text like any other.
        escape: (value: unknown) =>
          value instanceof Json && escape === escapeJson ? print(value) : escape(print(value)),
      }),
  };
}

/** As `compile`, with the fault naming the setting that the template is. */
export function parseTemplate({ text, label }: Setting): Template | Faults {
  const template = compile(text);
  return isFaults(template) ? fault(`Cannot use ${label}: ${template.faults}`) : template;
}

/** Where a template goes wrong, and what would be right. Mustache itself names an offset at best. */
function explain(source: string, { message }: Error): string {
  const at = (offset: number) => `at ${positionOf(source, offset)}`;
  const open: Tag[] = [];
  for (const tag of tagsOf(source)) {
    const { sigil, name, start, close } = tag;
    if (tag.end === null) return `the tag ${at(start)} is not closed, must end with ${close}`;
    if (sigil === "#" || sigil === "^") open.push(tag);
    if (sigil === "/") {
      const section = open.pop();
      if (section === undefined) return `section "${name}" ends ${at(start)}, must begin before it`;
      if (section.name !== name) {
        return `section "${name}" ends ${at(start)}, must be "${section.name}", which is open`;
      }
    }
    if (sigil === "=" && !/^\S+\s+\S+$/.test(name)) {
      return `the tag ${at(start)} sets delimiters, must name two of them`;
    }
  }
  const section = open.pop();
  if (section === undefined) return message;
  return `section "${section.name}" ${
    at(section.start)
  } is not closed, must end with a tag of its own`;
}

/** A tag of a template. */
interface Tag {
  /** What stands before its name, such as `#`; empty for a variable. */
  readonly sigil: string;
  readonly name: string;
  readonly start: number;
  /** Offset after the tag; null where it is not closed. */
  readonly end: number | null;
  /** What closes it. */
  readonly close: string;
}

/** The tags in order, found as Mustache finds them; the last one may lack its end. */
function* tagsOf(source: string): Generator<Tag> {
  let [open, close] = ["{{", "}}"];
  for (let at = 0;;) {
    const start = source.indexOf(open, at);
    if (start === -1) return;
    const [, sigil] = /^\s*([#^/>{&=!]?)/.exec(source.slice(start + open.length))!;
    const inside = source.indexOf(sigil, start + open.length) + sigil.length;
    const last = `${{ "{": "}", "=": "=" }[sigil] ?? ""}${close}`;
    const stop = source.indexOf(last, inside);
    if (stop === -1) return yield { sigil, name: "", start, end: null, close: last };
    const name = source.slice(inside, stop).trim();
    at = stop + last.length;
    yield { sigil, name, start, end: at, close: last };
    if (sigil === "=") [open, close] = name.split(/\s+/);
  }
}

/** How values are escaped in a body of this media type (RFC 9110 section 8.3.1). */
export function escapeFor(contentType: string): Escape {
  const type = mediaTypeOf(contentType);
  if (isJsonType(type)) return escapeJson;
  if (type === "text/html" || /[/+]xml$/.test(type)) return escapeMarkup;
  if (type === "application/x-www-form-urlencoded") return percentEncode;
  return verbatim;
}

/** Whether a body of this media type has to be JSON. */
export function isJsonType(contentType: string): boolean {
  return /^(application|text)\/json$|\+json$/.test(mediaTypeOf(contentType));
}

const mediaTypeOf = (contentType: string) => contentType.split(";")[0].trim().toLowerCase();

/** For use inside a JSON string (RFC 8259 section 7). */
export const escapeJson: Escape = (text): string => JSON.stringify(text).slice(1, -1);

/** For use in HTML and XML, in text and in quoted attributes. */
export const escapeMarkup: Escape = (text): string =>
  text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
    // XML 1.0 section 2.2 has no way to write these.
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu, "\ufffd");

/** For use in a URL or a form (RFC 3986 section 2.1). */
export const percentEncode: Escape = (text): string => encodeURIComponent(text.toWellFormed());

/** For text that has no syntax. */
export const verbatim: Escape = (text): string => text;

/**
 * What names mean at one place of a template: the fields of a value, then those of what is around it.
 * It stands in for Mustache's own context, whose lookup finds what JavaScript puts behind every value,
 * `constructor` and `join`, calls it if it can be called, and fails for `hasOwnProperty`.
 */
class Scope {
  /** The value whose fields are looked up first. */
  readonly view: unknown;
  /** What is around it. */
  readonly parent: Scope | undefined;

  constructor(view: unknown, parent: Scope | undefined) {
    this.view = view;
    this.parent = parent;
  }

  /** The scope inside a section. */
  push(view: unknown): Scope {
    return new Scope(view, this);
  }

  /** What a name, or a path of names with dots between them, stands for. */
  lookup(name: string): unknown {
    const value = name === "." ? this.view : this.#find(name.split("."));
    return Array.isArray(value) ? itemsOf(value) : value;
  }

  #find(path: readonly string[]): unknown {
    const { view, parent } = this;
    const value = path[0] === "json"
      ? path.slice(1).reduce<unknown>(fieldOf, new Json(bare(view)))
      : path.reduce(fieldOf, view);
    return value !== undefined || parent === undefined ? value : parent.#find(path);
  }
}

/** A value without what a scope puts around it. */
function bare(view: unknown): unknown {
  return view instanceof Item || view instanceof Json ? view.value : view;
}

/** A value that is written as JSON, and so are the fields within it: `{{json.client.address}}`. */
class Json {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** An item with its place in its list. */
class Item {
  readonly value: unknown;
  readonly place: { readonly first: boolean; readonly last: boolean; readonly index: number };

  constructor(value: unknown, index: number, count: number) {
    this.value = value;
    this.place = { first: index === 0, last: index === count - 1, index };
  }
}

function itemsOf(list: readonly unknown[] & { readonly text?: string }): readonly Item[] {
  const items = list.map((item, index) => new Item(item, index, list.length));
  return Object.assign(items, { text: list.text });
}

/**
 * A field of a value; undefined where it has none of that name. What JavaScript puts behind a value is
 * functions (Deno has no `__proto__`); fields are the value's own, or read by an accessor of its class.
 */
function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if (value instanceof Item) return fieldOf(value.place, name) ?? fieldOf(value.value, name);
  if (value instanceof Json) {
    const field = fieldOf(value.value, name);
    return field === undefined ? undefined : new Json(field);
  }
  const field: unknown = Reflect.get(value, name);
  return typeof field === "function" ? undefined : field;
}

/**
 * A value as text: nothing for what has no text. A list is its own text where it has one, else its
 * items with commas between them.
 */
function print(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value ?? "");
  if (value instanceof Json) return JSON.stringify(value.value);
  if (value instanceof Item) return print(value.value);
  if (Array.isArray(value)) {
    const { text } = value as { text?: string };
    return text ?? value.map(print).filter((text) => text !== "").join(", ");
  }
  const { toString } = value;
  return typeof toString === "function" && toString !== Object.prototype.toString
    ? toString.call(value)
    : "";
}
