/**
 * One connection's octets, with the patience of the server around them: a client that says nothing, or
 * takes nothing, for too long is let go, and a last reply is given time to arrive.
 */
import { Alarm } from "./alarm.ts";
import { format, type Reply } from "./reply.ts";
import { Turns } from "./turns.ts";

/** What is needed of a `Deno.Conn`. */
export interface Socket {
  /** Octets put into `buffer`; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** How many octets were taken. */
  write(octets: Uint8Array): Promise<number>;
  /** Ends the sending half only. */
  closeWrite(): Promise<void>;
  /** Ends both halves. */
  close(): void;
}

/** Octets of a read, at most: few while commands are awaited, since most connections are idle. */
const COMMAND_READ_OCTETS = 4 * 1024;

/** Octets of a read of mail data, at most. */
export const DATA_READ_OCTETS = 64 * 1024;

/**
 * Full buffers of data that are as much work as one of commands: data is copied, and not answered. With a
 * turn for each, mails of 5 MB came at 7 a second, and with a turn for eight at 36.
 */
const DATA_IN_A_ROW = 8;

/** Buffers for data that are kept for the next one who reads data. */
const KEPT_BUFFERS = 32;

/**
 * Buffers for mail data. A connection has one from its first piece of data to its next command, and they
 * go around: a new one for each mail is the most of what a server throws away.
 */
export class Buffers {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  /** A buffer that nobody else has. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(DATA_READ_OCTETS);
  }

  /** Takes one back that nothing is read into any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#free.length < KEPT_BUFFERS) this.#free.push(buffer);
  }
}

/** What all connections share. */
export interface Commons {
  /** The time of the event loop. */
  readonly turns: Pick<Turns, "next">;
  /** Tells who has waited for too long. */
  readonly alarm: Alarm;
  /** Where mail data is read into. */
  readonly buffers: Buffers;
}

/** What connections share that go by this clock, in milliseconds. */
export function commonsBy(uptimeMs: () => number): Commons {
  return { turns: new Turns(uptimeMs), alarm: new Alarm(uptimeMs), buffers: new Buffers() };
}

const encoder = new TextEncoder();

/** How long a client may take to close its half after the last reply, in milliseconds. */
export const LINGER_MS = 1_000;

/** Speaks to one client. Methods do not reject; once the connection is over, nothing happens. */
export class Channel {
  readonly #socket: Socket;
  readonly #patienceMs: number;
  readonly #commons: Commons;
  /** Where commands are read into. It stays beside that for data, as it is needed again after each mail. */
  readonly #small = new Uint8Array(COMMAND_READ_OCTETS);
  #buffer = this.#small;
  /** The read at work; one that nobody waits for any more goes on. */
  #reading: Promise<number | null> | null = null;
  /** The last turn that was asked for: nothing of a connection is left once it is closed. */
  #turn: Promise<void> | undefined;
  /** Full buffers since the last turn that was asked for; those of data count for less. */
  #inARow = 0;
  #unsent = "";
  /** Whatever is waited for, each to be woken when the connection is over. */
  readonly #waiting = new Set<() => void>();
  #isWaiting = false;
  #farewell: Promise<void> | null = null;
  #leaving: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  /** Whether the client takes no more; what it sent before is still read. */
  #isMute = false;

  /** `patienceMs` is how long one write may take. */
  constructor(socket: Socket, patienceMs: number, commons: Commons) {
    this.#socket = socket;
    this.#patienceMs = patienceMs;
    this.#commons = commons;
  }

  /** Whether the server has ended the connection, or is about to; a client that leaves has not. */
  get isDismissed(): boolean {
    return this.#farewell !== null;
  }

  /** Whether the client is being waited for, or waits itself: it can be dismissed at once. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Puts a reply with those that the next `flush` sends in one write (RFC 2920 section 3.2). */
  say(reply: Reply): void {
    this.#unsent += format(reply);
  }

