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

const BACKSLASH = "\\";

/**
 * The text without commas that have nothing behind them but the end of their list or object: who writes
 * a list by a template has one too many at its end.
 */
export function withoutLastCommas(text: string): string {
  const pieces: string[] = [];
  let [start, isString] = [0, false];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') isString = !isString;
    else if (isString && char === BACKSLASH) at++;
    else if (!isString && char === ",") {
      let next = at + 1;
      while (" \t\r\n".includes(text[next] ?? "?")) next++;
      if (text[next] !== "}" && text[next] !== "]") continue;
      pieces.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return pieces.join("") + text.slice(start);
}

/** Where and why a text is not JSON. */
export interface JsonFault {
  /** UTF-16 code units before it. */
  readonly offset: number;
  /** Such as `value expected`. */
  readonly reason: string;
}

/** Says where and why `text` is not JSON. */
export async function explain(text: string): Promise<JsonFault> {
  // JSON.parse does not always say where. This parser always does; it is loaded for faults only.
  const { parse, printParseErrorCode } = await import("npm:jsonc-parser@3.3.1");
  const errors: Parameters<typeof parse>[1] & object = [];
  try {
    parse(text, errors, { disallowComments: true, allowTrailingComma: false });
  } catch {
    // It calls itself for each level.
    return { offset: 0, reason: "nested too deep" };
  }
  const [{ offset, error }] = errors;
  return {
    offset,
    reason: printParseErrorCode(error).replace(/(?<=.)[A-Z]/g, " $&").toLowerCase(),
  };
}
