/**
 * What the attempts of one destination tell of it, and what follows for the deliveries that wait: when it
 * is up again they go out at once, and while it is down those die that have waited for too long.
 */
import type { Observe } from "./event.ts";
import { failed, type Health, isOutage, outageMs, probeMs, up } from "./health.ts";
import type { Outcome } from "./mail.ts";
import { LONGEST_DELAY_MS } from "./retry.ts";
import type { SteadyClock } from "./steady_clock.ts";
import type { Attempt, Destination, Store } from "./store.ts";

/** What an outlook uses. */
export interface OutlookOptions {
  /** Where messages wait. */
  readonly store: Store;
  /** The time of day. */
  readonly clock: SteadyClock;
  /** Milliseconds of a clock that only goes forward. */
  readonly uptimeMs: () => number;
  /** Numbers from 0 to 1. */
  readonly random: () => number;
  /** Hears what happens. */
  readonly observe: Observe;
}

/** An attempt that was made. */
export interface Tried {
  /** The id of the message. */
  readonly id: string;
  /** How it ended. */
  readonly outcome: Outcome;
  /** The same, as the store remembers it. */
  readonly attempt: Attempt;
  /** When it began, in `uptimeMs`. */
  readonly beganMs: number;
}

/**
 * How long a delivery may have to wait that shall not wait when an outage is over: by the schedule of
 * retry.ts, what failed with the destination waits for at most eight times as long as it has been waiting,
 * and after the first minutes for two and a half times. What fails by itself, among others that do not,
 * soon waits for longer, and is not hastened each time that one of them goes through.
 */
const hastenedMs = (outageMs: number): number =>
  Math.round(Math.max(2.5 * outageMs, Math.min(8 * outageMs, 300_000)));

/** The outlook for one destination. */
export class Outlook {
  readonly #destination: Destination;
  readonly #options: OutlookOptions;
  #health: Health = up;
  /** Whether anything was delivered yet. */
  #isProven = false;
  /** Whether operators were told of an outage. */
  #isReported = false;

  /** Begins with nothing known. */
  constructor(destination: Destination, options: OutlookOptions) {
    this.#destination = destination;
    this.#options = options;
  }

  /** Whether it is to be tried with one message at a time. */
  get isOutage(): boolean {
    return isOutage(this.#health);
  }

  /** Milliseconds until the next attempt; at most 0 where it may begin. */
  get waitMs(): number {
    return probeMs(this.#health) - this.#options.uptimeMs();
  }

  /** Takes notice of an attempt, and gives what it means for others: to be done once it is settled. */
  learn(tried: Tried): () => Promise<void> {
    const { outcome: { kind, unsent }, attempt } = tried;
    // What was not sent says nothing of the destination.
    if (unsent) return () => Promise.resolve();
    const before = this.#health;
    if (kind === "deferred") this.#fail(tried);
    else this.#health = up;
    this.#tell(before, attempt.reason);
    return async () => {
      await (kind === "deferred" ? this.#bury(attempt) : this.#hasten(before));
      await this.#report(attempt.reason);
    };
  }

  #fail({ id, outcome, beganMs }: Tried): void {
    const { uptimeMs, random, observe } = this.#options;
    const { retryAfterMs = null } = outcome as Outcome & { kind: "deferred" };
    if (retryAfterMs !== null) {
      observe({ kind: "throttled", destination: this.#destination.label, delayMs: retryAfterMs });
    }
    this.#health = failed(this.#health, { id, beganMs, retryAfterMs }, uptimeMs(), random);
  }

  #tell(before: Health, reason: string): void {
    const { observe } = this.#options;
    const { label: destination } = this.#destination;
    if (!isOutage(before) && this.isOutage) observe({ kind: "down", destination, reason });
    if (isOutage(before) && !this.isOutage) observe({ kind: "up", destination });
  }

  /** Operators are told of what delays other messages than the one that failed. */
  async #report(reason: string): Promise<void> {
    const { store, clock, uptimeMs } = this.#options;
    const { nowMs } = clock;
    const isHeldUp = this.isOutage || this.waitMs > 0;
    if (!isHeldUp && !this.#isReported) return;
    await store.report(
      this.#destination.name,
      !isHeldUp ? null : {
        sinceMs: Math.round(nowMs - outageMs(this.#health, uptimeMs())),
        nextMs: Math.round(nowMs + Math.max(this.waitMs, 0)),
        reason,
      },
    );
    this.#isReported = isHeldUp;
  }

  /**
   * What failed with the destination goes out with what waited behind it; so does, after the first success,
   * what waits for whatever an earlier run saw.
   */
  async #hasten(before: Health): Promise<void> {
    if (before.state === "up" && this.#isProven) return;
    const { store, clock, uptimeMs } = this.#options;
    const withinMs = this.#isProven ? hastenedMs(outageMs(before, uptimeMs())) : LONGEST_DELAY_MS;
    this.#isProven = true;
    await store.hasten(this.#destination.name, clock.nowMs, clock.nowMs + withinMs);
  }

  /** Those that wait behind an attempt that failed may have waited for too long by now. */
  async #bury(attempt: Attempt): Promise<void> {
    if (!this.isOutage) return;
    const { store, clock, observe } = this.#options;
    const { name, label: destination } = this.#destination;
    // The clock may have jumped since it began, and they have followed.
    const atMs = Math.round(clock.nowMs - attempt.elapsedMs);
    const messages = await store.bury(name, { ...attempt, atMs });
    if (messages > 0) observe({ kind: "buried", destination, messages });
  }
}
