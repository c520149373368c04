/**
 * The parts of a message into what a reader sees of it (RFC 2046 section 5.1): all texts one after the
 * other, one of several alternatives, and plain text before HTML.
 */
import { isNeeded, type Needs } from "./needs.ts";
import { replyTextOf } from "./reply_text.ts";

/** Makes text of HTML. */
export type Render = (html: string) => string;

/** A part of a message; its parts are its children. */
export interface Part {
  /** The media type in lower case; false where nothing says it. */
  readonly contentType: string | false;
  /** With LF at line ends; undefined for an attachment, and for a multipart. */
  readonly text?: () => string;
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
  /** What is new in an answer: `body` without the earlier mail that it quotes. */
  readonly replyText: string;
}

/** Those texts that are needed of a message that is made of `root`; the others are empty. */
export function readingOf(root: Part, render: Render, needs: Needs): Reading {
  const leaves = leavesOf(root);
  const texts = (isWanted: (part: Part) => boolean) =>
    joined(leaves.filter(isWanted).map(({ text }) => text?.() ?? ""));
  const body = once(() => seen(root, render).text());
  return {
    text: isNeeded(needs, "text") ? texts((part) => !isHtml(part)) : "",
    html: isNeeded(needs, "html") ? texts(isHtml) : "",
    body: isNeeded(needs, "body") ? body() : "",
    replyText: isNeeded(needs, "replyText") ? replyTextOf(body()) : "",
  };
}

/** The parts of a part that have none themselves, in order. */
export function leavesOf<P extends { readonly children: readonly P[] }>(part: P): P[] {
  return part.children.length === 0 ? [part] : part.children.flatMap(leavesOf);
}

function joined(texts: readonly string[]): string {
  const [only = "", ...others] = texts.filter((text) => text !== "");
  return others.length === 0 ? only : [only, ...others].join("\n");
}

const isSeen = (text: string) => /\S/.test(text);

const isHtml = ({ contentType }: Part) => contentType === "text/html";

/** What is seen of a part, and whether any of it was written as plain text. */
interface Sight {
  /** Made when it is asked for: most HTML has an alternative. */
  readonly text: () => string;
  readonly isPlain: boolean;
}

function seen(part: Part, render: Render): Sight {
  const { contentType, text = () => "", children } = part;
  if (children.length === 0) {
    if (!isHtml(part)) return { text, isPlain: isSeen(text()) };
    return { text: once(() => text() === "" ? "" : render(text())), isPlain: false };
  }
  const sights = children.map((child) => seen(child, render));
  const isPlain = sights.some(({ isPlain }) => isPlain);
  if (contentType !== "multipart/alternative") {
    return { text: once(() => joined(sights.map(({ text }) => text()))), isPlain };
  }
  return sights.find(({ isPlain }) => isPlain) ??
    sights.find(({ text }) => isSeen(text())) ?? sights[0];
}

/** A text that is made when it is first asked for. */
export function once(text: () => string): () => string {
  let made: string | undefined;
  return () => made ??= text();
}
