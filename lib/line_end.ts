/** The line ends of texts, which come as CRLF (RFC 5322 section 2.1) and in all other ways as well. */

const CR = 0x0d;
const LF = 0x0a;

/** A text with LF at all its line ends, and U+FFFD for what is no character; in one pass. */
export function withLineFeeds(text: string): string {
  if (!text.includes("\r")) return text.toWellFormed();
  // In octets, since replacing ten million of anything in a text takes seconds and hundreds of MB.
  const octets = new TextEncoder().encode(text);
  let size = 0;
  for (let at = 0; at < octets.length; at++) {
    const isCR = octets[at] === CR;
    // CR CR LF is what remains of a CRLF that was taken for an LF.
    const next = isCR && octets[at + 1] === CR ? octets[at + 2] : octets[at + 1];
    if (isCR && next === LF) continue;
    octets[size++] = isCR ? LF : octets[at];
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(octets.subarray(0, size));
}
