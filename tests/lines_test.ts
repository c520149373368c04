/** Lines are written together, in order, and none is left behind. */
import { Lines, SOON_MS } from "../lib/lines.ts";
import { assertEquals } from "./assert.ts";
import { testInTime } from "./clock.ts";

testInTime("lines that come soon after one another are one write, in time", async (clock) => {
  const writes: string[] = [];
  const lines = new Lines((text) => writes.push(text));
  lines.say("one");
  await clock.tickAsync(SOON_MS - 1);
  lines.say("two");
  assertEquals(writes, []);
  await clock.tickAsync(1);
  assertEquals(writes, ["one\ntwo\n"]);
  lines.say("three");
  await clock.tickAsync(SOON_MS);
  assertEquals(writes, ["one\ntwo\n", "three\n"]);
});

testInTime(
  "what was said is written at once where that is asked for, and not again",
  async (clock) => {
    const writes: string[] = [];
    const lines = new Lines((text) => writes.push(text));
    lines.flush();
    lines.say("one");
    lines.flush();
    assertEquals([writes, clock.countTimers()], [["one\n"], 0]);
    await clock.tickAsync(SOON_MS);
    assertEquals(writes, ["one\n"]);
  },
);

testInTime("a line that is said while others are written is written after them", async (clock) => {
  const writes: string[] = [];
  const lines: Lines = new Lines((text) => {
    if (writes.push(text) === 1) lines.say("again");
  });
  lines.say("one");
  await clock.tickAsync(SOON_MS);
  await clock.tickAsync(SOON_MS);
  assertEquals(writes, ["one\n", "again\n"]);
});
