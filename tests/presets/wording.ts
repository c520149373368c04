/**
 * Whether a request tells what a message says, compared as a reader compares: by what is seen, and
 * by how it begins.
 */
import { assert } from "../assert.ts";

/** Code points that have to be there; few enough for the shortest limit, 60 UTF-16 code units. */
const ENOUGH = 25;

/** What colours a terminal (ECMA-48 section 5.4). */
// deno-lint-ignore no-control-regex
const COLOURS = /\x1b\[[0-9;]*[a-zA-Z]/g;

/** A text without what is not seen: blanks, control and format characters, noncharacters. */
const seen = (text: string) => text.replace(COLOURS, "").replace(/[\s\p{C}]+/gu, "");

/**
 * Asserts that `told` begins with what `said` does, or with `instead` where there is nothing in it.
 * Of a text that is cut, and ends in `…`, what is left is enough.
 */
export function assertBeginsWith(told: string, said: string, instead: string): void {
  const isBlank = said.replace(/[\s\p{Cc}]+/gu, "") === "";
  const start = [...seen(isBlank ? instead : said)].slice(0, ENOUGH).join("");
  const left = told.endsWith("…") ? seen(told.slice(0, -1)) : "";
  const isTold = seen(told).startsWith(start) || left !== "" && start.startsWith(left);
  assert(isTold, `${JSON.stringify(told.slice(0, 200))} does not begin with "${start}"`);
}

/** The text that HTML of three entities stands for. */
export function unescaped(html: string): string {
  return html.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** Asserts that there is no tag in `html`, and no entity but `&amp;`, `&lt;` and `&gt;`. */
export function assertNoMarkup(html: string): void {
  assert(
    !/[<>]|&(?!(?:amp|lt|gt);)/.test(html),
    `${JSON.stringify(html.slice(0, 200))} has markup`,
  );
}

/** Octets of UTF-8. */
export const octetsIn = (text: string): number => new TextEncoder().encode(text).length;
