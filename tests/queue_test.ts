/**
 * The courier that holds messages itself: what it promises, what it follows, and random days that end well.
 * What one lane does is in `lane_test.ts`.
 */
import fc from "npm:fast-check@4.10.2";
import type { Outcome } from "../lib/mail.ts";
import type { Queue } from "../lib/queue.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { type Clock, testInTime } from "./clock.ts";
import {
  accepted,
  type Answer,
  DAY,
  deferred,
  HOUR,
  mailOf,
  type Method,
  MINUTE,
  PostOffice,
  rejected,
  SECOND,
  unsent,
} from "./post_office.ts";

const YEAR = 365 * DAY;
const never = new AbortController().signal;

/** Hands a message over, as a client does. */
const send = (queue: Queue, id: string): Promise<Outcome> => queue.courier(mailOf(id), never);

const after = (afterMs: number, then: Outcome): Answer => ({ afterMs, then });

// The courier.

testInTime("a message is accepted once the store has it, and delivered at once", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  const queue = office.queue(hook);
  await office.pass(10.5 * SECOND);
  assertEquals(await send(queue, "a"), { kind: "accepted", note: "queued", unsent: true });
  await office.pass(0);
  assertEquals(hook.times("a"), [10.5 * SECOND]);
  assertEquals(office.events, [{ kind: "queued", id: "a", atMs: 10.5 * SECOND }]);
  assertEquals(await office.find("a"), null);
  await office.close();
});

testInTime("a message is accepted though its client is gone, and nothing runs", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  office.stopSoon();
  const queue = office.queue(hook);
  await office.pass(0);
  const { kind } = await queue.courier(mailOf("a"), AbortSignal.abort());
  assertEquals(kind, "accepted");
  assertEquals(await office.standings(), { a: "waiting" });
  await office.close();
  assertEquals(hook.seen, []);
});

testInTime("a message is tried for as long as it may live", async (clock) => {
  const office = new PostOffice(clock, { lifetimeMs: HOUR });
  const hook = office.endpoint();
  hook.answer = () => unsent;
  const queue = office.queue(hook);
  await office.pass(10 * MINUTE);
  await send(queue, "a");
  await office.pass(2 * HOUR);
  assertEquals(hook.times("a").at(-1), 10 * MINUTE + HOUR);
  assertEquals(await office.standings(), { a: "dead" });
  await office.close();
});

/** How a store fails at a message, and what its client is told. */
const faults: readonly (readonly [isFull: boolean, reason: string])[] = [
  [true, "cannot put"],
  [false, "the queue cannot be written"],
];
for (const [isFull, reason] of faults) {
  testInTime(`a message is not accepted where ${reason}`, async (clock) => {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    const queue = office.queue(hook);
    office.store.failing.add("put");
    office.store.isFull = isFull;
    const outcome = { kind: "deferred", reason, isUnkept: true, unsent: true } as const;
    assertEquals<Outcome>(await send(queue, "a"), outcome);
    assertEquals(office.heard("unqueued", "queued"), [
      { kind: "unqueued", id: "a", reason: "cannot put", atMs: 0 },
    ]);
    office.store.failing.clear();
    await office.pass(MINUTE);
    assertEquals(hook.seen, []);
    assertEquals((await send(queue, "a")).kind, "accepted");
    await office.pass(0);
    assertEquals(hook.accepted, ["a"]);
    await office.close();
  });
}

testInTime("what a store throws beside faults is thrown on", async (clock) => {
  const office = new PostOffice(clock);
  const queue = office.queue(office.endpoint());
  office.store.put = () => Promise.reject(new TypeError("no"));
  await assertRejects(() => send(queue, "a"), TypeError, "no");
  assertEquals(office.events, []);
  await office.close();
});

testInTime("each message goes to each destination, and none waits for another", async (clock) => {
  const office = new PostOffice(clock);
  const [stuck, down, hook] = ["stuck", "down", "hook"].map((name) => office.endpoint(name));
  stuck.answer = () => "hang";
  down.answer = () => deferred;
  const queue = office.queue(stuck, down, hook);
  for (let number = 0; number < 20; number++) {
    const id = `m${number}`;
    await send(queue, id);
    await office.pass(0);
    assertEquals(hook.accepted.at(-1), id);
  }
  assertEquals(stuck.inside.size, 4);
  down.answer = () => accepted;
  await office.pass(6 * MINUTE);
  assertEquals(down.accepted.length, 20);
  stuck.answer = () => accepted;
  office.stopNow();
  await office.close();
  assertEquals((await office.store.memory.stats()).messages, 20);
});

