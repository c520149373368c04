/**
 * One connection from greeting to goodbye: pumps octets through wire.ts and session.ts, hands each
 * complete message to the courier, and tells the observer what happened. All decisions are made
 * elsewhere; this is the plumbing, and the only place that knows time, ids and sockets at once.
 */
import { Channel, type Commons, DATA_READ_OCTETS, type Socket } from "./channel.ts";
import type { Observe } from "./event.ts";
import type { Courier, Outcome, Remote } from "./mail.ts";
import * as replies from "./reply.ts";
import type { Reply } from "./reply.ts";
import { dueAfter, firstDue, type PatienceLimits, patienceWith } from "./patience.ts";
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
import { Decoder, type Frame, type Want, type WireLimits } from "./wire.ts";

/** What a connection obeys and uses. */
export interface ConnectionOptions {
  /** What the session obeys. */
  readonly policy: Policy;
  /** What framing and patience obey. */
  readonly limits: WireLimits & PatienceLimits;
  /** The memory that messages share. */
  readonly room: Room;
  /** Octets of memory that a message takes while the courier has it, for each of its own. */
  readonly courierTimes: number;
  /** What all connections share. */
  readonly commons: Commons;
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

/** How the message that is coming keeps its time, in milliseconds of `uptimeMs`. */
interface Pace {
  /** When it began; null before MAIL. */
  messageMs: number | null;
  /** When more of its data is due; null before that. */
  dueMs: number | null;
}

class Connection {
  readonly #channel: Channel;
  readonly #decoder: Decoder;
  readonly #remote: Remote;
  readonly #options: ConnectionOptions;
  readonly #stopping: Stopping;
  #session: Session;
  #visit: Visit;
  /** Whether the log knows why the client was made to go. */
  #isToldOff = false;
  /** What the last command was refused with; null where it was not. */
  #refusal: string | null = null;
  #pace: Pace = { messageMs: null, dueMs: null };

  constructor(socket: Socket, remote: Remote, options: ConnectionOptions, stopping: Stopping) {
    this.#channel = new Channel(socket, options.limits.idleTimeoutMs, options.commons);
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
        const want = wanted(this.#session)!;
        if (want.kind !== "line") this.#beginData();
        const frame = this.#decoder.next(want) ?? await this.#frame(want);
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
    this.#options.room.leave(this.#visit);
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

  /** Keeps the time of a message from the first of its data on. */
  #beginData(): void {
    if (this.#pace.dueMs !== null) return;
    const { uptimeMs, limits } = this.#options;
    const nowMs = uptimeMs();
    // The octets of a BDAT that is refused may belong to no message, and be 2^63.
    this.#pace.messageMs ??= nowMs;
    this.#pace.dueMs = firstDue(nowMs, limits);
  }

  /** The frame that the session wants, once it has come; null when the client is gone, or the server leaves. */
  async #frame(want: Want): Promise<Frame | null> {
    const { uptimeMs, limits, policy } = this.#options;
    const kind = want.kind === "line" ? "command" : "data";
    let commandMs = kind === "command" ? uptimeMs() : null;
    for (;;) {
      await this.#flush();
      // The stop may have come while the client took its time to take the replies.
      if (this.#leaves()) return null;
      // Before commands too, once there is data: a small chunk comes with its command.
      if (this.#pace.dueMs !== null && !this.#takesRoom(this.#heldOctets)) {
        const waitedMs = await this.#awaitRoom();
        if (commandMs !== null) commandMs += waitedMs;
      }
      const progress = { commandMs, ...this.#pace };
      const { ms, tooLate } = patienceWith(progress, uptimeMs(), policy.domain, limits);
      const octets = await this.#channel.read(kind, ms, tooLate);
      if (octets === null) {
        this.#tellDismissal(tooLate);
        return null;
      }
      if (this.#pace.dueMs !== null) {
        this.#pace.dueMs = dueAfter(octets.length, this.#pace.dueMs, uptimeMs(), limits);
      }
      this.#decoder.push(octets);
      const frame = this.#decoder.next(want);
      if (frame !== null) return frame;
    }
  }

  /** Sends what was said; whoever does not take it in time is made to go. */
  async #flush(): Promise<void> {
    await this.#channel.flush();
    this.#tellDismissal(replies.idleTooLong(this.#options.policy.domain));
  }

  /** Octets that the message takes while more of it is read. */
  get #heldOctets(): number {
    return this.#decoder.heldOctets + heldOctets(this.#session) + DATA_READ_OCTETS;
  }

  /** Takes room for `times` as many octets, if there is any now. */
  #takesRoom(octets: number, times = 1): boolean {
    return this.#options.room.takes(this.#visit, octets, times);
  }

  /** Waits until there is room for more data, and gives the milliseconds that it took. */
  async #awaitRoom(): Promise<number> {
    const { uptimeMs } = this.#options;
    const beganMs = uptimeMs();
    await this.#hold(this.#heldOctets);
    // The client is not to be blamed for a time in which it could not send.
    const waitedMs = uptimeMs() - beganMs;
    this.#pace.messageMs! += waitedMs;
    this.#pace.dueMs! += waitedMs;
    return waitedMs;
  }

  /** Waits for room for `times` as many octets; who waits too long for it is made to go. */
  async #hold(octets: number, times = 1): Promise<void> {
    const { room, limits, policy } = this.#options;
    const tooLate = replies.noRoom(policy.domain);
    const hold = room.hold(this.#visit, octets, times);
    await this.#channel.wait(hold, limits.idleTimeoutMs, tooLate);
    this.#tellDismissal(tooLate);
  }

  /** Tells why a client was made to go, unless that is for the server's sake. */
  #tellDismissal(reply: Reply): void {
    if (!this.#channel.isDismissed || this.#stopping.soon.aborted) return;
    if (!this.#isToldOff) this.#options.observe({ kind: "refused", id: this.#visit.id, reply });
    this.#isToldOff = true;
  }

  async #deliver(session: SessionIn<"delivering">): Promise<void> {
    const { courier, courierTimes, observe, policy } = this.#options;
    const { id, receivedAt } = this.#visit;
    const { envelope, data, peer } = session;
    observe({ kind: "data", id, octets: data.length });
    await this.#flush();
    if (!this.#takesRoom(data.length, courierTimes)) await this.#hold(data.length, courierTimes);
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
    const isRefusal = reply !== undefined && reply.code >= 400 && outcome === undefined;
    // One line for many recipients too many: nobody shall fill the log by refusals.
    if (isRefusal && reply.lines[0] !== this.#refusal) observe({ kind: "refused", id, reply });
    this.#refusal = isRefusal ? reply.lines[0] : null;
    if (isOpen(session)) this.#pace.messageMs ??= uptimeMs();
    else this.#pace = { messageMs: null, dueMs: null };
    if (session.state === "transaction") {
      if (before.state !== "transaction") {
        observe({ kind: "mail", id, reversePath: session.reversePath });
      } else if (session.forwardPaths.length > before.forwardPaths.length) {
        observe({ kind: "recipient", id, forwardPath: session.forwardPaths.at(-1)! });
      }
    }
    if (isOpen(before) && session.state !== "closed" && !isOpen(session)) {
      const isKept = outcome?.kind === "accepted" && outcome.unsent;
      const posted = isKept ? null : outcome !== undefined && !outcome.unsent;
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
