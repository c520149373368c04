/**
 * The states of one SMTP session, and what can be read off them. Each state carries exactly what is
 * known in it, so that a wrong one, such as data without a recipient, cannot be written down.
 */
import type { Envelope } from "./mail.ts";
import type { ForwardPath, ReversePath } from "./path.ts";
import type { Protocol, Reply } from "./reply.ts";
import type { Exchange } from "./sasl.ts";
import type { LineEnd, Want } from "./wire.ts";

/** What the session obeys. */
export interface Policy {
  /** What is spoken. */
  readonly protocol: Protocol;
  /** The server's name in greeting and replies. */
  readonly domain: string;
  /** Octets of a message (RFC 1870). */
  readonly maxMessageOctets: number;
  /** Recipients of a message; RFC 5321 section 4.5.3.1.8 asks for at least 100. */
  readonly maxRecipients: number;
  /** With so many commands refused for good (5xx), 421 ends the session. */
  readonly maxErrors: number;
  /** With one more command in a row that brings no message, 421 ends the session. */
  readonly maxCommands: number;
  /** Transactions of one session, MAILMAX of RFC 9422; at most 999,999, which is all it can say. */
  readonly maxMessages: number;
}

/** What is known of the client; it outlives transactions. */
export interface Peer {
  /** The name given with EHLO, HELO or LHLO; null where it gave none, or not yet. */
  readonly hostname: string | null;
  /** The user name of AUTH; null without. */
  readonly user: string | null;
  /** Refused commands so far. */
  readonly errors: number;
  /** Commands since the last message that belong to none. */
  readonly commands: number;
  /** Transactions so far. */
  readonly transactions: number;
}

/** What MAIL and RCPT have said so far. */
export interface Collecting {
  /** Who says it. */
  readonly peer: Peer;
  /** From MAIL. */
  readonly reversePath: ReversePath;
  /** From RCPT, in order. */
  readonly forwardPaths: readonly ForwardPath[];
  /** How many recipients were too many. */
  readonly overshoot: number;
  /** Whether MAIL asked for SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8: boolean;
}

/** A session: each state carries exactly what is known in it. */
export type Session =
  /** Before EHLO, HELO or LHLO. */
  | { readonly state: "connected"; readonly peer: Peer }
  /** No transaction is open. */
  | { readonly state: "ready"; readonly peer: Peer }
  /** After MAIL. */
  | ({ readonly state: "transaction" } & Collecting)
  /** After DATA: the mail data comes next. */
  | {
    readonly state: "data";
    readonly peer: Peer;
    readonly envelope: Envelope;
    readonly lineEnd: LineEnd;
  }
  /** After BDAT: its octets come next. */
  | {
    readonly state: "chunk";
    readonly peer: Peer;
    readonly envelope: Envelope;
    readonly chunks: readonly Uint8Array[];
    readonly octets: number;
    readonly last: boolean;
  }
  /** Between two chunks of one message. */
  | {
    readonly state: "chunked";
    readonly peer: Peer;
    readonly envelope: Envelope;
    readonly chunks: readonly Uint8Array[];
  }
  /** After a chunk that was refused: more of the message may be on its way, and goes the same way. */
  | {
    readonly state: "spoiled";
    readonly peer: Peer;
    readonly forwardPaths: readonly ForwardPath[];
  }
  /** After a BDAT that is refused: its octets come all the same and go, and then it is told so. */
  | {
    readonly state: "discarding";
    readonly octets: number;
    /** Whether BDAT came within a transaction. */
    readonly isOpen: boolean;
    readonly after: Turn;
  }
  /** After a challenge: a response comes next. */
  | {
    readonly state: "authenticating";
    readonly peer: Peer;
    readonly exchange: Exchange & { kind: "challenge" };
  }
  /** The message is complete; `finish` tells what became of it. */
  | {
    readonly state: "delivering";
    readonly peer: Peer;
    readonly envelope: Envelope;
    readonly data: Uint8Array;
  }
  | { readonly state: "closed" };

/** A session after something happened, and what the client is told. */
export interface Turn {
  /** The state to go on from. */
  readonly session: Session;
  /** Go to the client before anything else: one, none, or in LMTP one for each recipient. */
  readonly replies: readonly Reply[];
}

/** A session in one of these states only. */
export type SessionIn<State extends Session["state"]> = Extract<Session, { readonly state: State }>;

/** The states in which a command may come. */
export type CommandState = "connected" | "ready" | "transaction" | "chunked" | "spoiled";

/** A session that may be given a command. */
export type Commanded = SessionIn<CommandState>;

/** A turn: to `session`, saying `replies`. */
export function turn(session: Session, ...replies: readonly Reply[]): Turn {
  return { session, replies };
}

/**
 * A turn to what follows a message, saying what became of it: once in SMTP, and in LMTP once for each
 * recipient that was accepted, in the order of their RCPT commands (RFC 2033 section 4.2).
 */
export function concluded(
  session: Session,
  forwardPaths: readonly ForwardPath[],
  reply: Reply,
  { protocol }: Policy,
): Turn {
  return turn(session, ...protocol === "SMTP" ? [reply] : forwardPaths.map(() => reply));
}

/** The session between two transactions. */
export function ready(peer: Peer): Session {
  return { state: "ready", peer };
}

/** The end of every session. */
export const closed: Session = { state: "closed" };

/** What the session wants to read next; null where it reads nothing. */
export function wanted(session: Session): Want | null {
  switch (session.state) {
    case "data":
      return { kind: "data", lineEnd: session.lineEnd };
    case "chunk":
      return { kind: "chunk", octets: session.octets, keep: true };
    case "discarding":
      return { kind: "chunk", octets: session.octets, keep: false };
    case "delivering":
    case "closed":
      return null;
    case "connected":
    case "ready":
    case "transaction":
    case "chunked":
    case "spoiled":
    case "authenticating":
      return { kind: "line" };
  }
}

/** Whether a transaction is open. */
export function isOpen(session: Session): boolean {
  switch (session.state) {
    case "discarding":
      return session.isOpen;
    case "transaction":
    case "data":
    case "chunk":
    case "chunked":
    case "delivering":
      return true;
    case "connected":
    case "ready":
    case "spoiled":
    case "authenticating":
    case "closed":
      return false;
  }
}

/** Whether a message is on its way, so that a stopping server waits for it. */
export function isInFlight({ state }: Session): boolean {
  switch (state) {
    case "data":
    case "chunk":
    case "chunked":
    case "delivering":
      return true;
    case "connected":
    case "ready":
    case "transaction":
    case "spoiled":
    case "authenticating":
    case "discarding":
    case "closed":
      return false;
  }
}

/** Octets of chunks that a session holds until the last one has come. */
export function heldOctets(session: Session): number {
  const isChunked = session.state === "chunk" || session.state === "chunked";
  return isChunked ? session.chunks.reduce((size, { length }) => size + length, 0) : 0;
}
