/**
 * What forms have in common that tell an application all of a mail: Mailgun's and SendGrid's. Frameworks
 * that read them have limits of their own for how many fields there may be.
 */
import { assert, assertEquals } from "../assert.ts";
import type { Sent, SentFile } from "./rules.ts";

/** Fields of a form that are no files: Django's DATA_UPLOAD_MAX_NUMBER_FIELDS, from memory. */
const MAX_FIELDS = 1000;

/**
 * Most octets for one of a mail: a control character of the header has six in JSON, and ids of
 * attachments are in it twice, with quotes.
 */
const MAX_GROWTH = 8;

/** The text of a field. */
export function text({ form }: Sent, name: string): string {
  const [value] = form!.get(name) ?? [];
  assert(typeof value === "string", name);
  return value;
}

/** As a form says it: with CRLF between lines (RFC 7578 section 4.4). */
export const lines = (text: string) => text.toWellFormed().replace(/\r\n?|\n/g, "\r\n");

/** Asserts that there are no more fields and octets than such a mail makes, of which nothing is cut. */
export function assertLimits({ octets, context, form }: Sent): void {
  const fields = [...form!.values()].flat().filter((value) => typeof value === "string");
  assert(fields.length <= MAX_FIELDS);
  const { size, attachments, recipients } = context;
  const most = MAX_GROWTH * size + 600 * attachments.length + 8 * recipients.join().length;
  assert(octets.length <= most + 1500, `${octets.length} octets`);
}

/** Asserts that the file of a field has those octets, and a name. */
export function assertFile({ form }: Sent, name: string, octets: Uint8Array): void {
  const [file] = form!.get(name) as SentFile[];
  assertEquals(file.octets, octets);
  // Django drops files that have no name (its ticket 15879, as django-anymail says).
  assert(/^[^/\\\p{Cc}]+$/u.test(file.filename), file.filename);
}
