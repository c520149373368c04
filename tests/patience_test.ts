/** How long a client is waited for, and what it is told then. */
import { type PatienceLimits, patienceWith, type Progress } from "../lib/patience.ts";
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
const NOTHING: Progress = { commandMs: null, messageMs: null, dataMs: null, dataOctets: 0 };

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

  // Data is late where it idles or is behind: 100 octets buy a second, and 300 are free.
  ["data that begins", { dataMs: NOW }, 300_000, idle],
  ["data of which nothing has come", { dataMs: NOW - 1 }, 299_999, slow],
  [
    "data that is as fast as it must be",
    { dataMs: NOW - 60_000, dataOctets: 6_000 },
    300_000,
    idle,
  ],
  ["data that is a bit slower", { dataMs: NOW - 60_000, dataOctets: 5_999 }, 299_990, slow],
  ["data that drips", { dataMs: NOW - 400_000, dataOctets: 10_001 }, 10, slow],
  ["data that has dripped too long", { dataMs: NOW - 400_000, dataOctets: 10_000 }, 0, slow],
  ["data that has dripped longer still", { dataMs: NOW - 600_000, dataOctets: 10_000 }, 0, slow],
  ["data that came fast and stopped", { dataMs: NOW - 60_000, dataOctets: 1e9 }, 300_000, idle],
  [
    "fast data of an old message",
    {
      ...{ messageMs: NOW - 3_599_999, dataMs: NOW - 1_000, dataOctets: 1e9 },
    },
    1,
    long,
  ],
  [
    "slow data of an old message",
    {
      ...{ messageMs: NOW - 3_500_000, dataMs: NOW - 300_000, dataOctets: 100 },
    },
    1_000,
    slow,
  ],
  // The first of those that are due at once is told.
  [
    "data that is late in every way",
    {
      ...{ messageMs: NOW - 3_600_000, dataMs: NOW - 300_000, dataOctets: 0 },
    },
    0,
    long,
  ],
  // A command between two chunks: the time is the same for both.
  [
    "a command between slow chunks",
    {
      ...{ commandMs: NOW, messageMs: NOW - 250_000, dataMs: NOW - 200_000, dataOctets: 100 },
    },
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
  const progress: Progress = { commandMs: null, messageMs: 0, dataMs: 500, dataOctets: 50 };
  const given = (limits: Partial<PatienceLimits>) =>
    patienceWith(progress, 1_000, DOMAIN, { ...LIMITS, ...limits });
  assertEquals(given({}), { ms: 300_000, tooLate: idle });
  assertEquals(given({ idleTimeoutMs: 700, minRate: 1 }), { ms: 700, tooLate: idle });
  assertEquals(given({ messageTimeoutMs: 5_000 }), { ms: 4_000, tooLate: long });
  assertEquals(given({ idleTimeoutMs: 700, minRate: 200 }), {
    ms: 450,
    tooLate: replies.dataTooSlow(DOMAIN, 200),
  });
});

/** How long a client holds a message of which it sends so many octets every so many ms. */
function heldMs(octets: number, everyMs: number): number {
  const progress = { commandMs: null, messageMs: 0, dataMs: 0, dataOctets: 0 };
  for (let nowMs = 0;; nowMs += everyMs) {
    const { ms } = patienceWith(progress, nowMs, DOMAIN, LIMITS);
    if (ms < everyMs) return nowMs + ms;
    progress.dataOctets += octets;
  }
}

const drips: readonly (readonly [octets: number, everyMs: number, heldMs: number])[] = [
  [0, 1_000, 300_000],
  [1, 299_999, 300_010],
  [1, 1_000, 303_030],
  [50, 1_000, 599_500],
  [1e9, 1_000, 3_600_000],
  [1e9, 300_001, 300_000],
];
for (const [octets, everyMs, ms] of drips) {
  Deno.test(`a client with ${octets} octets every ${everyMs} ms holds a message for ${ms} ms`, () => {
    assertEquals(heldMs(octets, everyMs), ms);
  });
}