// What it follows.

testInTime(
  "what a tool changes is tried within a second, whatever was asked for",
  async (clock) => {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    hook.answer = () => ({ ...deferred, retryAfterMs: DAY });
    const queue = office.queue(hook);
    await send(queue, "a");
    await send(queue, "b");
    await office.pass(HOUR + 500);
    assertEquals(hook.tries("a"), 1);
    hook.answer = () => accepted;
    const { nowMs } = office.options.clock;
    await office.store.memory.retry(["a"], { dead: false }, {
      dueMs: nowMs,
      expiresMs: nowMs + DAY,
    });
    await office.pass(SECOND);
    // It is up again, so the other one goes as well.
    assertEquals(hook.accepted, ["a", "b"]);
    await office.close();
  },
);

testInTime("a dead letter that is retried has its schedule before it again", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  hook.answer = (_, nth) => nth === 1 ? rejected : unsent;
  const queue = office.queue(hook);
  await send(queue, "a");
  await office.pass(10 * DAY / 100);
  assertEquals(await office.standings(), { a: "dead" });
  const { nowMs } = office.options.clock;
  const againMs = office.nowMs;
  await office.store.memory.retry(["a"], { dead: true }, {
    dueMs: nowMs,
    expiresMs: nowMs + DAY,
  });
  await office.pass(4 * MINUTE);
  const [first, ...rest] = hook.times("a").slice(1);
  assert(first - againMs <= SECOND);
  assertEquals(rest.map((ms) => ms - first), [5 * SECOND, 35 * SECOND, 155 * SECOND]);
  await office.close();
});

testInTime("what is dropped while it is tried is gone", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  hook.answer = () => after(10 * SECOND, deferred);
  const queue = office.queue(hook);
  await send(queue, "a");
  await office.pass(SECOND);
  await office.store.memory.drop(["a"], { dead: false });
  await office.pass(DAY / 10);
  assertEquals([hook.tries("a"), await office.find("a")], [1, null]);
  assertEquals(office.events.map(({ kind }) => kind), ["queued", "dropped"]);
  await office.close();
});

for (const method of ["version", "shift"] as const) {
  testInTime(`a store that fails at ${method} for an hour tells it once`, async (clock) => {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    const queue = office.queue(hook);
    await office.pass(MINUTE);
    office.store.failing.add(method);
    office.jump(HOUR);
    await office.pass(HOUR);
    assertEquals(office.heard("queue fault").length, 1);
    // And is no reason not to deliver.
    if (method === "version") {
      await send(queue, "a");
      await office.pass(SECOND);
      assertEquals(hook.accepted, ["a"]);
    }
    await office.close();
  });
}

testInTime("a watch ends with the queue, and waits for what it has begun", async (clock) => {
  const office = new PostOffice(clock);
  office.queue(office.endpoint());
  await office.pass(10.5 * SECOND);
  let finish = () => {};
  office.store.version = () => new Promise((resolve) => finish = () => resolve(0));
  await office.pass(SECOND);
  office.stopSoon();
  let isOver = false;
  const over = office.stopped().then(() => isOver = true);
  await office.pass(0);
  assertEquals([isOver, clock.countTimers()], [false, 0]);
  finish();
  await over;
  await office.close();
});

// Jumps of the time of day.

const jumps = [HOUR, DAY, 10 * YEAR, -HOUR, -DAY, -10 * YEAR];

/** A story of an hour: when each message comes, and how long it may live. */
const story: readonly (readonly [atMs: number, id: string])[] = [
  [0, "good 1"],
  [0, "poison"],
  [SECOND, "template"],
  [2 * SECOND, "slow"],
  [MINUTE, "rejected"],
  [6 * MINUTE, "down 1"],
  [6 * MINUTE, "down 2"],
  [6 * MINUTE, "down 3"],
  [6 * MINUTE, "down 4"],
  [11 * MINUTE, "down 5"],
  [16 * MINUTE, "down 6"],
  [40 * MINUTE, "asking"],
  [41 * MINUTE, "behind"],
  [56 * MINUTE, "good 2"],
];
const STORY_LIFE_MS = 15 * MINUTE;
const STORY_MS = HOUR;

