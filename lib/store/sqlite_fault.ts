/**
 * What SQLite throws into a `StoreError`. Deno passes on its message only, not its code; the messages are
 * those of `sqlite3_errstr`, which have not changed in a decade (https://sqlite.org/rescode.html).
 */
import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../store.ts";

/** How messages begin, and what they mean to whoever named the file. */
const MEANINGS: readonly (readonly [message: string, meaning: string])[] = [
  ["file is not a database", "is no database, must be a queue of smtp-pigeon"],
  ["database disk image is malformed", "is damaged, must be restored or moved away"],
  ["attempt to write a readonly database", "is read-only, must be writable"],
  ["unable to open database file", "cannot be opened, must be a file in a folder that is writable"],
  ["database is locked", "is locked by another program, must be free within seconds"],
  ["disk I/O error", "cannot be read or written, must be on a disk that is sound and has space"],
  ["out of memory", "cannot be read for want of memory, must be smaller"],
];

const FULL = "database or disk is full";

/** Whether another connection is writing at the moment. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("database is locked");
}

/** Whether the file system has no space; a queue that is as large as it may be is something else. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith(FULL);
}

/** Whether it may be for want of space: where SQLite makes its files a disk that is full looks broken. */
export function isOutOfSpace(error: unknown): boolean {
  return isDiskFull(error) || error instanceof Error && error.message.startsWith("disk I/O error");
}

/** Ends a transaction that failed. */
export function rollBack(db: DatabaseSync): void {
  try {
    db.exec("ROLLBACK");
  } catch {
    // It has not begun, or SQLite has rolled it back already.
  }
}

/** A fault of the store; what is none of SQLite's own faults comes back as it is. */
export function storeErrorOf(error: unknown): unknown {
  if (!(error instanceof Error) || error.constructor !== Error) return error;
  if (isDiskFull(error)) return new StoreError("disk is full", true);
  const [, meaning] = MEANINGS.find(([message]) => error.message.startsWith(message)) ?? [];
  return new StoreError(meaning ?? error.message);
}
