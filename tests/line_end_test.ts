/** Line ends, in short texts and in long ones, which are read in another way. */
import { withLineFeeds } from "../lib/line_end.ts";
import { assertEquals } from "./assert.ts";

const TEXTS: [text: string, read: string][] = [
  ["", ""],
  ["a", "a"],
  ["a\nb\n", "a\nb\n"],
  ["a\r\nb\r\n", "a\nb\n"],
  ["a\rb\r", "a\nb\n"],
  ["a\n\rb", "a\n\nb"],
  // What remains of a CRLF that was taken for an LF.
  ["a\r\r\nb", "a\nb"],
  ["a\r\r\r\nb", "a\n\nb"],
  ["a\r\n\r\nb", "a\n\nb"],
  ["a\r\r", "a\n\n"],
  ["\ufeffä\r\n☃\r\n𝄞\r\n", "\ufeffä\n☃\n𝄞\n"],
  ["a\ud800\r\nb", "a\ufffd\nb"],
  ["a\udc00b", "a\ufffdb"],
];

/** More than is read at once. */
const REST = "x".repeat(128 * 1024);

for (const [text, read] of TEXTS) {
  Deno.test(`withLineFeeds() makes ${JSON.stringify(read)} of ${JSON.stringify(text)}, before a long text too`, () => {
    assertEquals(withLineFeeds(text), read);
    const long = withLineFeeds(`${text}|${REST}`);
    assertEquals([long.slice(0, read.length + 1), long.length], [
      `${read}|`,
      `${read}|${REST}`.length,
    ]);
  });
}
