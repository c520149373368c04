/**
 * A `Courier` that holds messages itself: it accepts a message as soon as the store has it, and carries it
 * away from there, by a lane for each destination, for as long as that takes (RFC 5321 section 4.5.4.1).
 */
import { Lane, type LaneOptions, type LaneStopping, type Route } from "./lane.ts";
import type { Courier } from "./mail.ts";
import { type Destination, StoreError } from "./store.ts";

/** What a queue obeys and uses. */
export interface QueueOptions extends LaneOptions {
  /** Where each message goes. */
  readonly routes: readonly [Route, ...Route[]];
  /** Milliseconds for which a message is tried. */
  readonly lifetimeMs: number;
}

/** How often the clock is looked at, and whether a tool has changed the store, in milliseconds. */
const WATCH_MS = 1000;

/** Messages that wait to be delivered. */
export class Queue {
  readonly #options: QueueOptions;
  readonly #destinations: readonly [Destination, ...Destination[]];
  readonly #lanes: readonly Lane[];
  /** What the store's version was when it was last looked at. */
  #version: number | null = null;
  /** Settled once clock and store agree. */
  #moving: Promise<void> = Promise.resolve();
  #hasFault = false;

  /** Does nothing yet. */
  constructor(options: QueueOptions, stopping: LaneStopping) {
    this.#options = options;
    const [first, ...others] = options.routes.map(({ name, label }) => ({ name, label }));
    this.#destinations = [first, ...others];
    this.#lanes = options.routes.map((route) => new Lane(route, options, stopping));
  }

  /** Puts a message into the queue, whatever its signal says: it takes no longer than the disk. */
  readonly courier: Courier = async (mail) => {
    const { store, clock, lifetimeMs, observe } = this.#options;
    const { id } = mail;
    // A moment of a clock that is moved back after all would be wrong in the store.
    await this.#moving.catch(() => {});
    const { nowMs } = clock;
    try {
      await store.put(mail, this.#destinations, { nowMs, expiresMs: nowMs + lifetimeMs });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      observe({ kind: "unqueued", id, reason: error.message });
      const reason = error.isFull ? error.message : "the queue cannot be written";
      return { kind: "deferred", reason, isUnkept: true, unsent: true };
    }
    observe({ kind: "queued", id });
    for (const lane of this.#lanes) lane.wake();
    return { kind: "accepted", note: "queued", unsent: true };
  };

  /** Delivers until it is to stop, and resolves when no attempt is under way any more. */
  async run(): Promise<void> {
    let look = this.#look();
    const watch = setInterval(() => look = look.then(() => this.#look()), WATCH_MS);
    await Promise.all(this.#lanes.map((lane) => lane.run()));
    clearInterval(watch);
    await look;
  }

  /** Follows what happens outside: to the clock, and to the store. */
  async #look(): Promise<void> {
    const { store, observe } = this.#options;
    try {
      await (this.#moving = this.#followClock());
      const version = await store.version();
      const isChanged = this.#version !== null && version !== this.#version;
      this.#version = version;
      if (isChanged) { for (const lane of this.#lanes) lane.hurry(); }
      this.#hasFault = false;
    } catch (error) {
      if (!this.#hasFault) observe({ kind: "queue fault", reason: (error as Error).message });
      this.#hasFault = true;
    }
  }

  /** Clock and store move together, or neither does. */
  async #followClock(): Promise<void> {
    const { store, clock, lifetimeMs, observe } = this.#options;
    const byMs = clock.follow();
    if (byMs === 0) return;
    try {
      await store.shift(byMs, clock.nowMs, lifetimeMs);
    } catch (error) {
      clock.move(-byMs);
      throw error;
    }
    observe({ kind: "clock jumped", byMs });
    for (const lane of this.#lanes) lane.wake();
  }
}
