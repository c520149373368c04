/** Whether a text is JSON (RFC 8259), and where it stops being it. */

/** Whether `text` is one JSON value. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Says where and why `text` is not JSON, such as `line 2, column 7: value expected`. Lines and columns
 * count from 1, columns in UTF-16 code units.
 */
export async function explain(text: string): Promise<string> {
  // JSON.parse does not always say where. This parser always does; it is loaded for faults only.
  const { parse, printParseErrorCode } = await import("npm:jsonc-parser@3.3.1");
  const errors: Parameters<typeof parse>[1] & object = [];
  try {
    parse(text, errors, { disallowComments: true, allowTrailingComma: false });
  } catch {
    // It calls itself for each level.
    return `${positionOf(text, 0)}: nested too deep`;
  }
  const [{ offset, error }] = errors;
  const reason = printParseErrorCode(error).replace(/(?<=.)[A-Z]/g, " $&").toLowerCase();
  return `${positionOf(text, offset)}: ${reason}`;
}

/** An offset in a text as `line L, column C`, both from 1. */
export function positionOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}
