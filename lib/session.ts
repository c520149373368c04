/**
 * The state machine of one session of SMTP (RFC 5321 section 3.3 and 4.1.4) or LMTP (RFC 2033): a frame
 * moves the session and yields replies. It is drawn in ARCHITECTURE.md. It is pure; the socket, the clock
 * and the message ids are connection.ts's.
 *
 * What the session wants to read next follows from its state alone: `wanted(session)` of state.ts. The
 * commands of a transaction are in transaction.ts, AUTH in authentication.ts, the rest here.
 */
import { authenticate, respond } from "./authentication.ts";
import { type Command, type CommandOf, parse } from "./command.ts";
import type { Outcome } from "./mail.ts";
import * as replies from "./reply.ts";
import type { Reply } from "./reply.ts";
import { mechanisms } from "./sasl.ts";
import {
  closed,
  type Commanded,
  concluded,
  type Policy,
  ready,
  type Session,
  type SessionIn,
  type Turn,
  turn,
} from "./state.ts";
import { chunk, data, mail, receiveChunk, receiveData, recipient } from "./transaction.ts";
import type { Frame } from "./wire.ts";

/** Begins a session. */
export function connect({ domain, protocol }: Policy): Turn {
  const peer = { hostname: null, user: null, errors: 0, commands: 0, transactions: 0 };
  return turn({ state: "connected", peer }, replies.greeting(domain, protocol));
}

/** Takes the frame that `wanted` asked for. */
export function receive(session: Session, frame: Frame, policy: Policy): Turn {
  return countError(take(session, frame, policy), policy);
}

/** Answers a message that was delivered, or was not. */
export function finish(
  { peer, envelope }: SessionIn<"delivering">,
  id: string,
  outcome: Outcome,
  policy: Policy,
): Turn {
  return concluded(
    ready({ ...peer, commands: 0 }),
    envelope.forwardPaths,
    replyTo(id, outcome),
    policy,
  );
}

function replyTo(id: string, outcome: Outcome): Reply {
  switch (outcome.kind) {
    case "accepted":
      return replies.delivered(id, outcome.note);
    case "deferred":
      return outcome.isUnkept
        ? replies.notStored(id, outcome.reason)
        : replies.deferred(id, outcome.reason);
    case "rejected":
      return replies.rejected(id, outcome.reason);
  }
}

function take(session: Session, frame: Frame, policy: Policy): Turn {
  const { state } = session;
  switch (frame.kind) {
    case "line":
      if (state === "authenticating") return respond(session, frame.octets);
      if (
        state === "connected" || state === "ready" || state === "transaction" ||
        state === "chunked" || state === "spoiled"
      ) {
        return command(session, frame, policy);
      }
      break;
    case "data":
      if (state === "data") return receiveData(session, frame.octets, policy);
      break;
    case "chunk":
      if (state === "chunk") return receiveChunk(session, frame.octets);
      if (state === "discarding") return session.after;
  }
  throw new TypeError(
    `Cannot take a ${frame.kind}: session is ${state}, must be asked what is wanted`,
  );
}

/**
 * Counts a refusal against the client, and ends the session after too many. A 4xx is not held against it:
 * a message for many more than are taken at once is nobody's mistake (RFC 5321 section 4.5.3.1.10).
 */
function countError({ session, replies: said }: Turn, policy: Policy): Turn {
  const isError = said.some(({ code }) => code >= 500);
  if (!isError || !("peer" in session)) return turn(session, ...said);
  const errors = session.peer.errors + 1;
  return errors < policy.maxErrors
    ? turn({ ...session, peer: { ...session.peer, errors } }, ...said)
    : turn(closed, replies.tooManyErrors(policy.domain));
}

/** The commands that bring messages, and the one that is always welcome. */
const UNCOUNTED: readonly (Command["verb"] | null)[] = ["MAIL", "RCPT", "DATA", "QUIT"];

/** Whether a command brings no message any nearer, as a chunk of nothing does not. */
function isAside(command: ReturnType<typeof parse>): boolean {
  return command.verb === "BDAT"
    ? command.octets === 0 && !command.last
    : !UNCOUNTED.includes(command.verb);
}

function command(before: Commanded, frame: Frame & { kind: "line" }, policy: Policy): Turn {
  if (frame.octets === null) return turn(before, replies.lineTooLong);
  const command = parse(frame.octets);
  const commands = before.peer.commands + (isAside(command) ? 1 : 0);
  if (commands > policy.maxCommands) return turn(closed, replies.tooManyCommands(policy.domain));
  const session = { ...before, peer: { ...before.peer, commands } };
  switch (command.verb) {
    case null:
      return turn(session, command.reply);
    case "EHLO":
    case "HELO":
    case "LHLO":
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
      return authenticate(session, command, policy);
    case "RSET":
      return turn(session.state === "connected" ? session : ready(session.peer), replies.ok);
    case "NOOP":
      return turn(session, replies.ok);
    case "VRFY":
      return turn(session, replies.cannotVerify);
    case "HELP":
      return turn(session, replies.help(policy.protocol));
    case "QUIT":
      return turn(closed, replies.bye(policy.domain));
    case "HTTP":
    case "TLS":
      // A web page can make a browser send HTTP, and a whole SMTP session as its body.
      return turn(closed, replies.notSmtp(policy.domain, command.verb));
  }
}

function greet(
  session: Commanded,
  { verb, hostname }: CommandOf<"EHLO" | "HELO" | "LHLO">,
  policy: Policy,
): Turn {
  const { domain, protocol, maxMessageOctets, maxMessages, maxRecipients } = policy;
  if (protocol === "LMTP" && verb !== "LHLO") return turn(session, replies.useLhlo);
  if (protocol === "SMTP" && verb === "LHLO") return turn(session, replies.notImplemented);
  return turn(
    ready({ ...session.peer, hostname }),
    verb === "HELO" ? replies.hello(domain) : replies.extendedHello(domain, [
      "PIPELINING",
      "8BITMIME",
      "SMTPUTF8",
      "ENHANCEDSTATUSCODES",
      "CHUNKING",
      "HELP",
      `AUTH ${mechanisms.join(" ")}`,
      `LIMITS MAILMAX=${maxMessages} RCPTMAX=${maxRecipients}`,
      `SIZE ${maxMessageOctets}`,
    ]),
  );
}
