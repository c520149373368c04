/**
 * The state machine of one SMTP session (RFC 5321 section 3.3 and 4.1.4): a frame moves the session
 * and yields a reply. It is pure; the socket, the clock and the message ids are smtp.ts's.
 *
 * ```
 * connected --EHLO/HELO--> ready --MAIL--> transaction --DATA--> data ----> delivering
 *                          ^  ^              |  ^ |                            |
 *                          |  +-RSET/EHLO----+  +-+ RCPT                       |
 *                          |                 +----BDAT--> chunk -> chunked ----+
 *                          +---------------- finish(outcome) ------------------+
 * any: AUTH -> authenticating and back; QUIT, too many errors, lost framing -> closed
 * ```
 *
 * What the session wants to read next follows from its state alone: `wanted(session)`.
 */
import { type Command, parse } from "./command.ts";
import type { Envelope, Outcome } from "./mail.ts";
import { concat } from "./octets.ts";
import { type ForwardPath, isInternational, type ReversePath } from "./path.ts";
import * as replies from "./reply.ts";
import type { Reply } from "./reply.ts";
import { begin, type Exchange, mechanisms } from "./sasl.ts";
import type { Frame, LineEnd, Want } from "./wire.ts";

/** What the session obeys. */
export interface Policy {
  /** The server's name in greeting and replies. */
  readonly domain: string;
  /** Octets of a message (RFC 1870). */
  readonly maxMessageOctets: number;
  /** Recipients of a message; RFC 5321 section 4.5.3.1.8 asks for at least 100. */
  readonly maxRecipients: number;
  /** Refused commands before 421 ends the session. */
  readonly maxErrors: number;
}

/** What is known of the client; it outlives transactions. */
export interface Peer {
  /** The name given with EHLO or HELO; null where it gave none, or not yet. */
  readonly hostname: string | null;
  /** The user name of AUTH; null without. */
  readonly user: string | null;
  /** Refused commands so far. */
  readonly errors: number;
}

/** What MAIL and RCPT have said so far. */
export interface Collecting {
  /** Who says it. */
  readonly peer: Peer;
  /** From MAIL. */
  readonly reversePath: ReversePath;
  /** From RCPT, in order. */
  readonly forwardPaths: readonly ForwardPath[];
  /** Whether MAIL asked for SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8: boolean;
}

/** A session: each state carries exactly what is known in it. */
export type Session =
  /** Before EHLO or HELO. */
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
  /** After a BDAT that was refused: its octets come all the same, and go. */
  | {
    readonly state: "discarding";
    readonly octets: number;
    readonly then: Session;
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

/** A session after something happened, and what the client is told; null is silence. */
export interface Turn {
  /** The state to go on from. */
  readonly session: Session;
  /** Goes to the client before anything else. */
  readonly reply: Reply | null;
}

/** A session in one of these states only. */
export type SessionIn<State extends Session["state"]> = Extract<
  Session,
  { readonly state: State }
>;

/** Begins a session. */
export function connect(policy: Policy): Turn {
  return {
    session: {
      state: "connected",
      peer: { hostname: null, user: null, errors: 0 },
    },
    reply: replies.greeting(policy.domain),
  };
}

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
    case "authenticating":
      return { kind: "line" };
  }
}

/** Takes the frame that `wanted` asked for. */
export function receive(session: Session, frame: Frame, policy: Policy): Turn {
  switch (frame.kind) {
    case "line":
      return receiveLine(
        session as SessionIn<CommandState | "authenticating">,
        frame,
        policy,
      );
    case "data":
      return receiveData(session as SessionIn<"data">, frame.octets, policy);
    case "chunk":
      return receiveChunk(
        session as SessionIn<"chunk" | "discarding">,
        frame.octets,
      );
  }
}

/** Answers a message that was delivered, or was not. */
export function finish(
  session: SessionIn<"delivering">,
  id: string,
  outcome: Outcome,
): Turn {
  return { session: ready(session.peer), reply: replyTo(id, outcome) };
}

function replyTo(id: string, outcome: Outcome): Reply {
  switch (outcome.kind) {
    case "accepted":
      return replies.delivered(id, outcome.note);
    case "deferred":
      return replies.deferred(id, outcome.reason);
    case "rejected":
      return replies.rejected(id, outcome.reason);
  }
}

/** The states in which a command may come. */
type CommandState = "connected" | "ready" | "transaction" | "chunked";

const ready = (peer: Peer): Session => ({ state: "ready", peer });

