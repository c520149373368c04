/**
 * The way out of the queue to one destination: when it is tried, how many at once, and what happens when it
 * is down, when the store fails, and when it is to stop. What the clock does is in `queue_test.ts`.
 */
import type { Outcome } from "../lib/mail.ts";
import { assert, assertEquals } from "./assert.ts";
import { testInTime } from "./clock.ts";
import {
  accepted,
  type Answer,
  DAY,
  deferred,
  type Endpoint,
  HOUR,
  mailOf,
  type Method,
  MINUTE,
  PostOffice,
  rejected,
  SECOND,
  turn,
  unsent,
} from "./post_office.ts";

const ids = (count: number, letter = "m") =>
  Array.from({ length: count }, (_, at) => `${letter}${String(at + 1).padStart(3, "0")}`);
const after = (afterMs: number, then: Outcome): Answer => ({ afterMs, then });
const asking = (retryAfterMs: number): Outcome => ({
  kind: "deferred",
  reason: "endpoint answered 429",
  retryAfterMs,
});

/** Milliseconds between each two. */
const gaps = (times: readonly number[]) => times.slice(1).map((ms, at) => ms - times[at]);

// When a message is tried.

/** The delays of PRODUCT.md and 29 of 4 h, which leaves 445 s until the end of life. */
const SCHEDULE = [
  ...[5 * SECOND, 30 * SECOND, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR],
  ...Array<number>(29).fill(4 * HOUR),
  445 * SECOND,
];

for (
  const [sentence, answer] of [
    ["an endpoint that fails", deferred],
    ["a template that fails", unsent],
    ["a courier that throws", { throws: new Error("no") }],
  ] as const
) {
  testInTime(`${sentence} is tried by the schedule, and last at the end of life`, async (clock) => {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    hook.answer = () => answer;
    await office.put(hook, "m");
    office.lane(hook);
    await office.pass(5 * DAY - 1);
    assertEquals((await office.find("m"))!.standing, "waiting");
    await office.pass(10 * DAY);
    assertEquals(gaps(hook.times("m")), SCHEDULE);
    assertEquals(hook.times("m").at(-1), 5 * DAY);
    assertEquals(office.heard("postponed").map(({ delayMs }) => delayMs), SCHEDULE);
    const reason = "throws" in answer ? "internal error" : answer.reason;
    assertEquals(office.heard("dead"), [{ kind: "dead", id: "m", reason, atMs: 5 * DAY }]);
    const { standing, attempts, last } = (await office.find("m"))!;
    assertEquals([standing, attempts], ["dead", SCHEDULE.length + 1]);
    assertEquals(last!.reason, reason);
    await office.close();
  });
}

testInTime("a delay is up to a tenth shorter or longer, and counts from the end", async (clock) => {
  for (const [random, times] of [[() => 0, 0.9], [() => 1, 1.1]] as const) {
    const office = new PostOffice(clock, { random });
    const hook = office.endpoint();
    hook.answer = () => after(7 * SECOND, deferred);
    await office.put(hook, "m");
    office.lane(hook);
    await office.pass(4.5 * DAY);
    const expected = SCHEDULE.slice(0, 20).map((ms) => Math.round(ms * times) + 7 * SECOND);
    assertEquals(gaps(hook.times("m")).slice(0, 20), expected);
    await office.close();
  }
});

testInTime("a last attempt that succeeds is a success", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  hook.answer = (_, nth) => nth <= SCHEDULE.length ? deferred : accepted;
  await office.put(hook, "m");
  office.lane(hook);
  await office.pass(6 * DAY);
  assertEquals(hook.accepted, ["m"]);
  assertEquals(await office.find("m"), null);
  assertEquals(office.heard("dead"), []);
  await office.close();
});

testInTime("an attempt is told as it was", async (clock) => {
  const office = new PostOffice(clock, { startMs: Date.UTC(2030, 0, 1) });
  const hook = office.endpoint();
  hook.answer = () => after(1_500, { ...deferred, detail: "busy" });
  await office.put(hook, "m");
  office.lane(hook);
  await office.pass(1_500 + 5_000 - 1);
  assertEquals(await office.find("m"), {
    standing: "waiting",
    attempts: 1,
    dueInMs: 1,
    last: {
      atMs: Date.UTC(2030, 0, 1),
      elapsedMs: 1_500,
      label: "https://hook.example",
      reason: "endpoint answered 503",
      detail: "busy",
    },
  });
  await office.close();
});

