/**
 * A queue with everything around it made up: the time of day, a clock that only goes forward, a store that
 * fails when told to, and endpoints that answer as told. Timers are those of clock.ts; a simulated day takes
 * about a second.
 */
import { setImmediate } from "node:timers";
import type { Event } from "../lib/event.ts";
import { Lane, type LaneOptions, type Route } from "../lib/lane.ts";
import type { Courier, Mail, Outcome } from "../lib/mail.ts";
import { Queue } from "../lib/queue.ts";
import { LIFETIME_MS } from "../lib/retry.ts";
import { SteadyClock } from "../lib/steady_clock.ts";
import { MemoryStore } from "../lib/store/memory.ts";
import { type Attempt, type Store, StoreError } from "../lib/store.ts";
import type { Clock } from "./clock.ts";
import { assertEquals } from "./assert.ts";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** What a courier does: an outcome, at once or after a while, none until it is told to give up, or a throw. */
export type Answer =
  | Outcome
  | "hang"
  | { readonly throws: unknown }
  | { readonly afterMs: number; readonly then: Outcome };

export const accepted = { kind: "accepted", note: "endpoint answered 200" } as const;
export const rejected = { kind: "rejected", reason: "endpoint answered 400" } as const;
export const deferred = { kind: "deferred", reason: "endpoint answered 503" } as const;
export const unsent = {
  kind: "deferred",
  reason: "template fails on this message",
  unsent: true,
} as const;

/** One attempt, as an endpoint sees it. Moments are milliseconds since the test began. */
export interface Seen {
  readonly id: string;
  readonly beganMs: number;
  /** What came of it; null as long as it is under way. */
  outcome: Outcome | null;
}

/** Where messages of one destination go. */
export class Endpoint {
  readonly route: Route;
  /** What it does with a message at its nth attempt, from 1; may be changed at any time. */
  answer: (id: string, nth: number) => Answer = () => accepted;
  /** All attempts, in the order in which they began. */
  readonly seen: Seen[] = [];
  /** Messages that are there at this moment. */
  readonly inside = new Set<string>();
  /** How many were there at once, at most. */
  mostInside = 0;

  constructor(name: string, clock: Clock) {
    const courier: Courier = async ({ id }, signal) => {
      const seen: Seen = { id, beganMs: clock.now, outcome: null };
      this.seen.push(seen);
      const before = this.#byId.get(id) ?? [];
      this.#byId.set(id, [...before, seen]);
      // A courier may not reject: what is wrong is told at the end.
      if (this.inside.has(id)) this.#faults.push(`${id} was there twice at ${clock.now}`);
      const isAgain = before.some(({ outcome }) => outcome?.kind === "accepted");
      if (isAgain) this.#faults.push(`${id} came again at ${clock.now}`);
      this.inside.add(id);
      this.mostInside = Math.max(this.mostInside, this.inside.size);
      try {
        return seen.outcome = await carried(this.answer(id, before.length + 1), signal);
      } finally {
        this.inside.delete(id);
      }
    };
    this.route = { name, label: `https://${name}.example`, courier };
  }

  readonly #byId = new Map<string, readonly Seen[]>();
  readonly #faults: string[] = [];

  /** Throws where a message came twice at once, or again after it had been accepted. */
  assertSound(): void {
    assertEquals(this.#faults, []);
  }

  /** How often a message was tried. */
  tries = (id: string): number => this.times(id).length;

  /** When a message was tried, in milliseconds since the test began. */
  times = (id: string): readonly number[] =>
    (this.#byId.get(id) ?? []).map(({ beganMs }) => beganMs);

  /** Which messages were accepted, in order. */
  get accepted(): readonly string[] {
    return this.seen.filter(({ outcome }) => outcome?.kind === "accepted").map(({ id }) => id);
  }
}

async function carried(answer: Answer, signal: AbortSignal): Promise<Outcome> {
  if (answer === "hang") {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve());
    });
    return { kind: "deferred", reason: "given up" };
  }
  if ("throws" in answer) throw answer.throws;
  if (!("afterMs" in answer)) return answer;
  await new Promise((resolve) => setTimeout(resolve, answer.afterMs));
  return answer.then;
}

