/**
 * A `Store` in a file, by the SQLite that Deno brings along: WAL and `synchronous=FULL`, so that what is
 * committed outlives a loss of power (https://sqlite.org/pragma.html#pragma_synchronous).
 *
 * It runs on the event loop, and nothing that it does there is long: commits are shared (commits.ts), and
 * large messages are written and removed piece by piece, with others' work in between (pieces.ts,
 * cleaner.ts). Tools may read and change the file meanwhile.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Mail } from "../mail.ts";
import {
  type Attempt,
  type Claim,
  type Claimed,
  type Destination,
  type Outage,
  type Settlement,
  type Store,
  StoreError,
} from "../store.ts";
import { Cleaner } from "./cleaner.ts";
import { Commits } from "./commits.ts";
import { type OpenFile, openForServer } from "./file.ts";
import { Pieces } from "./pieces.ts";
import { giveUp, Reserve } from "./reserve.ts";
import { isWanted, mailOf, type MessageRow, remember, removeDelivery } from "./rows.ts";
import { isDiskFull, isOutOfSpace, storeErrorOf } from "./sqlite_fault.ts";
import { Statements } from "./statements.ts";
import { type Takeover, takeOver } from "./takeover.ts";
import { Writer } from "./writer.ts";

/** What a store obeys. */
export interface SqliteOptions extends Takeover {
  /** Octets that all messages, and what is known of them, may take. */
  readonly maxOctets: number;
}

/** A delivery that can be claimed. */
interface DueRow extends MessageRow {
  readonly label: string;
  readonly expires: number;
  readonly tries: number;
}

/** Rows that are changed at once where there may be many. */
const MANY = 100;

/** Octets of messages that are read at once, unless a single one has more. */
const CLAIMED_OCTETS = 2 * 1024 * 1024;

/** A queue in a file. */
export class SqliteStore implements Store {
  /** What was left of earlier runs when it was opened. */
  readonly backlog: { readonly waiting: number; readonly dead: number };
  readonly #file: OpenFile;
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #pieces: Pieces;
  readonly #reserve: Reserve;
  readonly #commits: Commits;
  readonly #cleaner: Cleaner;
  readonly #writer: Writer;
  /** The number of the latest lease. */
  #lease = 0;
  #closing: Promise<void> | null = null;