/** What an endpoint asks for at the first attempt, and when it sees the message. */
const asked: readonly (readonly [retryAfterMs: number, times: readonly number[]])[] = [
  [1 * SECOND, [0, 1, 31, 151]],
  [60 * SECOND, [0, 60, 90, 210]],
  [1 * DAY, [0, 86_400, 86_430, 86_550]],
];
for (const [retryAfterMs, seconds] of asked) {
  testInTime(`Retry-After of ${retryAfterMs} ms replaces one delay`, async (clock) => {
    const office = new PostOffice(clock, { random: () => 0.5 });
    const hook = office.endpoint();
    hook.answer = (_, nth) => nth === 1 ? asking(retryAfterMs) : deferred;
    await office.put(hook, "m");
    office.lane(hook);
    await office.pass(retryAfterMs + 155 * SECOND);
    assertEquals(hook.times("m"), seconds.map((second) => second * SECOND));
    assertEquals(office.heard("postponed")[0].delayMs, retryAfterMs);
    await office.close();
  });
}

testInTime("Retry-After holds up others too, also those that come meanwhile", async (clock) => {
  const office = new PostOffice(clock, { concurrency: 1 });
  const hook = office.endpoint();
  hook.answer = (_, nth) => nth === 1 && hook.seen.length === 1 ? asking(HOUR) : accepted;
  await office.put(hook, "a", "b");
  const lane = office.lane(hook);
  await office.pass(30 * MINUTE);
  await office.put(hook, "c");
  lane.wake();
  await office.pass(30 * MINUTE - 1);
  assertEquals(hook.seen.length, 1);
  await office.pass(1);
  assertEquals(hook.accepted.toSorted(), ["a", "b", "c"]);
  await office.close();
});

testInTime("Retry-After beyond the end of life is heeded, and the last attempt", async (clock) => {
  const office = new PostOffice(clock, { lifetimeMs: HOUR });
  const hook = office.endpoint();
  hook.answer = () => asking(DAY);
  await office.put(hook, "m");
  office.lane(hook);
  await office.pass(3 * DAY);
  assertEquals(hook.times("m"), [0, DAY]);
  // What is told is when it is tried, and not only when it is due.
  assertEquals(office.heard("postponed").map(({ delayMs }) => delayMs), [DAY]);
  assertEquals((await office.find("m"))!.standing, "dead");
  await office.close();
});

testInTime("a rejected message is dead at once, and its destination is up", async (clock) => {
  const office = new PostOffice(clock, { concurrency: 1 });
  const hook = office.endpoint();
  hook.answer = (id) => id === "b" ? { ...rejected, detail: "no such thing" } : accepted;
  await office.put(hook, "a", "b", "c");
  office.lane(hook);
  await office.pass(0);
  assertEquals(hook.seen.map(({ id }) => id), ["a", "b", "c"]);
  assertEquals(await office.standings(), { b: "dead" });
  const { attempts, last } = (await office.find("b"))!;
  assertEquals([attempts, last!.reason, last!.detail], [1, rejected.reason, "no such thing"]);
  assertEquals(office.events.map(({ kind }) => kind), ["dead"]);
  await office.pass(10 * DAY);
  assertEquals(hook.tries("b"), 1);
  await office.close();
});

// What makes a destination down, and up again.

testInTime("what is not sent tells nothing of the destination", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  hook.answer = () => unsent;
  await office.put(hook, ...ids(20));
  office.lane(hook);
  await office.pass(5 * SECOND + 30 * SECOND);
  // All of them by their own schedule, and none of them behind a gate.
  for (const id of ids(20)) assertEquals(hook.times(id), [0, 5 * SECOND, 35 * SECOND]);
  assertEquals(office.heard("down", "up", "buried"), []);
  await office.close();
});

testInTime("what is not sent makes no destination up that is down", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  hook.answer = (id) => id === "t" ? unsent : deferred;
  await office.put(hook, "a", "b", "t", ...ids(5));
  office.lane(hook);
  await office.pass(20 * SECOND);
  assert(hook.tries("t") > 0);
  assertEquals(office.heard("down").length, 1);
  assertEquals(office.heard("up"), []);
  await office.close();
});

testInTime("of a destination that is down one message at a time is tried", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  hook.answer = () => after(2 * SECOND, deferred);
  await office.put(hook, ...ids(12));
  office.lane(hook);
  await office.pass(2 * SECOND);
  // One more began when the first one alone had failed.
  assertEquals([hook.mostInside, hook.seen.length, hook.inside.size], [4, 5, 1]);
  hook.mostInside = 0;
  await office.pass(25 * MINUTE);
  assertEquals(hook.mostInside, 1);
  const [first, ...probes] = hook.seen.slice(5).map(({ beganMs }) => beganMs);
  assertEquals(first, 2 * SECOND + 5 * SECOND);
  // Each gate is counted from when the probe before has failed.
  const waits = gaps([first, ...probes]).map((ms) => ms - 2 * SECOND);
  assertEquals(waits.slice(0, 4), [30 * SECOND, 2 * MINUTE, 5 * MINUTE, 5 * MINUTE]);
  const { label: destination } = hook.route;
  const reason = deferred.reason;
  assertEquals(office.heard("down"), [{ kind: "down", destination, reason, atMs: 2 * SECOND }]);
  await office.close();
});

