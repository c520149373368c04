/**
 * An `Inventory` of the file that sqlite.ts describes, for tools: it may be used while a server runs, whose
 * commits it waits for, and which it holds up for the length of one change only.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Envelope } from "../mail.ts";
import { addressOf } from "../path.ts";
import {
  type Entry,
  type Inventory,
  type Letter,
  type Outage,
  type Selection,
  type Standing,
  type Stats,
  StoreError,
} from "../store.ts";
import { type OpenFile, openForTool } from "./file.ts";
import { Pieces } from "./pieces.ts";
import {
  attemptOf,
  type AttemptRow,
  isWanted,
  mailOf,
  type MessageRow,
  removeDelivery,
} from "./rows.ts";
import { rollBack, storeErrorOf } from "./sqlite_fault.ts";
import { Statements } from "./statements.ts";

/** A delivery with its message and its latest attempt, whose fields are null where there was none. */
interface EntryRow extends MessageRow, AttemptRow {
  readonly destination: string;
  readonly current: string;
  readonly due: number | null;
  readonly lease: number | null;
  readonly attempts: number;
  readonly number: number | null;
}

/** The deliveries of a destination, counted. */
interface TallyRow {
  readonly name: string;
  readonly label: string;
  readonly waiting: number;
  readonly sending: number;
  readonly dead: number;
  readonly next: number | null;
}

const ENTRIES = `
  SELECT messages.*, deliveries.destination, deliveries.label AS current, lease, attempts,
         iif(deliveries.due IS NULL, NULL, max(deliveries.due, coalesce(next, 0))) AS due,
         number, began, elapsed, attempts.label, attempts.reason, detail
  FROM messages JOIN deliveries USING (message)
    LEFT JOIN attempts ON attempts.message = deliveries.message
      AND attempts.destination = deliveries.destination AND number = attempts
    LEFT JOIN outages ON outages.destination = deliveries.destination`;

/** A queue in a file, as an operator sees it. */
export class SqliteInventory implements Inventory {
  readonly #file: OpenFile;
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #pieces: Pieces;

  private constructor(file: OpenFile) {
    this.#file = file;
    this.#db = file.db;
    this.#sql = new Statements(file.db);
    this.#pieces = new Pieces(this.#sql);
  }

  /** Opens a queue that there is. Throws a `StoreError` where there is none, or it cannot be used. */
  static async open(path: string): Promise<SqliteInventory> {
    return await attempt(() => new SqliteInventory(openForTool(path)));
  }