function storyAnswer(id: string, nowMs: number): Answer {
  const isDown = nowMs >= 5 * MINUTE && nowMs < 28 * MINUTE;
  if (id === "template") return unsent;
  if (isDown) return after(20 * SECOND, deferred);
  if (id === "poison") return after(15 * SECOND, deferred);
  if (id === "rejected") return rejected;
  if (id === "asking" && nowMs < 50 * MINUTE) return { ...deferred, retryAfterMs: 5 * MINUTE };
  return after(id === "slow" ? 8 * SECOND : 100, accepted);
}

/** What else happens in the story. */
type Deed = readonly [atMs: number, act: (office: PostOffice) => void];

/** Tells the story, and gives all that is seen of it from outside. */
async function tell(clock: Clock, deeds: readonly Deed[]): Promise<readonly string[]> {
  const office = new PostOffice(clock, { lifetimeMs: STORY_LIFE_MS });
  const startMs = office.nowMs;
  const hook = office.endpoint();
  hook.answer = (id) => storyAnswer(id, office.nowMs - startMs);
  const queue = office.queue(hook);
  const all = [
    ...story.map(([atMs, id]) => ({ atMs, act: () => send(queue, id) })),
    ...deeds.map(([atMs, act]) => ({ atMs, act })),
    { atMs: STORY_MS, act: () => {} },
  ].sort((one, other) => one.atMs - other.atMs);
  for (const { atMs, act } of all) {
    await office.pass(startMs + atMs - office.nowMs);
    await act(office);
  }
  const seen = hook.seen.map(({ id, beganMs, outcome }) =>
    `${beganMs - startMs} ${id}: ${outcome?.kind}`
  );
  const told = office.events.flatMap((event) => {
    const { kind, atMs } = event;
    if (kind === "clock jumped" || kind === "queue fault") return [];
    const id = "id" in event ? event.id : "";
    const delay = kind === "postponed" ? ` for ${event.delayMs}` : "";
    return [`${atMs - startMs} ${id} ${kind}${delay}`];
  });
  const left = await office.standings();
  await office.close();
  return [...seen, ...told, ...Object.entries(left).map((entry) => entry.join(" is "))];
}

testInTime("the story has it all", async (clock) => {
  const told = (await tell(clock, [])).join("\n");
  for (const word of ["accepted", "rejected", "postponed", "down", "up", "dead", "buried"]) {
    assert(told.includes(` ${word}`), `there is no ${word}`);
  }
});

/** Where in the story the clock jumps: between two looks of the watch. */
const moments: readonly (readonly [sentence: string, atMs: number])[] = [
  ["while attempts are under way", 3.5 * SECOND],
  ["while messages wait", 2 * MINUTE + 0.5 * SECOND],
  ["when a destination has just failed", 6 * MINUTE + 20.5 * SECOND],
  ["behind a gate", 6 * MINUTE + 30.5 * SECOND],
  ["when the first of those behind a gate have expired", 21 * MINUTE + 0.5 * SECOND],
  ["while the attempt is under way that buries them", 25 * MINUTE + 0.5 * SECOND],
  ["behind Retry-After", 47 * MINUTE + 0.5 * SECOND],
  ["when all is done", 58 * MINUTE + 0.5 * SECOND],
];
for (const [sentence, momentMs] of moments) {
  testInTime(`a clock that jumps ${sentence} changes nothing`, async (clock) => {
    const expected = await tell(clock, []);
    for (const byMs of jumps) {
      const actual = await tell(clock, [[momentMs, (office) => office.jump(byMs)]]);
      assertEquals(actual, expected, `jump by ${byMs / HOUR} h`);
    }
  });
}

testInTime("a clock that jumps there and back all the time changes nothing", async (clock) => {
  const expected = await tell(clock, []);
  for (const everyMs of [SECOND, 7 * SECOND]) {
    const deeds = Array.from({ length: STORY_MS / everyMs - 1 }, (_, at): Deed => [
      at * everyMs + 500,
      (office) => office.jump(jumps[(5 * at) % jumps.length]),
    ]);
    assertEquals(await tell(clock, deeds), expected);
  }
});

testInTime("a clock that jumps while the store cannot follow changes nothing", async (clock) => {
  const expected = await tell(clock, []);
  for (const [sentence, momentMs] of moments) {
    for (const byMs of [10 * YEAR, -10 * YEAR]) {
      const actual = await tell(clock, [
        [momentMs, (office) => {
          office.store.failing.add("shift");
          office.jump(byMs);
        }],
        [momentMs + 2 * MINUTE, (office) => office.store.failing.clear()],
      ]);
      assertEquals(actual, expected, `jump by ${byMs / HOUR} h ${sentence}`);
    }
  }
});