  private constructor(file: OpenFile, reserve: Reserve, { maxOctets }: SqliteOptions) {
    const { db } = file;
    const sql = new Statements(db);
    const pieces = new Pieces(sql);
    const commits = new Commits(db, () => this.#makeSpace());
    const cleaner = new Cleaner(sql, pieces, commits);
    this.#file = file;
    this.#db = db;
    this.#sql = sql;
    this.#pieces = pieces;
    this.#reserve = reserve;
    this.#commits = commits;
    this.#cleaner = cleaner;
    this.#writer = new Writer({ sql, pieces, commits, cleaner, reserve, maxOctets });
    this.backlog = sql.first<{ waiting: number; dead: number }>(
      "SELECT count(due) AS waiting, count(*) - count(due) AS dead FROM deliveries",
    )!;
  }

  /**
   * Opens a queue for a server, and makes the file where there is none. Whatever an earlier server was at is
   * free again. Throws a `StoreError` that says what the file is where it cannot be used; it is then as it
   * was.
   */
  static open(path: string, options: SqliteOptions): SqliteStore {
    try {
      try {
        return SqliteStore.#open(path, options);
      } catch (error) {
        // Without space SQLite cannot even read: it makes files for that.
        if (!isOutOfSpace(error) || !giveUp(path)) throw error;
        return SqliteStore.#open(path, options);
      }
    } catch (error) {
      if (!isDiskFull(error)) throw storeErrorOf(error);
      throw new StoreError("is on a disk that is full, must have space", true);
    }
  }

  static #open(path: string, options: SqliteOptions): SqliteStore {
    let file: OpenFile | undefined;
    let reserve: Reserve | undefined;
    try {
      file = openForServer(path);
      reserve = new Reserve(file.path);
      const store = new SqliteStore(file, reserve, options);
      takeOver(file.db, store.#sql, options);
      store.#cleaner.begin();
      // From now on the event loop shall not be held while a tool writes: commits.ts waits.
      file.db.exec("PRAGMA busy_timeout = 0");
      return store;
    } catch (error) {
      reserve?.close();
      file?.[Symbol.dispose]();
      throw error;
    }
  }

  /** See `Store`. */
  async put(
    mail: Mail,
    destinations: readonly [Destination, ...Destination[]],
    times: { readonly nowMs: number; readonly expiresMs: number },
  ): Promise<void> {
    await this.#writer.write(mail, { destinations, ...times });
  }

  /** See `Store`. */
  claim(
    destination: string,
    most: number,
    how: { readonly nowMs: number; readonly leaseMs: number; readonly isProbe?: boolean },
  ): Promise<Claimed> {
    const { nowMs, leaseMs, isProbe = false } = how;
    return this.#commits.run(0, () => {
      const untried = isProbe ? this.#due(destination, nowMs, 1, "AND tries = 0") : [];
      const rows = untried.length > 0 ? untried : this.#due(destination, nowMs, isProbe ? 1 : most);
      let octets = 0;
      const read = rows.filter((row, at) => (octets += row.octets) <= CLAIMED_OCTETS || at === 0);
      const claims = read.flatMap((row): Claim[] => {
        const mail = mailOf(row, this.#pieces);
        if (mail === null) {
          this.#postpone(row.message, destination, null, lostPart(row, nowMs));
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
    });
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

  /** When a delivery is due next, or its lease runs out. Those under way are few, and come first. */
  #next(destination: string, nowMs: number): number | null {
    let nextMs = Infinity;
    const rows = this.#sql.each<{ due: number; lease: number | null; leased: number }>(
      `SELECT due, lease, leased FROM deliveries
       WHERE destination = ? AND due IS NOT NULL ORDER BY due`,
      destination,
    );
    for (const { due, lease, leased } of rows) {
      if (due >= nextMs) break;
      nextMs = Math.min(nextMs, lease !== null && leased > nowMs ? leased : due);
    }
    return nextMs === Infinity ? null : nextMs;
  }

  /** See `Store`. */
  async settle({ lease, destination }: Claim, settlement: Settlement): Promise<boolean> {
    const [message, number] = lease.split(".").map(Number);
    const isSettled = await this.#commits.run(0, () => {
      const released = this.#sql.run(
        `UPDATE deliveries SET lease = NULL, leased = NULL
         WHERE message = ? AND destination = ? AND lease = ?`,
        ...[message, destination, number],
      );
      if (released === 0) return false;
      switch (settlement.kind) {
        case "done":
          removeDelivery(this.#sql, message, destination);
          if (!isWanted(this.#sql, message)) this.#remove(message);
          break;
        case "untried":
          break;
        case "waiting":
          this.#postpone(message, destination, settlement.dueMs, settlement.attempt);
          break;
        case "dead":
          this.#postpone(message, destination, null, settlement.attempt);
      }
      return true;
    });
    if (settlement.kind === "done") this.#cleaner.begin();
    return isSettled;
  }

  #postpone(message: number, destination: string, dueMs: number | null, attempt: Attempt): void {
    this.#sql.run(
      "UPDATE deliveries SET due = ?, tries = tries + 1 WHERE message = ? AND destination = ?",
      ...[dueMs, message, destination],
    );
    remember(this.#sql, message, destination, attempt);
  }

  #remove(message: number): void {
    this.#sql.run("DELETE FROM messages WHERE message = ?", message);
    // What is left of a large one is for the cleaner.
    if (this.#pieces.remove(message)) this.#sql.run("INSERT INTO debris VALUES (?)", message);
  }

  /** See `Store`. */
  async hasten(destination: string, nowMs: number, untilMs: number): Promise<void> {
    await this.#inParts(() =>
      this.#sql.run(
        `UPDATE deliveries SET due = ? WHERE (message, destination) IN
           (SELECT message, destination FROM deliveries
            WHERE destination = ? AND due > ? AND due <= ? LIMIT ?)`,
        ...[nowMs, destination, nowMs, untilMs, MANY],
      )
    );
  }

  /** See `Store`. */
  async bury(destination: string, attempt: Attempt): Promise<number> {
    return await this.#inParts(() => {
      const rows = this.#sql.all<{ message: number }>(
        `SELECT message FROM deliveries
         WHERE destination = ? AND due IS NOT NULL AND expires <= ? AND lease IS NULL LIMIT ?`,
        ...[destination, attempt.atMs, MANY],
      );
      for (const { message } of rows) this.#postpone(message, destination, null, attempt);
      return rows.length;
    });
  }

  /** Changes rows part by part, until there are no more, and gives how many they were. */
  async #inParts(change: () => number): Promise<number> {
    for (let total = 0;;) {
      const changed = await this.#commits.run(0, change);
      total += changed;
      if (changed < MANY) return total;
    }
  }

  /** See `Store`. */
  async shift(byMs: number, nowMs: number, lifetimeMs: number): Promise<void> {
    // All at once, though it may take a while: after a crash in between some would be due too late.
    // Nor is it with others: those that are being written by then follow by themselves.
    await this.#commits.run(Infinity, () => {
      this.#sql.run(
        "UPDATE deliveries SET due = due + ?, leased = leased + ?, expires = min(expires + ?, ?)",
        ...[byMs, byMs, byMs, nowMs + lifetimeMs],
      );
      this.#sql.run("UPDATE outages SET since = since + ?, next = next + ?", byMs, byMs);
    });
    this.#writer.shift(byMs);
  }

  /** See `Store`. */
  async report(destination: string, outage: Outage | null): Promise<void> {
    await this.#commits.run(0, () => {
      this.#sql.run("DELETE FROM outages WHERE destination = ?", destination);
      if (outage === null) return;
      const { sinceMs, nextMs, reason } = outage;
      this.#sql.run(
        "INSERT INTO outages VALUES (?, ?, ?, ?)",
        ...[destination, sinceMs, nextMs, reason],
      );
    });
  }

  /** See `Store`. */
  // deno-lint-ignore require-await -- other stores have to ask.
  async version(): Promise<number> {
    try {
      return this.#sql.number("PRAGMA data_version");
    } catch (error) {
      throw storeErrorOf(error);
    }
  }

  /** See `Store`. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    await this.#cleaner.stop();
    await this.#commits.finished();
    this.#reserve.close();
    this.#file[Symbol.dispose]();
  }

  /** Gives the reserve to what is under way; whether there is space now that there was not. */
  #makeSpace(): boolean {
    if (!this.#reserve.release()) return false;
    // The log is emptied into the file, which may grow by that, and then needs no space itself.
    try {
      this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // Even so there is more space than there was.
    }
    return true;
  }
}

/** Such a message is not delivered, as if it were another one: it is for an operator to see. */
const lostPart = ({ label }: DueRow, nowMs: number): Attempt => ({
  ...{ atMs: nowMs, elapsedMs: 0, label, detail: "" },
  reason: "a part of the message is lost: the file is damaged",
});
