/**
 * What a tag stands for at one place of a template: a value of what is there or around it, filtered, and
 * cut where the template has a limit for its name.
 *
 * It stands in for Mustache's own context, whose lookup finds what JavaScript puts behind every value,
 * `constructor` and `join`, calls it if it can be called, and fails for `hasOwnProperty`.
 */
import { cut } from "./cut.ts";
import type { Expression, Step } from "./expression.ts";
import type { Argument } from "./filter.ts";
import { bare, fieldOf, itemsOf, Json, print } from "./value.ts";

/** Most characters of what a tag of that name gives, by names without `json.`. */
export type Limits = Readonly<Record<string, number>>;

/** What holds everywhere in a template. */
export interface Rules {
  /** What stands in its tags, by their text. */
  readonly expressions: ReadonlyMap<string, Expression>;
  /** What is cut where it is printed. */
  readonly limits: Limits;
}

/** The fields of a value, then those of what is around it. */
export class Scope {
  /** The value whose fields are looked up first. */
  readonly view: unknown;
  readonly #rules: Rules;
  readonly #parent: Scope | undefined;

  /** The outermost scope has no parent. */
  constructor(view: unknown, rules: Rules, parent?: Scope) {
    this.view = view;
    this.#rules = rules;
    this.#parent = parent;
  }

  /** The scope inside a section. */
  push(view: unknown): Scope {
    return new Scope(view, this.#rules, this);
  }

  /** The values whose fields are looked up, in that order. */
  views(): unknown[] {
    return [this.view, ...this.#parent?.views() ?? []];
  }

  /** What a section is about. */
  lookup(tag: string): unknown {
    return this.#read(this.#rules.expressions.get(tag)!, Infinity);
  }

  /** As `lookup`, where no more than so many characters are wanted. */
  #read({ name, steps, most }: Expression, wanted: number): unknown {
    const found = this.find(name);
    const value = this.#filtered(
      most === null ? found : beginning(found, Math.min(most, wanted)),
      steps,
    );
    return Array.isArray(value) ? itemsOf(value) : value;
  }

  /** What is put in the place of a tag. */
  value(tag: string): unknown {
    const { expressions, limits } = this.#rules;
    const expression = expressions.get(tag)!;
    const { field } = expression;
    const most = Object.hasOwn(limits, field) ? limits[field] : null;
    const value = this.#read(expression, most ?? Infinity);
    return most === null ? value : limited(value, most);
  }

  /** What a name, or a path of names with dots between them, stands for; undefined for nothing. */
  find(name: string): unknown {
    return name === "." ? this.view : this.#search(name.split("."));
  }

  #search(path: readonly string[]): unknown {
    const view = this.view;
    const value = path[0] === "json"
      ? path.slice(1).reduce<unknown>(fieldOf, new Json(bare(view)))
      : path.reduce(fieldOf, view);
    return value !== undefined || this.#parent === undefined ? value : this.#parent.#search(path);
  }

  #filtered(value: unknown, steps: readonly Step[]): unknown {
    if (steps.length === 0) return value;
    const argument = (arg: Argument) => "text" in arg ? arg.text : print(this.find(arg.name));
    const text = steps.reduce<unknown>(
      (value, { filter, args }) => filter.apply(value, args.map(argument)),
      bare(value),
    );
    return value instanceof Json ? new Json(text) : text;
  }
}

/** So many times as much is looked at, and so many characters more, as filters may take some away. */
const [TIMES, MORE] = [10, 10_000];

/** The start of a long text, of which so many characters are wanted: filters take seconds for megabytes. */
function beginning(value: unknown, wanted: number): unknown {
  const text = bare(value);
  const most = TIMES * wanted + MORE;
  if (typeof text !== "string" || text.length <= most) return value;
  // Blanks at the start, which filters drop, are not what is wanted.
  const start = text.slice(0, Math.max(0, text.search(/\S/)) + most).toWellFormed();
  return value instanceof Json ? new Json(start) : start;
}

/** What is no text as JSON, such as a list, has no length. */
function limited(value: unknown, most: number): unknown {
  if (!(value instanceof Json)) return cut(print(value), most);
  const text = Array.isArray(value.value) ? "" : print(value.value);
  return text.length <= most ? value : new Json(cut(text, most));
}