testInTime("a message that comes while the gate is shut does not open it", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  hook.answer = () => deferred;
  await office.put(hook, "a", "b");
  const lane = office.lane(hook);
  await office.pass(40 * SECOND);
  const before = hook.seen.length;
  for (const id of ids(50)) {
    await office.put(hook, id);
    lane.wake();
    await office.pass(SECOND);
  }
  assertEquals(hook.seen.length, before);
  await office.close();
});

for (
  const [sentence, healing] of [
    ["a success", accepted],
    ["a rejection", rejected],
  ] as const
) {
  testInTime(`after ${sentence} all that waits goes out at once, 4 at a time`, async (clock) => {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    let isUp = false;
    let first: string | null = null;
    hook.answer = (id) => {
      if (!isUp) return deferred;
      first ??= id;
      return after(SECOND, id === first ? healing : accepted);
    };
    await office.put(hook, "a", "b");
    const lane = office.lane(hook);
    await office.pass(11 * HOUR);
    for (const id of ["a", "b"]) assert((await office.find(id))!.dueInMs! > HOUR);
    isUp = true;
    await office.put(hook, ...ids(38));
    lane.wake();
    const before = hook.seen.length;
    hook.mostInside = 0;
    await office.pass(SECOND);
    assertEquals([hook.seen.length, office.heard("up").length], [before + 5, 1]);
    // 39 others take ten seconds at 4 a second, those that failed during the outage among them.
    await office.pass(10 * SECOND);
    assertEquals(hook.seen.length, before + 40);
    assertEquals(hook.mostInside, 4);
    const dead = healing.kind === "rejected" ? { [first!]: "dead" } : {};
    assertEquals(await office.standings(), dead);
    assertEquals(office.heard("down", "up").map(({ kind }) => kind), ["down", "up"]);
    await office.close();
  });
}

for (const concurrency of [1, 2, 7]) {
  testInTime(`no more than ${concurrency} are tried at once`, async (clock) => {
    const office = new PostOffice(clock, { concurrency });
    const hook = office.endpoint();
    hook.answer = () => after(SECOND, accepted);
    await office.put(hook, ...ids(5 * concurrency));
    office.lane(hook);
    await office.pass(5 * SECOND - 1);
    assertEquals([hook.mostInside, hook.accepted.length], [concurrency, 4 * concurrency]);
    await office.pass(1);
    assertEquals(hook.accepted.length, 5 * concurrency);
    await office.close();
  });
}

testInTime("those due first are tried first", async (clock) => {
  const office = new PostOffice(clock, { concurrency: 1 });
  const hook = office.endpoint();
  hook.answer = (id) => id === "c" ? after(SECOND, accepted) : accepted;
  await office.put(hook, "c");
  office.lane(hook);
  for (const id of ["a", "d", "b"]) {
    await office.pass(1);
    await office.put(hook, id);
  }
  await office.pass(SECOND);
  assertEquals(hook.seen.map(({ id }) => id), ["c", "a", "d", "b"]);
  await office.close();
});

for (let tries = 1; tries <= 12; tries++) {
  testInTime(`what failed ${tries} times goes out with the next success`, async (clock) => {
    // The shortest delays, and then the longest.
    let number = 0;
    const office = new PostOffice(clock, { random: () => number });
    const hook = office.endpoint();
    const lane = office.lane(hook);
    // After the very first success everything goes out.
    await office.put(hook, "first");
    lane.wake();
    await office.pass(SECOND);
    hook.answer = (id, nth) => {
      number = nth < tries ? 0 : 1;
      return id === "a" && hook.tries("b") === 0 ? deferred : accepted;
    };
    await office.put(hook, "a");
    lane.wake();
    await office.until(() => hook.tries("a") === tries, DAY);
    await office.pass(SECOND);
    await office.put(hook, "b");
    lane.wake();
    await office.pass(0);
    assertEquals(hook.accepted, ["first", "b", "a"]);
    await office.close();
  });
}

// Messages that are claimed ahead.

/** A lane whose endpoint has just been quick, with as many more messages. */
async function quickly(clock: ConstructorParameters<typeof PostOffice>[0], count: number) {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  await office.put(hook, "first");
  const lane = office.lane(hook);
  await office.pass(0);
  assertEquals(hook.accepted, ["first"]);
  await office.put(hook, ...ids(count));
  return { office, hook, lane };
}

/** How many there are of each standing. */
async function counts(office: PostOffice): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const standing of Object.values(await office.standings())) {
    found[standing] = (found[standing] ?? 0) + 1;
  }
  return found;
}

