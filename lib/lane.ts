/**
 * The way out of the queue to one destination: takes what is due from the store, has it delivered, and
 * tells the store how that ended. A lane waits for nobody else's destination. While its own is down
 * (outlook.ts) it tries one message at a time; when it is up again, all that waits goes out at once, as far
 * as `concurrency` lets it.
 */
import type { Courier, Outcome } from "./mail.ts";
import { Outlook, type OutlookOptions } from "./outlook.ts";
import { DELIVERED_TIMES, Room } from "./room.ts";
import type { Attempt, Claim, Destination, Settlement } from "./store.ts";
import { settlementOf } from "./verdict.ts";

/** What lanes obey and use. */
export interface LaneOptions extends OutlookOptions {
  /** Messages that are delivered to one destination at once, at least 1. */
  readonly concurrency: number;
  /** Milliseconds within which an attempt is over for certain. */
  readonly leaseMs: number;
  /** Octets of memory that the messages of one destination may take, about. */
  readonly maxHeldOctets: number;
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

/**
 * Attempts shorter than this are over before the next claim is: so messages are claimed ahead of them, up to
 * `concurrency`. A drain to an endpoint on the same machine is 1.6 times as fast by that.
 */
const QUICK_MS = 50;

/** After how long a lane looks whether there is something to do, whatever it knows. */
const LONGEST_PAUSE_MS = 60_000;

/** The deliveries of one destination. */
export class Lane {
  readonly #route: Route;
  readonly #options: LaneOptions;
  readonly #stopping: LaneStopping;
  readonly #outlook: Outlook;
  readonly #room: Room;
  /** Attempts under way, from the claim until they are settled. */
  readonly #attempts = new Set<Promise<void>>();
  /** Those of them that were claimed ahead, and are told whether they may begin. */
  readonly #ahead: ((mayBegin: boolean) => void)[] = [];
  /** How many of them are being delivered. */
  #delivering = 0;
  /** How long the latest one took to deliver. */
  #elapsedMs = Infinity;
  #hasFault = false;
  /** Whether an operator wants an attempt now, whatever the endpoint asked for. */
  #isHurried = false;
  #wake: () => void = () => {};
  #isWoken = false;

  /** Begins with nothing known of the destination. */
  constructor(route: Route, options: LaneOptions, stopping: LaneStopping) {
    this.#route = route;
    this.#options = options;
    this.#room = new Room(options.maxHeldOctets);
    this.#outlook = new Outlook(route, options);
    this.#stopping = stopping;
  }

  /** Delivers until it is to stop soon, and resolves when no attempt is under way any more. */
  async run(): Promise<void> {
    const { soon } = this.#stopping;
    const stop = () => this.#change();
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
    const { store, clock, concurrency, leaseMs } = this.#options;
    const { isOutage, waitMs } = this.#outlook;
    const ahead = isOutage || this.#elapsedMs > QUICK_MS ? 0 : concurrency;
    const most = this.#free + ahead - this.#ahead.length;
    // The end of an attempt wakes. Of those claimed ahead several are claimed at once.
    if (most <= 0 || most < ahead / 2) return Infinity;
    if (waitMs > 0 && !this.#isHurried) return waitMs;
    this.#isHurried = false;
    const { nowMs, jumpedMs } = clock;
    try {
      const { claims, nextMs } = await store.claim(this.#route.name, most, {
        ...{ nowMs, leaseMs, isProbe: isOutage },
      });
      // Whoever could not settle has not done so yet.
      if (this.#settling === 0) this.#hasFault = false;
      for (const claim of claims) {
        await this.#awaitRoom(claim);
        this.#start(claim, jumpedMs);
      }
      if (claims.length === most || nextMs === null) return Infinity;
      // What is due, but cannot be claimed, is not asked for again and again.
      return claims.length === 0 && nextMs <= nowMs ? FAULT_PAUSE_MS : nextMs - nowMs;
    } catch (error) {
      this.#complain(error);
      return FAULT_PAUSE_MS;
    }
  }

  /** Attempts that are over, and not settled yet. */
  get #settling(): number {
    return this.#attempts.size - this.#ahead.length - this.#delivering;
  }

  /**
   * How many more may be delivered. While some are settled others are delivered; but no more than that wait
   * for a store that fails.
   */
  get #free(): number {
    const { concurrency } = this.#options;
    const most = this.#outlook.isOutage ? 1 : concurrency;
    return Math.min(most, 2 * concurrency - this.#settling) - this.#delivering;
  }

