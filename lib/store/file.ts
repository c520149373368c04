/**
 * Opens the file of a queue, for the one server that it has, or for a tool beside it.
 */
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../store.ts";
import { kindOf, migrate } from "./schema.ts";
import { isBusy } from "./sqlite_fault.ts";

/** How long a tool, or a server that starts, waits for the commits of others, in milliseconds. */
const BUSY_MS = 10_000;

/**
 * Pages of 4 KiB after which the write-ahead log is emptied into the file, and octets that it may keep: small
 * enough for reserve.ts, and to be written in a moment.
 */
const LOG = { pages: 250, octets: 1024 * 1024 };

/** A file that is open. */
export interface OpenFile extends Disposable {
  /** The connection. */
  readonly db: DatabaseSync;
  /** Its path, without links. */
  readonly path: string;
}

/** A file that is open for its server. */
export interface ServedFile extends OpenFile {
  /** The write-ahead log, which flushes.ts flushes. */
  readonly log: Deno.FsFile;
}

/**
 * Opens a queue for a server, and makes the file where there is none. Throws a `StoreError`, or a fault of
 * SQLite, where that is impossible; the file is then as it was.
 */
export function openForServer(path: string): ServedFile {
  makeFile(path);
  // However it is called, it is one file, with one server.
  const real = Deno.realPathSync(path);
  const { isFile, nlink } = Deno.statSync(real);
  if (!isFile) throw new StoreError("is no file, must be a file in a folder that is writable");
  if ((nlink ?? 1) > 1) {
    throw new StoreError("has a second name (a hard link), must have one");
  }
  const db = open(real);
  let lock: DatabaseSync | undefined;
  let log: Deno.FsFile;
  try {
    // A tool may be writing.
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    // Beside what is refused nothing is left.
    kindOf(db);
    lock = lockBeside(real);
    // Before there are tables, and before anything is written: it cannot be said later.
    if (kindOf(db) === "empty") db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    db.exec("PRAGMA journal_mode = WAL");
    // On macOS a disk is flushed by this only; elsewhere it is nothing.
    db.exec("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON");
    // What it leaves out is for flushes.ts.
    db.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${LOG.pages}`);
    db.exec(`PRAGMA journal_size_limit = ${LOG.octets}`);
    migrate(db);
    // It is there, and the same one until this connection is closed.
    log = Deno.openSync(`${real}-wal`, { write: true });
  } catch (error) {
    db.close();
    lock?.close();
    throw error;
  }
  return {
    db,
    path: real,
    log,
    [Symbol.dispose]() {
      log.close();
      db.close();
      lock.close();
    },
  };
}

/** Opens a queue for a tool. Throws as `openForServer` does, and where there is none. */
export function openForTool(path: string): OpenFile {
  if (!exists(path)) throw new StoreError("is not there, must be a queue of smtp-pigeon");
  const db = open(path);
  try {
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    switch (kindOf(db)) {
      case "empty":
        throw new StoreError("is empty, must be a queue of smtp-pigeon");
      case "older":
        throw new StoreError("was made by an older smtp-pigeon, must be served by this one first");
      case "current":
        return { db, path, [Symbol.dispose]: () => db.close() };
    }
  } catch (error) {
    db.close();
    throw error;
  }
}

/** SQLite says that it cannot open a file, and not why. */
function open(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path);
  } catch (error) {
    try {
      Deno.openSync(path, { read: true, write: true }).close();
    } catch (reason) {
      throw new StoreError(
        `cannot be opened (${reasonOf(reason)}), must be a file that is writable`,
      );
    }
    throw error;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "its folder is not there";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return (error as Error).message.split(":")[0].replace(/ \(os error \d+\)$/, "");
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Mail is nobody else's to read, and SQLite gives its other files the mode of this one. */
function makeFile(path: string): void {
  if (exists(path)) return;
  try {
    Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
  } catch (error) {
    throw new StoreError(
      `cannot be made (${reasonOf(error)}), must be in a folder that is there and writable`,
    );
  }
}

/**
 * Holds a file beside the queue. SQLite's own locks come and go with its transactions; this one is an
 * exclusive transaction that never ends, so the system frees it whenever and however the process ends.
 */
function lockBeside(path: string): DatabaseSync {
  const beside = `${path}-server`;
  makeFile(beside);
  const lock = open(beside);
  try {
    lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new StoreError("is used by another smtp-pigeon that runs, must be this one's alone");
  }
}