/** What a store can fail at. */
export type Method = Exclude<keyof Store, "close">;

/** A store that fails when told to: what is asked of it then has not been done. */
export class FaultyStore implements Store {
  /** What holds the messages; looking at it never fails. */
  readonly memory = new MemoryStore({ maxOctets: 2 ** 30 });
  /** What fails at present. */
  readonly failing = new Set<Method>();
  /** Whether a fault is for want of space. */
  isFull = false;
  /** What was asked of it, in order. */
  readonly calls: Method[] = [];
  /** What is to happen before the answer to a claim is handed over. */
  beforeClaimed: () => void = () => {};

  #do<Result>(method: Method, work: () => Promise<Result>): Promise<Result> {
    this.calls.push(method);
    if (!this.failing.has(method)) return work();
    return Promise.reject(new StoreError(`cannot ${method}`, this.isFull));
  }

  put: Store["put"] = (...args) => this.#do("put", () => this.memory.put(...args));
  settle: Store["settle"] = (...args) => this.#do("settle", () => this.memory.settle(...args));
  hasten: Store["hasten"] = (...args) => this.#do("hasten", () => this.memory.hasten(...args));
  bury: Store["bury"] = (...args) => this.#do("bury", () => this.memory.bury(...args));
  shift: Store["shift"] = (...args) => this.#do("shift", () => this.memory.shift(...args));
  report: Store["report"] = (...args) => this.#do("report", () => this.memory.report(...args));
  version: Store["version"] = () => this.#do("version", () => this.memory.version());
  close: Store["close"] = () => this.memory.close();
  claim: Store["claim"] = (...args) =>
    this.#do("claim", async () => {
      const claimed = await this.memory.claim(...args);
      this.beforeClaimed();
      return claimed;
    });
}

/** Where a message stands, in milliseconds from now on. */
export interface Stand {
  readonly standing: "waiting" | "sending" | "dead";
  readonly attempts: number;
  /** Null where it is dead. */
  readonly dueInMs: number | null;
  readonly last: Attempt | null;
}

/** What a test may change of the options. */
export interface OfficeOptions {
  readonly concurrency?: number;
  readonly random?: () => number;
  readonly lifetimeMs?: number;
  /** Octets. */
  readonly room?: number;
  /** The time of day at the start. */
  readonly startMs?: number;
}

/** Everything around one queue, or one lane. */
export class PostOffice {
  readonly #clock: Clock;
  readonly #soon = new AbortController();
  readonly #now = new AbortController();
  readonly #running: Promise<void>[] = [];
  /** The time of day when the test began, by the clock of the machine as it is now. */
  #startMs: number;
  /** By how much the clock that goes forward is ahead of the timers. */
  #aheadMs = 0;
  readonly store = new FaultyStore();
  readonly events: (Event & { readonly atMs: number })[] = [];
  readonly options: LaneOptions;
  readonly lifetimeMs: number;
  readonly endpoints: Endpoint[] = [];

  constructor(clock: Clock, options: OfficeOptions = {}) {
    this.#clock = clock;
    this.#startMs = options.startMs ?? Date.UTC(2026, 0, 1);
    this.lifetimeMs = options.lifetimeMs ?? LIFETIME_MS;
    const uptimeMs = () => 5_000_000 + clock.now + this.#aheadMs;
    const now = () => new Date(this.wallMs);
    this.options = {
      store: this.store,
      concurrency: options.concurrency ?? 4,
      leaseMs: DAY,
      maxHeldOctets: options.room ?? 2 ** 30,
      clock: new SteadyClock(now, uptimeMs),
      uptimeMs,
      random: options.random ?? (() => 0.5),
      observe: (event) => this.events.push({ ...event, atMs: clock.now }),
    };
  }

  /** Milliseconds since the test began. */
  get nowMs(): number {
    return this.#clock.now;
  }

  /** The time of day, by the clock of the machine. */
  get wallMs(): number {
    return this.#startMs + this.#clock.now + this.#aheadMs;
  }

  /** Moves the time of day, and nothing else. */
  jump(ms: number): void {
    this.#startMs += ms;
  }

  /** Time goes by without a timer having been heard, as while the event loop is held. */
  stall(ms: number): void {
    this.#aheadMs += ms;
  }

