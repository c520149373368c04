/**
 * Names in a template that mean nothing: they print as nothing at all, so that nobody would notice. They
 * are looked up in the rich sample message, which has every field.
 */
import { namesIn } from "./expression.ts";
import { filters } from "./filter.ts";
import { nearest } from "./nearest.ts";
import { positionOf } from "./place.ts";
import { Scope } from "./scope.ts";
import type { Setting } from "./setting.ts";
import { isAsking, type Template, type Tokens } from "./template.ts";
import { bare, Item, places } from "./value.ts";

/** Says of each such name where it is, and what was likely meant; a sentence each. */
export function unknownNames(
  template: Template,
  setting: Setting,
  sample: object,
): readonly string[] {
  const { tokens, expressions } = template;
  const scope = new Scope(sample, { expressions, limits: {} });
  const flaws = search(tokens, template, scope, []);
  return Array.from(
    flaws,
    ([flaw, offset]) => `${setting.label}: ${flaw} at ${positionOf(setting, offset)}`,
  );
}

/** `asked` are names that a section around asks for. */
function* search(
  tokens: Tokens,
  template: Template,
  scope: Scope,
  asked: readonly string[],
): Generator<[flaw: string, offset: number]> {
  for (const token of tokens) {
    const [kind, text, start, , inner] = token;
    if (kind === ">") yield [`there are no partials, so "${text}" prints nothing`, start];
    if (!isAsking(token)) continue;
    const expression = template.expressions.get(text)!;
    const { name, steps } = expression;
    // Who asks whether there is such a thing knows that there may be none.
    const isAsked = Array.isArray(inner) || steps.some(({ filter }) => filter === filters.default);
    const known = isAsked ? [...asked, name] : asked;
    const flaws = namesIn(expression).map((one) => flawOf(one, scope, known.includes(one)));
    for (const flaw of flaws) if (flaw !== null) yield [flaw, start];
    const inside = kind === "^" ? scope : flaws[0] === null ? within(scope, text) : null;
    if (Array.isArray(inner) && inside !== null) yield* search(inner, template, inside, known);
  }
}

/** The scope in a section: around the first item of a list; null where nothing is known of its items. */
function within(scope: Scope, tag: string): Scope | null {
  const value = scope.lookup(tag);
  if (Array.isArray(value) && value.length === 0) return null;
  const inner = Array.isArray(value) ? value[0] : value;
  return typeof inner === "object" && inner !== null ? scope.push(inner) : scope;
}

/** What is wrong with a name; null where nothing is. */
function flawOf(name: string, scope: Scope, isAsked: boolean): string | null {
  const path = name.replace(/^json\.(?=.)/, "").split(".");
  if (["env", "var"].includes(path[0]) && path.length === 2) {
    return isAsked || scope.find(path.join(".")) !== ""
      ? null
      : `nothing is set for ${path.join(".")}`;
  }
  if (scope.find(name) !== undefined) return null;
  const at = path.findIndex((_, at) => scope.find(path.slice(0, at + 1).join(".")) === undefined);
  if (at === -1) return `"${name}" asks for JSON more than once`;
  const before = path.slice(0, at);
  const fields = fieldsOf(before.length === 0 ? scope : scope.find(before.join(".")));
  const meant = fields.length === 0 ? null : [...before, nearest(path[at], fields)].join(".");
  return `no field is named "${path.join(".")}"${
    meant === null ? "" : `, the nearest is "${meant}"`
  }`;
}

/** The names of what is in a value, or in a scope and all around it. */
function fieldsOf(value: unknown): string[] {
  if (value instanceof Scope) return value.views().flatMap(fieldsOf);
  if (value instanceof Item) return [...places, ...fieldsOf(value.value)];
  const object = bare(value);
  if (typeof object !== "object" || object === null) return [];
  const ofClass = Object.entries(
    Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object) ?? {}),
  ).flatMap(([name, { get }]) => get === undefined || name === "__proto__" ? [] : name);
  return [...Object.keys(object), ...ofClass];
}
