/** Whether a text is JSON (RFC 8259), and where it stops being it. */

/** Characters of a text from which its strings are looked at one by one, as it makes copies of all of them. */
const LONG = 1024 * 1024;

/** Whether `text` is one JSON value. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text.length < LONG ? text : skeletonOf(text));
    return true;
  } catch {
    return false;
  }
}

/** JSON with nothing in its strings; what is no JSON is none afterwards, or throws. */
const skeletonOf = (text: string) => mapped(text, (gap) => gap, () => '""');

/**
 * The text without commas that have nothing behind them but the end of their list or object: who writes
 * a list by a template has one too many at its end. What is no JSON is left as it is.
 */
export function withoutLastCommas(text: string): string {
  try {
    return mapped(text, (gap) => gap.replace(/,(?=\s*[}\]])/g, ""), (string) => string);
  } catch {
    return text;
  }
}

/** The text with its strings, and what is between them, made into something else; throws for a broken string. */
function mapped(
  text: string,
  mapGap: (gap: string) => string,
  mapString: (string: string) => string,
): string {
  const pieces: string[] = [];
  let start = 0;
  for (let open; (open = text.indexOf('"', start)) !== -1;) {
    const end = stringEnd(text, open);
    pieces.push(mapGap(text.slice(start, open)), mapString(text.slice(open, end)));
    start = end;
  }
  pieces.push(mapGap(text.slice(start)));
  return pieces.join("");
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;

/** What may stand behind a backslash, and what then follows. */
const ESCAPES = new Set(new TextEncoder().encode('"\\/bfnrt'));
const U = 0x75;
const DIGITS = /[0-9A-Fa-f]{4}/y;

/** Where the string ends that begins at `open`. */
function stringEnd(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code < FIRST_PRINTABLE) break;
    if (code !== BACKSLASH) continue;
    const escape = text.charCodeAt(++at);
    if (ESCAPES.has(escape)) continue;
    DIGITS.lastIndex = at + 1;
    if (escape !== U || !DIGITS.test(text)) break;
    at += 4;
  }
  throw new SyntaxError("a string is broken");
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