  /** A destination, to be used for a lane or a queue. */
  endpoint(name = "hook"): Endpoint {
    const endpoint = new Endpoint(name, this.#clock);
    this.endpoints.push(endpoint);
    return endpoint;
  }

  /** Runs a lane to a destination. */
  lane(endpoint: Endpoint): Lane {
    const lane = new Lane(endpoint.route, this.options, this.#stopping);
    this.#running.push(lane.run());
    return lane;
  }

  /** Runs a queue to these destinations. */
  queue(first: Endpoint, ...rest: readonly Endpoint[]): Queue {
    const routes = [first.route, ...rest.map(({ route }) => route)] as const;
    const { lifetimeMs, options } = this;
    const queue = new Queue({ ...options, routes, lifetimeMs }, this.#stopping);
    this.#running.push(queue.run());
    return queue;
  }

  get #stopping() {
    return { soon: this.#soon.signal, now: this.#now.signal };
  }

  /** Puts messages into the store, in this order; a lane does not know of it. */
  async put(endpoint: Endpoint, ...ids: readonly string[]): Promise<void> {
    const { nowMs } = this.options.clock;
    const times = { nowMs, expiresMs: nowMs + this.lifetimeMs };
    for (const id of ids) await this.store.memory.put(mailOf(id), [endpoint.route], times);
  }

  /** Time goes by; each timer is heard in turn. */
  async pass(ms: number): Promise<void> {
    await turn();
    let isOver = false;
    this.#clock.setTimeout(() => isOver = true, ms);
    while (!isOver) {
      this.#clock.next();
      await turn();
    }
    // What comes of timers at the same moment belongs to it.
    for (let more = 0; more < 3; more++) {
      this.#clock.tick(0);
      await turn();
    }
  }

  /** Time goes by until something is so; fails where it is not within so long. */
  async until(isSo: () => boolean, atMostMs: number): Promise<void> {
    await turn();
    const endMs = this.#clock.now + atMostMs;
    while (!isSo()) {
      if (this.#clock.now > endMs) throw new Error(`it is not so within ${atMostMs} ms`);
      this.#clock.next();
      await turn();
    }
  }

  /** Where a message stands; null where it is gone. */
  async find(id: string): Promise<Stand | null> {
    const letter = await this.store.memory.find(id);
    if (letter === null) return null;
    const [{ standing, attempts, dueMs, last }] = letter.deliveries;
    const dueInMs = dueMs === null ? null : dueMs - this.options.clock.nowMs;
    return { standing, attempts, dueInMs, last };
  }

  /** The standings of all that is in the store. */
  async standings(): Promise<Readonly<Record<string, string>>> {
    const entries = await this.store.memory.entries({ dead: false }, null, 100_000);
    return Object.fromEntries(entries.map(({ id, standing }) => [id, standing]));
  }

  /** What happened of these kinds. */
  heard<Kind extends Event["kind"]>(...kinds: readonly Kind[]) {
    return this.events.filter((event): event is Extract<typeof event, { kind: Kind }> =>
      (kinds as readonly string[]).includes(event.kind)
    );
  }

  /** Asks it to stop soon. */
  stopSoon(): void {
    this.#soon.abort();
  }

  /** Asks it to stop now. */
  stopNow(): void {
    this.#now.abort();
  }

  /** Resolves when everything has stopped. */
  async stopped(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Stops, and looks whether the endpoints have seen what they may not see. */
  async close(): Promise<void> {
    this.stopSoon();
    this.stopNow();
    let isOver = false;
    const over = this.stopped().then(() => isOver = true);
    await this.until(() => isOver, 10 * SECOND);
    await over;
    for (const endpoint of this.endpoints) endpoint.assertSound();
  }
}

/** Lets everything happen that waits for no timer. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A message of so many octets. */
export function mailOf(id: string, octets = 20): Mail {
  return {
    id,
    receivedAt: new Date(0),
    client: { address: null, port: null, tls: false, hostname: null, user: null },
    envelope: {
      reversePath: null,
      forwardPaths: [{ localPart: "recipient", domain: "to.example" }],
    },
    data: new Uint8Array(octets),
  };
}
