/**
 * The tables of a queue, and how a file of an older version becomes one of this version. A file says what
 * it is by the `application_id` and `user_version` of its header (https://sqlite.org/fileformat2.html): what
 * is not a queue, or one of a newer program, is left as it is.
 */
import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../store.ts";
import { rollBack } from "./sqlite_fault.ts";

/** "pigQ": marks the file as a queue. */
const APPLICATION_ID = 0x70696751;

/**
 * What makes each version of the one before, an empty file being version 0. Released steps never change.
 *
 * A message is in `pieces`, so that no large one holds the program up. Its pieces have the keys from
 * `message * MOST_PIECES` on. Those of a message in `debris` are nobody's: it is being written, or removed.
 * A delivery without `due` is dead; one with `lease` is being tried, until `leased`. Moments are in
 * milliseconds.
 */
const steps: readonly string[] = [
  `CREATE TABLE messages (
     message INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     received INTEGER NOT NULL,
     octets INTEGER NOT NULL,
     envelope TEXT NOT NULL,
     client TEXT NOT NULL
   ) STRICT;
   CREATE TABLE pieces (piece INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
   CREATE TABLE debris (message INTEGER PRIMARY KEY) STRICT;
   CREATE TABLE deliveries (
     message INTEGER NOT NULL,
     destination TEXT NOT NULL,
     label TEXT NOT NULL,
     due INTEGER,
     expires INTEGER NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     tries INTEGER NOT NULL DEFAULT 0,
     lease INTEGER,
     leased INTEGER,
     PRIMARY KEY (message, destination)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX due ON deliveries (destination, due);
   CREATE INDEX leases ON deliveries (destination, leased) WHERE lease IS NOT NULL;
   CREATE INDEX untried ON deliveries (destination, due) WHERE tries = 0;
   CREATE INDEX life ON deliveries (destination, expires) WHERE due IS NOT NULL;
   CREATE TABLE outages (
     destination TEXT PRIMARY KEY,
     since INTEGER NOT NULL,
     next INTEGER NOT NULL,
     reason TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE attempts (
     message INTEGER NOT NULL,
     destination TEXT NOT NULL,
     number INTEGER NOT NULL,
     began INTEGER NOT NULL,
     elapsed REAL NOT NULL,
     label TEXT NOT NULL,
     reason TEXT NOT NULL,
     detail TEXT NOT NULL,
     PRIMARY KEY (message, destination, number)
   ) STRICT, WITHOUT ROWID;`,
];

/** The version that this program reads and writes. */
export const VERSION = steps.length;

/** What a file is, as its header says. */
export type Kind = "empty" | "older" | "current";

/** Says what a file is. Throws a `StoreError` where it is nothing that this program can use. */
export function kindOf(db: DatabaseSync, known = VERSION): Kind {
  const application = pragma(db, "application_id");
  const version = pragma(db, "user_version");
  if (application === APPLICATION_ID && version > known) {
    throw new StoreError(
      `was made by a newer smtp-pigeon (its schema is ${version}), must be at most of schema ${known}`,
    );
  }
  if (application === APPLICATION_ID) return version === known ? "current" : "older";
  const tables = db.prepare("SELECT count(*) AS count FROM sqlite_schema").get()!.count as number;
  if (application === 0 && version === 0 && tables === 0) return "empty";
  throw new StoreError("is a database of another program, must be a queue of smtp-pigeon");
}

/** Brings a file to this version, all of it or nothing. */
export function migrate(db: DatabaseSync, wanted = steps): void {
  if (kindOf(db, wanted.length) === "current") return;
  db.exec("BEGIN IMMEDIATE");
  try {
    for (const step of wanted.slice(pragma(db, "user_version"))) db.exec(step);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${wanted.length}`);
    db.exec("COMMIT");
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/** A number that SQLite knows of a file. */
function pragma(db: DatabaseSync, name: string): number {
  return db.prepare(`PRAGMA ${name}`).get()![name] as number;
}
