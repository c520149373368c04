/** Octets put together, and octets as text. */

/** One new array of all the octets of `parts`, in order. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(
    parts.reduce((size, part) => size + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Gives the memory of octets back at once, which then are none any more, nor are others of the same buffer.
 * The garbage collector hears little of what is outside of its heap, and lets a large message gather
 * several times.
 */
export function release({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

const strictly = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Octets as UTF-8, a byte order mark among its characters; null where they are not UTF-8. */
export function utf8(octets: Uint8Array): string | null {
  try {
    return strictly.decode(octets);
  } catch {
    return null;
  }
}

/** The octets that `characters` made the text of. */
export function octetsOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * A text of one character an octet, U+0000 to U+00FF: ISO-8859-1, which `TextDecoder` cannot decode, as it
 * takes that name for windows-1252.
 */
export function characters(octets: Uint8Array): string {
  // In pieces, since the arguments of a call are limited in number.
  const pieces: string[] = [];
  for (let at = 0; at < octets.length; at += 8192) {
    pieces.push(String.fromCharCode(...octets.subarray(at, at + 8192)));
  }
  return pieces.join("");
}

/** Octets that are a text where one is wanted: UTF-8, or else a character an octet, so that nothing is lost. */
export class OctetText {
  readonly #octets: Uint8Array<ArrayBuffer>;

  /** Octets that nobody changes. */
  constructor(octets: Uint8Array) {
    this.#octets = octets as Uint8Array<ArrayBuffer>;
  }

  /** The octets themselves. */
  toOctets(): Uint8Array<ArrayBuffer> {
    return this.#octets;
  }

  /** The text. */
  toString(): string {
    return utf8(this.#octets) ?? characters(this.#octets);
  }

  /** As `toString`. */
  toJSON(): string {
    return this.toString();
  }
}
