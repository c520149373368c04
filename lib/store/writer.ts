/**
 * Writes messages, small ones at once, large ones piece by piece with others' work in between. Nobody sees
 * a message before its last piece is there.
 */
import type { Mail } from "../mail.ts";
import { type Destination, StoreError } from "../store.ts";
import type { Cleaner } from "./cleaner.ts";
import type { Commits } from "./commits.ts";
import { PIECE_OCTETS, type Pieces } from "./pieces.ts";
import type { Reserve } from "./reserve.ts";
import { messageValues, removeDelivery, removeMessage } from "./rows.ts";
import type { Statements } from "./statements.ts";

/** What a writer uses, all of one connection, and obeys. */
export interface WriterOptions {
  /** The statements. */
  readonly sql: Statements;
  /** The pieces of its messages. */
  readonly pieces: Pieces;
  /** Its commits. */
  readonly commits: Commits;
  /** Removes what is left of messages that could not be written. */
  readonly cleaner: Cleaner;
  /** The space that new messages must not use. */
  readonly reserve: Reserve;
  /** Octets that all messages, and what is known of them, may take. */
  readonly maxOctets: number;
}

/** Where a message goes, and from when to when. */
export interface Addressing {
  /** At least one. */
  readonly destinations: readonly Destination[];
  /** When it is due. */
  readonly nowMs: number;
  /** When it has waited long enough. */
  readonly expiresMs: number;
}

/** Of the space that is free, how much is given away before it is measured again. */
const SURE_SHARE = 1 / 16;

/** What a message takes beside its octets, at least. */
const ROW_OCTETS = 1024;

/** Writes messages into one file. */
export class Writer {
  readonly #options: WriterOptions;
  /** The key of the latest message. */
  #message: number;
  /** Octets for which there is space for certain. */
  #sureOctets = 0;
  /** By how much the clock jumped so far. */
  #shiftedMs = 0;

  /** Goes on after the messages that are there. */
  constructor(options: WriterOptions) {
    this.#options = options;
    // What is in debris still has its pieces.
    this.#message = options.sql.number(
      `SELECT coalesce(max(message), 0) FROM
         (SELECT max(message) AS message FROM messages UNION SELECT max(message) FROM debris)`,
    );
  }

  /** Writes a message; rejects with a `StoreError` where that is impossible. */
  async write(mail: Mail, addressing: Addressing): Promise<void> {
    const { commits } = this.#options;
    const message = ++this.#message;
    await this.#write(message, mail, addressing);
    try {
      await commits.flushed;
    } catch (error) {
      // Whoever is refused sends again: this one shall not come too.
      await commits.run(0, () => this.#takeBack(message, addressing)).catch(() => {});
      this.#options.cleaner.begin();
      throw error;
    }
  }

  /** What is being written follows a clock that jumped, as what is written does. */
  shift(byMs: number): void {
    this.#shiftedMs += byMs;
  }

  async #write(message: number, mail: Mail, addressing: Addressing): Promise<void> {
    const { commits, cleaner } = this.#options;
    const { length } = mail.data;
    if (length <= PIECE_OCTETS) {
      return await commits.run(length, () => this.#finish(message, mail, 0, addressing));
    }
    try {
      await cleaner.spare(message, this.#writePieces(message, mail, addressing));
    } catch (error) {
      cleaner.begin();
      throw error;
    }
  }

  /** Removes what is left of a message. */
  #takeBack(message: number, { destinations }: Addressing): void {
    const { sql, pieces } = this.#options;
    const left = destinations.filter(({ name }) => removeDelivery(sql, message, name));
    if (left.length > 0) removeMessage(sql, pieces, message);
  }

  async #writePieces(message: number, mail: Mail, addressing: Addressing): Promise<void> {
    const { sql, pieces, commits } = this.#options;
    const { data } = mail;
    let [at, shiftedMs] = [0, 0];
    for (; data.length - at > PIECE_OCTETS; at += PIECE_OCTETS) {
      const start = at;
      await commits.run(PIECE_OCTETS, () => {
        this.#refuseIfFull(data.length - start);
        if (start === 0) {
          // Whatever was shifted before this was so before the message came.
          shiftedMs = this.#shiftedMs;
          sql.run("INSERT INTO debris VALUES (?)", message);
        }
        pieces.write(message, data, start);
      });
    }
    await commits.run(data.length - at, () => {
      const byMs = this.#shiftedMs - shiftedMs;
      const { destinations, nowMs, expiresMs } = addressing;
      sql.run("DELETE FROM debris WHERE message = ?", message);
      const times = { nowMs: nowMs + byMs, expiresMs: expiresMs + byMs };
      this.#finish(message, mail, at, { destinations, ...times });
    });
  }

  /** Writes the last piece, and what is known of the message. */
  #finish(message: number, mail: Mail, at: number, addressing: Addressing): void {
    const { sql, pieces } = this.#options;
    this.#refuseIfFull(mail.data.length - at);
    pieces.write(message, mail.data, at);
    sql.run("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)", ...messageValues(message, mail));
    const { destinations, nowMs, expiresMs } = addressing;
    for (const { name, label } of destinations) {
      sql.run(
        "INSERT INTO deliveries (message, destination, label, due, expires) VALUES (?, ?, ?, ?, ?)",
        ...[message, name, label, nowMs, expiresMs],
      );
    }
  }

  #refuseIfFull(octets: number): void {
    if (!this.#options.reserve.isHeld) throw new StoreError("disk is full", true);
    // To measure takes as long as to write the row of a message. Others, such as attempts, take space too.
    if (octets + ROW_OCTETS > this.#sureOctets) {
      const freeOctets = this.#freeOctets();
      if (octets > freeOctets) throw new StoreError("queue is full", true);
      this.#sureOctets = freeOctets * SURE_SHARE;
    }
    this.#sureOctets -= octets + ROW_OCTETS;
  }

  #freeOctets(): number {
    const { sql, maxOctets } = this.#options;
    const pages = sql.number("PRAGMA page_count") - sql.number("PRAGMA freelist_count");
    return maxOctets - pages * sql.number("PRAGMA page_size");
  }
}
