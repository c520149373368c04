/** Quoted-printable (RFC 2045 section 6.7): octets in, octets out, one case a line. */
import { characters, octetsOf } from "../lib/octets.ts";
import { decodeQuotedPrintable } from "../lib/quoted_printable.ts";
import { assertEquals } from "./assert.ts";

const rows: readonly [encoded: string, decoded: string][] = [
  ["", ""],
  ["plain", "plain"],
  ["=C3=A9", "\xc3\xa9"],
  ["=c3=a9", "\xc3\xa9"],
  ["a=3Db", "a=b"],
  // Soft line breaks join, blanks at line ends go, those within stay.
  ["a=\r\nb", "ab"],
  ["a=\nb", "ab"],
  ["a= \t\r\nb", "ab"],
  ["a=", "a"],
  ["a \t\r\nb", "a\r\nb"],
  ["a \t", "a"],
  ["a \tb", "a \tb"],
  ["a=20\r\nb", "a \r\nb"],
  ["a=20=\r\nb", "a b"],
  // What is not quoted as it should be stays.
  ["=", ""],
  ["=G1", "=G1"],
  ["=4", "=4"],
  ["a==41", "a=A"],
  ["\xe9\x00\xff", "\xe9\x00\xff"],
];

for (const [encoded, decoded] of rows) {
  Deno.test(`decodeQuotedPrintable() makes ${JSON.stringify(decoded)} of ${JSON.stringify(encoded)}`, () => {
    assertEquals(characters(decodeQuotedPrintable(octetsOf(encoded))), decoded);
  });
}

Deno.test("decodeQuotedPrintable() comes to an end on a million blanks", () => {
  const blanks = octetsOf(" ".repeat(1_000_000) + "x");
  assertEquals(decodeQuotedPrintable(blanks), blanks);
});
