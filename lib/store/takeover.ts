/** What a server does to a queue that another one has left, whatever ended that one. */
import type { DatabaseSync } from "node:sqlite";
import type { Statements } from "./statements.ts";

/** When it is taken over. */
export interface Takeover {
  /** The moment. */
  readonly nowMs: number;
  /** A delivery is not due later than this after now, whatever a clock said when it was put. */
  readonly longestDelayMs: number;
  /** Nor does it expire later than this after now. */
  readonly lifetimeMs: number;
}

/** Where no server ran for days, messages shall not expire before it could try them, in milliseconds. */
const LEAST_LIFE_MS = 4 * 60 * 60 * 1000;

/** Frees what the other server was at, and makes possible what its clock said. */
export function takeOver(
  db: DatabaseSync,
  sql: Statements,
  { nowMs, longestDelayMs, lifetimeMs }: Takeover,
): void {
  db.exec("BEGIN IMMEDIATE");
  sql.run("DELETE FROM outages");
  // What ended it may be one of these: all others go before them.
  sql.run(
    "UPDATE deliveries SET lease = NULL, leased = NULL, due = ? WHERE lease IS NOT NULL",
    nowMs,
  );
  sql.run(
    "UPDATE deliveries SET due = ? WHERE due > ? AND (attempts = 0 OR due > ?)",
    ...[nowMs, nowMs, nowMs + longestDelayMs],
  );
  const [least, most] = [nowMs + Math.min(LEAST_LIFE_MS, lifetimeMs), nowMs + lifetimeMs];
  sql.run(
    `UPDATE deliveries SET expires = iif(expires < ?, ?, ?)
     WHERE due IS NOT NULL AND expires NOT BETWEEN ? AND ?`,
    ...[nowMs, least, most, nowMs, most],
  );
  db.exec("COMMIT");
}
