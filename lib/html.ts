/**
 * HTML as text that a person reads, by html-to-text: paragraphs apart, list items with a bullet, table
 * rows as lines, links with their address behind them, images as their alternative text. Nothing is
 * wrapped, since whoever shows the text knows better how wide it may be.
 */
// @ts-types="./npm/html_to_text.d.ts"
import { compile, type Formatter, type Options } from "npm:html-to-text@10.0.1";

/** Beyond these a renderer takes seconds or minutes, in which nobody else is served. */
const MAX_LENGTH = 1024 * 1024;
const MAX_EFFORT = 2_000_000;

const alternative: Formatter = ({ attribs }, _walk, builder) =>
  builder.addInline(attribs?.alt ?? "");

const cell: Formatter = ({ children = [] }, walk, builder) => {
  walk(children, builder);
  // Without it the cells of a row run into one word.
  builder.addInline(" ");
};

const OPTIONS: Options = {
  wordwrap: false,
  formatters: { alternative, cell },
  selectors: [
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({
      selector,
      options: { uppercase: false },
    })),
    { selector: "a", options: { hideLinkHrefIfSameAsText: true, noAnchorUrl: true } },
    { selector: "img", format: "alternative" },
    { selector: "tr", format: "block", options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    { selector: "td", format: "cell" },
    { selector: "th", format: "cell" },
  ],
};

const renderWhole = compile(OPTIONS);

/** Text for HTML. It does not throw. */
export function render(html: string): string {
  try {
    if (html.length <= MAX_LENGTH && effortOf(html) <= MAX_EFFORT) {
      return trimmed(renderWhole(html));
    }
  } catch {
    // What a parser gives up on still has words.
  }
  return withoutTags(html);
}

/** Without the blanks at line ends that cells leave. */
function trimmed(text: string): string {
  return text.split("\n").map((line) => line.trimEnd()).join("\n");
}

/** Elements that end by themselves, or that the next one of their kind ends. */
const SELF_ENDING = new Set(
  "area base br col dd dt hr img input li link meta option p source td th tr wbr".split(" "),
);

/**
 * What rendering costs: how deep each tag and line stands, all together. Parsers look up the whole
 * stack for some tags, and each line of 100 quotes within quotes begins with 100 marks.
 */
function effortOf(html: string): number {
  let depth = 0;
  let effort = 0;
  for (const [, slash, name] of html.matchAll(/\n|<(\/?)([a-z][a-z0-9]*)/gi)) {
    effort += depth;
    if (name === undefined || SELF_ENDING.has(name.toLowerCase())) continue;
    if (slash === "") depth++;
    else if (depth > 0) depth--;
  }
  return effort;
}

const BREAKING = /^\/?(?:br|div|dd|dt|h[1-6]|hr|li|ol|p|pre|table|tr|ul)\b/i;
const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " },
};

/** What is between the tags, in a time that grows with the length alone. */
function withoutTags(html: string): string {
  const [first, ...rest] = html.split("<");
  const pieces = rest.map((piece) => {
    const end = piece.indexOf(">");
    if (end === -1) return "<" + piece;
    if (/^(?:script|style|title)\b/i.test(piece)) return "";
    return (BREAKING.test(piece) ? "\n" : "") + piece.slice(end + 1);
  });
  return [first, ...pieces].join("")
    .replace(/&(amp|lt|gt|quot|apos|nbsp);/g, (_, name) => ENTITIES[name])
    .split("\n").map((line) => line.trim()).filter((line) => line !== "").join("\n");
}
