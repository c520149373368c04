/**
 * How long a client is waited for, and what it is told then: a calculation on a clock that only goes
 * forward. A command has to be complete in the time that RFC 5321 section 4.5.3.2.7 gives a client to
 * say one; each piece of mail data gets as much (4.5.3.2.5 asks for less), but all of it has to come at a
 * rate, and a message to be over after a while. So nobody holds a connection by a drop now and then.
 */
import * as replies from "./reply.ts";
import type { Reply } from "./reply.ts";

/** How long is too long. */
export interface PatienceLimits {
  /** Milliseconds for a command, or for the next piece of data. */
  readonly idleTimeoutMs: number;
  /** Milliseconds from MAIL to the end of the message. */
  readonly messageTimeoutMs: number;
  /** Octets of mail data a second, on the average of two `idleTimeoutMs`. */
  readonly minRate: number;
}

/** When things began and are due, in milliseconds of the clock; null where they have not begun. */
export interface Progress {
  /** The command that is read, with the end of the one before; null while data is read. */
  readonly commandMs: number | null;
  /** The message, with MAIL. */
  readonly messageMs: number | null;
  /** When more of its data is due, by its rate; see `firstDue`. */
  readonly dueMs: number | null;
}

/** How long to wait, and what to say to a client that lets it pass. */
export interface Patience {
  /** Milliseconds from now; 0 where it is too late already. */
  readonly ms: number;
  /** A 421. */
  readonly tooLate: Reply;
}

/** The patience with the next read. */
export function patienceWith(
  { commandMs, messageMs, dueMs }: Progress,
  nowMs: number,
  domain: string,
  { idleTimeoutMs, messageTimeoutMs, minRate }: PatienceLimits,
): Patience {
  let deadline = { at: (commandMs ?? nowMs) + idleTimeoutMs, tooLate: replies.idleTooLong(domain) };
  const atMost = (at: number, tooLate: Reply) => {
    if (at < deadline.at) deadline = { at, tooLate };
  };
  if (messageMs !== null) atMost(messageMs + messageTimeoutMs, replies.messageTooLong(domain));
  if (dueMs !== null) atMost(dueMs, replies.dataTooSlow(domain, minRate));
  return { ms: Math.max(deadline.at - nowMs, 0), tooLate: deadline.tooLate };
}

/** How far ahead more data can be due, in idle times: whoever says nothing is idle first, and not slow. */
const MAX_AHEAD = 2;

/** When data that begins now is due. */
export function firstDue(nowMs: number, { idleTimeoutMs }: PatienceLimits): number {
  return nowMs + MAX_AHEAD * idleTimeoutMs;
}

/**
 * When more data is due after so many octets of it. What comes fast gains time, but not much: else a
 * client could send a lot and hold it here by a drop now and then for as long as a message may take.
 */
export function dueAfter(
  octets: number,
  dueMs: number,
  nowMs: number,
  limits: PatienceLimits,
): number {
  return Math.min(dueMs + 1000 * octets / limits.minRate, firstDue(nowMs, limits));
}
