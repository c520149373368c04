/**
 * A template context into text, by Mustache (mustache(5)). What Mustache leaves open is settled here:
 * how a value is escaped, which follows the content type of the request, and what a template sees of a
 * context: `{{json.NAME}}`, and `first`, `last` and `index` beside each item of a list.
 */
// @ts-types="npm:@types/mustache@4.2.6"
import Mustache from "npm:mustache@4.2.0";
import { fault, type Faults } from "./fault.ts";
import { positionOf } from "./json.ts";
import type { TemplateContext } from "./message.ts";

/** Makes a value harmless where it is put. */
export type Escape = (text: string) => string;

/** A template that could be parsed. */
export interface Template {
  readonly render: (view: View) => string;
}

/** What a template sees of a context. */
export type View = object;

/** Parses a template, or says in which line and column it cannot be parsed. */
export function compile(source: string, escape: Escape): Template | Faults {
  // A writer of its own: its cache goes with it, and nobody else's settings are changed.
  const writer = new Mustache.Writer();
  try {
    writer.parse(source);
  } catch (error) {
    return fault(explain(source, (error as Error).message));
  }
  // `{{{name}}}` prints as `{{name}}` does, but for the escaping.
  writer.unescapedValue = ([, name], context) => {
    const value = context.lookup(name);
    return isJsonView(value) ? String(value) : print(value);
  };
  const config = {
    escape: (value: unknown) => isJsonView(value) ? String(value) : escape(print(value)),
  };
  return { render: (view) => writer.render(source, view, undefined, config) };
}

/** Mustache ends its messages with an offset; an unclosed tag it reports at the end of the text. */
function explain(source: string, message: string): string {
  const [, reason, offset] = /^(.*) at (\d+)$/s.exec(message) ?? [, message, "0"];
  const at = reason === "Unclosed tag" ? source.lastIndexOf("{{") : Number(offset);
  return `${positionOf(source, Math.max(at, 0))}: ${reason}`;
}

/** How values are escaped in a body of this media type (RFC 9110 section 8.3.1). */
export function escapeFor(contentType: string): Escape {
  const type = contentType.split(";")[0].trim().toLowerCase();
  if (isJsonType(type)) return escapeJson;
  if (type === "text/html" || /[/+]xml$/.test(type)) return escapeMarkup;
  if (type === "application/x-www-form-urlencoded") return percentEncode;
  return verbatim;
}

/** Whether a body of this media type has to be JSON. */
export function isJsonType(contentType: string): boolean {
  return /^(application|text)\/json$|\+json$/.test(contentType.split(";")[0].trim().toLowerCase());
}

/** For use inside a JSON string (RFC 8259 section 7). */
export const escapeJson: Escape = (text) => JSON.stringify(text).slice(1, -1);

/** For use in HTML and XML, in text and in quoted attributes. */
export const escapeMarkup: Escape = (text) =>
  text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
    // XML 1.0 section 2.2 has no way to write these.
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd");

/** For use in a URL or a form (RFC 3986 section 2.1). */
export const percentEncode: Escape = (text) => encodeURIComponent(text.toWellFormed());

/** For text that has no syntax. */
export const verbatim: Escape = (text) => text;

/** Lets a template see a context. Nothing is computed before a template asks for it. */
export function viewOf(context: TemplateContext): View {
  const json = jsonView(context);
  return new Proxy(context, {
    has: (context, name) => name === "json" || Object.hasOwn(context, name),
    get: (context, name) => {
      const value = name === "json" ? json : Reflect.get(context, name);
      return Array.isArray(value) ? listView(value) : value;
    },
  });
}

/** A list as text is its items with commas, or, where the list has its own text, that. */
function listView(list: readonly unknown[] & { readonly text?: string }): readonly View[] {
  const items = list.map((item, index) => itemView(item, index, list.length));
  return Object.assign(items, {
    text: list.text,
    toString: () => list.text ?? list.map(print).filter((text) => text !== "").join(", "),
  });
}

/** An item with its place in the list. Its own names come first, those of the item behind them. */
function itemView(item: unknown, index: number, count: number): View {
  const isObject = typeof item === "object" && item !== null;
  return Object.assign(Object.create(isObject ? item : null), {
    first: index === 0,
    last: index === count - 1,
    index,
    json: jsonView(item),
  }, isObject ? {} : { toString: () => print(item) });
}

/** Text for what is a text, a number or a truth value, or says how it is written; else nothing. */
function print(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value ?? "");
  const { toString } = value;
  return typeof toString === "function" && toString !== Object.prototype.toString
    ? toString.call(value)
    : "";
}

const JSON_VIEW = Symbol("JSON view");

/** A value that is written as JSON, and so are the fields within it: `{{json.client.address}}`. */
function jsonView(value: unknown): View {
  const view = { [JSON_VIEW]: true, [Symbol.toPrimitive]: () => JSON.stringify(value) };
  return new Proxy(view, {
    has: (_, name) => fieldOf(value, name) !== undefined,
    get: (view, name) => {
      const field = fieldOf(value, name);
      return field === undefined ? Reflect.get(view, name) : jsonView(field);
    },
  });
}

function fieldOf(value: unknown, name: string | symbol): unknown {
  if (typeof value !== "object" || value === null || typeof name === "symbol") return undefined;
  const field = Reflect.get(value, name);
  return typeof field === "function" ? undefined : field;
}

function isJsonView(value: unknown): boolean {
  return typeof value === "object" && value !== null && Reflect.get(value, JSON_VIEW) === true;
}
