/** Base64 (RFC 2045 section 6.8): octets in, octets out, one case a line. */
import { decodeBase64, encodeBase64 } from "../lib/base64.ts";
import { characters, octetsOf } from "../lib/octets.ts";
import { assertEquals } from "./assert.ts";

const rows: readonly [encoded: string, decoded: string][] = [
  ["", ""],
  ["QQ==", "A"],
  ["QUI=", "AB"],
  ["QUJD", "ABC"],
  ["AP//gA==", "\x00\xff\xff\x80"],
  ["+/+/", "\xfb\xff\xbf"],
  // Line ends and what does not belong there are skipped (section 6.8).
  ["QU\r\nJD\r\n", "ABC"],
  [" Q*U-J_D!\xe9", "ABC"],
  // A text that is cut off, without padding, or padded line by line.
  ["Q", ""],
  ["QQ", "A"],
  ["QUI", "AB"],
  ["QUJDR", "ABC"],
  ["QQ==\r\nQUI=\r\nQUJD", "AABABC"],
  ["Q=QUJD", "ABC"],
  ["====", ""],
];

for (const [encoded, decoded] of rows) {
  Deno.test(`decodeBase64() makes ${JSON.stringify(decoded)} of ${JSON.stringify(encoded)}`, () => {
    assertEquals(characters(decodeBase64(octetsOf(encoded))), decoded);
  });
}

for (const text of ["", "A", "AB", "ABC", "ABCD", "\x00\xff\xff\x80\xfb\xff\xbf"]) {
  Deno.test(`encodeBase64() makes of ${JSON.stringify(text)} what btoa() does`, () => {
    assertEquals(encodeBase64(octetsOf(text)), btoa(text));
  });
}
