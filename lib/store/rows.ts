/** Messages and attempts as rows of the tables that schema.ts makes, and back. */
import type { Mail } from "../mail.ts";
import { type Attempt, MAX_HISTORY } from "../store.ts";
import type { Pieces } from "./pieces.ts";
import type { Statements, Value } from "./statements.ts";

/** A row of `messages`. */
export interface MessageRow {
  readonly message: number;
  readonly id: string;
  readonly received: number;
  readonly octets: number;
  readonly envelope: string;
  readonly client: string;
}

/** A row of `attempts`, as far as it tells of one. */
export interface AttemptRow {
  readonly began: number;
  readonly elapsed: number;
  readonly label: string;
  readonly reason: string;
  readonly detail: string;
}

/** The values of a row of `messages`. */
export function messageValues(message: number, mail: Mail): readonly Value[] {
  const { id, receivedAt, data, envelope, client } = mail;
  const texts = [JSON.stringify(envelope), JSON.stringify(client)];
  return [message, id, receivedAt.getTime(), data.length, ...texts];
}

/** The message of a row; null where a part of it is lost. */
export function mailOf(row: MessageRow, pieces: Pieces): Mail | null {
  const data = pieces.read(row.message, row.octets);
  return data === null ? null : {
    id: row.id,
    receivedAt: new Date(row.received),
    client: JSON.parse(row.client),
    envelope: JSON.parse(row.envelope),
    data,
  };
}

/** The attempt of a row. */
export function attemptOf({ began, elapsed, label, reason, detail }: AttemptRow): Attempt {
  return { atMs: began, elapsedMs: elapsed, label, reason, detail: JSON.parse(detail) };
}

/** Makes a delivery due at a moment, or dead, after an attempt. */
export function postpone(
  sql: Statements,
  message: number,
  destination: string,
  dueMs: number | null,
  attempt: Attempt,
): void {
  sql.run(
    "UPDATE deliveries SET due = ?, tries = tries + 1 WHERE message = ? AND destination = ?",
    ...[dueMs, message, destination],
  );
  remember(sql, message, destination, attempt);
}

/** Adds an attempt to the history of a delivery. */
function remember(
  sql: Statements,
  message: number,
  destination: string,
  { atMs, elapsedMs, label, reason, detail }: Attempt,
): void {
  const number = sql.number(
    `UPDATE deliveries SET attempts = attempts + 1, label = ?
     WHERE message = ? AND destination = ? RETURNING attempts`,
    ...[label, message, destination],
  );
  sql.run(
    "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ...[message, destination, number, atMs, elapsedMs, label, reason],
    // Endpoints may answer anything: a text that SQLite gives back ends at the first NUL.
    JSON.stringify(detail),
  );
  if (number <= MAX_HISTORY) return;
  sql.run(
    "DELETE FROM attempts WHERE message = ? AND destination = ? AND number > 1 AND number <= ?",
    ...[message, destination, number - MAX_HISTORY + 1],
  );
}

/** Removes a delivery and its history; whether it was there. */
export function removeDelivery(sql: Statements, message: number, destination: string): boolean {
  const key = [message, destination] as const;
  if (sql.run("DELETE FROM deliveries WHERE message = ? AND destination = ?", ...key) === 0) {
    return false;
  }
  forget(sql, message, destination);
  return true;
}

/** Removes the history of a delivery. */
export function forget(sql: Statements, message: number, destination: string): void {
  sql.run("DELETE FROM attempts WHERE message = ? AND destination = ?", message, destination);
}

/** Removes a message that nobody wants; what is left of a large one is for the cleaner. */
export function removeMessage(sql: Statements, pieces: Pieces, message: number): void {
  sql.run("DELETE FROM messages WHERE message = ?", message);
  if (pieces.remove(message)) sql.run("INSERT INTO debris VALUES (?)", message);
}

/** Whether a message has deliveries. */
export function isWanted(sql: Statements, message: number): boolean {
  return sql.first("SELECT 1 FROM deliveries WHERE message = ?", message) !== undefined;
}