testInTime("while an endpoint is quick twice as many are claimed as are tried", async (clock) => {
  const { office, hook, lane } = await quickly(clock, 20);
  hook.answer = () => after(10, accepted);
  lane.wake();
  await office.pass(5);
  assertEquals([hook.inside.size, await counts(office)], [4, { sending: 8, waiting: 12 }]);
  await office.pass(45);
  assertEquals([hook.mostInside, hook.accepted.length, hook.times("m005")], [4, 21, [10]]);
  assertEquals(hook.seen.slice(1).map(({ id }) => id), ids(20));
  await office.close();
});

testInTime("of those that are claimed ahead several are claimed at once", async (clock) => {
  const { office, hook, lane } = await quickly(clock, 100);
  let at = 0;
  hook.answer = () => after(10 + at++ % 4, accepted);
  const before = office.store.calls.filter((call) => call === "claim").length;
  lane.wake();
  // Where there are no more each end asks again.
  await office.until(() => hook.accepted.length > 80, SECOND);
  const claims = office.store.calls.filter((call) => call === "claim").length - before;
  assert(claims <= 80 / 2 + 4, `${claims} claims`);
  await office.close();
});

testInTime("while an endpoint is slow none is claimed ahead", async (clock) => {
  const { office, hook, lane } = await quickly(clock, 30);
  hook.answer = () => after(51, accepted);
  lane.wake();
  await office.pass(51 * 3 + 1);
  assertEquals([hook.inside.size, await counts(office)], [4, { sending: 4, waiting: 14 }]);
  await office.close();
});

/** What shuts the way for those that are claimed ahead, and when they are tried even so. */
const shut: readonly (readonly [
  sentence: string,
  shut: (hook: Endpoint) => void,
  tried: number,
  left: Record<string, number>,
])[] = [
  [
    "when their destination is down",
    (hook) => {
      hook.answer = () => hook.seen.length > 5 ? "hang" : after(10, deferred);
    },
    5,
    { waiting: 19, sending: 1 },
  ],
  [
    "when their destination asks for time",
    (hook) => {
      hook.answer = () => after(10, asking(HOUR));
    },
    4,
    { waiting: 20 },
  ],
];
for (const [sentence, change, tried, left] of shut) {
  testInTime(`what is claimed ahead is given back untried ${sentence}`, async (clock) => {
    const { office, hook, lane } = await quickly(clock, 20);
    change(hook);
    lane.wake();
    await office.pass(5);
    assertEquals(await counts(office), { sending: 8, waiting: 12 });
    await office.pass(10);
    assertEquals([hook.seen.length - 1, await counts(office)], [tried, left]);
    for (const id of ids(20).filter((id) => hook.tries(id) === 0)) {
      assertEquals((await office.find(id))!.attempts, 0);
    }
    await office.close();
  });
}

testInTime("what is claimed ahead is given back at once when it is to stop", async (clock) => {
  const { office, hook, lane } = await quickly(clock, 20);
  hook.answer = () => "hang";
  lane.wake();
  await office.pass(5);
  office.stopSoon();
  await office.pass(0);
  assertEquals([hook.inside.size, await counts(office)], [4, { sending: 4, waiting: 16 }]);
  await office.close();
  assertEquals(hook.seen.length, 5);
});

// A message that always fails.

/** Runs a day with a good message now and then, and gives how long the good ones took. */
async function dayOfPoison(
  office: PostOffice,
  hook: Endpoint,
  poison: readonly string[],
  everyMs: number,
  answer: Answer = deferred,
): Promise<readonly number[]> {
  const putMs = new Map<string, number>();
  hook.answer = (id) => poison.includes(id) ? answer : after(100, accepted);
  await office.put(hook, ...poison);
  const lane = office.lane(hook);
  const count = Math.floor(DAY / everyMs);
  for (const id of ids(count, "good")) {
    putMs.set(id, office.nowMs);
    await office.put(hook, id);
    lane.wake();
    await office.pass(everyMs);
  }
  await office.pass(10 * MINUTE);
  const late = Array.from(putMs, ([id, ms]) => hook.times(id)[0] - ms);
  assertEquals(hook.accepted.length, count, "not all good messages were delivered");
  return late;
}

/** By the schedule, as many attempts as a message has in a day. */
const A_DAY_OF_TRIES = 14;

for (const everyMs of [20 * SECOND, 5 * MINUTE, 20 * MINUTE]) {
  testInTime(
    `a poison message holds up nobody who comes every ${
      everyMs / 1000
    } s, and keeps to its schedule`,
    async (clock) => {
      const office = new PostOffice(clock);
      const hook = office.endpoint();
      const late = await dayOfPoison(office, hook, ["p"], everyMs);
      assertEquals(Math.max(...late), 0);
      assert(hook.tries("p") >= A_DAY_OF_TRIES - 1, `only ${hook.tries("p")} attempts`);
      assert(hook.tries("p") <= 2 * A_DAY_OF_TRIES, `${hook.tries("p")} attempts`);
      await office.close();
    },
  );
}