  /** Sends what was said. */
  async flush(): Promise<void> {
    if (this.#unsent === "" || this.#isOver) return;
    const octets = encoder.encode(this.#unsent);
    this.#unsent = "";
    if (this.#isMute) return;
    await this.#within(this.#patienceMs, this.#send(octets), () => this.#letGo());
  }

  async #send(octets: Uint8Array): Promise<void> {
    try {
      let sent = await this.#socket.write(octets);
      while (sent < octets.length) sent += await this.#socket.write(octets.subarray(sent));
    } catch {
      this.#isMute = true;
    }
  }

  /**
   * Reads what the client sent; null when it is over. `tooLate` is said to a client that sends nothing
   * for so many milliseconds. The octets are valid until the next read.
   */
  async read(kind: "command" | "data", ms: number, tooLate: Reply): Promise<Uint8Array | null> {
    if (this.#isOver || this.isDismissed) return null;
    // What has come already would be read first, again and again.
    if (ms === 0) return await this.dismiss(tooLate).then(() => null);
    this.#prepare(kind);
    const count = await this.wait(this.#fill(), ms, tooLate);
    if (count === null) return null;
    this.#note(count);
    return this.#buffer.subarray(0, count);
  }

  get #isLarge(): boolean {
    return this.#buffer !== this.#small;
  }

  /** Has a buffer of the right size. None is given back while something is read into it. */
  #prepare(kind: "command" | "data"): void {
    const { buffers } = this.#commons;
    if (this.#isLarge === (kind === "data")) return;
    if (this.#isLarge) buffers.give(this.#buffer);
    this.#buffer = kind === "data" ? buffers.take() : this.#small;
  }

  /** Waits for `work` while the client can be dismissed; null where that came first, or it is over. */
  async wait<Result>(work: Promise<Result>, ms: number, tooLate: Reply): Promise<Result | null> {
    if (this.#isOver || this.isDismissed) return null;
    this.#isWaiting = true;
    const result = await this.#within(ms, work, () => this.dismiss(tooLate));
    this.#isWaiting = false;
    // What comes while a client is being dismissed is not acted on: it was told that it would not be.
    return this.isDismissed ? null : result;
  }

  /** Says a last thing, also while a read is pending, and ends the wait for the client. */
  dismiss(reply: Reply): Promise<void> {
    return this.#farewell ??= (async () => {
      this.say(reply);
      await this.flush();
      this.#wake();
    })();
  }

  /** Leaves the client a moment to take what was said, then ends the connection. */
  abandon(): void {
    if (!this.#isOver) this.#leaving ??= setTimeout(() => this.#letGo(), LINGER_MS);
  }

  /**
   * Ends the connection after all that was said has arrived. A connection that is closed with octets
   * unread is reset, and the last reply with it (RFC 1122 section 4.2.2.13); so what still comes is read
   * for a moment.
   */
  async close(): Promise<void> {
    await (this.#farewell ?? this.flush());
    if (!this.#isOver) await this.#within(LINGER_MS, this.#drain(), () => {});
    this.#end();
    await this.#turn;
  }

  async #drain(): Promise<void> {
    await this.#socket.closeWrite();
    for (let count; (count = await this.#fill()) !== null;) this.#note(count);
  }

  /** Reads into the buffer, after a turn of other clients where this one sends more than it holds. */
  #fill(): Promise<number | null> {
    if (this.#inARow < 1) return this.#reads();
    this.#inARow = 0;
    this.#turn = this.#commons.turns.next();
    return this.#turn.then(() => this.#isOver ? null : this.#reads());
  }

  /** The read that is at work, or a new one: whoever waited for it may have been woken. */
  #reads(): Promise<number | null> {
    return this.#reading ??= this.#socket.read(this.#buffer);
  }

  /** That a read is over which brought so many octets. */
  #note(count: number): void {
    this.#reading = null;
    this.#inARow += count / this.#buffer.length / (this.#isLarge ? DATA_IN_A_ROW : 1);
  }

  /** Waits for `work`; null where it failed, was `late`, or the connection is over. */
  #within<Result>(
    ms: number,
    work: Promise<Result>,
    late: () => void | Promise<void>,
  ): Promise<Result | null> {
    // Closing frees a pending read, but on older runtimes not a pending write: hence `wake`.
    const { promise, resolve } = Promise.withResolvers<Result | null>();
    const { alarm } = this.#commons;
    const settle = (result: Result | null) => {
      alarm.cancel(call);
      this.#waiting.delete(wake);
      resolve(result);
    };
    const wake = () => settle(null);
    const call = alarm.after(ms, async () => {
      await late();
      wake();
    });
    this.#waiting.add(wake);
    work.then(settle, () => {
      this.#end();
      wake();
    });
    return promise;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Ends the connection of a client that has had its time, and can be told nothing. */
  #letGo(): void {
    this.#farewell ??= Promise.resolve();
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#leaving);
    this.#socket.close();
    this.#wake();
  }
}
