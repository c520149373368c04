/** What becomes of a delivery after an attempt: a calculation. */
import type { Outcome } from "./mail.ts";
import { delayMs } from "./retry.ts";
import type { Attempt, Claim, Settlement } from "./store.ts";

/** How to settle a claim after an attempt with that outcome. `random` gives numbers from 0 to 1. */
export function settlementOf(
  { tries, expiresMs }: Claim,
  outcome: Outcome,
  attempt: Attempt,
  nowMs: number,
  random: () => number,
): Settlement {
  switch (outcome.kind) {
    case "accepted":
      return { kind: "done" };
    case "rejected":
      return { kind: "dead", attempt };
    case "deferred": {
      if (attempt.atMs >= expiresMs) return { kind: "dead", attempt };
      const dueMs = nowMs + Math.round(outcome.retryAfterMs ?? delayMs(tries + 1, random));
      // The last attempt is at the end of its life, and not hours before.
      return { kind: "waiting", dueMs: Math.max(Math.min(dueMs, expiresMs), nowMs), attempt };
    }
  }
}
