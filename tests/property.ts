/**
 * A property: a sentence about the server that holds for every input that can be thought up. Inputs are
 * plain values, so that one for which it does not hold can be kept in a file and tried for ever, whatever
 * becomes of the generator that found it.
 */
import fc from "npm:fast-check@4.10.2";
import { characters } from "../lib/octets.ts";

/** What JSON can hold, and gives back the same. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | readonly Plain[]
  | { readonly [name: string]: Plain };

/** A sentence, what it is tried on, and how. */
export interface Property {
  /** The sentence; a kept input names it. */
  readonly name: string;
  /** Makes inputs. */
  readonly inputs: fc.Arbitrary<Plain>;
  /** Throws where it does not hold; else says whether the input was one to tell anything. */
  readonly holds: (input: Plain) => boolean;
}

/** A property of one type of inputs. `holds` may be silent where every input tells something. */
export function property<Input extends Plain>(
  name: string,
  inputs: fc.Arbitrary<Input>,
  holds: (input: Input) => boolean | void,
): Property {
  return { name, inputs, holds: (input) => holds(input as Input) ?? true };
}

/** Any octets, as a text of one character an octet. */
export const anyOctets: fc.Arbitrary<string> = fc.uint8Array({ maxLength: 200 }).map(characters);

/**
 * Any character of Unicode, without half ones. fast-check's own `"binary"` keeps a table of all of them,
 * which takes a second to make.
 */
export const anyCharacter: fc.Arbitrary<string> = fc.integer({ min: 0, max: 0x10f7ff }).map((
  index,
) => String.fromCodePoint(index < 0xd800 ? index : index + 0x800));

/** Any text, half characters and control characters among it. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: anyCharacter }),
  fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  }),
);

/** Texts put together from these pieces. */
export function textOf(maxLength: number, ...pieces: readonly string[]): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...pieces), { maxLength }).map((words) => words.join(""));
}

/** Texts of at least one of these characters. */
export function wordOf(maxLength: number, characters: string): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength });
}

/** Texts with a few characters too many, too few or in the place of others. */
export function changed(
  texts: fc.Arbitrary<string>,
  ...pieces: readonly string[]
): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.nat({ max: 60 }),
    remove: fc.nat({ max: 2 }),
    insert: textOf(1, ...pieces),
  });
  return fc.tuple(texts, fc.array(change, { maxLength: 2 })).map(([text, changes]) =>
    changes.reduce((text, { at, remove, insert }) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + insert + text.slice(place + remove);
    }, text)
  );
}

/** Places to cut octets at; see `cut`. */
export const anyPlaces: fc.Arbitrary<readonly number[]> = fc.array(fc.nat({ max: 1_000 }), {
  maxLength: 8,
});

/** All ways to read octets that a property tries: whole, cut at `places`, and one by one. */
export function waysToRead(
  octets: Uint8Array,
  places: readonly number[],
): readonly (readonly Uint8Array[])[] {
  const each = Array.from(octets, (octet) => Uint8Array.of(octet));
  return [[octets], cut(octets, places), each];
}

/** Octets in pieces, some of which may be empty. A place beyond the end is counted on from the start. */
export function cut(octets: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const ends = places.map((place) => place % (octets.length + 1));
  ends.sort((one, other) => one - other);
  return [...ends, octets.length].map((end, index) => octets.slice(ends[index - 1] ?? 0, end));
}