testInTime("two poison messages hold up nobody for longer than one gate", async (clock) => {
  for (const everyMs of [20 * SECOND, 5 * MINUTE, 30 * MINUTE]) {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    const late = await dayOfPoison(office, hook, ["p", "q"], everyMs);
    assert(Math.max(...late) <= 5 * MINUTE, `${Math.max(...late)} ms, every ${everyMs} ms`);
    await office.close();
  }
});

for (const everyMs of [30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR]) {
  testInTime(
    `a success every ${everyMs / MINUTE} min does not make a poison message come often`,
    async (clock) => {
      const office = new PostOffice(clock);
      const hook = office.endpoint();
      await dayOfPoison(office, hook, ["p"], everyMs);
      assert(hook.tries("p") <= 2 * A_DAY_OF_TRIES, `${hook.tries("p")} attempts`);
      await office.close();
    },
  );
}

testInTime("a template that fails on one message holds up nobody", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  const late = await dayOfPoison(office, hook, ["p", "q", "r"], 20 * SECOND, unsent);
  assertEquals(Math.max(...late), 0);
  assertEquals([hook.tries("p"), office.heard("down").length], [A_DAY_OF_TRIES, 0]);
  await office.close();
});

// What has waited for too long.

testInTime("those that expire behind a gate die with the probe that fails", async (clock) => {
  const office = new PostOffice(clock, { lifetimeMs: HOUR });
  const hook = office.endpoint();
  hook.answer = () => deferred;
  const lane = office.lane(hook);
  await office.put(hook, ...ids(50));
  lane.wake();
  await office.pass(50 * MINUTE);
  await office.put(hook, ...ids(3, "young"));
  await office.pass(15 * MINUTE);
  assertEquals(await office.standings(), {
    ...Object.fromEntries(ids(50).map((id) => [id, "dead"])),
    ...Object.fromEntries(ids(3, "young").map((id) => [id, "waiting"])),
  });
  const untried = ids(50).filter((id) => hook.tries(id) === 0);
  assert(untried.length > 0);
  const { attempts, last } = (await office.find(untried[0]))!;
  assertEquals([attempts, last!.reason], [1, deferred.reason]);
  const [{ destination, atMs }] = office.heard("buried");
  assertEquals(destination, "https://hook.example");
  assert(atMs >= HOUR && atMs < HOUR + 6 * MINUTE);
  const died = office.heard("dead").length;
  const buried = office.heard("buried").reduce((sum, { messages }) => sum + messages, 0);
  assertEquals(died + buried, 50);
  await office.close();
});

/** What happens to messages that have expired, as after a week without a server, and what becomes of them. */
const expired:
  readonly (readonly [sentence: string, answer: (id: string) => Answer, left: object])[] = [
    ["are delivered where the endpoint is up", () => accepted, {}],
    [
      "are not dead because one of them fails",
      (id) => id === "m001" ? deferred : accepted,
      { m001: "dead" },
    ],
    [
      "are not dead because the template fails on some",
      (id) => id < "m005" ? unsent : accepted,
      { m001: "dead", m002: "dead", m003: "dead", m004: "dead" },
    ],
  ];
for (const [sentence, answer, left] of expired) {
  testInTime(`messages that have expired ${sentence}`, async (clock) => {
    const office = new PostOffice(clock, { concurrency: 1 });
    const hook = office.endpoint();
    hook.answer = answer;
    await office.put(hook, ...ids(12));
    await office.pass(7 * DAY);
    office.lane(hook);
    await office.pass(MINUTE);
    assertEquals(await office.standings(), left);
    assertEquals(hook.seen.length, 12);
    await office.close();
  });
}

testInTime("a template that fails while the destination is down buries nobody", async (clock) => {
  const office = new PostOffice(clock, { lifetimeMs: 4 * MINUTE, concurrency: 2 });
  const hook = office.endpoint();
  hook.answer = (id) => id === "t" ? unsent : id < "c" ? asking(3 * MINUTE) : deferred;
  await office.put(hook, "a", "b", "t");
  office.lane(hook);
  // The gate opens when they have expired, and the first to go is the one that is not sent.
  await office.pass(SECOND);
  await office.put(hook, ...ids(3));
  await office.pass(2 * MINUTE);
  assertEquals(hook.seen.length, 2);
  hook.answer = (id) => id === "t" ? unsent : "hang";
  office.stall(10 * MINUTE);
  await office.pass(2 * MINUTE);
  assertEquals(hook.seen[2].id, "t");
  assertEquals(office.heard("buried"), []);
  await office.close();
});

// Starting, waking, waiting.

