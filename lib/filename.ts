/**
 * Names of attachments that can be the names of files wherever they are written to: whoever made them up
 * chooses no directory, no device, and nothing that looks like something else.
 */

/** Names of parts that usually have none, by their types. */
const USUAL: Readonly<Record<string, string>> = {
  "message/rfc822": "message.eml",
  "text/calendar": "calendar.ics",
  "application/ics": "calendar.ics",
  "application/pgp-signature": "signature.asc",
  "application/pkcs7-signature": "smime.p7s",
  "application/x-pkcs7-signature": "smime.p7s",
  "application/pkcs7-mime": "smime.p7m",
  "application/x-pkcs7-mime": "smime.p7m",
  "application/ms-tnef": "winmail.dat",
};

/** The name of a part that gives one, or else one of its type; `extensionOf` knows what that ends in. */
export function filenameOf(
  given: string,
  contentType: string,
  extensionOf: (contentType: string) => string,
): string {
  const name = sane(given);
  if (name !== "") return name;
  return USUAL[contentType] ?? `attachment.${sane(extensionOf(contentType)) || "bin"}`;
}

/** Letters that turn the direction of a text, so that `gpj.exe` reads as `exe.jpg`. */
const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** What Windows takes for a device (CON, LPT1, also with an extension). */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/** A name that is none of that; empty where nothing is left of it. */
function sane(given: string): string {
  const base = given.toWellFormed().split(/[/\\]/).at(-1)!
    .replace(/\p{Cc}/gu, "").replace(DIRECTIONS, "")
    // No name has these on Windows, and a colon parts a disk, or a stream, from its file there.
    .replace(/[<>:"|?*]/g, "_")
    // Looked for once a run: from each of many dots it would be in vain.
    .trim().replace(/(?<![. ])[. ]+$/, "");
  return shortened(base.replace(DEVICE, "_$&"));
}

/** Octets that a name has on nearly all file systems. */
const MAX_OCTETS = 255;

/** Octets of what makes an extension at the end of a name. */
const MAX_EXTENSION = 20;

/** Cut before its extension. */
function shortened(name: string): string {
  return fitted(...halves(name));
}

/** What stands before the extension, and that; `""` where it is none. */
function halves(name: string): [stem: string, extension: string] {
  const [extension] = /(?<=.)\.[^.]*$/s.exec(name) ?? [""];
  return sizeOf(extension) <= MAX_EXTENSION
    ? [name.slice(0, name.length - extension.length), extension]
    : [name, ""];
}

/** As much of a stem as there is room for before an end. */
function fitted(stem: string, end: string): string {
  const { read } = new TextEncoder().encodeInto(stem, new Uint8Array(MAX_OCTETS - sizeOf(end)));
  return read === stem.length ? stem + end : stem.slice(0, read).trimEnd() + end;
}

const sizeOf = (text: string) => new TextEncoder().encode(text).length;

/** The names, those that come again with a number: `a.png`, `a-2.png`. */
export function distinct(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const [stem, extension] = halves(name);
    let other = name;
    for (let number = 2; taken.has(other.toLowerCase()); number++) {
      other = fitted(stem, `-${number}${extension}`);
    }
    taken.add(other.toLowerCase());
    return other;
  });
}
