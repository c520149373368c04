/**
 * The way out of the queue to one destination: takes what is due from the store, has it delivered, and
 * tells the store how that ended. A lane waits for nobody else's destination. While its own is down
 * (health.ts) it tries one message at a time; when it is up again, all that waits goes out at once, as far
 * as `concurrency` lets it.
 */
import type { Observe } from "./event.ts";
import { failed, type Health, isOutage, outageMs, probeMs, up } from "./health.ts";
import type { Courier, Outcome } from "./mail.ts";
import { LONGEST_DELAY_MS } from "./retry.ts";
import { DELIVERED_TIMES, type Room } from "./room.ts";
import type { SteadyClock } from "./steady_clock.ts";
import type { Attempt, Claim, Destination, Settlement, Store } from "./store.ts";
import { settlementOf } from "./verdict.ts";

/** What lanes obey and use. */
export interface LaneOptions {
  /** Where messages wait. */
  readonly store: Store;
  /** Messages that are delivered to one destination at once, at least 1. */
  readonly concurrency: number;
  /** Milliseconds within which an attempt is over for certain. */
  readonly leaseMs: number;
  /** The memory that messages share. */
  readonly room: Room;
  /** The time of day. */
  readonly clock: SteadyClock;
  /** Milliseconds of a clock that only goes forward. */
  readonly uptimeMs: () => number;
  /** Numbers from 0 to 1. */
  readonly random: () => number;
  /** Hears what happens. */
  readonly observe: Observe;
}

/** A destination, and who carries messages there. */
export interface Route extends Destination {
  /** Carries messages there. */
  readonly courier: Courier;
}

/** How the server asks its lanes to end. */
export interface LaneStopping {
  /** Begin no more attempts. */
  readonly soon: AbortSignal;
  /** Give up those under way. */
  readonly now: AbortSignal;
}

/** After how long a store that failed is asked again. */
const FAULT_PAUSE_MS = 1000;

/** After how long a lane looks whether there is something to do, whatever it knows. */
const LONGEST_PAUSE_MS = 60_000;

/**
 * How much longer than the outage a delivery may have to wait that shall not wait when the outage is over.
 * By the schedule of retry.ts what failed with the destination waits for at most six times as long as it
 * has been waiting; what fails by itself, among others that do not, soon waits for longer.
 */
const HASTENED_OUTAGES = 8;

/** The deliveries of one destination. */
export class Lane {
  readonly #route: Route;
  readonly #options: LaneOptions;
  readonly #stopping: LaneStopping;
  readonly #attempts = new Set<Promise<void>>();
  #health: Health = up;
  #hasFault = false;
  /** Whether anything was delivered yet. */
  #isProven = false;
  /** Whether an operator wants an attempt now, whatever the endpoint asked for. */
  #isHurried = false;
  #wake: () => void = () => {};
  #isWoken = false;

  /** Begins with nothing known of the destination. */
  constructor(route: Route, options: LaneOptions, stopping: LaneStopping) {
    this.#route = route;
    this.#options = options;
    this.#stopping = stopping;
  }