  /** Something has changed: those claimed ahead may begin, or have to be given back, or others can be claimed. */
  #change(): void {
    const isShut = this.#stopping.soon.aborted || this.#outlook.waitMs > 0;
    while (this.#ahead.length > 0 && (isShut || this.#free > 0)) {
      if (!isShut) this.#delivering++;
      this.#ahead.shift()!(!isShut);
    }
    this.wake();
  }

  /** Nothing more is claimed before there is room for what is; and once it is to stop, nothing is tried. */
  async #awaitRoom(claim: Claim): Promise<void> {
    const { soon } = this.#stopping;
    if (soon.aborted) return;
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
    const listener = () => stop();
    soon.addEventListener("abort", listener);
    const { length } = claim.mail.data;
    await Promise.race([this.#room.hold(claim, length, DELIVERED_TIMES), stopped]);
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

  #start(claim: Claim, jumpedMs: number): void {
    const attempt = this.#attempt(claim, jumpedMs).finally(() => {
      this.#attempts.delete(attempt);
      this.#change();
    });
    this.#attempts.add(attempt);
  }

  async #attempt(claim: Claim, jumpedMs: number): Promise<void> {
    const { clock, uptimeMs, random } = this.#options;
    const { now } = this.#stopping;
    let beganMs = NaN;
    let outcome: Outcome | null = null;
    if (await this.#mayBegin()) {
      beganMs = uptimeMs();
      outcome = await this.#carry(claim, now);
      this.#delivering--;
    }
    this.#room.leave(claim);
    if (outcome === null || now.aborted && outcome.kind === "deferred") {
      await this.#settle(claim, { kind: "untried" });
      return;
    }
    const { nowMs } = clock;
    const elapsedMs = this.#elapsedMs = uptimeMs() - beganMs;
    const attempt: Attempt = {
      atMs: Math.round(nowMs - elapsedMs),
      elapsedMs,
      label: this.#route.label,
      reason: outcome.kind === "accepted" ? outcome.note : outcome.reason,
      detail: outcome.detail ?? "",
    };
    // The clock may have jumped since it was claimed.
    const expiresMs = claim.expiresMs + clock.jumpedMs - jumpedMs;
    const settlement = settlementOf({ ...claim, expiresMs }, outcome, attempt, nowMs, random);
    const { id } = claim.mail;
    const follow = this.#outlook.learn({ id, outcome, attempt, beganMs });
    this.#change();
    this.#tell(id, settlement, nowMs, await this.#settle(claim, settlement));
    // Others may wait for longer than they should, but nothing is lost.
    await follow().catch((error) => this.#complain(error));
  }

  /** Whether it may begin, at once or when others are over. */
  async #mayBegin(): Promise<boolean> {
    if (this.#stopping.soon.aborted) return false;
    if (this.#free <= 0) return await new Promise((resolve) => this.#ahead.push(resolve));
    this.#delivering++;
    return true;
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

  #tell(id: string, settlement: Settlement, nowMs: number, isSettled: boolean | null): void {
    const { observe } = this.#options;
    if (isSettled === null) return;
    if (!isSettled) return observe({ kind: "dropped", id });
    switch (settlement.kind) {
      case "waiting": {
        const { dueMs, attempt: { reason } } = settlement;
        const delayMs = Math.max(dueMs - nowMs, this.#outlook.waitMs);
        return observe({ kind: "postponed", id, reason, delayMs });
      }
      case "dead":
        return observe({ kind: "dead", id, reason: settlement.attempt.reason });
      case "done":
      case "untried":
    }
  }

  /**
   * Tells the store until it knows, since else the message would be delivered again; false where nobody wants
   * to know, null where it cannot be told before the end.
   */
  async #settle(claim: Claim, settlement: Settlement): Promise<boolean | null> {
    const { store, clock } = this.#options;
    const { jumpedMs } = clock;
    for (;;) {
      try {
        return await store.settle(claim, moved(settlement, clock.jumpedMs - jumpedMs));
      } catch (error) {
        this.#complain(error);
        if (this.#stopping.now.aborted) return null;
        await new Promise((resolve) => setTimeout(resolve, FAULT_PAUSE_MS));
      }
    }
  }

  /** Once is enough to say it, until the store works again. */
  #complain(error: unknown): void {
    if (this.#hasFault) return;
    this.#hasFault = true;
    this.#options.observe({ kind: "queue fault", reason: (error as Error).message });
  }
}

/** What was settled before the clock jumped by `byMs`. */
function moved(settlement: Settlement, byMs: number): Settlement {
  return settlement.kind === "waiting"
    ? { ...settlement, dueMs: settlement.dueMs + byMs }
    : settlement;
}
