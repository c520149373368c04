/**
 * The addresses in the header of a message (RFC 5322 section 3.6.2 and 3.6.3), as mailparser reads them:
 * which fields it is given to read, and what is made of what it read.
 */
import type { Address } from "./context.ts";
import type { AddressObject, EmailAddress, Headers, PartHeader } from "./npm/mailparser.d.ts";
import type { Warn } from "./splitter.ts";

export type { HeaderLine, Headers, PartHeader } from "./npm/mailparser.d.ts";

const SINGLE_FIELDS = ["from", "reply-to"];
const ADDRESS_FIELDS = ["from", "to", "cc", "bcc", "reply-to"];

/** Characters of all address fields together: reading them can take the square of their length. */
const MAX_ADDRESS_LENGTH = 64 * 1024;

/** The fields that mailparser has to read: the addresses of the message. */
export function addressLines(
  { headers, root }: PartHeader,
  warn: Warn,
): PartHeader["headers"]["lines"] {
  if (!root) return [];
  let room = MAX_ADDRESS_LENGTH;
  const seen = new Set<string>();
  return headers.getList().filter(({ key, line }) => {
    // Of a repeated From the first counts, as it does for `header.from`; mailparser takes the last.
    if (!ADDRESS_FIELDS.includes(key) || (SINGLE_FIELDS.includes(key) && seen.has(key))) {
      return false;
    }
    seen.add(key);
    if (line.length > room) {
      warn(`The field "${key}" is too long to be read`);
      return false;
    }
    room -= line.length;
    return true;
  });
}

/** The addresses of all fields of that name, groups dissolved. */
export function addressesOf(headers: Headers, name: string): Address[] {
  const field = headers.get(name) as AddressObject | AddressObject[] | undefined;
  return [field ?? []].flat().flatMap(({ value }) => value.flatMap(members));
}

/** An address itself, or the members of a group (RFC 5322 section 3.4). */
function members({ name, address, group }: EmailAddress): Address[] {
  return group === undefined
    ? [{ name: name.toWellFormed(), address: (address ?? "").toWellFormed() }]
    : group.flatMap(members);
}
