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