  /** Delivers until it is to stop soon, and resolves when no attempt is under way any more. */
  async run(): Promise<void> {
    const { soon } = this.#stopping;
    const stop = () => this.wake();
    soon.addEventListener("abort", stop);
    while (!soon.aborted) {
      this.#isWoken = false;
      await this.#sleep(await this.#begin());
    }
    soon.removeEventListener("abort", stop);
    await Promise.all(this.#attempts);
  }

  /** Has it look at once whether there is something to do. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** As `wake`, for an operator who does not want to wait until the destination may be up again. */
  hurry(): void {
    this.#isHurried = true;
    this.wake();
  }

  /** Begins what can be begun, and gives the milliseconds until there may be more. */
  async #begin(): Promise<number> {
    const { store, clock, uptimeMs, concurrency, leaseMs } = this.#options;
    const most = (isOutage(this.#health) ? 1 : concurrency) - this.#attempts.size;
    // The end of an attempt wakes.
    if (most <= 0) return Infinity;
    const gateMs = probeMs(this.#health) - uptimeMs();
    if (gateMs > 0 && !this.#isHurried) return gateMs;
    this.#isHurried = false;
    const { nowMs } = clock;
    try {
      const { claims, nextMs } = await store.claim(this.#route.name, most, { nowMs, leaseMs });
      this.#hasFault = false;
      for (const claim of claims) {
        await this.#awaitRoom(claim);
        this.#start(claim);
      }
      return claims.length === most || nextMs === null ? Infinity : nextMs - nowMs;
    } catch (error) {
      this.#complain(error);
      return FAULT_PAUSE_MS;
    }
  }

  /** Nothing more is claimed before there is room for what is; and once it is to stop, nothing is tried. */
  async #awaitRoom(claim: Claim): Promise<void> {
    const { soon } = this.#stopping;
    if (soon.aborted) return;
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
    const listener = () => stop();
    soon.addEventListener("abort", listener);
    const { length } = claim.mail.data;
    await Promise.race([this.#options.room.hold(claim, length, DELIVERED_TIMES), stopped]);
    soon.removeEventListener("abort", listener);
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#isWoken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(Math.max(ms, 1), LONGEST_PAUSE_MS));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #start(claim: Claim): void {
    const attempt = this.#attempt(claim).finally(() => {
      this.#attempts.delete(attempt);
      this.wake();
    });
    this.#attempts.add(attempt);
  }

  async #attempt(claim: Claim): Promise<void> {
    const { room, clock, uptimeMs, random } = this.#options;
    const { soon, now } = this.#stopping;
    const began = { atMs: clock.nowMs, uptimeMs: uptimeMs() };
    const outcome = soon.aborted ? null : await this.#carry(claim, now);
    room.leave(claim);
    if (outcome === null || now.aborted && outcome.kind === "deferred") {
      return await this.#settle(claim, { kind: "untried" });
    }
    const attempt: Attempt = {
      atMs: began.atMs,
      elapsedMs: uptimeMs() - began.uptimeMs,
      label: this.#route.label,
      reason: outcome.kind === "accepted" ? outcome.note : outcome.reason,
      detail: outcome.detail ?? "",
    };
    const { nowMs } = clock;
    const settlement = settlementOf(claim, outcome, attempt, nowMs, random);
    this.#tell(claim.mail.id, settlement, nowMs);
    const before = this.#health;
    this.#learn(claim.mail.id, outcome, began.uptimeMs);
    await this.#settle(claim, settlement);
    // Nothing that was sent says nothing of the destination.
    if (outcome.unsent) return;
    if (outcome.kind === "deferred") await this.#bury(attempt);
    else await this.#hasten(before);
  }

  /** A courier does not reject; where one does even so, the message shall not be lost, nor wait for long. */
  async #carry({ mail }: Claim, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#route.courier(mail, signal);
    } catch (error) {
      this.#options.observe({ kind: "fault", id: mail.id, error });
      return { kind: "deferred", reason: "internal error", unsent: true };
    }
  }

  #tell(id: string, settlement: Settlement, nowMs: number): void {
    const { observe } = this.#options;
    switch (settlement.kind) {
      case "waiting": {
        const { dueMs, attempt: { reason } } = settlement;
        return observe({ kind: "postponed", id, reason, delayMs: dueMs - nowMs });
      }
      case "dead":
        return observe({ kind: "dead", id, reason: settlement.attempt.reason });
      case "done":
      case "untried":
    }
  }

  /** What an attempt tells of the destination; where nothing was sent, that is nothing. */
  #learn(id: string, outcome: Outcome, beganMs: number): void {
    if (outcome.unsent) return;
    const { uptimeMs, random, observe } = this.#options;
    const { label: destination } = this.#route;
    const before = this.#health;
    if (outcome.kind === "deferred") {
      const { reason, retryAfterMs = null } = outcome;
      this.#health = failed(before, { id, beganMs, retryAfterMs }, uptimeMs(), random);
      if (!isOutage(before) && isOutage(this.#health)) {
        observe({ kind: "down", destination, reason });
      }
    } else {
      this.#health = up;
      this.wake();
      if (isOutage(before)) observe({ kind: "up", destination });
    }
  }

  /**
   * What failed with the destination goes out with what waited behind it; so does, after the first success,
   * what waits for whatever an earlier run saw.
   */
  async #hasten(before: Health): Promise<void> {
    if (before.state === "up" && this.#isProven) return;
    const { store, clock, uptimeMs } = this.#options;
    const hastenedMs = this.#isProven
      ? Math.round(HASTENED_OUTAGES * outageMs(before, uptimeMs()))
      : LONGEST_DELAY_MS;
    this.#isProven = true;
    await this.#despite(() =>
      store.hasten(this.#route.name, clock.nowMs, clock.nowMs + hastenedMs)
    );
  }

  /** Those that wait behind an attempt that failed may have waited for too long by now. */
  async #bury(attempt: Attempt): Promise<void> {
    if (!isOutage(this.#health)) return;
    const { store, clock, observe } = this.#options;
    const { name, label: destination } = this.#route;
    await this.#despite(async () => {
      // The clock may have jumped since it began, and they have followed.
      const atMs = Math.round(clock.nowMs - attempt.elapsedMs);
      const messages = await store.bury(name, { ...attempt, atMs });
      if (messages > 0) observe({ kind: "buried", destination, messages });
    });
  }

  /** Tells the store until it knows: else the message would be delivered again. */
  async #settle(claim: Claim, settlement: Settlement): Promise<void> {
    for (;;) {
      try {
        return await this.#options.store.settle(claim, settlement);
      } catch (error) {
        this.#complain(error);
        if (this.#stopping.now.aborted) return;
        await new Promise((resolve) => setTimeout(resolve, FAULT_PAUSE_MS));
      }
    }
  }

  /** What can be left undone. */
  async #despite(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Once is enough to say it, until the store works again. */
  #complain(error: unknown): void {
    if (this.#hasFault) return;
    this.#hasFault = true;
    this.#options.observe({ kind: "queue fault", reason: (error as Error).message });
  }
}
