/** An alarm rings for many by one timer, at the right moment for each. */
import { Alarm, type Call } from "../lib/alarm.ts";
import { assert, assertEquals } from "./assert.ts";
import { testInTime } from "./clock.ts";

/** What is asked of an alarm at a moment: a call after so long, or one taken back. */
type Step = readonly [atMs: number, name: string, afterMs: number | "cancel"];

const STORIES: [what: string, steps: readonly Step[], rings: string, timers: number][] = [
  ["one call", [[0, "a", 100]], "a100", 1],
  ["calls in any order", [[0, "a", 300], [0, "b", 100], [0, "c", 200]], "b100 c200 a300", 4],
  ["calls for the same moment", [[0, "a", 100], [50, "b", 50]], "a100 b100", 1],
  ["a call for now", [[0, "a", 0]], "a0", 1],
  ["a call in a fraction of a millisecond", [[0, "a", 0.5]], "a1", 1],
  ["none that was taken back", [[0, "a", 100], [50, "a", "cancel"]], "", 1],
  [
    "the others of one that was taken back",
    [
      ...[[0, "a", 100], [0, "b", 200], [50, "a", "cancel"]] as const,
    ],
    "b200",
    2,
  ],
  ["one that was made and is taken back", [[0, "a", 100], [150, "a", "cancel"]], "a100", 1],
  ["the same again, after it rang", [[0, "a", 100], [150, "a", 100]], "a100 a250", 2],
];

for (const [what, steps, rings, timers] of STORIES) {
  testInTime(`an alarm rings for ${what}`, async (clock) => {
    let set = 0;
    const { setTimeout } = globalThis;
    globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
      set++;
      return setTimeout(...args);
    }) as typeof setTimeout;
    const alarm = new Alarm(() => clock.now);
    const calls = new Map<string, Call>();
    const rung: string[] = [];
    try {
      for (const [atMs, name, after] of steps) {
        await clock.tickAsync(atMs - clock.now);
        if (after === "cancel") alarm.cancel(calls.get(name)!);
        else calls.set(name, alarm.after(after, () => rung.push(`${name}${clock.now}`)));
      }
      await clock.tickAsync(1_000);
    } finally {
      globalThis.setTimeout = setTimeout;
    }
    assertEquals(rung.join(" "), rings);
    assertEquals(set, timers, "timers");
  });
}

testInTime("a thousand calls that are taken back in time take one timer", async (clock) => {
  const alarm = new Alarm(() => clock.now);
  const first = alarm.after(60_000, () => assert(false, "rung"));
  for (let n = 0; n < 1_000; n++) {
    const call = alarm.after(60_000, () => assert(false, "rung"));
    assertEquals(clock.countTimers(), 1);
    await clock.tickAsync(1);
    alarm.cancel(call);
  }
  alarm.cancel(first);
  assertEquals(clock.countTimers(), 0);
});

testInTime("what a call does may ask for more", async (clock) => {
  const alarm = new Alarm(() => clock.now);
  const rung: number[] = [];
  const again = () => {
    if (rung.push(clock.now) < 3) alarm.after(100, again);
  };
  alarm.after(100, again);
  await clock.tickAsync(1_000);
  assertEquals(rung, [100, 200, 300]);
});
