/**
 * Base64 (RFC 2045 section 6.8, RFC 4648 section 4), in one pass each way: `btoa` takes a second for
 * 10 MB, in which nobody else is served. It is decoded as leniently as mail needs: what is not of the
 * alphabet is skipped, and padding may come anywhere, since some mailers pad every line.
 */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING = 0x3d;
const JUNK = 64;

const CODES = new TextEncoder().encode(ALPHABET);
const VALUES = new Uint8Array(256).fill(JUNK);
for (const [value, code] of CODES.entries()) VALUES[code] = value;

/** Encodes octets, without line ends. */
export function encodeBase64(octets: Uint8Array): string {
  const encoded = new Uint8Array(Math.ceil(octets.length / 3) * 4);
  let size = 0;
  for (let at = 0; at < octets.length; at += 3) {
    // Octets after the last one count as zero.
    const held = octets[at] << 16 | octets[at + 1] << 8 | octets[at + 2];
    encoded[size++] = CODES[held >> 18];
    encoded[size++] = CODES[held >> 12 & 0x3f];
    encoded[size++] = CODES[held >> 6 & 0x3f];
    encoded[size++] = CODES[held & 0x3f];
  }
  const missing = encoded.length / 4 * 3 - octets.length;
  encoded.fill(PADDING, encoded.length - missing);
  return new TextDecoder().decode(encoded);
}

/** Decodes octets. It never throws; of a text that is cut off it gives the octets that are whole. */
export function decodeBase64(octets: Uint8Array): Uint8Array<ArrayBuffer> {
  const decoded = new Uint8Array(Math.ceil(octets.length / 4) * 3);
  let size = 0;
  let bits = 0;
  let held = 0;
  for (const octet of octets) {
    const value = VALUES[octet];
    if (value !== JUNK) {
      held = (held << 6 | value) & 0xffff;
      bits += 6;
      if (bits >= 8) decoded[size++] = held >> (bits -= 8);
    } else if (octet === PADDING) {
      bits = 0;
    }
  }
  return decoded.slice(0, size);
}
