/** Places in a text that somebody wrote, as an editor names them, and to look at. */
import { columnsOf, harmless } from "./terminal.ts";

/** A text, or the end of one: its first line can be a later line of a file. */
export interface Source {
  /** The text. */
  readonly text: string;
  /** The number of its first line; 1 where it is left out. */
  readonly line?: number;
}

/** An offset as `line L, column C`, both from 1, columns in UTF-16 code units. */
export function positionOf({ text, line = 1 }: Source, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `line ${line - 1 + before.length}, column ${before.at(-1)!.length + 1}`;
}

/** Characters of a line that are shown on either side of a place. */
const [BEFORE, BEHIND] = [50, 26];

/** The line that an offset is in, with a caret below the place; each begins with a line end. */
export function excerptOf({ text }: Source, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  const show = (part: string) => harmless(part.toWellFormed()).replaceAll("\t", " ");
  const before = text.slice(start, offset);
  const behind = text.slice(offset, end === -1 ? undefined : end).trimEnd();
  const left = before.length > BEFORE ? `…${show(before.slice(-BEFORE))}` : show(before);
  const right = behind.length > BEHIND ? `${show(behind.slice(0, BEHIND))}…` : show(behind);
  return `\n    ${left}${right}\n    ${" ".repeat(columnsOf(left))}^`;
}
