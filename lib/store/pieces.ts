/**
 * The octets of messages, in pieces: a message of 10 MB written at once would hold the event loop for a
 * tenth of a second, and so would its removal.
 */
import type { Statements } from "./statements.ts";

/** Octets of a piece. */
export const PIECE_OCTETS = 256 * 1024;

/** Pieces that a message has at most, which is 16 GiB. */
const MOST = 65_536;

/** Pieces that are removed at once. */
const STEP = 4;

/** The pieces of all messages; a message is named by its key in `messages`. */
export class Pieces {
  readonly #sql: Statements;

  /** Uses the connection of these statements. */
  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Writes the piece that begins at an octet. */
  write(message: number, data: Uint8Array, at: number): void {
    this.#sql.run(
      "INSERT INTO pieces VALUES (?, ?)",
      ...[message * MOST + at / PIECE_OCTETS, data.subarray(at, at + PIECE_OCTETS)],
    );
  }

  /** A message of so many octets. */
  read(message: number, octets: number): Uint8Array {
    const pieces = this.#sql.all<{ data: Uint8Array }>(
      "SELECT data FROM pieces WHERE piece >= ? AND piece < ? ORDER BY piece",
      ...[message * MOST, (message + 1) * MOST],
    );
    if (pieces.length === 1) return pieces[0].data;
    const whole = new Uint8Array(octets);
    pieces.forEach(({ data }, at) => whole.set(data, at * PIECE_OCTETS));
    return whole;
  }

  /** Removes some pieces of a message, or all; whether there were that many. */
  remove(message: number, most = STEP): boolean {
    const removed = this.#sql.run(
      `DELETE FROM pieces WHERE piece IN
         (SELECT piece FROM pieces WHERE piece >= ? AND piece < ? LIMIT ?)`,
      ...[message * MOST, (message + 1) * MOST, most],
    );
    return removed === most;
  }
}
