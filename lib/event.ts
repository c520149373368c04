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
    /** The start of the answer's body. */
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
  /** The transaction ended; `posted` tells whether a request was tried. */
  | { readonly kind: "reset"; readonly id: string; readonly posted: boolean }
  /** The connection ended in the middle of a message, which is dropped. */
  | { readonly kind: "lost"; readonly id: string; readonly state: string }
  /** The session ended. */
  | { readonly kind: "logout"; readonly id: string }
  /** A fault of the program's own; the session ended with 421. */
  | { readonly kind: "fault"; readonly id: string; readonly error: unknown };

/** Takes events as they happen. It must not throw. */
export type Observe = (event: Event) => void;
