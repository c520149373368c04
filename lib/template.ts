/**
 * A template context into text, by Mustache (mustache(5)). What Mustache leaves open is settled by
 * others: how a value is escaped in escape.ts, what stands in a tag in expression.ts, and what that is
 * in scope.ts.
 */
// @ts-types="npm:@types/mustache@4.2.6"
import Mustache from "npm:mustache@4.2.0";
import { type Escape, escapeJson } from "./escape.ts";
import { type Expression, namesIn, readExpression } from "./expression.ts";
import { fault, type Faults, isFaults } from "./fault.ts";
import { type Needs, needsOf } from "./needs.ts";
import { excerptOf, positionOf } from "./place.ts";
import { type Limits, Scope } from "./scope.ts";
import type { Setting } from "./setting.ts";
import { Json, print } from "./value.ts";

/** A template that could be parsed. */
export interface Template {
  /** The text that it makes of a context, or of an item of one; it does not throw. */
  readonly render: (context: object, escape: Escape) => string;
  /** The offset in the template of what makes the character at an offset of that text. */
  readonly originOf: (offset: number, context: object, escape: Escape) => number;
  /** What it asks of a context. */
  readonly needs: Needs;
  /** What Mustache makes of it. */
  readonly tokens: Tokens;
  /** What stands in its tags, by their text. */
  readonly expressions: ReadonlyMap<string, Expression>;
}

/** What Mustache makes of a piece of a template; a section has the tokens within it. */
export type Token = readonly [
  kind: string,
  text: string,
  start: number,
  end: number,
  inner?: readonly Token[],
];

/** What it makes of all of it. */
export type Tokens = readonly Token[];

/** Why a text is no template. */
interface Flaw {
  readonly offset: number;
  /** A sentence that names the place where `place` says. */
  readonly reason: (place: string) => string;
}

/** Parses a template, or says why and where it cannot be parsed. */
export function parseTemplate(setting: Setting, limits: Limits = {}): Template | Faults {
  const template = compile(setting.text, limits);
  return "reason" in template
    ? fault(
      `Cannot use ${setting.label}: ${
        template.reason(`at ${positionOf(setting, template.offset)}`)
      }${setting.isSecret ? "" : excerptOf(setting, template.offset)}`,
    )
    : template;
}

