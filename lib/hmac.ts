/** Signatures by HMAC-SHA256 (RFC 2104, RFC 6234), as services put them beside what they send. */

/** The signature of a text, in hexadecimal; key and text are taken as UTF-8. */
export function hmac(key: string, text: string): string {
  // Loaded when the first one is made: to import it would take every start 30 ms.
  // deno-lint-ignore no-process-global
  const { createHmac } = process.getBuiltinModule("node:crypto");
  return createHmac("sha256", key).update(text).digest("hex");
}
