/**
 * Quoted-printable (RFC 2045 section 6.7), decoded in a time that grows with its length alone: what
 * mailparser uses takes the square of the length of a run of blanks, minutes for a mail of 200 KB.
 */
import { characters, octetsOf } from "./octets.ts";

/** Decodes octets; what is not quoted as it should be stays as it is. */
export function decodeQuotedPrintable(octets: Uint8Array): Uint8Array {
  const text = characters(octets)
    // Blanks at line ends were added on the way (rule 3), and a "=" there joins two lines (rule 5).
    .replace(/(?<![\t ])[\t ]+$/gm, "")
    .replace(/=(?:\r?\n|$)/g, "")
    .replace(/=([\dA-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return octetsOf(text);
}
