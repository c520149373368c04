/** Statements of SQLite, each prepared once, with the types of their rows. */
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** What a statement can be given. */
export type Value = number | string | null | Uint8Array;

/** The statements of one connection. */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  /** Prepares each when it is first needed. */
  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Changes rows, and gives how many they were. */
  run(sql: string, ...values: readonly Value[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** All rows. */
  all<Row>(sql: string, ...values: readonly Value[]): readonly Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** The first row, or undefined. */
  first<Row>(sql: string, ...values: readonly Value[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  /** The one number of the one row. */
  number(sql: string, ...values: readonly Value[]): number {
    return Object.values(this.#prepare(sql).get(...values)!)[0] as number;
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) this.#prepared.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }
}
