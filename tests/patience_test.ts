/** How long a client is waited for, and what it is told then. */
import {
  dueAfter,
  firstDue,
  type PatienceLimits,
  patienceWith,
  type Progress,
} from "../lib/patience.ts";
import * as replies from "../lib/reply.ts";
import type { Reply } from "../lib/reply.ts";
import { assertEquals } from "./assert.ts";

const DOMAIN = "h.example";
const LIMITS: PatienceLimits = {
  idleTimeoutMs: 300_000,
  messageTimeoutMs: 3_600_000,
  minRate: 100,
};

const idle = replies.idleTooLong(DOMAIN);
const long = replies.messageTooLong(DOMAIN);
const slow = replies.dataTooSlow(DOMAIN, 100);

/** A client of which nothing is known: it is between two messages, and is to send data. */
const NOTHING: Progress = { commandMs: null, messageMs: null, dueMs: null };

/** What has begun when, with the clock past an hour; how long is waited then, and what is said. */
const NOW = 4_000_000;
const rows: readonly (readonly [
  what: string,
  progress: Partial<Progress>,
  ms: number,
  tooLate: Reply,
])[] = [
  ["nothing that has begun", {}, 300_000, idle],
  ["a command that begins", { commandMs: NOW }, 300_000, idle],
  ["a command that has begun", { commandMs: NOW - 299_999 }, 1, idle],
  ["a command that has had its time", { commandMs: NOW - 300_000 }, 0, idle],
  ["a command that has had more than its time", { commandMs: NOW - 1_000_000 }, 0, idle],

  ["a command of a new message", { commandMs: NOW, messageMs: NOW }, 300_000, idle],
  ["a command of a message", { commandMs: NOW, messageMs: NOW - 3_300_000 }, 300_000, idle],
  ["a command of an old message", { commandMs: NOW, messageMs: NOW - 3_300_001 }, 299_999, long],
  [
    "an old command of a message",
    { commandMs: NOW - 9, messageMs: NOW - 3_300_009 },
    299_991,
    idle,
  ],
  ["a message that has had its time", { commandMs: NOW, messageMs: NOW - 3_600_000 }, 0, long],
  ["a message that has had more", { commandMs: NOW, messageMs: 0 }, 0, long],

  ["data that is due later than its client is idle", { dueMs: NOW + 300_001 }, 300_000, idle],
  ["data that is due just then", { dueMs: NOW + 300_000 }, 300_000, idle],
  ["data that is due sooner", { dueMs: NOW + 299_999 }, 299_999, slow],
  ["data that is due", { dueMs: NOW }, 0, slow],
  ["data that is overdue", { dueMs: NOW - 100_000 }, 0, slow],
  [
    "fast data of an old message",
    { messageMs: NOW - 3_599_999, dueMs: NOW + 600_000 },
    1,
    long,
  ],
  [
    "slow data of an old message",
    { messageMs: NOW - 3_500_000, dueMs: NOW + 1_000 },
    1_000,
    slow,
  ],
  // The first of those that are due at once is told.
  ["data that is late in every way", { messageMs: NOW - 3_600_000, dueMs: NOW }, 0, long],
  // A command between two chunks: the time is the same for both.
  [
    "a command between slow chunks",
    { commandMs: NOW, messageMs: NOW - 250_000, dueMs: NOW + 101_000 },
    101_000,
    slow,
  ],
];

for (const [what, progress, ms, tooLate] of rows) {
  const [text] = tooLate.lines;
  Deno.test(`for ${what} it waits ${ms} ms, and then says "${text}"`, () => {
    assertEquals(patienceWith({ ...NOTHING, ...progress }, NOW, DOMAIN, LIMITS), { ms, tooLate });
  });
}

Deno.test("each limit is the operator's", () => {
  const given = (limits: Partial<PatienceLimits>, dueMs = 1e9) =>
    patienceWith({ ...NOTHING, messageMs: 0, dueMs }, 1_000, DOMAIN, { ...LIMITS, ...limits });
  assertEquals(given({}), { ms: 300_000, tooLate: idle });
  assertEquals(given({ idleTimeoutMs: 700 }), { ms: 700, tooLate: idle });
  assertEquals(given({ messageTimeoutMs: 5_000 }), { ms: 4_000, tooLate: long });
  assertEquals(given({ minRate: 200 }, 1_450), {
    ms: 450,
    tooLate: replies.dataTooSlow(DOMAIN, 200),
  });
  assertEquals(firstDue(1_000, { ...LIMITS, idleTimeoutMs: 700 }), 2_400);
  assertEquals(dueAfter(8, 1_000, 1_000, { ...LIMITS, minRate: 4 }), 3_000);
  assertEquals(dueAfter(8, 1_000, 1_000, { ...LIMITS, minRate: 4, idleTimeoutMs: 700 }), 2_400);
});

/** Data that is due so many ms from now, and when it is due after so many octets of it. */
const credits: readonly (readonly [octets: number, dueInMs: number, afterMs: number])[] = [
  [0, 5_000, 5_000],
  [1, 5_000, 5_010],
  [100, 5_000, 6_000],
  [100, 0, 1_000],
  [100, -5_000, -4_000],
  [1, 599_989, 599_999],
  [1, 599_990, 600_000],
  [2, 599_990, 600_000],
  [1e9, 0, 600_000],
  [1e9, 600_000, 600_000],
];
for (const [octets, dueInMs, afterMs] of credits) {
  Deno.test(`data due in ${dueInMs} ms is due in ${afterMs} ms after ${octets} octets`, () => {
    assertEquals(dueAfter(octets, NOW + dueInMs, NOW, LIMITS), NOW + afterMs);
  });
}

/**
 * How long a client holds a message, of which it sends `first` at once, and then so many octets
 * every so many ms.
 */
function heldMs(octets: number, everyMs: number, first = 0): number {
  let dueMs = dueAfter(first, firstDue(0, LIMITS), 0, LIMITS);
  for (let nowMs = 0;;) {
    const { ms } = patienceWith({ commandMs: null, messageMs: 0, dueMs }, nowMs, DOMAIN, LIMITS);
    if (ms < everyMs) return nowMs + ms;
    nowMs += everyMs;
    dueMs = dueAfter(octets, dueMs, nowMs, LIMITS);
  }
}

const drips: readonly (readonly [octets: number, everyMs: number, heldMs: number])[] = [
  [1, 300_001, 300_000],
  [1, 299_999, 600_020],
  [1, 1_000, 606_060],
  [50, 1_000, 1_199_500],
  [100, 1_000, 3_600_000],
  [1e9, 1_000, 3_600_000],
  [1e9, 300_001, 300_000],
];
for (const [octets, everyMs, ms] of drips) {
  Deno.test(`a client with ${octets} octets every ${everyMs} ms holds a message for ${ms} ms`, () => {
    assertEquals(heldMs(octets, everyMs), ms);
  });
}

Deno.test("who sends a lot at first may not drip any longer for it", () => {
  assertEquals(heldMs(1, 1_000, 1e9), heldMs(1, 1_000));
});
