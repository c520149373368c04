/** The turns of the event loop, by a clock that stands still. */
import { Turns } from "../lib/turns.ts";
import { assertEquals } from "./assert.ts";
import { testInTime, watch } from "./clock.ts";

testInTime("there is time for work until 5 ms have gone by", async (clock) => {
  let busyMs = 0;
  const turns = new Turns(() => clock.now + busyMs);
  await turns.next();
  busyMs = 4.9;
  await turns.next();
  busyMs = 5;
  const next = watch(turns.next());
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  assertEquals(next.isOver, false);
  await clock.tickAsync(1);
  assertEquals(next.isOver, true);
  await turns.next();
});

testInTime("of those who wait two get their turn after each pause, in order", async (clock) => {
  let busyMs = 0;
  const turns = new Turns(() => clock.now + busyMs);
  busyMs = 5;
  const done: string[] = [];
  const work = ["a", "b", "c"].map(async (name) => {
    await turns.next();
    done.push(name);
  });
  assertEquals(clock.countTimers(), 1);
  clock.next();
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  assertEquals(done, ["a", "b"]);
  // Nobody passes those who wait.
  const last = turns.next().then(() => done.push("d"));
  assertEquals(clock.countTimers(), 1);
  clock.next();
  await Promise.all([...work, last]);
  assertEquals(done, ["a", "b", "c", "d"]);
});
