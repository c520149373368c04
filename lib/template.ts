/**
 * A template context into text, by Mustache (mustache(5)). What Mustache leaves open is settled by
 * others: how a value is escaped in escape.ts, what a name stands for in scope.ts.
 */
// @ts-types="npm:@types/mustache@4.2.6"
import Mustache from "npm:mustache@4.2.0";
import type { TemplateContext } from "./context.ts";
import { type Escape, escapeJson } from "./escape.ts";
import { fault, type Faults, isFaults } from "./fault.ts";
import { positionOf } from "./json.ts";
import { type Needs, needsOf } from "./needs.ts";
import { Json, print, Scope } from "./scope.ts";
import type { Setting } from "./setting.ts";

/** A template that could be parsed. */
export interface Template {
  /** The text that it makes of a context; it does not throw. */
  readonly render: (context: TemplateContext, escape: Escape) => string;
  /** What it asks of a context. */
  readonly needs: Needs;
}

/** Parses a template, or says in which line and column it cannot be parsed. */
export function compile(source: string): Template | Faults {
  // A writer of its own: its cache goes with it, and nobody else's settings are changed.
  const writer = new Mustache.Writer();
  let tokens: Tokens;
  try {
    tokens = writer.parse(source);
  } catch (error) {
    return fault(explain(source, error as Error));
  }
  // As JSON nothing is empty, and a list is one text: such a section is never what was meant.
  const json = tagsOf(source).find(({ sigil, name }) =>
    /[#^]/.test(sigil) && /^json(\.|$)/.test(name)
  );
  if (json !== undefined) {
    const place = positionOf(source, json.start);
    const wanted = json.name === "json" ? "a field" : `"${json.name.slice(5)}"`;
    return fault(`section "${json.name}" at ${place} asks for JSON, must be ${wanted}`);
  }
  // `{{{name}}}` prints as `{{name}}` does, but for the escaping.
  writer.unescapedValue = ([, name], scope) => print(scope.lookup(name));
  return {
    needs: needsOf(namesIn(tokens)),
    render: (context, escape) =>
      writer.renderTokens(tokens, new Scope(context, undefined), undefined, source, {
        // A JSON value is for JSON as it is; in a form or a URL it is a text like any other.
        escape: (value: unknown) =>
          value instanceof Json && escape === escapeJson ? print(value) : escape(print(value)),
      }),
  };
}

/** What Mustache makes of a template: kinds, names, offsets, and the tokens of a section. */
type Tokens = ReturnType<InstanceType<typeof Mustache.Writer>["parse"]>;

/** The names that rendering looks up, at most. */
function* namesIn(tokens: Tokens): Generator<string> {
  for (const [kind, name, , , inner] of tokens) {
    if (["name", "&", "#", "^"].includes(kind)) yield name;
    if (Array.isArray(inner)) yield* namesIn(inner);
  }
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
