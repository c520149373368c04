/**
 * Templates of which it is known that they make JSON of every message: all that they put out stands where
 * it can do no harm. What they make need not be looked at, which for a long text takes as long as all else
 * that is made of it.
 */
import { isJson } from "./json.ts";
import type { Template, Token } from "./template.ts";

/** What is escaped is at home in a string, and nowhere else: this is not JSON, nor ends a word that is. */
const IN_STRING = "x";

/** A value of its own; in a string its quotes would end it. */
const VALUE = '{"":""}';

/** Whether a template makes JSON of every message, escaped for JSON; all messages have the fields of `sample`. */
export function alwaysMakesJson({ tokens, expressions }: Template, sample: object): boolean {
  const standInFor = ([kind, text]: Token): string | null => {
    if (kind === "text") return text;
    if (kind === "!") return "";
    if (kind !== "name") return null;
    const { name } = expressions.get(text)!;
    const [first, ...path] = name.split(".");
    if (first !== "json") return IN_STRING;
    // What is not there prints as nothing, and only fields of the context are always there.
    return path.length === 1 && Object.hasOwn(sample, path[0]) ? VALUE : null;
  };
  const pieces = tokens.map(standInFor);
  return !pieces.includes(null) && isJson(pieces.join(""));
}
