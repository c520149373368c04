/** Whether a destination is up or down, and when it is tried next. */
import fc from "npm:fast-check@4.10.2";
import { failed, type Failure, type Health, outageMs, probeMs, up } from "../lib/health.ts";
import { assert, assertEquals } from "./assert.ts";

/** A random number that leaves every delay as its table has it. */
const middle = () => 0.5;

/** An attempt that fails: whose, from when to when, and what the endpoint asks for. */
type Row = readonly [id: string, beganMs: number, endedMs: number, retryAfterMs?: number];

/** Attempts that fail, and when the next one may begin. */
const rows: readonly (readonly [sentence: string, failures: readonly Row[], probeMs: number])[] = [
  ["a destination that has not failed is not waited for", [], -Infinity],

  ["one message that fails holds up nobody", [["a", 100, 200]], -Infinity],
  [
    "one message holds up nobody, however often it fails",
    [["a", 0, 1], ["a", 5_000, 6_000], ["a", 40_000, 40_001], ["a", 999_999, 1_000_000]],
    -Infinity,
  ],

  ["two messages are waited for", [["a", 100, 200], ["b", 300, 400]], 5_400],
  ["two that were under way at once are, too", [["a", 100, 200], ["b", 100, 201]], 5_201],
  ["as are two of which the later began first", [["a", 100, 200], ["b", 50, 30_050]], 35_050],
  ["one message that failed often counts once", [
    ["a", 0, 1],
    ["a", 5_000, 6_000],
    ["a", 40_000, 40_001],
    ["b", 50_000, 50_100],
  ], 55_100],

  [
    "the second probe waits longer",
    [["a", 0, 0], ["b", 0, 0], ["c", 5_000, 6_000]],
    36_000,
  ],
  [
    "a probe may be of a message that has failed before",
    [["a", 0, 0], ["b", 0, 0], ["a", 5_000, 6_000]],
    36_000,
  ],
  ["probes wait 2 minutes after three steps", [
    ...[["a", 0, 0], ["b", 0, 0], ["c", 5_000, 6_000]] as const,
    ["d", 36_000, 37_000],
  ], 157_000],
  ["and then 5 minutes", [
    ...[["a", 0, 0], ["b", 0, 0], ["c", 5_000, 6_000]] as const,
    ...[["d", 36_000, 37_000], ["e", 157_000, 158_000]] as const,
  ], 458_000],
  ["and no longer than that", [
    ...[["a", 0, 0], ["b", 0, 0], ["c", 5_000, 6_000]] as const,
    ...[["d", 36_000, 37_000], ["e", 157_000, 158_000], ["f", 458_000, 459_000]] as const,
  ], 759_000],

  ["what was under way when the outage began is one step", [
    ...[["a", 0, 100], ["b", 10, 110], ["c", 20, 120], ["d", 30, 130]] as const,
  ], 5_110],
  ["even where it fails after the gate has opened", [
    ...[["a", 0, 100], ["b", 10, 110], ["c", 20, 30_020]] as const,
  ], 5_110],
  ["what was under way at a later step is not another one", [
    ["a", 0, 100],
    ["b", 10, 110],
    ["c", 5_110, 6_000],
    ["d", 5_110, 6_001],
    ["e", 6_000, 6_002],
  ], 36_000],
  ["an attempt that began just after a step is a probe", [
    ["a", 0, 100],
    ["b", 10, 110],
    ["c", 111, 112],
  ], 30_112],
  ["an attempt that began just then is none", [
    ["a", 0, 100],
    ["b", 10, 110],
    ["c", 110, 112],
  ], 5_110],

  ["Retry-After is heeded of one message", [["a", 0, 100, 60_000]], 60_100],
  [
    "the shorter of two is not",
    [["a", 0, 100, 60_000], ["b", 0, 200, 1_000]],
    60_100,
  ],
  ["the longer of two is", [["a", 0, 100, 1_000], ["b", 0, 200, 60_000]], 60_200],
  [
    "a message that says nothing takes nothing from what another one said",
    [["a", 0, 100, 60_000], ["b", 0, 200]],
    60_100,
  ],
  [
    "nor does it where it is the same message",
    [["a", 0, 100, 60_000], ["a", 5_100, 5_200]],
    60_100,
  ],
  [
    "what was said and is over is over",
    [["a", 0, 100, 1_000], ["b", 1_100, 2_000]],
    7_000,
  ],
  [
    "what was said to one message and is over leaves it free",
    [["a", 0, 100, 1_000], ["a", 5_000, 6_000]],
    1_100,
  ],
  [
    "Retry-After takes the place of a step, though it is shorter",
    [["a", 0, 0], ["b", 0, 0], ["c", 5_000, 6_000, 2_000]],
    8_000,
  ],
  [
    "which counts nevertheless",
    [["a", 0, 0], ["b", 0, 0], ["c", 5_000, 6_000, 2_000], ["d", 8_000, 9_000]],
    129_000,
  ],
  [
    "Retry-After of an attempt that is no probe is heeded",
    [["a", 0, 100], ["b", 10, 110], ["c", 20, 120, 60_000]],
    60_120,
  ],
  [
    "and is no step",
    [["a", 0, 100], ["b", 10, 110], ["c", 20, 120, 60_000], ["d", 60_120, 60_200]],
    90_200,
  ],
  [
    "but not where it says less than the gate",
    [["a", 0, 100], ["b", 10, 110], ["c", 20, 120, 1_000]],
    5_110,
  ],
  [
    "a probe that comes early takes nothing from a longer gate",
    [["a", 0, 100, 86_400_000], ["b", 10, 110], ["c", 5_000, 6_000]],
    86_400_100,
  ],
];

