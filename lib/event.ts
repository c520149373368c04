/**
 * What is worth telling an operator: types only. Events carry neither credentials nor what a message
 * says, so that whoever prints or counts them has nothing to redact.
 */
import type { ForwardPath, ReversePath } from "./path.ts";
import type { Reply } from "./reply.ts";

/** One thing that happened. `id` is that of the message that the session is about. */
export type Event =
  /** The server accepts connections at `address`. */
  | { readonly kind: "listening"; readonly address: string }
  /** The server accepts no more; `connections` are still open. */
  | { readonly kind: "stopping"; readonly connections: number }
  /** `accept` failed, for example for want of file descriptors; it is tried again. */
  | { readonly kind: "accept failed"; readonly error: unknown }
  /** A connection was turned away with a 421; `address` is null on a Unix socket, also below. */
  | { readonly kind: "turned away"; readonly address: string | null; readonly reply: Reply }
  /** A connection from a proxy did not begin with a header that tells whose it is. */
  | { readonly kind: "proxy fault"; readonly address: string | null; readonly reason: string }
  /** A session began, or began anew after a reset. */
  | { readonly kind: "session"; readonly id: string; readonly address: string | null }
  /** MAIL was accepted. */
  | { readonly kind: "mail"; readonly id: string; readonly reversePath: ReversePath }
  /** RCPT was accepted. */
  | { readonly kind: "recipient"; readonly id: string; readonly forwardPath: ForwardPath }
  /** The message is complete. */
  | { readonly kind: "data"; readonly id: string; readonly octets: number }
  /** The client was answered with a 4xx or 5xx that no other event tells of. */
  | { readonly kind: "refused"; readonly id: string; readonly reply: Reply }
  /** The endpoint answered. */
  | {
    readonly kind: "answered";
    readonly id: string;
    readonly destination: string;
    readonly status: number;
    readonly elapsedMs: number;
    /** The answer's body, cut after the limit. */
    readonly answer: string;
  }
  /** There was no request to send: the template fails on the message, or the parser is not there. */
  | { readonly kind: "unsent"; readonly id: string; readonly reason: string }
  /** The endpoint did not answer. */
  | {
    readonly kind: "unanswered";
    readonly id: string;
    readonly destination: string;
    readonly elapsedMs: number;
    readonly reason: string;
  }
  /** The queue is open, in `file`; so many deliveries are left of earlier runs. */
  | {
    readonly kind: "queue";
    readonly file: string;
    readonly waiting: number;
    readonly dead: number;
  }
  /** The message is in the queue. */
  | { readonly kind: "queued"; readonly id: string }
  /** There was no space for the message in the queue, or the queue failed. */
  | { readonly kind: "unqueued"; readonly id: string; readonly reason: string }
  /** An attempt failed, and there will be another one, `delayMs` from now. */
  | {
    readonly kind: "postponed";
    readonly id: string;
    readonly reason: string;
    readonly delayMs: number;
  }
  /** The last attempt failed, or the message was rejected: it is a dead letter. */
  | { readonly kind: "dead"; readonly id: string; readonly reason: string }
  /** A message was removed by hand while it was being delivered, however that ended. */
  | { readonly kind: "dropped"; readonly id: string }
  /** A destination asked to be left alone for so long. */
  | { readonly kind: "throttled"; readonly destination: string; readonly delayMs: number }
  /** So many messages waited too long for a destination that is down: they are dead letters. */
  | { readonly kind: "buried"; readonly destination: string; readonly messages: number }
  /** A destination takes nothing any more: what comes for it has to wait. */
  | { readonly kind: "down"; readonly destination: string; readonly reason: string }
  /** A destination takes messages again. */
  | { readonly kind: "up"; readonly destination: string }
  /** The queue cannot be read or written, and it is tried again. */
  | { readonly kind: "queue fault"; readonly reason: string }
  /** The time of day jumped, forward if above 0, and the queue follows. */
  | { readonly kind: "clock jumped"; readonly byMs: number }
  /** The transaction ended; `posted` tells whether a request was tried, null where the message is kept here. */
  | { readonly kind: "reset"; readonly id: string; readonly posted: boolean | null }
  /** The connection ended in the middle of a message, which is dropped. */
  | { readonly kind: "lost"; readonly id: string; readonly state: string }
  /** The session ended. */
  | { readonly kind: "logout"; readonly id: string }
  /** A fault of the program's own; the session ended with 421. */
  | { readonly kind: "fault"; readonly id: string; readonly error: unknown };

/** Takes events as they happen. It must not throw. */
export type Observe = (event: Event) => void;
