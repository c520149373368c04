/**
 * What SMTP smuggling (CVE-2023-51764 to 51766) is made of: octets that one server takes for the end of a
 * message and the next one for its content, so that the second reads commands that the first never saw.
 */

/** What may be taken for a line end. */
const ENDS = ["\r", "\n", "\r\n", "\n\r", "\r\r\n", "\r\n\n", "\r\0\n"];

/** A dot between any two of them, with a NUL before it, behind it, or neither; the true end among them. */
export const SEQUENCES: readonly string[] = ENDS.flatMap((before) =>
  [".", "\0.", ".\0"].flatMap((dot) => ENDS.map((after) => before + dot + after))
);

/** The only end of data in a session whose lines end with CRLF (RFC 5321 section 4.1.1.4). */
export const END = "\r\n.\r\n";

/** What someone has to gain: a second message, if the sequence ends the first one. */
export function attack(sequence: string): string {
  return `${sequence}MAIL FROM:<e>\r\nRCPT TO:<v>\r\nDATA\r\nfake${sequence}RSET\r\n`;
}

/** Data as a client sends it that knows lines that end with CRLF (RFC 5321 section 4.5.2). */
export function stuff(message: string): string {
  return `${message.replace(/(?<=^|\r\n)\./g, "..")}.\r\n`;
}

/** What data means that was not made so; it has no end within. */
export function unstuff(data: string): string {
  return data.replace(/(?<=^|\r\n)\./g, "");
}
