/**
 * The parts of a message into what a reader sees of it (RFC 2046 section 5.1): all texts one after the
 * other, one of several alternatives, and plain text before HTML.
 */

/** Makes text of HTML. */
export type Render = (html: string) => string;

/** A part of a message; its parts are its children. */
export interface Part {
  /** The media type in lower case; false where nothing says it. */
  readonly contentType: string | false;
  /** Undefined for an attachment, and for what has children. */
  readonly textContent?: string;
  /** In order; empty for a leaf. */
  readonly children: readonly Part[];
}

/** The texts of a message, with LF at line ends. */
export interface Reading {
  /** What a reader sees: the text, or HTML rendered as text where there is no text instead of it. */
  readonly body: string;
  /** The text parts; empty for a message that is HTML alone. */
  readonly text: string;
  /** The HTML parts. */
  readonly html: string;
}

/** The texts of a message that is made of `root`; null where nothing was found. */
export function readingOf(root: Part | null, render: Render): Reading {
  if (root === null) return { body: "", text: "", html: "" };
  const leaves = leavesOf(root);
  const texts = (isWanted: (part: Part) => boolean) =>
    leaves.filter(isWanted).map(textOf).filter((text) => text !== "").join("\n");
  return {
    body: seen(root, render).text,
    text: texts((part) => !isHtml(part)),
    html: texts(isHtml),
  };
}

function leavesOf(part: Part): Part[] {
  return part.children.length === 0 ? [part] : part.children.flatMap(leavesOf);
}

const isHtml = ({ contentType }: Part) => contentType === "text/html";

const textOf = ({ textContent = "" }: Part) => textContent.replace(/\r\n?/g, "\n");

/** What is seen of a part, and whether any of it was written as plain text. */
interface Sight {
  readonly text: string;
  readonly isPlain: boolean;
}

const isBlank = ({ text }: Sight) => text.trim() === "";

function seen(part: Part, render: Render): Sight {
  if (part.children.length === 0) {
    const text = textOf(part);
    return isHtml(part)
      ? { text: text === "" ? "" : render(text), isPlain: false }
      : { text, isPlain: text.trim() !== "" };
  }
  const sights = part.children.map((child) => seen(child, render));
  if (part.contentType === "multipart/alternative") {
    return sights.find(({ isPlain }) => isPlain) ?? sights.find((sight) => !isBlank(sight)) ??
      sights[0];
  }
  const [only, ...others] = sights.filter(({ text }) => text !== "");
  return {
    text: others.length === 0
      ? only?.text ?? ""
      : [only, ...others].map(({ text }) => text).join("\n"),
    isPlain: sights.some(({ isPlain }) => isPlain),
  };
}