testInTime(
  "after a start the first success takes along what an earlier run left",
  async (clock) => {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    hook.answer = () => deferred;
    await office.put(hook, "a", "b");
    const { nowMs } = office.options.clock;
    const left = await office.store.memory.claim("hook", 2, { nowMs, leaseMs: 1 });
    const attempt = { atMs: nowMs, elapsedMs: 1, label: "", reason: "", detail: "" };
    for (const [at, claim] of left.claims.entries()) {
      const dueMs = nowMs + [4 * HOUR, DAY][at];
      await office.store.memory.settle(claim, { kind: "waiting", dueMs, attempt });
    }
    hook.answer = () => accepted;
    const lane = office.lane(hook);
    await office.pass(HOUR);
    assertEquals(hook.accepted, []);
    await office.put(hook, "c");
    lane.wake();
    await office.pass(0);
    assertEquals(hook.accepted, ["c", "a", "b"]);
    await office.close();
  },
);

testInTime("a wake does not open a gate, a hurry does, once", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  hook.answer = () => asking(DAY);
  await office.put(hook, "a", ...ids(5));
  const lane = office.lane(hook);
  await office.pass(SECOND);
  const before = hook.seen.length;
  lane.wake();
  await office.pass(SECOND);
  assertEquals(hook.seen.length, before);
  lane.hurry();
  await office.pass(SECOND);
  assertEquals(hook.seen.length, before + 1);
  lane.wake();
  await office.pass(HOUR);
  assertEquals(hook.seen.length, before + 1);
  await office.close();
});

testInTime("an idle lane asks the store once a minute, however long the wait is", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  hook.answer = () => asking(DAY);
  office.lane(hook);
  await office.pass(HOUR);
  assertEquals(office.store.calls.length, 60 + 1);
  await office.put(hook, "a");
  await office.pass(2 * HOUR);
  // Behind a gate it does not even ask.
  assertEquals(office.store.calls.filter((call) => call === "claim").length, 61 + 1);
  await office.close();
});

testInTime("what is put into the store by nobody's call is seen within a minute", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  office.lane(hook);
  await office.pass(10 * SECOND);
  await office.put(hook, "a");
  await office.pass(MINUTE);
  assertEquals(hook.accepted, ["a"]);
  await office.close();
});

testInTime("wakes at any moment are not lost", async (clock) => {
  const office = new PostOffice(clock, { concurrency: 2 });
  const hook = office.endpoint();
  const lane = office.lane(hook);
  // While a claim is on its way, another message comes that it does not see.
  let at = 0;
  office.store.beforeClaimed = () => {
    if (at++ > 20) return;
    void office.put(hook, `m${at}`);
    lane.wake();
  };
  await office.pass(0);
  assertEquals(hook.accepted.length, 21);
  await office.close();
});

// Several destinations.

testInTime("a destination that hangs does not delay another one", async (clock) => {
  const office = new PostOffice(clock, { room: 1_000_000 });
  const [stuck, hook] = [office.endpoint("stuck"), office.endpoint("hook")];
  stuck.answer = () => "hang";
  await office.put(stuck, ...ids(20, "s"));
  const [stuckLane, lane] = [office.lane(stuck), office.lane(hook)];
  await office.pass(SECOND);
  for (const id of ids(20)) {
    await office.put(hook, id);
    lane.wake();
    stuckLane.wake();
    await office.pass(0);
    assertEquals(hook.accepted.at(-1), id);
  }
  assertEquals(stuck.inside.size, 4);
  await office.close();
});

for (const [name, answer] of [["down", deferred], ["asked to wait", asking(DAY)]] as const) {
  testInTime(`a destination that is ${name} does not delay another one`, async (clock) => {
    const office = new PostOffice(clock);
    const [other, hook] = [office.endpoint("other"), office.endpoint("hook")];
    other.answer = () => answer;
    hook.answer = () => after(SECOND, accepted);
    await office.put(other, ...ids(20, "o"));
    await office.put(hook, ...ids(20));
    office.lane(other);
    office.lane(hook);
    await office.pass(5 * SECOND);
    assertEquals([hook.accepted.length, hook.mostInside], [20, 4]);
    assertEquals(office.heard("down").map(({ destination }) => destination), [other.route.label]);
    await office.close();
  });
}

testInTime("large messages wait for room, and go when there is some", async (clock) => {
  const office = new PostOffice(clock, { room: 10_000_000 });
  const hook = office.endpoint();
  hook.answer = () => after(SECOND, accepted);
  const { nowMs } = office.options.clock;
  for (const id of ids(4)) {
    const times = { nowMs, expiresMs: nowMs + DAY };
    await office.store.memory.put(mailOf(id, 1_000_000), [hook.route], times);
  }
  office.lane(hook);
  // Each takes seven times its octets.
  await office.pass(4 * SECOND - 1);
  assertEquals([hook.mostInside, hook.accepted.length], [1, 3]);
  await office.pass(1);
  assertEquals(hook.accepted, ids(4));
  await office.close();
});

