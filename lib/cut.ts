/**
 * Texts cut to what a service takes. A cut text ends in `…`, and what a reader, HTML or Markdown takes for
 * one character is never cut in two.
 */

const ELLIPSIS = "…";

/** Cuts a text to so many UTF-16 code units, at least 1. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : beginning(text, most - ELLIPSIS.length);
}

/** Octets of `ELLIPSIS` in UTF-8. */
const ELLIPSIS_OCTETS = 3;

/** Cuts a text to so many octets, at least 3: of UTF-8, and of JSON in UTF-8, where a line end has two. */
export function cutOctets(text: string, most: number): string {
  if (unitsWithin(text, most) === text.length) return text;
  return beginning(text, unitsWithin(text, most - ELLIPSIS_OCTETS));
}

/** How many UTF-16 code units of a text fit into so many octets, none of them half a pair. */
function unitsWithin(text: string, octets: number): number {
  let [units, taken] = [0, 0];
  for (const char of text) {
    taken += octetsIn(char);
    if (taken > octets) break;
    units += char.length;
  }
  return units;
}

/** Octets of a character in JSON (RFC 8259 section 7). */
function octetsIn(char: string): number {
  const code = char.codePointAt(0)!;
  if (/["\\\b\f\n\r\t]/.test(char)) return 2;
  if (code < 0x20 || /\p{Cs}/u.test(char)) return 6;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

function beginning(text: string, most: number): string {
  return text.slice(0, beforeEscape(text, beforeCharacter(text, most))).trimEnd() + ELLIPSIS;
}

/** Made when it is first needed, as it takes a while. */
let segmenter: Intl.Segmenter | undefined;

/** UTF-16 code units before and behind a place that are looked at. */
const NEAR = 64;

/** Of what is longer nobody sees one character: a family has 11, a letter with a hundred accents 101. */
const LONGEST = 20;

/** The last place up to `at` where a character begins (Unicode Standard Annex #29). */
function beforeCharacter(text: string, at: number): number {
  const from = beforePair(text, Math.max(0, at - NEAR));
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  const { index } = segmenter.segment(text.slice(from, at + NEAR)).containing(at - from) ??
    { index: 0 };
  return at - from - index > LONGEST ? beforePair(text, at) : from + index;
}

const beforePair = (text: string, at: number) =>
  /[\udc00-\udfff]/.test(text[at] ?? "") ? at - 1 : at;

/** What the filters `html` and `markdown` make of one character. */
const ESCAPED = /&(?:amp|lt|gt);|\\[^\w\s]/y;

/** Characters that such a character has at most. */
const MAX_ESCAPED = 5;

function beforeEscape(text: string, at: number): number {
  let start = Math.max(0, at - MAX_ESCAPED);
  // Which of several backslashes escapes which depends on the first one.
  while (text[start - 1] === "\\") start--;
  while (start < at) {
    ESCAPED.lastIndex = start;
    const [escaped = " "] = ESCAPED.exec(text) ?? [];
    if (start + escaped.length > at) return start;
    start += escaped.length;
  }
  return at;
}
