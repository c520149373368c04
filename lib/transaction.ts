/**
 * A mail transaction (RFC 5321 section 3.3): MAIL opens it, RCPT adds to it, and DATA or BDAT
 * (RFC 3030) brings the message. Each command is guards first, each with its reply, then one new state.
 */
import type { CommandOf } from "./command.ts";
import type { Envelope } from "./mail.ts";
import { concat } from "./octets.ts";
import { isInternational } from "./path.ts";
import * as replies from "./reply.ts";
import {
  closed,
  type Commanded,
  concluded,
  heldOctets,
  isOpen,
  type Policy,
  ready,
  type SessionIn,
  type Turn,
  turn,
} from "./state.ts";
import type { LineEnd } from "./wire.ts";

/** Takes MAIL. */
export function mail(session: Commanded, command: CommandOf<"MAIL">, policy: Policy): Turn {
  const { reversePath, size, smtpUtf8 } = command;
  if (session.state === "connected") return turn(session, replies.helloFirst(policy.protocol));
  if (session.state !== "ready" && session.state !== "spoiled") {
    return turn(session, replies.badSequence("a transaction is open already"));
  }
  if (reversePath !== null && isInternational(reversePath) && !smtpUtf8) {
    return turn(session, replies.senderNeedsSmtpUtf8);
  }
  if (size !== null && size > policy.maxMessageOctets) {
    return turn(session, replies.messageTooBig(policy.maxMessageOctets));
  }
  if (session.peer.transactions >= policy.maxMessages) {
    return turn(closed, replies.tooManyMessages(policy.domain));
  }
  const peer = { ...session.peer, transactions: session.peer.transactions + 1 };
  return turn(
    { state: "transaction", peer, reversePath, smtpUtf8, forwardPaths: [], overshoot: 0 },
    replies.senderOk,
  );
}

/**
 * How many recipients too many are told so: a client may say all of them before it reads the first
 * reply (RFC 2920), and sends the rest later (RFC 5321 section 4.5.3.1.10). More is no mailing list.
 */
const MAX_OVERSHOOT = 1_000;

/** Takes RCPT. */
export function recipient(
  session: Commanded,
  { forwardPath }: CommandOf<"RCPT">,
  { domain, maxRecipients }: Policy,
): Turn {
  if (session.state === "chunked") {
    return turn(session, replies.badSequence("the message has begun already"));
  }
  if (session.state !== "transaction") {
    return turn(session, replies.badSequence("send MAIL first"));
  }
  if (isInternational(forwardPath) && !session.smtpUtf8) {
    return turn(session, replies.recipientNeedsSmtpUtf8);
  }
  if (session.forwardPaths.length >= maxRecipients) {
    const overshoot = session.overshoot + 1;
    return overshoot > MAX_OVERSHOOT
      ? turn(closed, replies.tooManyErrors(domain))
      : turn({ ...session, overshoot }, replies.tooManyRecipients(maxRecipients));
  }
  const forwardPaths = [...session.forwardPaths, forwardPath];
  return turn({ ...session, forwardPaths }, replies.recipientOk);
}

/** Takes DATA; `lineEnd` is how its line ended. */
export function data(session: Commanded, lineEnd: LineEnd): Turn {
  // RFC 3030 section 2: DATA and BDAT are never mixed in one transaction.
  if (session.state === "chunked") return turn(session, replies.badSequence("go on with BDAT"));
  const envelope = envelopeOf(session);
  if (envelope === null) return turn(session, replies.badSequence("send MAIL and RCPT first"));
  return turn({ state: "data", peer: session.peer, envelope, lineEnd }, replies.startData);
}

/** Takes the mail data; null stands for data that was too big. */
export function receiveData(
  { peer, envelope }: SessionIn<"data">,
  octets: Uint8Array | null,
  policy: Policy,
): Turn {
  return octets === null
    ? concluded(
      ready(peer),
      envelope.forwardPaths,
      replies.messageTooBig(policy.maxMessageOctets),
      policy,
    )
    : turn({ state: "delivering", peer, envelope, data: octets });
}

/**
 * Takes BDAT. Where it is refused, its octets follow all the same and are no commands; RFC 3030
 * section 2 wants them read before the refusal is said. In LMTP a last chunk is answered once for each
 * recipient, also where a chunk before it was refused; so without a recipient it is not answered at all
 * (RFC 2033 section 4.3).
 */
export function chunk(session: Commanded, command: CommandOf<"BDAT">, policy: Policy): Turn {
  const { octets, last } = command;
  if (octets === null) return turn(closed, replies.framingLost(policy.domain));
  const discard = (after: Turn): Turn =>
    turn({ state: "discarding", octets, isOpen: isOpen(session), after });
  const tooEarly = replies.badSequence("send MAIL and RCPT first");
  switch (session.state) {
    case "connected":
    case "ready":
      return discard(turn(session, tooEarly));
    case "spoiled":
      return discard(
        last
          ? concluded(ready(session.peer), session.forwardPaths, tooEarly, policy)
          : turn(session, tooEarly),
      );
    case "transaction":
    case "chunked":
  }
  const { peer } = session;
  const envelope = envelopeOf(session);
  if (envelope === null) {
    const isEnd = last && policy.protocol === "LMTP";
    return discard(isEnd ? turn(ready(peer)) : turn(session, tooEarly));
  }
  const { forwardPaths } = envelope;
  if (heldOctets(session) + octets > policy.maxMessageOctets) {
    const tooBig = replies.messageTooBig(policy.maxMessageOctets);
    return discard(
      last
        ? concluded(ready(peer), forwardPaths, tooBig, policy)
        : turn({ state: "spoiled", peer, forwardPaths }, tooBig),
    );
  }
  const chunks = session.state === "chunked" ? session.chunks : [];
  return turn({ state: "chunk", peer, envelope, chunks, octets, last });
}

/** Takes the octets of a chunk. */
export function receiveChunk(session: SessionIn<"chunk">, octets: Uint8Array): Turn {
  const { peer, envelope, last } = session;
  const chunks = append(session.chunks, octets);
  return last
    ? turn({ state: "delivering", peer, envelope, data: concat(chunks) })
    : turn({ state: "chunked", peer, envelope, chunks }, replies.chunkOk(octets.length));
}

/**
 * Adds a chunk. Each is longer than two of the next, so that they are few however small a client cuts
 * them; and each octet is copied few times, since it comes to be in a chunk half as long again.
 */
function append(chunks: readonly Uint8Array[], octets: Uint8Array): readonly Uint8Array[] {
  let kept = chunks.length;
  let size = octets.length;
  while (kept > 0 && chunks[kept - 1].length <= 2 * size) size += chunks[--kept].length;
  return [...chunks.slice(0, kept), concat([...chunks.slice(kept), octets])];
}

/** The envelope, once it has a recipient. */
function envelopeOf(session: Commanded): Envelope | null {
  switch (session.state) {
    case "connected":
    case "ready":
    case "spoiled":
      return null;
    case "chunked":
      return session.envelope;
    case "transaction": {
      const { reversePath, forwardPaths: [first, ...others] } = session;
      return first === undefined ? null : { reversePath, forwardPaths: [first, ...others] };
    }
  }
}
