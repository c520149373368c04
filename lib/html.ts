/**
 * HTML as text that a person reads, by html-to-text: paragraphs apart, list items with a bullet, table
 * rows as lines, links with their address behind them, images as their alternative text. Nothing is
 * wrapped, since whoever shows the text knows better how wide it may be.
 */
// @ts-types="./npm/html_to_text.d.ts"
import { compile, type Element, type Formatter, type Options } from "npm:html-to-text@10.0.1";

/** For all HTML of a message, in characters, and as `effortOf` counts: beyond them it takes seconds. */
const MAX_LENGTH = 512 * 1024;
const MAX_EFFORT = 1_000_000;

const alternative: Formatter = ({ attribs }, _walk, builder) =>
  builder.addInline(attribs?.alt ?? "");

const cell: Formatter = (element, walk, builder) => {
  // Without them the cells of a row run into one word; one blank would not tell where the next begins.
  if (isBehindCell(element)) builder.addLiteral("  ");
  walk(element.children ?? [], builder);
};

function isBehindCell({ prev }: Element): boolean {
  let before = prev;
  while (before && before.name !== "td" && before.name !== "th") before = before.prev;
  return Boolean(before);
}

const skipped = (selector: string) => ({ selector, format: "skip" });

const OPTIONS: Options = {
  wordwrap: false,
  formatters: { alternative, cell },
  selectors: [
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({
      selector,
      options: { uppercase: false },
    })),
    // An address that nobody can open says nothing.
    { selector: "a", format: "inline" },
    ...["http:", "https:", "mailto:"].map((scheme) => ({
      selector: `a[href^="${scheme}"]`,
      format: "anchor",
      options: { hideLinkHrefIfSameAsText: true, linkBrackets: ["[", "]"] },
    })),
    { selector: "img", format: "alternative" },
    { selector: "dt", format: "block", options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    { selector: "dd", format: "block", options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    // What newsletters put there for the lists of mail programs alone.
    ...["[hidden]", '[style*="display:none"]', '[style*="display: none"]'].map(skipped),
    ...["select", "textarea", "svg"].map(skipped),
    { selector: "tr", format: "block", options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    { selector: "td", format: "cell" },
    { selector: "th", format: "cell" },
  ],
};

const renderWhole = compile(OPTIONS);

/**
 * What makes text of the HTML of one message, a part at a time. It does not throw. Of what would take
 * too long it makes the words alone, and says so by `warn`.
 */
export function renderer(warn: (text: string) => void): (html: string) => string {
  let length = 0;
  let effort = 0;
  return (html) => {
    length += html.length;
    if (length <= MAX_LENGTH) effort += effortOf(html);
    try {
      if (length <= MAX_LENGTH && effort <= MAX_EFFORT) return trimmed(renderWhole(html));
    } catch {
      // What a parser gives up on still has words.
    }
    warn("The HTML is too long or too deeply nested, only its words were read");
    return withoutTags(html);
  };
}

/** Without the blanks at line ends that empty cells leave, and without more than one empty line in a row. */
function trimmed(text: string): string {
  return text.split("\n").map((line) => line.trimEnd()).join("\n").replace(/\n{3,}/g, "\n\n")
    .trimEnd();
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

/** Tags after which nobody reads on. */
const MAX_TAGS = 100_000;

/** What is between the tags, in a time and a space that grow with the length alone. */
function withoutTags(html: string): string {
  const pieces: string[] = [];
  for (let at = 0, tags = 0; at < html.length && tags < MAX_TAGS; tags++) {
    const open = html.indexOf("<", at);
    const close = open === -1 ? -1 : html.indexOf(">", open);
    if (close === -1) {
      pieces.push(html.slice(at));
      break;
    }
    if (open > at) pieces.push(html.slice(at, open));
    const tag = html.slice(open + 1, open + 10);
    if (BREAKING.test(tag)) pieces.push("\n");
    const hidden = /^(?:script|style|title)\b/i.test(tag);
    const next = hidden ? html.indexOf("<", close) : close + 1;
    at = next === -1 ? html.length : next;
  }
  return pieces.join("")
    .replace(/&(amp|lt|gt|quot|apos|nbsp);/g, (_, name) => ENTITIES[name])
    .replace(/(?<!\s)\s*\n\s*/g, "\n").trim();
}