testInTime("who waits for room is given back untried by a stop", async (clock) => {
  const office = new PostOffice(clock, { room: 10_000_000 });
  const hook = office.endpoint();
  hook.answer = () => "hang";
  const { nowMs } = office.options.clock;
  for (const id of ids(3)) {
    const times = { nowMs, expiresMs: nowMs + DAY };
    await office.store.memory.put(mailOf(id, 1_000_000), [hook.route], times);
  }
  office.lane(hook);
  await office.pass(SECOND);
  office.stopSoon();
  await office.pass(SECOND);
  assertEquals(await office.standings(), { m001: "sending", m002: "waiting", m003: "waiting" });
  await office.close();
  assertEquals(hook.seen.length, 1);
  const stand = await office.find("m001");
  assertEquals(stand, { standing: "waiting", attempts: 0, dueInMs: stand!.dueInMs, last: null });
});

// Faults of the store.

/** What fails for ten minutes, and when good messages are delivered meanwhile. */
const faults: readonly (readonly [method: Method, whatGoesOn: string])[] = [
  ["claim", "nothing is tried"],
  ["settle", "what was delivered is not delivered again"],
  ["hasten", "deliveries go on"],
  ["bury", "deliveries go on"],
];
for (const [method, whatGoesOn] of faults) {
  testInTime(`while ${method} fails ${whatGoesOn}, and nothing is lost`, async (clock) => {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    let isUp = true;
    hook.answer = (id) => !isUp ? deferred : id === "r" ? rejected : after(100, accepted);
    const lane = office.lane(hook);
    await office.put(hook, ...ids(3, "first"));
    lane.wake();
    await office.pass(MINUTE);
    office.store.failing.add(method);
    const faultMs = office.nowMs;
    await office.put(hook, "r", ...ids(10));
    lane.wake();
    await office.pass(2 * MINUTE);
    isUp = false;
    await office.put(hook, ...ids(5, "n"));
    lane.wake();
    await office.pass(2 * MINUTE);
    isUp = true;
    await office.pass(6 * MINUTE);
    const told = office.heard("queue fault").filter(({ atMs }) => atMs >= faultMs);
    // Once, until the store has worked in between.
    const most = method === "claim" || method === "settle" ? 1 : 3;
    assert(told.length >= 1 && told.length <= most, `it was told ${told.length} times`);
    if (method === "claim" || method === "settle") {
      assertEquals(told[0].reason, `cannot ${method}`);
      const tried = new Set(hook.seen.map(({ id }) => id)).size - 3;
      const [least, limit] = method === "claim" ? [0, 0] : [4, 8];
      assert(tried >= least && tried <= limit, `${tried} were tried`);
    }
    office.store.failing.clear();
    await office.pass(2 * SECOND);
    // What was in the way is gone; what failed by its own schedule may still wait.
    await office.pass(6 * MINUTE);
    assertEquals(await office.standings(), { r: "dead" });
    assertEquals(new Set(hook.accepted).size, 18);
    await office.close();
  });
}

testInTime("a fault that comes again is told again", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  office.lane(hook);
  for (const round of [1, 2, 3]) {
    office.store.failing.add("claim");
    await office.pass(HOUR);
    assertEquals(office.heard("queue fault").length, round);
    office.store.failing.clear();
    await office.pass(HOUR);
  }
  assertEquals(office.heard("queue fault")[0].reason, "cannot claim");
  await office.close();
});

testInTime("a store that failed is asked again within a second or two", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  office.store.failing.add("claim");
  await office.put(hook, "a");
  office.lane(hook);
  await office.pass(10 * SECOND);
  const calls = office.store.calls.length;
  assert(calls >= 10 && calls <= 12, `${calls} calls in 10 s`);
  office.store.failing.clear();
  await office.pass(SECOND);
  assertEquals(hook.accepted, ["a"]);
  await office.close();
});

// Stopping.

testInTime(
  "a lane that is to stop soon begins nothing, and waits for what it began",
  async (clock) => {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    hook.answer = () => after(5 * SECOND, accepted);
    await office.put(hook, ...ids(10));
    const lane = office.lane(hook);
    await office.pass(SECOND);
    let isOver = false;
    const over = office.stopped().then(() => isOver = true);
    office.stopSoon();
    lane.wake();
    lane.hurry();
    await office.pass(4 * SECOND - 1);
    assertEquals([isOver, hook.seen.length], [false, 4]);
    await office.pass(1);
    await over;
    assertEquals(hook.accepted, ids(4));
    const left = Object.fromEntries(ids(10).slice(4).map((id) => [id, "waiting"]));
    assertEquals(await office.standings(), left);
    await office.pass(DAY);
    assertEquals(hook.seen.length, 4);
    await office.close();
  },
);

