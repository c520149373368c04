/** The line ends of texts, which come as CRLF (RFC 5322 section 2.1) and in all other ways as well. */

const CR = 0x0d;
const LF = 0x0a;

/**
 * Characters of a text up to which a regular expression is used: a mail of 4 KB takes a quarter of the
 * time so (5 of 20 µs). Ten million line ends would take it 2 s, and hundreds of MB.
 */
export const MAX_SHORT = 128 * 1024;

/** A text with LF at all its line ends, and U+FFFD for what is no character. */
export function withLineFeeds(text: string): string {
  if (!text.includes("\r")) return text.toWellFormed();
  // CR CR LF is what remains of a CRLF that was taken for an LF.
  return text.length <= MAX_SHORT
    ? text.toWellFormed().replace(/\r\r?\n|\r/g, "\n")
    : inOctets(text);
}

/** The same in one pass over octets, whatever the text is made of. */
function inOctets(text: string): string {
  const octets = lineFeedsIn(new TextEncoder().encode(text));
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(octets);
}

/** Makes LF of all line ends in octets of ASCII or what has it within, in place, and gives what is left. */
export function lineFeedsIn(octets: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at];
    if (octet !== CR) {
      octets[size++] = octet;
      continue;
    }
    const next = octets[at + 1] === CR ? octets[at + 2] : octets[at + 1];
    if (next !== LF) octets[size++] = LF;
  }
  return octets.subarray(0, size);
}
