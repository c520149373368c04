/**
 * One connection from greeting to goodbye: pumps octets through wire.ts and session.ts, hands each
 * complete message to the courier, and tells the observer what happened. All decisions are made
 * elsewhere; this is the plumbing, and the only place that knows time, ids and sockets at once.
 */
import { Channel, type Socket } from "./channel.ts";
import type { Observe } from "./event.ts";
import type { Client, Courier, Outcome } from "./mail.ts";
import * as replies from "./reply.ts";
import { connect, finish, receive } from "./session.ts";
import {
  isInFlight,
  isOpen,
  type Policy,
  type Session,
  type SessionIn,
  type Turn,
  wanted,
} from "./state.ts";
import { Decoder, type Frame, type WireLimits } from "./wire.ts";

/** What a connection obeys and uses. */
export interface ConnectionOptions {
  /** What the session obeys. */
  readonly policy: Policy;
  /** What framing and patience obey. */
  readonly limits: WireLimits & {
    /** Milliseconds that a client may say nothing (RFC 5321 section 4.5.3.2.7), or take no reply. */
    readonly idleTimeoutMs: number;
  };
  /** Takes each complete message. */
  readonly courier: Courier;
  /** Hears what happens. */
  readonly observe: Observe;
  /** A new UUID version 7. */
  readonly newId: () => string;
  /** The time of day. */
  readonly now: () => Date;
}

/** Who is at the other end. */
export type Remote = Pick<Client, "address" | "port" | "tls">;

/** How the server asks its connections to end. */
export interface Stopping {
  /** Finish the message at hand, then leave. */
  readonly soon: AbortSignal;
  /** Leave at once. */
  readonly now: AbortSignal;
}

/** Serves one client until it leaves or has to. It does not reject. */
export async function converse(
  socket: Socket,
  remote: Remote,
  options: ConnectionOptions,
  stopping: Stopping,
): Promise<void> {
  const connection = new Connection(socket, remote, options, stopping);
  const soon = () => connection.leaveSoon();
  const now = () => connection.leaveNow();
  stopping.soon.addEventListener("abort", soon);
  stopping.now.addEventListener("abort", now);
  try {
    await connection.run();
  } finally {
    stopping.soon.removeEventListener("abort", soon);
    stopping.now.removeEventListener("abort", now);
  }
}

/** One message to be, from the start of the session or its last reset. */
interface Visit {
  readonly id: string;
  readonly receivedAt: Date;
}

class Connection {
  readonly #channel: Channel;
  readonly #decoder: Decoder;
  readonly #remote: Remote;
  readonly #options: ConnectionOptions;
  readonly #stopping: Stopping;
  #session: Session;
  #visit: Visit;

  constructor(socket: Socket, remote: Remote, options: ConnectionOptions, stopping: Stopping) {
    this.#channel = new Channel(socket, options.limits.idleTimeoutMs);
    this.#decoder = new Decoder(options.limits);
    this.#remote = remote;
    this.#options = options;
    this.#stopping = stopping;
    this.#visit = this.#newVisit();
    const { session, reply } = connect(options.policy);
    this.#session = session;
    if (reply !== null) this.#channel.say(reply);
  }

  async run(): Promise<void> {
    const { observe, policy } = this.#options;
    try {
      while (this.#session.state !== "closed" && !this.#channel.isDismissed) {
        if (this.#leaves()) break;
        if (this.#session.state === "delivering") {
          await this.#deliver(this.#session);
          continue;
        }
        const frame = await this.#frame();
        if (frame === null) break;
        this.#take(receive(this.#session, frame, policy));
      }
    } catch (error) {
      observe({ kind: "fault", id: this.#visit.id, error });
      this.#channel.say(replies.internalError(policy.domain));
    }
    if (isInFlight(this.#session)) {
      observe({ kind: "lost", id: this.#visit.id, state: this.#session.state });
    }
    observe({ kind: "logout", id: this.#visit.id });
    await this.#channel.close();
  }

  /** Leaves once no message is on its way; `run` notices by itself where the client is not awaited. */
  leaveSoon(): void {
    if (this.#channel.isReading && !isInFlight(this.#session)) this.#dismiss();
  }

  /** Leaves, whatever is going on. */
  leaveNow(): void {
    if (this.#channel.isReading) this.#dismiss();
    this.#channel.abandon();
  }

  /** Whether the server stops and no message is on its way; the client is told so. */
  #leaves(): boolean {
    if (!this.#stopping.soon.aborted || isInFlight(this.#session)) return false;
    this.#channel.say(replies.shuttingDown(this.#options.policy.domain));
    return true;
  }

  #dismiss(): void {
    void this.#channel.dismiss(replies.shuttingDown(this.#options.policy.domain));
  }

  /** The frame that the session wants; null when the client is gone, or the server leaves. */
  async #frame(): Promise<Frame | null> {
    const want = wanted(this.#session)!;
    const { domain } = this.#options.policy;
    for (;;) {
      const frame = this.#decoder.next(want);
      if (frame !== null) return frame;
      await this.#channel.flush();
      // The stop may have come while the client took its time to take the replies.
      if (this.#leaves()) return null;
      const octets = await this.#channel.read(
        want.kind === "line" ? "command" : "data",
        replies.idleTooLong(domain),
      );
      if (octets === null) return null;
      this.#decoder.push(octets);
    }
  }

  async #deliver(session: SessionIn<"delivering">): Promise<void> {
    const { courier, observe } = this.#options;
    const { id, receivedAt } = this.#visit;
    const { envelope, data, peer } = session;
    observe({ kind: "data", id, octets: data.length });
    await this.#channel.flush();
    // Whoever was made to go will send the message again. Whoever left by itself may never.
    if (this.#channel.isDismissed) return;
    const client = { ...this.#remote, hostname: peer.hostname, user: peer.user };
    const mail = { id, receivedAt, client, envelope, data };
    const outcome = await courier(mail, this.#stopping.now);
    this.#take(finish(session, id, outcome), outcome);
  }

  /** Goes to the next session, says the reply, and tells what that means; `outcome` is a delivery's. */
  #take({ session, reply }: Turn, outcome?: Outcome): void {
    const { observe } = this.#options;
    const { id } = this.#visit;
    const before = this.#session;
    this.#session = session;
    if (reply !== null) this.#channel.say(reply);
    if (reply !== null && reply.code >= 400 && outcome === undefined) {
      observe({ kind: "refused", id, reply });
    }
    if (session.state === "transaction") {
      if (before.state !== "transaction") {
        observe({ kind: "mail", id, reversePath: session.reversePath });
      } else if (session.forwardPaths.length > before.forwardPaths.length) {
        observe({ kind: "recipient", id, forwardPath: session.forwardPaths.at(-1)! });
      }
    }
    if (isOpen(before) && session.state !== "closed" && !isOpen(session)) {
      const posted = outcome !== undefined && outcome.unsent !== true;
      observe({ kind: "reset", id, posted });
      this.#visit = this.#newVisit();
    }
  }

  #newVisit(): Visit {
    const { newId, now, observe } = this.#options;
    const visit = { id: newId(), receivedAt: now() };
    observe({ kind: "session", id: visit.id, address: this.#remote.address });
    return visit;
  }
}
