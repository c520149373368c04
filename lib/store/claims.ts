/**
 * Deliveries that are taken for an attempt, and how that ended. Each call is part of a transaction of
 * whoever calls.
 */
import type { Attempt, Claim, Claimed, Settlement } from "../store.ts";
import type { Pieces } from "./pieces.ts";
import { forget, isWanted, mailOf, type MessageRow, postpone, removeMessage } from "./rows.ts";
import type { Statements } from "./statements.ts";

/** A delivery that is due. */
interface DueRow extends MessageRow {
  readonly label: string;
  readonly expires: number;
  readonly tries: number;
}

/** Octets of messages that are read at once, unless a single one has more. */
const CLAIMED_OCTETS = 2 * 1024 * 1024;

/** The claims of one server. */
export class Claims {
  readonly #sql: Statements;
  readonly #pieces: Pieces;
  /** The number of the latest lease. */
  #lease = 0;

  /** Both are of one connection. */
  constructor(sql: Statements, pieces: Pieces) {
    this.#sql = sql;
    this.#pieces = pieces;
  }

  /** See `Store.claim`. */
  take(
    destination: string,
    most: number,
    { nowMs, leaseMs, isProbe = false }: {
      readonly nowMs: number;
      readonly leaseMs: number;
      readonly isProbe?: boolean;
    },
  ): Claimed {
    const untried = isProbe ? this.#due(destination, nowMs, 1, "AND tries = 0") : [];
    const due = untried.length > 0 ? untried : this.#due(destination, nowMs, isProbe ? 1 : most);
    let octets = 0;
    const rows = due.filter((row, at) => (octets += row.octets) <= CLAIMED_OCTETS || at === 0);
    const claims = rows.flatMap((row): Claim[] => {
      const mail = mailOf(row, this.#pieces);
      if (mail === null) {
        postpone(this.#sql, row.message, destination, null, lostPart(row, nowMs));
        return [];
      }
      const lease = ++this.#lease;
      this.#sql.run(
        "UPDATE deliveries SET lease = ?, leased = ? WHERE message = ? AND destination = ?",
        ...[lease, nowMs + leaseMs, row.message, destination],
      );
      const { tries, expires: expiresMs } = row;
      return [{ lease: `${row.message}.${lease}`, mail, destination, tries, expiresMs }];
    });
    return { claims, nextMs: this.#next(destination, nowMs) };
  }

  /** See `Store.settle`. */
  end({ lease, destination }: Claim, settlement: Settlement): boolean {
    const [message, number] = lease.split(".").map(Number);
    if (settlement.kind === "done") return this.#remove(message, destination, number);
    const released = this.#sql.run(
      `UPDATE deliveries SET lease = NULL, leased = NULL
       WHERE message = ? AND destination = ? AND lease = ?`,
      ...[message, destination, number],
    );
    if (released === 0) return false;
    switch (settlement.kind) {
      case "untried":
        break;
      case "waiting":
        postpone(this.#sql, message, destination, settlement.dueMs, settlement.attempt);
        break;
      case "dead":
        postpone(this.#sql, message, destination, null, settlement.attempt);
    }
    return true;
  }

  /** Removes what is delivered, by as few statements as there can be; whether the lease was the latest one. */
  #remove(message: number, destination: string, lease: number): boolean {
    const delivery = this.#sql.first<{ attempts: number }>(
      `DELETE FROM deliveries WHERE message = ? AND destination = ? AND lease = ? RETURNING attempts`,
      ...[message, destination, lease],
    );
    if (delivery === undefined) return false;
    if (delivery.attempts > 0) forget(this.#sql, message, destination);
    if (!isWanted(this.#sql, message)) removeMessage(this.#sql, this.#pieces, message);
    return true;
  }

  /** Deliveries that are due, those due first in front. */
  #due(destination: string, nowMs: number, most: number, condition = ""): readonly DueRow[] {
    return this.#sql.all<DueRow>(
      `SELECT messages.*, label, expires, tries FROM deliveries JOIN messages USING (message)
       WHERE destination = ? AND due <= ? AND (lease IS NULL OR leased <= ?) ${condition}
       ORDER BY due, deliveries.message LIMIT ?`,
      ...[destination, nowMs, nowMs, most],
    );
  }

  /** When a delivery is due next, or a lease runs out. */
  #next(destination: string, nowMs: number): number | null {
    const free = this.#sql.first<{ due: number }>(
      `SELECT due FROM deliveries
       WHERE destination = ? AND due IS NOT NULL AND (lease IS NULL OR leased <= ?)
       ORDER BY due LIMIT 1`,
      ...[destination, nowMs],
    )?.due;
    const leased = this.#sql.first<{ leased: number }>(
      `SELECT leased FROM deliveries
       WHERE destination = ? AND lease IS NOT NULL AND leased > ? ORDER BY leased LIMIT 1`,
      ...[destination, nowMs],
    )?.leased;
    return free === undefined && leased === undefined
      ? null
      : Math.min(free ?? Infinity, leased ?? Infinity);
  }
}

/** Such a message is not delivered, as if it were another one: it is for an operator to see. */
const lostPart = ({ label }: DueRow, nowMs: number): Attempt => ({
  ...{ atMs: nowMs, elapsedMs: 0, label, detail: "" },
  reason: "a part of the message is lost: the file is damaged",
});