testInTime("a jump between an attempt and its settlement leaves nothing stuck", async (clock) => {
  for (const byMs of jumps) {
    const office = new PostOffice(clock);
    const hook = office.endpoint();
    hook.answer = (_, nth) => nth === 1 ? unsent : accepted;
    const queue = office.queue(hook);
    office.store.failing.add("settle");
    await send(queue, "a");
    await office.pass(2500);
    office.jump(byMs);
    await office.pass(2000);
    office.store.failing.clear();
    await office.pass(7 * SECOND);
    assertEquals(hook.accepted, ["a"], `jump by ${byMs / HOUR} h`);
    await office.close();
  }
});

testInTime("a machine that starts in 1970 learns the time and carries on", async (clock) => {
  const office = new PostOffice(clock, { startMs: 0 });
  const hook = office.endpoint();
  hook.answer = (_, nth) => nth < 5 ? unsent : accepted;
  const queue = office.queue(hook);
  await send(queue, "a");
  await office.pass(20 * SECOND);
  office.jump(56 * YEAR);
  await office.pass(MINUTE);
  assertEquals(office.heard("clock jumped").map(({ byMs }) => byMs), [56 * YEAR]);
  await send(queue, "b");
  await office.pass(10 * MINUTE);
  assertEquals(hook.times("a").slice(0, 5), [0, 5, 35, 155, 455].map((s) => s * SECOND));
  assertEquals(hook.accepted, ["a", "b"]);
  await office.close();
});

testInTime("an event loop that is held for an hour delays, and nothing else", async (clock) => {
  const office = new PostOffice(clock);
  const hook = office.endpoint();
  hook.answer = (_, nth) => nth < 3 ? unsent : accepted;
  const queue = office.queue(hook);
  await send(queue, "a");
  await office.pass(SECOND);
  office.stall(HOUR);
  await office.pass(40 * SECOND);
  assertEquals(office.heard("clock jumped", "dead"), []);
  assertEquals(hook.accepted, ["a"]);
  await office.close();
});

// Random days.

/** What happens at a moment of a random day. */
type Happening =
  | { readonly do: "send"; readonly count: number }
  | { readonly do: "answer"; readonly all: "good" | "down" | "slow" | "mixed" }
  | { readonly do: "jump"; readonly byMs: number }
  | { readonly do: "fail" | "heal"; readonly methods: readonly Method[] }
  | { readonly do: "retry" };

const METHODS: readonly Method[] = [
  ...["put", "claim", "settle", "hasten", "bury", "shift", "report", "version"] as const,
];

/** `can` are the methods that may fail. */
function happening(can: readonly Method[]): fc.Arbitrary<Happening> {
  const faults = fc.record({
    do: fc.constantFrom(...["fail", "heal", "heal"] as const),
    methods: fc.subarray([...can], { minLength: Math.min(1, can.length) }),
  });
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("send" as const), count: fc.nat({ max: 12 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("answer" as const),
        all: fc.constantFrom(...["good", "down", "slow", "mixed"] as const),
      }),
    },
    fc.record({
      do: fc.constant("jump" as const),
      byMs: fc.oneof(fc.constantFrom(...jumps), fc.integer({ min: -2 * DAY, max: 2 * DAY })),
    }),
    { weight: Math.sign(can.length), arbitrary: faults },
    fc.record({ do: fc.constant("retry" as const) }),
  );
}

/** The answer to a message that is no other at each attempt, yet no two messages meet the same. */
function mixed(id: string, nth: number): Answer {
  let hash = 7 + nth;
  for (const character of id) hash = (hash * 31 + character.charCodeAt(0)) % 10_007;
  const answers: readonly Answer[] = [
    ...[accepted, deferred, deferred, unsent, { throws: new Error("no") }],
    ...[after(hash % 40_000, accepted), after(hash % 40_000, deferred), after(50, rejected)],
    ...[{ ...deferred, retryAfterMs: 1_000 + (hash % 7) * 100_000 }, after(90_000, deferred)],
  ];
  return answers[hash % answers.length];
}

const ANSWERS = {
  good: () => accepted,
  down: () => deferred,
  slow: (id: string) => after(1_000 * (id.length % 7 + 20), accepted),
  mixed,
};