  /** See `Inventory`. */
  entries(
    { dead }: Selection,
    after: { readonly id: string; readonly destination: string } | null,
    most: number,
  ): Promise<readonly Entry[]> {
    return attempt(() =>
      this.#sql.all<EntryRow>(
        `${ENTRIES} WHERE (id, deliveries.destination) > (?, ?) ${
          dead ? "AND deliveries.due IS NULL" : ""
        }
         ORDER BY id, deliveries.destination LIMIT ?`,
        ...[after?.id ?? "", after?.destination ?? "", most],
      ).map(entryOf)
    );
  }

  /** See `Inventory`. */
  ids(prefix: string, most: number): Promise<readonly string[]> {
    return attempt(() =>
      this.#sql.all<{ id: string }>(
        "SELECT id FROM messages WHERE id >= ? AND substr(id, 1, ?) = ? ORDER BY id LIMIT ?",
        ...[prefix, prefix.length, prefix, most],
      ).map(({ id }) => id)
    );
  }

  /** See `Inventory`. */
  find(id: string): Promise<Letter | null> {
    return attempt(() =>
      this.#transaction(() => {
        const row = this.#sql.first<MessageRow>("SELECT * FROM messages WHERE id = ?", id);
        if (row === undefined) return null;
        const deliveries = this.#sql.all<EntryRow>(
          `${ENTRIES} WHERE deliveries.message = ? ORDER BY deliveries.destination`,
          row.message,
        ).map((entry) => ({
          ...entryOf(entry),
          history: this.#sql.all<AttemptRow>(
            "SELECT * FROM attempts WHERE message = ? AND destination = ? ORDER BY number",
            ...[row.message, entry.destination],
          ).map(attemptOf),
        }));
        const mail = mailOf(row, this.#pieces);
        if (mail === null) throw new StoreError(`has lost a part of ${id}, must be restored`);
        return { mail, deliveries };
      })
    );
  }

  /** See `Inventory`. */
  retry(
    ids: readonly string[],
    { dead }: Selection,
    { dueMs, expiresMs }: { readonly dueMs: number; readonly expiresMs: number },
  ): Promise<number> {
    return this.#change(ids, (message) =>
      this.#sql.run(
        `UPDATE deliveries SET due = ?, expires = ?, tries = 0
         WHERE message = ? AND lease IS NULL ${dead ? "AND due IS NULL" : ""}`,
        ...[dueMs, expiresMs, message],
      ));
  }

  /** See `Inventory`. */
  drop(ids: readonly string[], { dead }: Selection): Promise<number> {
    return this.#change(ids, (message) => {
      const rows = this.#sql.all<{ destination: string }>(
        `SELECT destination FROM deliveries WHERE message = ? ${dead ? "AND due IS NULL" : ""}`,
        message,
      );
      for (const { destination } of rows) removeDelivery(this.#sql, message, destination);
      if (!isWanted(this.#sql, message)) {
        this.#sql.run("DELETE FROM messages WHERE message = ?", message);
        while (this.#pieces.remove(message));
      }
      return rows.length;
    });
  }

  /** See `Inventory`. */
  stats(): Promise<Stats> {
    return attempt(() =>
      this.#transaction(() => {
        const { messages, octets, oldest } = this.#sql.first<
          { messages: number; octets: number; oldest: number | null }
        >(
          `SELECT count(*) AS messages, coalesce(sum(octets), 0) AS octets,
                  min(received) AS oldest FROM messages`,
        )!;
        const destinations = this.#sql.all<TallyRow>(
          `SELECT destination AS name, label, sum(due IS NOT NULL AND lease IS NULL) AS waiting,
                  sum(lease IS NOT NULL) AS sending, sum(due IS NULL) AS dead,
                  min(iif(lease IS NULL, due, NULL)) AS next, max(message)
           FROM deliveries GROUP BY destination ORDER BY destination`,
        ).map(({ name, label, waiting, sending, dead, next }) => {
          const outage = this.#outage(name);
          const nextMs = next === null ? null : Math.max(next, outage?.nextMs ?? 0);
          return { destination: { name, label }, waiting, sending, dead, nextMs, outage };
        });
        const storeOctets = this.#sql.number("PRAGMA page_count") *
          this.#sql.number("PRAGMA page_size");
        return { messages, octets, oldestMs: oldest, storeOctets, destinations };
      })
    );
  }

  #outage(destination: string): Outage | null {
    return this.#sql.first<Outage>(
      "SELECT since AS sinceMs, next AS nextMs, reason FROM outages WHERE destination = ?",
      destination,
    ) ?? null;
  }

  /** Lets go of the file. */
  close(): void {
    this.#file[Symbol.dispose]();
  }

  /** Changes deliveries of messages, all or none, and gives how many they were. */
  #change(ids: readonly string[], change: (message: number) => number): Promise<number> {
    return attempt(() =>
      this.#transaction(() => {
        let changed = 0;
        for (const id of new Set(ids)) {
          const row = this.#sql.first<MessageRow>("SELECT message FROM messages WHERE id = ?", id);
          if (row !== undefined) changed += change(row.message);
        }
        return changed;
      }, "IMMEDIATE")
    );
  }

  #transaction<Result>(work: () => Result, kind: "DEFERRED" | "IMMEDIATE" = "DEFERRED"): Result {
    this.#db.exec(`BEGIN ${kind}`);
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      rollBack(this.#db);
      throw error;
    }
  }
}

// deno-lint-ignore require-await -- what is thrown is a rejection.
async function attempt<Result>(work: () => Result): Promise<Result> {
  try {
    return work();
  } catch (error) {
    throw storeErrorOf(error);
  }
}

function entryOf(row: EntryRow): Entry {
  const { reversePath, forwardPaths }: Envelope = JSON.parse(row.envelope);
  return {
    id: row.id,
    receivedMs: row.received,
    octets: row.octets,
    sender: reversePath === null ? "" : addressOf(reversePath),
    recipients: forwardPaths.map(addressOf),
    destination: { name: row.destination, label: row.current },
    standing: standingOf(row),
    attempts: row.attempts,
    dueMs: row.due,
    last: row.number === null ? null : attemptOf(row),
  };
}

function standingOf({ due, lease }: EntryRow): Standing {
  if (due === null) return "dead";
  return lease === null ? "waiting" : "sending";
}
