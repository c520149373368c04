/**
 * The addresses in the header of a message (RFC 5322 section 3.6.2 and 3.6.3), as mailparser reads them:
 * which fields it is given to read, and what is made of what it read.
 */
import type { Warn } from "./content.ts";
import type { Address } from "./context.ts";
import type { Field } from "./header.ts";
import { isNeeded, type Needs } from "./needs.ts";
import type { AddressObject, EmailAddress, HeaderLine, Headers } from "./npm/mailparser.d.ts";
import { characters } from "./octets.ts";

export type { HeaderLine, Headers } from "./npm/mailparser.d.ts";

/** What the context calls a field of addresses. */
export type Name = "from" | "to" | "cc" | "bcc" | "replyTo";

const NAMES: Readonly<Record<Name, string>> = {
  ...{ from: "from", to: "to", cc: "cc", bcc: "bcc" },
  replyTo: "reply-to",
};

/** The addresses of a message. */
export type AddressFields = Readonly<Record<Name, readonly Address[]>>;

/** Nobody's. */
const noAddresses: AddressFields = { from: [], to: [], cc: [], bcc: [], replyTo: [] };

const SINGLE_FIELDS: readonly string[] = [NAMES.from, NAMES.replyTo];

/** Characters of all address fields together: reading them can take the square of their length. */
const MAX_ADDRESS_LENGTH = 64 * 1024;

/** Reads those fields of addresses that are needed. */
export function addressFields(
  fields: readonly Field[],
  needs: Needs,
  processHeaders: (lines: readonly HeaderLine[]) => Headers,
  warn: Warn,
): AddressFields {
  const needed = (Object.keys(NAMES) as Name[]).filter((name) => isNeeded(needs, name));
  if (needed.length === 0) return noAddresses;
  const headers = processHeaders(linesOf(fields, needed.map((name) => NAMES[name]), warn));
  const read = needed.map((name) => [name, addressesOf(headers, NAMES[name])]);
  return { ...noAddresses, ...Object.fromEntries(read) };
}

/** The fields of these names that mailparser has to read. */
function linesOf(fields: readonly Field[], names: readonly string[], warn: Warn): HeaderLine[] {
  let room = MAX_ADDRESS_LENGTH;
  const seen = new Set<string>();
  return fields.flatMap(({ name, value }) => {
    const key = name.toLowerCase();
    // Of a repeated From the first counts, as it does for `header.from`; mailparser takes the last.
    if (!names.includes(key) || (SINGLE_FIELDS.includes(key) && seen.has(key))) return [];
    seen.add(key);
    const line = `${name}: ${characters(new TextEncoder().encode(value))}`;
    if (line.length > room) {
      warn(`The field "${key}" is too long to be read`);
      return [];
    }
    room -= line.length;
    return [{ key, line }];
  });
}

/** The addresses of all fields of that name, groups dissolved. */
function addressesOf(headers: Headers, name: string): Address[] {
  const field = headers.get(name) as AddressObject | AddressObject[] | undefined;
  return [field ?? []].flat().flatMap(({ value }) => value.flatMap(members));
}

/** An address itself, or the members of a group (RFC 5322 section 3.4). */
function members({ name, address, group }: EmailAddress): Address[] {
  return group === undefined
    ? [{ name: name.toWellFormed(), address: (address ?? "").toWellFormed() }]
    : group.flatMap(members);
}