function compile(source: string, limits: Limits): Template | Flaw {
  // A writer of its own: its cache goes with it, and nobody else's settings are changed.
  const writer = new Printer();
  let tokens: Tokens;
  try {
    tokens = writer.parse(source) as unknown as Tokens;
  } catch (error) {
    return flawOf(source, error as Error);
  }
  const expressions = new Map<string, Expression>();
  for (const [kind, text, start] of tagsIn(tokens)) {
    const expression = readExpression(text);
    if (isFaults(expression)) {
      return { offset: start, reason: (place) => `the tag ${place} ${expression.faults}` };
    }
    // As JSON nothing is empty, and a list is one text: such a section is never what was meant.
    const { name } = expression;
    if (/[#^]/.test(kind) && /^json(\.|$)/.test(name)) {
      const wanted = name === "json" ? "a field" : `"${name.slice(5)}"`;
      const reason = (place: string) =>
        `section "${name}" ${place} asks for JSON, must be ${wanted}`;
      return { offset: start, reason };
    }
    expressions.set(text, expression);
  }
  const render = (writer: Printer, context: object, escape: Escape) =>
    writer.renderTokens(
      tokens as never,
      new Scope(context, { expressions, limits }) as never,
      undefined,
      source,
      {
        // A JSON value is for JSON as it is; in a form or a URL it is a text like any other.
        escape: (value: unknown) =>
          value instanceof Json && escape === escapeJson ? print(value) : escape(print(value)),
      },
    );
  return {
    tokens,
    expressions,
    needs: needsOf(Array.from(expressions.values()).flatMap(namesIn)),
    render: (context, escape) => render(writer, context, escape),
    originOf: (offset, context, escape) => {
      const tracer = new Tracer(offset);
      render(tracer, context, escape);
      return tracer.origin;
    },
  };
}

/** What a template must know to be rendered here. */
type Config = { readonly escape: (value: unknown) => string };

/** Mustache's writer, which asks the scope for what is put in the place of a tag. */
class Printer extends Mustache.Writer {
  /** `{{{name}}}` prints as `{{name}}` does, but for the escaping. */
  override unescapedValue([, tag]: string[], scope: unknown): string {
    return print((scope as Scope).value(tag));
  }

  /** `{{name}}`. */
  override escapedValue([, tag]: string[], scope: unknown, config?: unknown): string {
    return (config as Config).escape((scope as Scope).value(tag));
  }
}

/** Finds what makes a character: all that is put out comes through one of these three, in order. */
class Tracer extends Printer {
  /** Offset in the template; 0 until it is found. */
  origin = 0;
  #room: number;

  /** Looks for what makes the character at that offset. */
  constructor(offset: number) {
    super();
    this.#room = offset;
  }

  override rawValue(token: string[]): string {
    return this.#count(token, super.rawValue(token), true);
  }

  override unescapedValue(token: string[], scope: unknown): string {
    return this.#count(token, super.unescapedValue(token, scope), false);
  }

  override escapedValue(token: string[], scope: unknown, config?: unknown): string {
    return this.#count(token, super.escapedValue(token, scope, config), false);
  }

  #count([, , start, end]: readonly unknown[], text: string, isVerbatim: boolean): string {
    if (this.#room < 0) return text;
    // A tag of nothing is where something is missing.
    const isHere = this.#room < text.length || (this.#room === 0 && !isVerbatim);
    // What comes behind all of it comes behind the last one.
    this.origin = isHere ? Number(start) + (isVerbatim ? this.#room : 0) : Number(end);
    this.#room = isHere ? -1 : this.#room - text.length;
    return text;
  }
}

/** The name of the one thing that a template puts out, as it is; null where there is more to it. */
export function soleName({ tokens, expressions }: Template): string | null {
  const [only, ...others] = tokens.filter(([kind, text]) =>
    kind !== "!" && (kind !== "text" || text.trim() !== "")
  );
  if (only === undefined || others.length > 0 || !["name", "&"].includes(only[0])) return null;
  const { name, steps } = expressions.get(only[1])!;
  return steps.length === 0 ? name : null;
}

/** Whether a token is a tag that asks for something. */
export function isAsking([kind]: Token): boolean {
  return ["name", "&", "#", "^"].includes(kind);
}

/** The tags that ask for something, sections before what is in them. */
function* tagsIn(tokens: Tokens): Generator<Token> {
  for (const token of tokens) {
    if (isAsking(token)) yield token;
    if (Array.isArray(token[4])) yield* tagsIn(token[4]);
  }
}

/** Where a template goes wrong, and what would be right. Mustache itself names an offset at best. */
function flawOf(source: string, { message }: Error): Flaw {
  const open: Tag[] = [];
  for (const tag of tagsOf(source)) {
    const { sigil, name, start: offset, close } = tag;
    const flaw = (reason: Flaw["reason"]) => ({ offset, reason });
    if (tag.end === null) {
      return flaw((place) => `the tag ${place} is not closed, must end with ${close}`);
    }
    if (sigil === "#" || sigil === "^") open.push(tag);
    if (sigil === "/") {
      const section = open.pop();
      if (section === undefined) {
        return flaw((place) => `section "${name}" ends ${place}, must begin before it`);
      }
      if (section.name !== name) {
        return flaw((place) =>
          `section "${name}" ends ${place}, must be "${section.name}", which is open`
        );
      }
    }
    if (sigil === "=" && !/^\S+\s+\S+$/.test(name)) {
      return flaw((place) => `the tag ${place} sets delimiters, must name two of them`);
    }
  }
  const section = open.pop();
  if (section === undefined) return { offset: 0, reason: (place) => `${message} ${place}` };
  return {
    offset: section.start,
    reason: (place) =>
      `section "${section.name}" ${place} is not closed, must end with a tag of its own`,
  };
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
