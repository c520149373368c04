/**
 * SMTP smuggling, tried out: every sequence that is known and more, at every cut into two reads, in a
 * session whose lines end with CRLF. `session_properties.ts` has the same among random text.
 */
import { characters } from "../lib/octets.ts";
import { assert, assertEquals } from "./assert.ts";
import { assertOneMessage, byChunks, byData, LOOSE, pump } from "./session_properties.ts";
import { attack, END, SEQUENCES, stuff, unstuff } from "./smuggling.ts";

/** What each message begins with, and nothing that comes before it. */
const START = "hi";

/** All ways to read octets at once, in two pieces with a cut behind the commands, and octet by octet. */
function* twoReads(octets: Uint8Array): Generator<readonly Uint8Array[]> {
  yield [octets];
  for (let at = characters(octets).indexOf(START); at < octets.length; at++) {
    yield [octets.subarray(0, at), octets.subarray(at)];
  }
  yield Array.from(octets, (octet) => Uint8Array.of(octet));
}

for (const name of ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n", "\r\n\0.\r\n"]) {
  Deno.test(`${JSON.stringify(name)} is one of the sequences`, () => {
    assert(SEQUENCES.includes(name));
  });
}

for (const sequence of SEQUENCES) {
  const message = `${START}${attack(sequence)}\r\n`;

  Deno.test(`${JSON.stringify(sequence)} in a message ends none, however DATA and BDAT are cut`, () => {
    for (const pieces of twoReads(byData(stuff(message)))) {
      assertOneMessage(pieces, message, [354, 250]);
    }
    for (const pieces of twoReads(byChunks([message]))) assertOneMessage(pieces, message, [250]);
    for (let at = 0; at <= message.length; at++) {
      const chunks = [message.slice(0, at), message.slice(at)];
      assertOneMessage([byChunks(chunks)], message, [250, 250]);
    }
    // A client that knows other line ends leaves dots as they are.
    const bare = `${message}.\r\n`;
    if (message.includes(END) || bare === stuff(message)) return;
    for (const pieces of twoReads(byData(bare))) {
      assertOneMessage(pieces, unstuff(message), [354, 250]);
    }
  });
}

Deno.test("the true end that nobody stuffed ends data, and what stands behind it is a message", () => {
  const { messages } = pump([byData(`${START}${attack(END)}`)], LOOSE);
  assertEquals(messages.map(({ sender, data }) => [sender, data]), [["a", `${START}\r\n`], [
    "e",
    "fake\r\n",
  ]]);
});
