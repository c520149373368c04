/**
 * The octets of messages, in pieces: a message of 10 MB written at once would hold the event loop for a
 * tenth of a second, and so would its removal.
 */
import { concat, release } from "../octets.ts";
import type { Statements } from "./statements.ts";

/** Octets of a piece. */
export const PIECE_OCTETS = 256 * 1024;

/** Pieces that a message has at most, which is 16 GiB. */
const MOST_PIECES = 65_536;

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
      ...[message * MOST_PIECES + at / PIECE_OCTETS, data.subarray(at, at + PIECE_OCTETS)],
    );
  }

  /** A message of so many octets; null where some of them are not there. */
  read(message: number, octets: number): Uint8Array | null {
    const rows = this.#sql.all<{ data: Uint8Array }>(
      "SELECT data FROM pieces WHERE piece >= ? AND piece < ? ORDER BY piece",
      ...[message * MOST_PIECES, (message + 1) * MOST_PIECES],
    );
    const pieces = rows.map(({ data }) => data);
    const whole = pieces.length === 1 ? pieces[0] : concat(pieces);
    if (pieces.length > 1) pieces.forEach(release);
    return whole.length === octets ? whole : null;
  }

  /** Removes some pieces of a message, or all; whether there were that many. */
  remove(message: number, most = STEP): boolean {
    const removed = this.#sql.run(
      `DELETE FROM pieces WHERE piece IN
         (SELECT piece FROM pieces WHERE piece >= ? AND piece < ? LIMIT ?)`,
      ...[message * MOST_PIECES, (message + 1) * MOST_PIECES, most],
    );
    return removed === most;
  }
}
