/**
 * Gives space back, in steps that hold the event loop for milliseconds: the pieces of large messages that
 * are gone, and then the pages of the file that nobody uses.
 */
import type { Commits } from "./commits.ts";
import { PIECE_OCTETS, type Pieces } from "./pieces.ts";
import type { Statements } from "./statements.ts";

/** Pages of 4 KiB that may stay free in the file for what comes next, and that are given back at once. */
const FREE_PAGES = { kept: 256, step: 64 };

/** How long nothing was given back when the log is emptied, in milliseconds. */
const REST_MS = 500;

/** Cleans one file. */
export class Cleaner {
  readonly #sql: Statements;
  readonly #pieces: Pieces;
  readonly #commits: Commits;
  /** Messages that are being written: their pieces are somebody's. */
  readonly #written = new Set<number>();
  #cleaning: Promise<void> | null = null;
  #isStopped = false;
  #emptying: ReturnType<typeof setTimeout> | undefined;

  /** All are of one connection. */
  constructor(sql: Statements, pieces: Pieces, commits: Commits) {
    this.#sql = sql;
    this.#pieces = pieces;
    this.#commits = commits;
  }

  /** Leaves the pieces of a message alone until its writing is over, whatever comes of it. */
  async spare<Result>(message: number, writing: Promise<Result>): Promise<Result> {
    this.#written.add(message);
    try {
      return await writing;
    } finally {
      this.#written.delete(message);
    }
  }

  /** Begins to clean, unless it is at it. */
  begin(): void {
    this.#cleaning ??= this.#run();
  }

  /** Stops at the next step; what is left is for the next time. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#cleaning;
    clearTimeout(this.#emptying);
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isStopped && await this.#commits.run(PIECE_OCTETS, () => this.#step()));
    } catch {
      // A disk that fails, or is full: there is a next time.
    }
    this.#cleaning = null;
  }

  /** Whether there is more to do. */
  #step(): boolean {
    const debris = this.#sql.all<{ message: number }>("SELECT message FROM debris");
    const gone = debris.find(({ message }) => !this.#written.has(message));
    if (gone !== undefined) {
      const { message } = gone;
      if (!this.#pieces.remove(message)) {
        this.#sql.run("DELETE FROM debris WHERE message = ?", message);
      }
      return true;
    }
    // A quarter of the file may be free: it is used again soon.
    const enough = Math.max(FREE_PAGES.kept, this.#sql.number("PRAGMA page_count") / 4);
    const free = this.#sql.number("PRAGMA freelist_count");
    if (free <= enough) return false;
    this.#sql.all(`PRAGMA incremental_vacuum(${FREE_PAGES.step})`);
    // A file that was not made here may have none to give.
    const hasGiven = this.#sql.number("PRAGMA freelist_count") < free;
    if (hasGiven) this.#emptySoon();
    return hasGiven;
  }

  /** The file gets smaller when the log is emptied into it: where nothing else comes, nobody else does that. */
  #emptySoon(): void {
    clearTimeout(this.#emptying);
    this.#emptying = setTimeout(() => {
      try {
        this.#sql.all("PRAGMA wal_checkpoint(PASSIVE)");
      } catch {
        // As above.
      }
    }, REST_MS);
  }
}