/** What is known after these attempts. */
function after(failures: readonly Row[], random: () => number, health: Health = up): Health {
  return failures.reduce<Health>(
    (health, [id, beganMs, endedMs, retryAfterMs = null]) =>
      failed(health, { id, beganMs, retryAfterMs }, endedMs, random),
    health,
  );
}

for (const [sentence, failures, expected] of rows) {
  Deno.test(sentence, () => {
    const health = after(failures, middle);
    assertEquals(health.state, failures.length === 0 ? "up" : "down");
    assertEquals(probeMs(health), expected);
  });
}

/** The shortest and the longest gate after so many steps. */
const gates: readonly (readonly [steps: number, leastMs: number, mostMs: number])[] = [
  [1, 4_500, 5_500],
  [2, 27_000, 33_000],
  [3, 108_000, 132_000],
  [4, 270_000, 330_000],
  [5, 270_000, 330_000],
  [50, 270_000, 330_000],
];
for (const [steps, leastMs, mostMs] of gates) {
  Deno.test(`after ${steps} steps a probe waits ${leastMs} to ${mostMs} ms`, () => {
    for (const [random, ms] of [[() => 0, leastMs], [() => 1, mostMs]] as const) {
      let health = after([["a", 0, 0]], random);
      let nowMs = 0;
      for (let step = 1; step <= steps; step++) {
        health = failed(health, { id: "b", beganMs: nowMs, retryAfterMs: null }, nowMs, random);
        assert(probeMs(health) > nowMs);
        if (step < steps) nowMs = probeMs(health);
      }
      assertEquals(probeMs(health), nowMs + ms);
    }
  });
}

Deno.test("an outage lasts since the attempt began that was the first to fail", () => {
  assertEquals(outageMs(up, 1_000), 0);
  const one = after([["a", 400, 700]], middle);
  assertEquals(outageMs(one, 700), 300);
  assertEquals(outageMs(one, 1_000), 600);
  const several = after([["b", 300, 800], ["c", 5_900, 6_000], ["a", 7_000, 8_000]], middle, one);
  assertEquals(outageMs(several, 10_000), 9_600);
});

Deno.test("a new outage knows nothing of an earlier one", () => {
  after([["a", 0, 0], ["b", 0, 0], ["c", 5_000, 6_000]], middle);
  assertEquals(up, { state: "up" });
  const again = after([["d", 50_000, 50_100], ["a", 50_000, 50_200]], middle);
  assertEquals(probeMs(again), 55_200);
  assertEquals(outageMs(again, 50_200), 200);
});

const retryAfter = fc.option(fc.integer({ min: 1_000, max: 400_000 }), { freq: 4 });

/** Attempts of a few messages that fail one after the other, some of them under way together. */
const failures = fc.array(
  fc.record({
    id: fc.constantFrom("a", "b", "c", "d"),
    sinceLastMs: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 400_000 })),
    tookMs: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 30_000 })),
    retryAfterMs: retryAfter,
  }),
  { maxLength: 30 },
).map((gaps) => {
  let nowMs = 100_000;
  return gaps.map(({ id, sinceLastMs, tookMs, retryAfterMs }) => {
    nowMs += sinceLastMs;
    return { id, retryAfterMs, beganMs: nowMs - tookMs, endedMs: nowMs };
  });
});
type Ended = Failure & { readonly endedMs: number };

/** The rules once more, by looking back at everything that ever was. */
function gateOf(history: readonly Ended[]): number {
  const gateMs = [5_000, 30_000, 120_000, 300_000];
  const steps: Ended[] = [];
  const ends = history.map((failure, index) => {
    const { beganMs, endedMs, retryAfterMs } = failure;
    const messages = new Set(history.slice(0, index + 1).map(({ id }) => id)).size;
    const isStep = messages > 1 && steps.every((step) => beganMs > step.endedMs);
    if (isStep) steps.push(failure);
    if (retryAfterMs !== null) return endedMs + retryAfterMs;
    return isStep ? endedMs + gateMs[Math.min(steps.length, 4) - 1] : -Infinity;
  });
  return Math.max(...ends);
}

Deno.test("what is kept is enough: the gate is what all failures together make it", () => {
  const seen = new Set<number>();
  fc.assert(
    fc.property(failures, (failures) => {
      let health = up;
      for (const [index, failure] of failures.entries()) {
        health = failed(health, failure, failure.endedMs, middle);
        const history = failures.slice(0, index + 1);
        assertEquals(probeMs(health), gateOf(history));
        assertEquals(outageMs(health, failure.endedMs), failure.endedMs - failures[0].beganMs);
        seen.add(probeMs(health) - failure.endedMs);
      }
    }),
    { numRuns: 500 },
  );
  for (const ms of [-Infinity, 5_000, 30_000, 120_000, 300_000]) assert(seen.has(ms), `no ${ms}`);
});

Deno.test("a gate never moves back, and what an endpoint asks for is granted", () => {
  const random = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(fc.property(failures, random, (failures, number) => {
    let health = up;
    for (const failure of failures) {
      const next = failed(health, failure, failure.endedMs, () => number);
      assert(probeMs(next) >= probeMs(health));
      assert(probeMs(next) >= failure.endedMs + (failure.retryAfterMs ?? -Infinity));
      health = next;
    }
  }));
});

Deno.test("what is kept does not grow, however many messages fail", () => {
  let health = after([["a", 0, 0]], middle);
  const keys = (value: object): string[] =>
    Object.entries(value).flatMap(([key, part]) =>
      part instanceof Object ? keys(part) : [`${key}: ${typeof part}`]
    );
  const few = keys(after([["b", 1, 2]], middle, health));
  for (let id = 0; id < 1_000; id++) {
    health = after([[String(id), 1_000 * id, 1_000 * id + 1]], middle, health);
  }
  assertEquals(keys(health), few);
});
