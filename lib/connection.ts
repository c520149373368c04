/**
 * One connection from greeting to goodbye: pumps octets through wire.ts and session.ts, hands each
 * complete message to the courier, and tells the observer what happened. All decisions are made
 * elsewhere; this is the plumbing, and the only place that knows time, ids and sockets at once.
 */
import { Channel, DATA_READ_OCTETS, type Socket } from "./channel.ts";
import type { Observe } from "./event.ts";
import type { Courier, Outcome, Remote } from "./mail.ts";
import * as replies from "./reply.ts";
import { type PatienceLimits, patienceWith } from "./patience.ts";
import type { Room } from "./room.ts";
import { connect, finish, receive } from "./session.ts";
import {
  heldOctets,
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
  readonly limits: WireLimits & PatienceLimits;
  /** The memory that messages share. */
  readonly room: Room;
  /** Takes each complete message. */
  readonly courier: Courier;
  /** Hears what happens. */
  readonly observe: Observe;
  /** A new UUID version 7. */
  readonly newId: () => string;
  /** The time of day. */
  readonly now: () => Date;
  /** Milliseconds on a clock that only goes forward. */
  readonly uptimeMs: () => number;
}

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

/** When the message that is coming began, in milliseconds of `uptimeMs`, and how far it has come. */
interface Pace {
  /** Null before MAIL. */
  messageMs: number | null;
  /** Null before the mail data. */
  dataMs: number | null;
  dataOctets: number;
}

class Connection {
  readonly #channel: Channel;
  readonly #decoder: Decoder;
  readonly #remote: Remote;
  readonly #options: ConnectionOptions;
  readonly #stopping: Stopping;
  #session: Session;
  #visit: Visit;
  #pace: Pace = { messageMs: null, dataMs: null, dataOctets: 0 };

  constructor(socket: Socket, remote: Remote, options: ConnectionOptions, stopping: Stopping) {
    this.#channel = new Channel(socket, options.limits.idleTimeoutMs);
    this.#decoder = new Decoder(options.limits);
    this.#remote = remote;
    this.#options = options;
    this.#stopping = stopping;
    this.#visit = this.#newVisit();
    const { session, replies } = connect(options.policy);
    this.#session = session;
    for (const reply of replies) this.#channel.say(reply);
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
    this.#options.room.leave(this.#visit);
    await this.#channel.close();
  }

  /** Leaves once no message is on its way; `run` notices by itself where the client is not awaited. */
  leaveSoon(): void {
    if (this.#channel.isWaiting && !isInFlight(this.#session)) this.#dismiss();
  }

  /** Leaves, whatever is going on. */
  leaveNow(): void {
    if (this.#channel.isWaiting) this.#dismiss();
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
    const isData = want.kind !== "line";
    const beganMs = this.#options.uptimeMs();
    if (isData) {
      this.#pace.dataMs ??= beganMs;
      // The octets of a BDAT that is refused may belong to no message, and be 2^63.
      this.#pace.messageMs ??= beganMs;
    }
    for (;;) {
      const frame = this.#decoder.next(want);
      if (frame !== null) return frame;
      await this.#channel.flush();
      // The stop may have come while the client took its time to take the replies.
      if (this.#leaves()) return null;
      const octets = isData ? await this.#readData() : await this.#readCommand(beganMs);
      if (octets === null) return null;
      // Those of commands too: a small chunk comes with its command.
      if (this.#pace.dataMs !== null) this.#pace.dataOctets += octets.length;
      this.#decoder.push(octets);
    }
  }

  #readCommand(beganMs: number): Promise<Uint8Array | null> {
    const { ms, tooLate } = this.#patience(beganMs);
    return this.#channel.read("command", ms, tooLate);
  }

  async #readData(): Promise<Uint8Array | null> {
    await this.#awaitRoom();
    const { ms, tooLate } = this.#patience(null);
    return await this.#channel.read("data", ms, tooLate);
  }

  async #awaitRoom(): Promise<void> {
    const { room, limits, policy, uptimeMs } = this.#options;
    const beganMs = uptimeMs();
    const needed = this.#decoder.heldOctets + heldOctets(this.#session) + DATA_READ_OCTETS;
    const hold = room.hold(this.#visit, needed);
    await this.#channel.wait(hold, limits.idleTimeoutMs, replies.noRoom(policy.domain));
    // The client is not to be blamed for a time in which it could not send.
    const waitedMs = uptimeMs() - beganMs;
    this.#pace.dataMs! += waitedMs;
    if (this.#pace.messageMs !== null) this.#pace.messageMs += waitedMs;
  }

  #patience(commandMs: number | null) {
    const { uptimeMs, limits, policy } = this.#options;
    return patienceWith({ commandMs, ...this.#pace }, uptimeMs(), policy.domain, limits);
  }

  async #deliver(session: SessionIn<"delivering">): Promise<void> {
    const { courier, observe, policy, room } = this.#options;
    const { id, receivedAt } = this.#visit;
    const { envelope, data, peer } = session;
    void room.hold(this.#visit, data.length);
    observe({ kind: "data", id, octets: data.length });
    await this.#channel.flush();
    // Whoever was made to go will send the message again. Whoever left by itself may never.
    if (this.#channel.isDismissed) return;
    const client = { ...this.#remote, hostname: peer.hostname, user: peer.user };
    const mail = { id, receivedAt, client, envelope, data };
    const outcome = await courier(mail, this.#stopping.now);
    this.#take(finish(session, id, outcome, policy), outcome);
  }

  /** Goes to the next session, says the replies, and tells what that means; `outcome` is a delivery's. */
  #take({ session, replies }: Turn, outcome?: Outcome): void {
    const { observe, room, uptimeMs } = this.#options;
    const { id } = this.#visit;
    const before = this.#session;
    this.#session = session;
    for (const reply of replies) this.#channel.say(reply);
    const [reply] = replies;
    if (reply !== undefined && reply.code >= 400 && outcome === undefined) {
      observe({ kind: "refused", id, reply });
    }
    if (isOpen(session)) this.#pace.messageMs ??= uptimeMs();
    else this.#pace = { messageMs: null, dataMs: null, dataOctets: 0 };
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
      room.leave(this.#visit);
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
