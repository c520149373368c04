/** What templates are given is text: whole characters, whatever a message is made of. */
import { read } from "../lib/message.ts";
import { octetsOf } from "../lib/octets.ts";
import { sampleMail } from "../lib/sample.ts";
import { assert, assertEquals } from "./assert.ts";

const surroundings = { version: "1", hostname: () => "h", env: () => undefined, vars: {} };

/** Reads a message given as its octets, one character each. */
function readText(message: string) {
  const data = octetsOf(message.replaceAll("\n", "\r\n"));
  return read({ ...sampleMail("1", new Date(0)), data }, surroundings);
}

/** Half a surrogate pair in UTF-16, as the end of whatever a charset is named for. */
const HALF = "=?utf-16le?B?ANg=?=";

const rows: readonly [name: string, message: string][] = [
  ["subject", `Subject: ${HALF}\n\nx\n`],
  ["subject in UTF-7", "Subject: =?utf-7?Q?+2AA-?=\n\nx\n"],
  ["address", `From: ${HALF} <a@example.org>\n\nx\n`],
  ["file name", `Content-Type: application/pdf; name="${HALF}"\n\nx\n`],
  ["warning", `Content-Type: text/plain; charset="${"a".repeat(39)}\xf0\x9f\x98\x80"\n\n\xe9\n`],
];

for (const [name, message] of rows) {
  Deno.test(`read() leaves no half of a character in a ${name}`, async () => {
    const json = JSON.stringify(await readText(message));
    // JSON.stringify escapes lone surrogates, and nothing else from there.
    assert(!/\\ud[89a-f]/.test(json), json);
  });
}

Deno.test("read() comes to an end on a header of words that never end", async () => {
  const subject = "=?a?Q?xx".repeat(62_000);
  const context = await readText(`Subject: ${subject}\n\nx\n`);
  assertEquals(context.body, "x\n");
});

Deno.test("read() comes to an end on a quoted-printable line of blanks", async () => {
  const blanks = " ".repeat(200_000);
  const context = await readText(
    `Content-Transfer-Encoding: quoted-printable\n\n${blanks}x\n`,
  );
  assertEquals(context.body, `${blanks}x\n`);
});

const BOM = "\xef\xbb\xbf";

const LINES: readonly [lines: string, charset: string, read: string][] = [
  ["a\nb\r\r\nc\rd\r\r", "", "a\nb\n\nc\nd\n\n"],
  [`${BOM}\xc3\xa4\n`, "utf-8", "ä\n"],
  ["\xc3\xa4\xff\n", "UTF8", "ä\ufffd\n"],
  ["\xe4\n", "", "ä\n"],
  ["\xe4\x85\n", "iso-8859-1", "ä…\n"],
  ["\xa4\n", "iso-8859-15", "€\n"],
  ["\xc1\n", "koi8-r", "а\n"],
  ["\xc4\xe3\n", "gb2312", "你\n"],
];

for (const [lines, charset, expected] of LINES) {
  Deno.test(`read() reads ${JSON.stringify(lines)} in "${charset}" alike in short texts and in long ones`, async () => {
    const type = charset === "" ? "" : `Content-Type: text/plain; charset=${charset}\n`;
    for (const rest of ["", "x".repeat(128 * 1024)]) {
      const { body } = await readText(`${type}Subject: x\n\n${lines}${rest}`);
      assertEquals([body.slice(0, expected.length), body.length], [
        expected,
        expected.length + rest.length,
      ]);
    }
  });
}
