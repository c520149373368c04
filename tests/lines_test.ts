/** Lines are written together, in order, and none is left behind. */
import { Lines } from "../lib/lines.ts";
import { assertEquals } from "./assert.ts";
import { testInTime } from "./clock.ts";

testInTime("the lines of one turn are one write, those of the next another", async (clock) => {
  const writes: string[] = [];
  const lines = new Lines((text) => writes.push(text));
  lines.say("one");
  lines.say("two");
  assertEquals(writes, []);
  await clock.tickAsync(1);
  assertEquals(writes, ["one\ntwo\n"]);
  lines.say("three");
  await clock.tickAsync(1);
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
    await clock.tickAsync(1);
    assertEquals(writes, ["one\n"]);
  },
);

testInTime("a line that is said while others are written is written after them", async (clock) => {
  const writes: string[] = [];
  const lines: Lines = new Lines((text) => {
    if (writes.push(text) === 1) lines.say("again");
  });
  lines.say("one");
  await clock.tickAsync(1);
  await clock.tickAsync(1);
  assertEquals(writes, ["one\n", "again\n"]);
});
