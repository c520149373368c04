/** What went wrong where going wrong is expected: returned, not thrown. */

/** Faults, each one line: "Cannot <action>: <current state>, <wanted state>". */
export interface Faults {
  /** One line each, without its end. */
  readonly faults: readonly string[];
}

/** Whether a result is faults. */
export function isFaults(result: unknown): result is Faults {
  return typeof result === "object" && result !== null && "faults" in result;
}

/** One fault. */
export function fault(text: string): Faults {
  return { faults: [text] };
}

/** Characters of a value that a fault shows. */
const QUOTE_LENGTH = 200;

/** A value in quotes, short enough for one line and without anything that would end it. */
export function quote(text: string): string {
  const line = [...text.slice(0, 2 * QUOTE_LENGTH).replace(/[\p{Cc}\u2028\u2029]+/gu, " ")];
  const isWhole = text.length <= 2 * QUOTE_LENGTH && line.length <= QUOTE_LENGTH;
  return `"${line.slice(0, QUOTE_LENGTH).join("")}${isWhole ? "" : "…"}"`;
}

/** Why a file cannot be read, without its name and without the number that systems have for it. */
export function unreadable(error: unknown): string {
  return error instanceof Deno.errors.NotFound
    ? "no such file"
    : (error as Error).message.replace(/( \(os error \d+\))?(: \w+ '.*')?$/s, "");
}
