/** Messages in a file of several. */
import { messagesIn } from "../lib/mbox.ts";
import { characters, octetsOf } from "../lib/octets.ts";
import { assertEquals } from "./assert.ts";

const FROM = "From root@lamp Sat Jan  1 10:10:20 2022\n";
const ZONED = "From MAILER-DAEMON Sat Jan 01 10:10:20 2022 +0100\n";

const files: [text: string, ...messages: string[]][] = [
  ["", ""],
  ["Subject: a\n\nb\n", "Subject: a\n\nb\n"],
  [`${FROM}Subject: a\n\nb\n`, "Subject: a\n\nb\n"],
  [
    `${FROM}Subject: a\n\nb\n\n${ZONED}Subject: c\n\nd\n\n`,
    "Subject: a\n\nb\n",
    "Subject: c\n\nd\n",
  ],
  [`${FROM}A: a\n\nb\n\n${FROM}\n${FROM}C: c\n`, "A: a\n\nb\n", "", "C: c\n"],
  // What looks like the line before a message but has no date, or no empty line before it.
  [`${FROM}A: a\n\nb\n\nFrom now on\nb\n${FROM}c\n`, `A: a\n\nb\n\nFrom now on\nb\n${FROM}c\n`],
  [
    `${FROM}A: a\n\n>From b\n>>From c\n> From d\n>Fromage\n`,
    "A: a\n\nFrom b\n>From c\n> From d\n>Fromage\n",
  ],
  [`A: a\n\nb\n\n${FROM}C: c\n`, `A: a\n\nb\n\n${FROM}C: c\n`],
  ["From here\n\nb", "From here\n\nb"],
  [`${FROM}A: a\n\n\xff\x00\xe9\n`, "A: a\n\n\xff\x00\xe9\n"],
];
for (const [text, ...messages] of files) {
  for (const end of ["\n", "\r\n"]) {
    const lines = (text: string) => text.replaceAll("\n", end);
    Deno.test(`messagesIn() finds ${messages.length} in ${JSON.stringify(lines(text))}`, () => {
      assertEquals(messagesIn(octetsOf(lines(text))).map(characters), messages.map(lines));
    });
  }
}
