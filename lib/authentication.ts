/**
 * AUTH (RFC 4954): from the command through the exchange and back. Any credentials are taken: the user
 * name is passed on with the message, the password forgotten.
 */
import type { CommandOf } from "./command.ts";
import * as replies from "./reply.ts";
import { begin, type Exchange } from "./sasl.ts";
import {
  type Commanded,
  type Peer,
  type Policy,
  ready,
  type SessionIn,
  type Turn,
  turn,
} from "./state.ts";

/** Takes AUTH. */
export function authenticate(
  session: Commanded,
  { mechanism, initialResponse }: CommandOf<"AUTH">,
  { protocol }: Policy,
): Turn {
  if (session.state === "connected") return turn(session, replies.helloFirst(protocol));
  if (session.state !== "ready" && session.state !== "spoiled") {
    return turn(session, replies.badSequence("a transaction is open already"));
  }
  if (session.peer.user !== null) {
    return turn(session, replies.badSequence("authenticated already"));
  }
  const exchange = begin(mechanism, initialResponse);
  return exchange === null
    ? turn(session, replies.mechanismUnknown)
    : proceed(session.peer, exchange);
}

/** Takes one line of an exchange (RFC 4954 section 4); null stands for one that was too long. */
export function respond(
  { peer, exchange }: SessionIn<"authenticating">,
  octets: Uint8Array | null,
): Turn {
  if (octets === null) return turn(ready(peer), replies.authenticationTooLong);
  const response = new TextDecoder().decode(octets);
  return response === "*"
    ? turn(ready(peer), replies.authenticationCancelled)
    : proceed(peer, exchange.answer(response));
}

function proceed(peer: Peer, exchange: Exchange): Turn {
  switch (exchange.kind) {
    case "challenge":
      return turn({ state: "authenticating", peer, exchange }, replies.challenge(exchange.base64));
    case "credentials":
      return turn(ready({ ...peer, user: exchange.credentials.user }), replies.authenticated);
    case "unreadable":
      return turn(ready(peer), replies.authenticationUnreadable);
  }
}