function receiveLine(
  session: SessionIn<CommandState | "authenticating">,
  frame: Frame & { kind: "line" },
  policy: Policy,
): Turn {
  const turn = session.state === "authenticating"
    ? respond(session, frame.octets)
    : command(session, frame, policy);
  return turn.reply !== null && turn.reply.code >= 400 ? countError(turn, policy) : turn;
}

/** Counts a refusal against the client, and ends the session after too many. */
function countError(turn: Turn, policy: Policy): Turn {
  const { session } = turn;
  switch (session.state) {
    case "closed":
      return turn;
    case "discarding": {
      const then = countError(
        { session: session.then, reply: turn.reply },
        policy,
      );
      return then.session.state === "closed"
        ? then
        : { session: { ...session, then: then.session }, reply: turn.reply };
    }
    default: {
      const errors = session.peer.errors + 1;
      return errors < policy.maxErrors
        ? {
          session: { ...session, peer: { ...session.peer, errors } },
          reply: turn.reply,
        }
        : {
          session: { state: "closed" },
          reply: replies.tooManyErrors(policy.domain),
        };
    }
  }
}

function command(
  session: SessionIn<CommandState>,
  frame: Frame & { kind: "line" },
  policy: Policy,
): Turn {
  if (frame.octets === null) return { session, reply: replies.lineTooLong };
  const command = parse(frame.octets);
  switch (command.verb) {
    case null:
      return { session, reply: command.reply };
    case "EHLO":
    case "HELO":
      return greet(session, command, policy);
    case "MAIL":
      return mail(session, command, policy);
    case "RCPT":
      return recipient(session, command, policy);
    case "DATA":
      return data(session, frame.lineEnd);
    case "BDAT":
      return chunk(session, command, policy);
    case "AUTH":
      return authenticate(session, command);
    case "RSET":
      return {
        session: session.state === "connected" ? session : ready(session.peer),
        reply: replies.ok,
      };
    case "NOOP":
      return { session, reply: replies.ok };
    case "VRFY":
      return { session, reply: replies.cannotVerify };
    case "HELP":
      return { session, reply: replies.help };
    case "QUIT":
      return {
        session: { state: "closed" },
        reply: replies.bye(policy.domain),
      };
  }
}

type Of<Verb extends Command["verb"]> = Extract<
  Command,
  { readonly verb: Verb }
>;

function greet(
  session: SessionIn<CommandState>,
  { verb, hostname }: Of<"EHLO" | "HELO">,
  policy: Policy,
): Turn {
  return {
    session: ready({ ...session.peer, hostname }),
    reply: verb === "HELO" ? replies.hello(policy.domain) : replies.extendedHello(policy.domain, [
      "PIPELINING",
      "8BITMIME",
      "SMTPUTF8",
      "ENHANCEDSTATUSCODES",
      "CHUNKING",
      `AUTH ${mechanisms.join(" ")}`,
      `SIZE ${policy.maxMessageOctets}`,
    ]),
  };
}

function mail(
  session: SessionIn<CommandState>,
  command: Of<"MAIL">,
  policy: Policy,
): Turn {
  const { reversePath, size, smtpUtf8 } = command;
  if (session.state === "connected") {
    return { session, reply: replies.badSequence("send EHLO first") };
  }
  if (session.state !== "ready") {
    return {
      session,
      reply: replies.badSequence("a transaction is open already"),
    };
  }
  if (reversePath !== null && isInternational(reversePath) && !smtpUtf8) {
    return { session, reply: replies.needsSmtpUtf8 };
  }
  if (size !== null && size > policy.maxMessageOctets) {
    return { session, reply: replies.messageTooBig(policy.maxMessageOctets) };
  }
  return {
    session: {
      state: "transaction",
      peer: session.peer,
      reversePath,
      smtpUtf8,
      forwardPaths: [],
    },
    reply: replies.senderOk,
  };
}

function recipient(
  session: SessionIn<CommandState>,
  { forwardPath }: Of<"RCPT">,
  policy: Policy,
): Turn {
  if (session.state !== "transaction") {
    return { session, reply: replies.badSequence("send MAIL first") };
  }
  if (isInternational(forwardPath) && !session.smtpUtf8) {
    return { session, reply: replies.needsSmtpUtf8 };
  }
  if (session.forwardPaths.length >= policy.maxRecipients) {
    return { session, reply: replies.tooManyRecipients(policy.maxRecipients) };
  }
  return {
    session: {
      ...session,
      forwardPaths: [...session.forwardPaths, forwardPath],
    },
    reply: replies.recipientOk,
  };
}

