/**
 * A `Store` in a file, by the SQLite that Deno brings along, with a write-ahead log that is flushed before
 * anything is promised of a message (flushes.ts), so that it outlives a loss of power.
 *
 * It runs on the event loop, and nothing that it does there is long: commits are shared (commits.ts), the disk
 * is waited for beside the loop, and large messages are written and removed piece by piece, with others' work
 * in between (pieces.ts, cleaner.ts). Tools may read and change the file meanwhile.
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
import { Claims } from "./claims.ts";
import { Cleaner } from "./cleaner.ts";
import { Commits } from "./commits.ts";
import { openForServer, type ServedFile } from "./file.ts";
import { Flushes } from "./flushes.ts";
import { Pieces } from "./pieces.ts";
import { giveUp, Reserve } from "./reserve.ts";
import { postpone } from "./rows.ts";
import { isDiskFull, isOutOfSpace, storeErrorOf } from "./sqlite_fault.ts";
import { Statements } from "./statements.ts";
import { type Takeover, takeOver } from "./takeover.ts";
import { Writer } from "./writer.ts";

/** What a store obeys. */
export interface SqliteOptions extends Takeover {
  /** Octets that all messages, and what is known of them, may take. */
  readonly maxOctets: number;
}

/** Rows that are changed at once where there may be many. */
const MANY = 100;

/** A queue in a file. */
export class SqliteStore implements Store {
  /** What was left of earlier runs when it was opened. */
  readonly backlog: { readonly waiting: number; readonly dead: number };
  readonly #file: ServedFile;
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #reserve: Reserve;
  readonly #commits: Commits;
  readonly #cleaner: Cleaner;
  readonly #writer: Writer;
  readonly #claims: Claims;
  #closing: Promise<void> | null = null;

  private constructor(file: ServedFile, reserve: Reserve, { maxOctets }: SqliteOptions) {
    const { db } = file;
    const sql = new Statements(db);
    const pieces = new Pieces(sql);
    const flushes = new Flushes(db, file.log);
    const commits = new Commits(db, () => this.#makeSpace(), () => flushes.flush());
    const cleaner = new Cleaner(sql, pieces, commits);
    this.#file = file;
    this.#db = db;
    this.#sql = sql;
    this.#reserve = reserve;
    this.#commits = commits;
    this.#cleaner = cleaner;
    this.#writer = new Writer({ sql, pieces, commits, cleaner, reserve, maxOctets });
    this.#claims = new Claims(sql, pieces);
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
    let file: ServedFile | undefined;
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
    return this.#commits.run(0, () => this.#claims.take(destination, most, how));
  }

  /** See `Store`. */
  async settle(claim: Claim, settlement: Settlement): Promise<boolean> {
    const isSettled = await this.#commits.run(0, () => this.#claims.end(claim, settlement));
    if (settlement.kind === "done") this.#cleaner.begin();
    return isSettled;
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
      for (const { message } of rows) postpone(this.#sql, message, destination, null, attempt);
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
