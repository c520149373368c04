/** A time of day that does not jump by itself. */
import { SteadyClock } from "../lib/steady_clock.ts";
import { assert, assertEquals } from "./assert.ts";

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Two clocks that a test moves. */
function clocks(upMs = 12_345) {
  const times = { wallMs: START, upMs };
  const clock = new SteadyClock(() => new Date(times.wallMs), () => times.upMs);
  const pass = (ms: number) => {
    times.wallMs += ms;
    times.upMs += ms;
  };
  return { times, clock, pass };
}

Deno.test("a steady clock starts with the time of day, whatever the uptime is", () => {
  for (const upMs of [0, 0.4, 12_345, 1e9 + 0.6]) {
    assertEquals(clocks(upMs).clock.nowMs, START);
  }
});

Deno.test("it goes with the uptime", () => {
  const { clock, pass } = clocks();
  for (let second = 1; second <= 100; second++) {
    pass(1_000);
    assertEquals(clock.nowMs, START + 1_000 * second);
    assertEquals(clock.follow(), 0);
  }
});

Deno.test("it says whole milliseconds, and never goes back between two jumps", () => {
  const { times, clock } = clocks(0.3);
  let lastMs = clock.nowMs;
  for (let step = 0; step < 1_000; step++) {
    times.upMs += 0.37;
    assert(Number.isInteger(clock.nowMs) && clock.nowMs >= lastMs);
    lastMs = clock.nowMs;
  }
  assertEquals(lastMs, START + 370);
});

/** Jumps of the time of day, and whether they are followed. */
const jumps: readonly (readonly [byMs: number, isFollowed: boolean])[] = [
  [0, false],
  [1, false],
  [-1, false],
  [999, false],
  [-999, false],
  [1_000, true],
  [-1_000, true],
  [1_001, true],
  [HOUR, true],
  [-HOUR, true],
  [DAY, true],
  [-DAY, true],
  [10 * YEAR, true],
  [-10 * YEAR, true],
  [-START, true],
];
for (const [byMs, isFollowed] of jumps) {
  const what = isFollowed ? "followed when it is told to" : "left alone";
  Deno.test(`a jump by ${byMs} ms is ${what}`, () => {
    const { times, clock, pass } = clocks();
    pass(5_000);
    times.wallMs += byMs;
    // Not before it is told to.
    assertEquals(clock.nowMs, START + 5_000);
    pass(10);
    assertEquals(clock.nowMs, START + 5_010);
    const jumpMs = isFollowed ? byMs : 0;
    assertEquals(clock.follow(), jumpMs);
    assertEquals(clock.nowMs, START + 5_010 + jumpMs);
    // What was followed is over.
    assertEquals(clock.follow(), 0);
    pass(1_000);
    assertEquals(clock.nowMs, START + 6_010 + jumpMs);
  });
}

Deno.test("small differences are followed once they are large together", () => {
  const { times, clock, pass } = clocks();
  const followed: number[] = [];
  for (let second = 0; second < 25; second++) {
    pass(1_000);
    times.wallMs += 100;
    followed.push(clock.follow());
  }
  assertEquals(followed.filter((ms) => ms !== 0), [1_000, 1_000]);
  assertEquals(clock.nowMs, START + 27_000);
});

Deno.test("there and back again is no jump where nobody looked in between", () => {
  const { times, clock, pass } = clocks();
  times.wallMs += 10 * YEAR;
  pass(500);
  times.wallMs -= 10 * YEAR;
  assertEquals(clock.follow(), 0);
  assertEquals(clock.nowMs, START + 500);
});

Deno.test("what was slept through by the uptime is a jump forward", () => {
  const { times, clock, pass } = clocks();
  pass(1_000);
  times.wallMs += 8 * HOUR;
  pass(1_000);
  assertEquals(clock.follow(), 8 * HOUR);
  assertEquals(clock.nowMs, START + 8 * HOUR + 2_000);
});
