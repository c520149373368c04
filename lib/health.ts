/**
 * Whether a destination is up or down, as far as the ends of attempts tell: a calculation on a
 * clock that only goes forward. As long as one message alone has failed, that message may be the
 * trouble, and nobody else waits for it. Once a second one has, the destination is: the next
 * attempt, its probe, waits, and longer after each probe that failed. What an endpoint asks for by
 * `Retry-After` is heeded in any case.
 */
import { nthDelayMs } from "./retry.ts";

/**
 * What is known of a destination. A success makes it `up`, and so does a message that is rejected.
 */
export type Health = Up | Down;

/** As far as is known, it takes what it gets. */
export interface Up {
  /** It is up. */
  readonly state: "up";
}

/** The latest attempts have failed. */
export interface Down {
  /** It is down. */
  readonly state: "down";
  /** When the attempt began that was the first to fail. */
  readonly sinceMs: number;
  /** Before then no attempt may begin; -Infinity where there is nothing to wait for. */
  readonly gateMs: number;
  /** Whose attempts have failed. */
  readonly failures: OneMessage | SeveralMessages;
}

/** All attempts that failed were of one message. */
export interface OneMessage {
  /** One message. */
  readonly of: "one";
  /** Its id. */
  readonly id: string;
}

/** Attempts of different messages have failed. */
export interface SeveralMessages {
  /** Several messages. */
  readonly of: "several";
  /** How often the gate was set anew since they are several, once for each probe that failed. */
  readonly steps: number;
  /** When that was the last time: an attempt that began by then is no probe. */
  readonly steppedMs: number;
}

/** An attempt that has failed, and not for the message's own sake. */
export interface Failure {
  /** The id of the message. */
  readonly id: string;
  /** When it began. */
  readonly beganMs: number;
  /** How long the endpoint asks to wait from its answer on; null where it does not. */
  readonly retryAfterMs: number | null;
}

/** Of a destination nothing bad is known at first. */
export const up: Health = { state: "up" };

/** How long the first probe waits, the second and so on; the last one comes again and again. */
const GATES_MS = [5_000, 30_000, 120_000, 300_000] as const;

/** What is known once an attempt has failed. `random` gives numbers from 0 to 1. */
export function failed(
  health: Health,
  { id, beganMs, retryAfterMs }: Failure,
  nowMs: number,
  random: () => number,
): Down {
  const down: Down = health.state === "down"
    ? health
    : { state: "down", sinceMs: beganMs, gateMs: -Infinity, failures: { of: "one", id } };
  const failures = failuresAfter(down.failures, id, beganMs, nowMs);
  const isStep = failures !== down.failures && failures.of === "several";
  const waitMs = retryAfterMs ??
    (isStep ? nthDelayMs(GATES_MS, failures.steps, random) : -Infinity);
  // Whoever asks for less than another did takes nothing from what that one asked for.
  return { ...down, gateMs: Math.max(down.gateMs, nowMs + waitMs), failures };
}

/** What was under way when a step was taken fails for the same reason: that is no other step. */
function failuresAfter(
  failures: Down["failures"],
  id: string,
  beganMs: number,
  nowMs: number,
): Down["failures"] {
  switch (failures.of) {
    case "one":
      return failures.id === id ? failures : { of: "several", steps: 1, steppedMs: nowMs };
    case "several":
      return beganMs > failures.steppedMs
        ? { of: "several", steps: failures.steps + 1, steppedMs: nowMs }
        : failures;
  }
}

/** Whether the destination itself is in trouble, as far as more than one message tells. */
export function isOutage(health: Health): boolean {
  return health.state === "down" && health.failures.of === "several";
}

/** When the next attempt may begin; -Infinity where it need not wait. */
export function probeMs(health: Health): number {
  return health.state === "down" ? health.gateMs : -Infinity;
}

/** How long it has been down; 0 where it is up. */
export function outageMs(health: Health, nowMs: number): number {
  return health.state === "down" ? nowMs - health.sinceMs : 0;
}
