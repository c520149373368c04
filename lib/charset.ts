/**
 * Octets into text, whatever character set they claim (RFC 2045 section 5.2, RFC 2978). Names mean what
 * the WHATWG Encoding Standard says, which is what mail programs do: ISO-8859-1 is windows-1252, GB2312
 * is GBK. Nobody is served by U+FFFD where a guess is nearly always right, so octets that cannot be what
 * they claim are read as windows-1252, and that is said.
 */

/** A text and how sure it is. */
export interface Decoded {
  /** With U+FFFD for octets that its character set does not define. */
  readonly text: string;
  /** What had to be guessed, as the end of a sentence; null where nothing had to. */
  readonly doubt: string | null;
}

/** Decodes what is rare, see `isRare`; null where it has no decoder either. */
export type RareDecoder = (octets: Uint8Array, charset: string) => Decoded | null;

/** The start of a name that a message gives, short enough for a warning. */
export function start(name: string): string {
  return [...name].slice(0, 40).join("");
}

/** Decodes octets that claim to be in `charset`; `""` where they claim nothing. It never throws. */
export function decode(octets: Uint8Array, charset: string, rare: RareDecoder): Decoded {
  if (charset === "") return guess(octets);
  const name = isUnordered(charset) ? byteOrderOf(octets) : encodingOf(charset);
  if (name === "utf-8" || /^us-ascii$|^ascii$/i.test(charset)) {
    return guess(octets);
  }
  if (name !== null) return { text: new TextDecoder(name).decode(octets), doubt: null };
  return (isRare(charset) ? rare(octets, charset) : null) ??
    readInstead(octets, `is in the unknown character set "${start(charset)}"`);
}

/** Reads octets as what they may be, where for a `reason` they are not read as what they claim. */
export function readInstead(octets: Uint8Array, reason: string): Decoded {
  const { text, doubt } = guess(octets);
  return { text, doubt: `${reason}, read as ${doubt === null ? "UTF-8" : "windows-1252"}` };
}

/**
 * Character sets that the platform has no name for, but iconv-lite has; by their beginnings. It has others
 * that are none, such as "hex", and takes "u-t-f-7" for UTF-7.
 */
const RARE =
  /^(?:utf-?(?:7|32)|unicode-1-1-utf-7|cp|ibm|mac|win|iso|latin|l\d|viscii|tcvn|armscii|hp-?roman)/i;

/** Whether `charset`, which `encodingOf` does not know, may be one that a rare decoder knows. */
export function isRare(charset: string): boolean {
  return RARE.test(charset.trim());
}

const strictly = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads octets as UTF-8, or as windows-1252 if not one character of them is UTF-8 beyond ASCII: a text
 * that is UTF-8 but for one broken character is better served by U+FFFD in that one place.
 */
export function guess(octets: Uint8Array): Decoded {
  try {
    return { text: strictly.decode(octets), doubt: null };
  } catch {
    const text = new TextDecoder().decode(octets);
    if (/[^\0-\x7f\ufffd]/.test(text)) return { text, doubt: null };
    const guessed = new TextDecoder("windows-1252").decode(octets);
    return { text: guessed, doubt: "is not UTF-8, read as windows-1252" };
  }
}

/** The WHATWG name of a character set, also where it is written in a way of its own; null where it has none. */
export function encodingOf(charset: string): string | null {
  // Such as `'utf-8'`, `_iso-2022-jp$ESC` and `utf-8//translit`; quotes at the end are looked for once a run.
  const label = charset.trim().toLowerCase().replace(/^['"_]+|(?<!['"])['"]+$|\/\/.*/g, "")
    .replace(/^iso-2022-jp.*/, "iso-2022-jp");
  const plain = label.replace(/^x-/, "");
  const encoding = nameOf(label) ?? nameOf(plain.replaceAll("_", "-")) ??
    nameOf(plain.replace(/[-_]/g, ""));
  // So browsers call octets that nobody knows.
  return encoding === "x-user-defined" ? null : encoding;
}

function nameOf(label: string): string | null {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return null;
  }
}

/** Whether a character set is UTF-16 that does not say in which order its octets come. */
export function isUnordered(charset: string): boolean {
  return /^\s*(?:utf-?16|unicode|ucs-2)\s*$/i.test(charset);
}

/** Character sets in which an octet of ASCII is that and nothing else, among those that are read here. */
const ASCII_WITHIN = /^(?:utf-8$|windows-125|iso-8859-|koi8-)/;

/** Whether line ends are the same octets in `charset` as in ASCII; it may be so even where this is false. */
export function hasAsciiWithin(charset: string): boolean {
  return charset === "" || ASCII_WITHIN.test(encodingOf(charset) ?? "");
}

/** Big-endian unless octets say otherwise (RFC 2781 section 4.3); WHATWG has it the other way round. */
function byteOrderOf([first, second]: Uint8Array): string {
  const isLittle = (first === 0xff && second === 0xfe) || (first !== 0 && second === 0);
  return isLittle ? "utf-16le" : "utf-16be";
}
