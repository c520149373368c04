/**
 * Messages in a file of several (RFC 4155): each begins with a line `From `, before which stands an empty
 * one. Lines of a message that look like it have a `>` more (the mboxrd form).
 */
import { characters, octetsOf } from "./octets.ts";

/** The line before a message: who it is from, and when, which ends in a year or a zone. */
const POSTMARK = /^From \S.* (?:\d{4}|[+-]\d{4})\r?\n/;

/** The messages in a file, which may be one message alone. */
export function messagesIn(octets: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const text = characters(octets);
  if (!POSTMARK.test(text)) return [octets];
  const starts = Array.from(text.matchAll(BEGINNING), ({ index }) => index);
  return starts.map((start, at) => octetsOf(messageOf(text.slice(start, starts[at + 1]))));
}

/** The same in the middle of a file. */
const BEGINNING = /(?<=^|\n\r?\n)From \S.* (?:\d{4}|[+-]\d{4})\r?\n/g;

/** Without the line before it and the empty one behind it, and what is escaped in it as it was. */
function messageOf(text: string): string {
  return text.replace(POSTMARK, "").replace(/(^|\n)\r?\n$/, "$1").replace(/^>(?=>*From )/gm, "");
}
