/**
 * Commits that are shared: what is asked for in the same turn of the event loop, or while another one is under
 * way, is one transaction, so that a hundred clients are not a hundred times waiting for the disk.
 */
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { isBusy, isDiskFull, rollBack, storeErrorOf } from "./sqlite_fault.ts";

/** Octets after which a transaction takes no more work: what one commit writes holds the event loop. */
const MAX_OCTETS = 256 * 1024;

/** How long a writer of another process is waited for, at a time and in all, in milliseconds. */
const BUSY_MS = { pause: 5, atMost: 10_000 };

/** A part of a transaction. */
interface Work {
  readonly octets: number;
  readonly run: () => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/** The transactions of one connection. */
export class Commits {
  readonly #db: DatabaseSync;
  readonly #makeSpace: () => boolean;
  readonly #flush: () => Promise<void>;
  #flushed: Promise<void> = Promise.resolve();
  #waiting: Work[] = [];
  #running: Promise<void> | null = null;

  /**
   * Nobody else may begin transactions on the connection. `makeSpace` is asked where the disk is full, and
   * says whether it is any more. `flush` brings to the disk what was committed.
   */
  constructor(db: DatabaseSync, makeSpace: () => boolean, flush: () => Promise<void>) {
    this.#db = db;
    this.#makeSpace = makeSpace;
    this.#flush = flush;
  }

  /**
   * Does work, which writes about so many octets, as part of a transaction. Resolves once others see it, and
   * no end of this program undoes it; rejects with a `StoreError`, or what the work throws, where nothing has
   * come of the work.
   */
  run<Result>(octets: number, work: () => Result): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const settle = resolve as (result: unknown) => void;
    this.#waiting.push({ octets, run: work, resolve: settle, reject });
    this.#running ??= this.#runAll();
    return promise;
  }

  /**
   * Resolves once no loss of power undoes what is committed by now; rejects with a `StoreError` where the disk
   * fails at that, though it is committed.
   */
  get flushed(): Promise<void> {
    return this.#flushed;
  }

  /** Resolves when there is nothing left to do. */
  async finished(): Promise<void> {
    while (this.#running !== null) await this.#running;
    await this.#flushed.catch(() => {});
  }

  async #runAll(): Promise<void> {
    // Who comes in this turn gets a place in the first transaction; not to wait for a timer here, which takes
    // a millisecond, is a tenth more mails a second from 20 clients.
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (let isFirst = true; this.#waiting.length > 0; isFirst = false) {
      // The loop looks at its sockets, and everybody whose octets have come already gets a place in the next.
      if (!isFirst) await pause(0);
      const works = this.#next();
      // One that cannot be done, as a large message on a full disk, does not take the others with it.
      if (!await this.#commit(works) && works.length > 1) {
        for (const work of works) {
          await pause(0);
          await this.#commit([work]);
        }
      }
    }
    this.#running = null;
  }

  /** As much as is done at once: at least one. */
  #next(): Work[] {
    let [octets, count] = [0, 0];
    for (const work of this.#waiting) {
      octets += work.octets;
      if (count > 0 && octets > MAX_OCTETS) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  /** Whether all of it is done, or known to be impossible. */
  async #commit(works: readonly Work[]): Promise<boolean> {
    let results: readonly unknown[];
    try {
      await this.#begin();
      results = works.map(({ run }) => run());
      this.#db.exec("COMMIT");
    } catch (error) {
      rollBack(this.#db);
      if (isDiskFull(error) && this.#makesSpace()) return await this.#commit(works);
      if (works.length > 1 && !isBusy(error)) return false;
      for (const { reject } of works) reject(storeErrorOf(error));
      return true;
    }
    this.#flushed = this.#flush().catch((error) => {
      throw storeErrorOf(error);
    });
    // It is for who asks.
    this.#flushed.catch(() => {});
    works.forEach(({ resolve }, at) => resolve(results[at]));
    return true;
  }

  /** SQLite could wait by itself, but would hold the event loop while it does. */
  async #begin(): Promise<void> {
    for (let waitedMs = 0;; waitedMs += BUSY_MS.pause) {
      try {
        return this.#db.exec("BEGIN IMMEDIATE");
      } catch (error) {
        if (!isBusy(error) || waitedMs >= BUSY_MS.atMost) throw error;
        await pause(BUSY_MS.pause);
      }
    }
  }

  #makesSpace(): boolean {
    try {
      return this.#makeSpace();
    } catch {
      return false;
    }
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
