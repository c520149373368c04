/**
 * Encoded words (RFC 2047), and parameters that are encoded alike (RFC 2231), as libmime finds them. It
 * undoes what makes ASCII of their octets; of character sets it knows fewer than charset.ts.
 */
import { octetsOf } from "./octets.ts";

/** A word as it was found. */
export interface Word {
  /** As it stands, without the names of its character set and of its encoding. */
  readonly text: string;
  /** Without the language that may stand behind it (RFC 2231 section 5). */
  readonly charset: string;
  /** Decodes it; not yet into characters. */
  readonly octets: () => Uint8Array;
}

/** What finds words. */
export interface Finder {
  /** Called for each, to decode it. */
  decodeWord(charset: string, encoding: string, text: string): string;
}

/** Has `read` make text of all words that libmime finds. */
export function readWords(libmime: Finder, read: (word: Word) => string): void {
  const decodeWord = libmime.decodeWord.bind(libmime);
  libmime.decodeWord = (charset, encoding, text) =>
    read({
      text,
      charset: charset.replace(/\*.*/s, ""),
      octets: () => octetsOf(decodeWord("binary", encoding, text)),
    });
}