/** When it is to stop. */
const stops: readonly (readonly [
  sentence: string,
  office: (office: PostOffice, hook: Endpoint) => Promise<void>,
])[] = [
  ["before it has run", () => Promise.resolve()],
  ["while it is idle", async (office, hook) => {
    office.lane(hook);
    await office.pass(10 * SECOND);
  }],
  ["while it waits for what is due", async (office, hook) => {
    hook.answer = () => deferred;
    await office.put(hook, "a");
    office.lane(hook);
    await office.pass(SECOND);
  }],
  ["behind a gate", async (office, hook) => {
    hook.answer = () => asking(DAY);
    await office.put(hook, "a", "b");
    office.lane(hook);
    await office.pass(HOUR);
  }],
  ["while the store fails", async (office, hook) => {
    office.store.failing.add("claim");
    office.lane(hook);
    await office.pass(10.5 * SECOND);
  }],
];
for (const [sentence, begin] of stops) {
  testInTime(`a lane that is to stop ${sentence} stops at once`, async (clock) => {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    await begin(office, hook);
    office.stopSoon();
    office.lane(hook);
    const atMs = office.nowMs;
    let isOver = false;
    const over = office.stopped().then(() => isOver = true);
    await office.pass(0);
    assert(isOver);
    await over;
    assertEquals(office.nowMs, atMs);
    await office.close();
  });
}

testInTime("what was claimed while it was to stop is given back untried", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  await office.put(hook, ...ids(3));
  office.store.beforeClaimed = () => office.stopSoon();
  office.lane(hook);
  await office.pass(0);
  await office.stopped();
  assertEquals(hook.seen, []);
  for (const id of ids(3)) {
    assertEquals(await office.find(id), {
      standing: "waiting",
      attempts: 0,
      dueInMs: 0,
      last: null,
    });
  }
  await office.close();
});

/** What an attempt comes to that is given up, and what becomes of the message. */
const givenUp: readonly (readonly [sentence: string, outcome: Outcome, left: object | null])[] = [
  ["given back untried where it defers", deferred, { standing: "waiting", attempts: 0 }],
  ["given back untried where nothing was sent", unsent, { standing: "waiting", attempts: 0 }],
  ["delivered where it was accepted after all", accepted, null],
  ["dead where it was rejected after all", rejected, { standing: "dead", attempts: 1 }],
];
for (const [sentence, outcome, left] of givenUp) {
  testInTime(`what hangs when it is to stop now is ${sentence}`, async (clock) => {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    hook.answer = () => "hang";
    const { courier } = hook.route;
    const route = {
      ...hook.route,
      courier: async (...[mail, signal]: Parameters<typeof courier>) => {
        await courier(mail, signal);
        return outcome;
      },
    };
    await office.put(hook, "a", "b");
    office.lane(Object.assign(Object.create(hook), { route }));
    await office.pass(HOUR);
    office.stopSoon();
    await office.pass(10 * SECOND);
    assertEquals(await office.standings(), { a: "sending", b: "sending" });
    office.stopNow();
    await turn();
    await office.stopped();
    for (const id of ["a", "b"]) {
      const found = await office.find(id);
      const stand = found && { standing: found.standing, attempts: found.attempts };
      assertEquals(stand, left);
    }
    // It was told to give up: that says nothing of the destination.
    assertEquals(office.heard("down"), []);
    await office.close();
  });
}

testInTime(
  "a store that fails does not hold up a stop for longer than it is given",
  async (clock) => {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    await office.put(hook, "a");
    office.store.failing.add("settle");
    office.lane(hook);
    await office.pass(MINUTE);
    office.stopSoon();
    let isOver = false;
    const over = office.stopped().then(() => isOver = true);
    await office.pass(10 * SECOND);
    assertEquals(isOver, false, "the store could still learn of it");
    office.stopNow();
    await office.pass(SECOND);
    assert(isOver);
    await over;
    await office.close();
  },
);

testInTime("a courier that throws is a fault, and the message waits", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  const error = new Error("out of order");
  hook.answer = (id, nth) => id === "a" && nth === 1 ? { throws: error } : accepted;
  await office.put(hook, "first");
  const lane = office.lane(hook);
  await office.pass(0);
  await office.put(hook, "a", "b");
  lane.wake();
  await office.pass(0);
  assertEquals(office.events.map(({ kind }) => kind), ["fault", "postponed"]);
  assertEquals(office.heard("fault"), [{ kind: "fault", id: "a", error, atMs: 0 }]);
  assertEquals(hook.accepted, ["first", "b"]);
  await office.pass(5 * SECOND);
  assertEquals(hook.accepted, ["first", "b", "a"]);
  await office.close();
});
