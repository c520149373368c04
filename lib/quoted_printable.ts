/**
 * Quoted-printable (RFC 2045 section 6.7), decoded in one pass: what mailparser uses takes the square of
 * the length of a run of blanks, minutes for a mail of 200 KB.
 */

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const EQUALS = 0x3d;

const isBlank = (octet: number) => octet === SPACE || octet === TAB;

/** Decodes octets; what is not quoted as it should be stays as it is. */
export function decodeQuotedPrintable(octets: Uint8Array): Uint8Array<ArrayBuffer> {
  const decoded = new Uint8Array(octets.length);
  let size = 0;
  // Where the blanks begin that go if a line ends behind them: they were added on the way (rule 3).
  let solid = 0;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at];
    if (octet === CR || octet === LF) size = solid;
    if (octet !== EQUALS) {
      decoded[size++] = octet;
      if (!isBlank(octet)) solid = size;
      continue;
    }
    const next = afterSoftBreak(octets, at + 1);
    const value = hexadecimal(octets[at + 1]) << 4 | hexadecimal(octets[at + 2]);
    if (next !== null) {
      at = next - 1;
    } else {
      decoded[size++] = value < 0 ? octet : value;
      if (value >= 0) at += 2;
    }
    solid = size;
  }
  return decoded.slice(0, solid);
}

/** Where the line goes on behind a "=" that joins it with the next one (rule 5); null where none does. */
function afterSoftBreak(octets: Uint8Array, start: number): number | null {
  let at = start;
  while (isBlank(octets[at])) at++;
  if (octets[at] === CR && octets[at + 1] === LF) at++;
  return at >= octets.length || octets[at] === LF ? at + 1 : null;
}

/** The value of a digit; -1 for what is none. */
function hexadecimal(octet: number | undefined): number {
  const digit = parseInt(String.fromCharCode(octet ?? 0), 16);
  return Number.isNaN(digit) ? -1 : digit;
}
