/**
 * Text that others wrote, made fit for a terminal: it obeys control characters, among them those of
 * U+0080 to U+009F, and draws each character one or two columns wide (Unicode Standard Annex #11).
 */

/** Text in one line, without anything that a terminal obeys or that moves what stands beside it. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").trim();
}

/** Text of several lines, without anything that a terminal obeys but line ends and tabs. */
export function harmless(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(/[^\P{Cc}\n\t]/gu, "\ufffd");
}

/** A value as JSON in one line, with all escaped that a terminal would obey. */
export function jsonLine(value: unknown): string {
  const escape = (char: string) =>
    char.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escape);
}

/** What is drawn onto the character before it. */
const MARK = /\p{M}/u;

/** East Asian Wide and Fullwidth, as far as addresses and answers have them. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}\u{20000}-\u{3fffd}]/u;

/** Columns that a line takes on a terminal. */
export function columnsOf(line: string): number {
  // Nearly all lines are ASCII.
  if (/^[ -~]*$/.test(line)) return line.length;
  let columns = 0;
  for (const char of line) columns += MARK.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return columns;
}

/** A line in so many columns: what is longer is cut, and ends in `mark`. */
export function cut(line: string, columns: number, mark = "…"): string {
  if (columnsOf(line) <= columns) return line;
  const room = columns - columnsOf(mark);
  let kept = "";
  let taken = 0;
  for (const char of line) {
    taken += columnsOf(char);
    if (taken > room) break;
    kept += char;
  }
  return kept + mark;
}