/** The envelope, once it has a recipient. */
function envelopeOf(
  { reversePath, forwardPaths }: Collecting,
): Envelope | null {
  const [first, ...others] = forwardPaths;
  return first === undefined ? null : { reversePath, forwardPaths: [first, ...others] };
}

function data(session: SessionIn<CommandState>, lineEnd: LineEnd): Turn {
  if (session.state === "chunked") {
    // RFC 3030 section 2: DATA and BDAT are never mixed in one transaction.
    return { session, reply: replies.badSequence("go on with BDAT") };
  }
  const envelope = session.state === "transaction" ? envelopeOf(session) : null;
  if (envelope === null) {
    return { session, reply: replies.badSequence("send MAIL and RCPT first") };
  }
  return {
    session: { state: "data", peer: session.peer, envelope, lineEnd },
    reply: replies.startData,
  };
}

function receiveData(
  { peer, envelope }: SessionIn<"data">,
  octets: Uint8Array | null,
  policy: Policy,
): Turn {
  return octets === null
    ? {
      session: ready(peer),
      reply: replies.messageTooBig(policy.maxMessageOctets),
    }
    : {
      session: { state: "delivering", peer, envelope, data: octets },
      reply: null,
    };
}

/** A refused BDAT is still followed by its octets, which are no commands (RFC 3030 section 2). */
function chunk(
  session: SessionIn<CommandState>,
  command: Of<"BDAT">,
  policy: Policy,
): Turn {
  const { octets, last } = command;
  if (octets === null) {
    return {
      session: { state: "closed" },
      reply: replies.framingLost(policy.domain),
    };
  }
  const discard = (then: Session, reply: Reply): Turn => ({
    session: { state: "discarding", octets, then },
    reply,
  });
  const envelope = session.state === "transaction"
    ? envelopeOf(session)
    : session.state === "chunked"
    ? session.envelope
    : null;
  if (envelope === null) {
    return discard(session, replies.badSequence("send MAIL and RCPT first"));
  }
  const chunks = session.state === "chunked" ? session.chunks : [];
  if (sizeOf(chunks) + octets > policy.maxMessageOctets) {
    return discard(
      ready(session.peer),
      replies.messageTooBig(policy.maxMessageOctets),
    );
  }
  return {
    session: {
      state: "chunk",
      peer: session.peer,
      envelope,
      chunks,
      octets,
      last,
    },
    reply: null,
  };
}

function receiveChunk(
  session: SessionIn<"chunk" | "discarding">,
  octets: Uint8Array,
): Turn {
  if (session.state === "discarding") {
    return { session: session.then, reply: null };
  }
  const { peer, envelope, last } = session;
  const chunks = [...session.chunks, octets];
  return last
    ? {
      session: { state: "delivering", peer, envelope, data: concat(chunks) },
      reply: null,
    }
    : {
      session: { state: "chunked", peer, envelope, chunks },
      reply: replies.chunkOk(octets.length),
    };
}

function sizeOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((size, chunk) => size + chunk.length, 0);
}

function authenticate(
  session: SessionIn<CommandState>,
  { mechanism, initialResponse }: Of<"AUTH">,
): Turn {
  if (session.state !== "ready") {
    return {
      session,
      reply: replies.badSequence(
        session.state === "connected" ? "send EHLO first" : "a transaction is open already",
      ),
    };
  }
  if (session.peer.user !== null) {
    return { session, reply: replies.badSequence("authenticated already") };
  }
  const exchange = begin(mechanism, initialResponse);
  return exchange === null
    ? { session, reply: replies.mechanismUnknown }
    : proceed(session.peer, exchange);
}

/** Takes one line of an authentication exchange (RFC 4954 section 4). */
function respond(
  { peer, exchange }: SessionIn<"authenticating">,
  octets: Uint8Array | null,
): Turn {
  if (octets === null) {
    return { session: ready(peer), reply: replies.authenticationTooLong };
  }
  const response = new TextDecoder().decode(octets);
  return response === "*"
    ? { session: ready(peer), reply: replies.authenticationCancelled }
    : proceed(peer, exchange.answer(response));
}

function proceed(peer: Peer, exchange: Exchange): Turn {
  switch (exchange.kind) {
    case "challenge":
      return {
        session: { state: "authenticating", peer, exchange },
        reply: replies.challenge(exchange.base64),
      };
    case "credentials":
      // Any credentials are taken: the name is passed on with the message, the password forgotten.
      return {
        session: ready({ ...peer, user: exchange.credentials.user }),
        reply: replies.authenticated,
      };
    case "unreadable":
      return { session: ready(peer), reply: replies.authenticationUnreadable };
  }
}