/** A random day, and what it is met with. */
interface Day {
  readonly happenings: readonly { readonly afterMs: number; readonly what: Happening }[];
  readonly random: number;
  readonly concurrency: number;
}

const LIFE_MS = 25 * MINUTE;

/** Lives through a day, sees that all ends well, and gives the kinds of events that there were. */
async function live(clock: Clock, { happenings, random, concurrency }: Day): Promise<string[]> {
  const office = new PostOffice(clock, { concurrency, lifetimeMs: LIFE_MS, random: () => random });
  const hook = office.endpoint();
  const queue = office.queue(hook);
  /** When each message came, and when it was given a new life. */
  const births = new Map<string, number[]>();
  let refused = 0;
  for (const { afterMs, what } of happenings) {
    await office.pass(afterMs);
    switch (what.do) {
      case "send":
        for (let left = what.count; left > 0; left--) {
          const id = `m${births.size + refused}`;
          if ((await send(queue, id)).kind === "accepted") births.set(id, [office.nowMs]);
          else refused++;
        }
        break;
      case "answer":
        hook.answer = ANSWERS[what.all];
        break;
      case "jump":
        office.jump(what.byMs);
        break;
      case "fail":
        for (const method of what.methods) office.store.failing.add(method);
        break;
      case "heal":
        for (const method of what.methods) office.store.failing.delete(method);
        break;
      case "retry": {
        // A tool that an operator uses when the clock stands still.
        if (office.options.clock.nowMs !== office.wallMs) break;
        const { nowMs } = office.options.clock;
        const some = Object.entries(await office.standings()).flatMap(([id, standing]) =>
          standing === "dead" && !id.endsWith("3") ? [id] : []
        );
        const times = { dueMs: nowMs, expiresMs: nowMs + LIFE_MS };
        await office.store.memory.retry(some, { dead: true }, times);
        for (const id of some) births.get(id)!.push(office.nowMs);
      }
    }
  }
  hook.answer = ANSWERS.good;
  office.store.failing.clear();
  // Nobody has longer to live.
  await office.pass(LIFE_MS + 10 * MINUTE);

  const left = await office.standings();
  for (const id of births.keys()) {
    const isDelivered = hook.accepted.includes(id);
    assertEquals(left[id], isDelivered ? undefined : "dead", `${id}, delivered: ${isDelivered}`);
  }
  const tried = new Set(hook.seen.map(({ id }) => id));
  for (const id of tried) assert(births.has(id), `${id} was refused`);
  assert(hook.mostInside <= concurrency, `${hook.mostInside} at once`);
  for (const { id, reason, atMs } of office.heard("dead")) {
    if (reason === rejected.reason) continue;
    const lifeMs = atMs - births.get(id)!.findLast((birthMs) => birthMs <= atMs)!;
    assert(lifeMs >= LIFE_MS, `${id} died after ${lifeMs} ms`);
  }
  await office.close();
  return office.events.map((event) =>
    event.kind === "dead" && event.reason === rejected.reason ? "rejected" : event.kind
  );
}

const ALWAYS = ["rejected", "dead", "buried", "clock jumped", "down", "up", "fault"];
const worlds: readonly (readonly [string, readonly Method[], readonly string[]])[] = [
  ["while a store works", [], ALWAYS],
  ["while a store fails now and then", METHODS, [...ALWAYS, "queue fault", "unqueued"]],
];
for (const [sentence, can, wanted] of worlds) {
  testInTime(`each message is delivered once or dead, ${sentence}`, async (clock) => {
    const days = fc.record({
      happenings: fc.array(
        fc.record({
          afterMs: fc.oneof(fc.nat({ max: 3 * SECOND }), fc.nat({ max: 15 * MINUTE })),
          what: happening(can),
        }),
        { minLength: 5, maxLength: 40, size: "max" },
      ),
      random: fc.double({ min: 0, max: 1, noNaN: true }),
      concurrency: fc.integer({ min: 1, max: 5 }),
    });
    const kinds = new Set<string>();
    await fc.assert(
      fc.asyncProperty(days, async (day) => {
        for (const kind of await live(clock, day)) kinds.add(kind);
      }),
      { numRuns: 100, interruptAfterTimeLimit: 60_000 },
    );
    assertEquals(wanted.filter((kind) => !kinds.has(kind)), [], "it never came to that");
  });
}
