/**
 * One connection's octets, with the patience of the server around them: a client that says nothing, or
 * takes nothing, for too long is let go, and a last reply is given time to arrive.
 */
import { format, type Reply } from "./reply.ts";

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

/** Octets of a read, at most: small while commands are awaited, since most connections are idle. */
const COMMAND_READ_OCTETS = 4 * 1024;
const DATA_READ_OCTETS = 64 * 1024;

/** How long a client may take to close its half after the last reply, in milliseconds. */
export const LINGER_MS = 1_000;

/** Speaks to one client. Methods do not reject; once the connection is over, nothing happens. */
export class Channel {
  readonly #socket: Socket;
  readonly #patienceMs: number;
  #buffer = new Uint8Array(0);
  #unsent = "";
  /** What waits for the socket, each to be woken when the connection is over. */
  readonly #waiting = new Set<() => void>();
  #isReading = false;
  #farewell: Promise<void> | null = null;
  #isOver = false;
  /** Whether the client takes no more; what it sent before is still read. */
  #isMute = false;

  /** `patienceMs` is how long one read or one write may take. */
  constructor(socket: Socket, patienceMs: number) {
    this.#socket = socket;
    this.#patienceMs = patienceMs;
  }

  /** Whether the server has ended the connection, or is about to; a client that leaves has not. */
  get isDismissed(): boolean {
    return this.#farewell !== null;
  }

  /** Whether the client is being waited for. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** Puts a reply with those that the next `flush` sends in one write (RFC 2920 section 3.2). */
  say(reply: Reply): void {
    this.#unsent += format(reply);
  }

  /** Sends what was said. */
  async flush(): Promise<void> {
    if (this.#unsent === "" || this.#isOver) return;
    let octets = new TextEncoder().encode(this.#unsent);
    this.#unsent = "";
    if (this.#isMute) return;
    const sent = (async () => {
      while (octets.length > 0) octets = octets.subarray(await this.#socket.write(octets));
    })().catch(() => void (this.#isMute = true));
    await this.#within(this.#patienceMs, sent, () => this.#letGo());
  }

  /**
   * Reads what the client sent; null when it is over. `tooLate` is said to a client that sends nothing.
   * The octets are valid until the next read.
   */
  async read(kind: "command" | "data", tooLate: Reply): Promise<Uint8Array | null> {
    if (this.#isOver || this.isDismissed) return null;
    const size = kind === "command" ? COMMAND_READ_OCTETS : DATA_READ_OCTETS;
    if (this.#buffer.length !== size) this.#buffer = new Uint8Array(size);
    this.#isReading = true;
    const count = await this.#within(
      this.#patienceMs,
      this.#socket.read(this.#buffer),
      () => this.dismiss(tooLate),
    );
    this.#isReading = false;
    // What comes while a client is being dismissed is not acted on: it was told that it would not be.
    return count === null || this.isDismissed ? null : this.#buffer.subarray(0, count);
  }

  /** Says a last thing and ends the connection, also while a read is pending. */
  dismiss(reply: Reply): Promise<void> {
    return this.#farewell ??= (async () => {
      this.say(reply);
      await this.flush();
      this.#end();
    })();
  }

  /** Leaves the client a moment to take what was said, then ends the connection. */
  abandon(): void {
    if (this.#isOver) return;
    const timer = setTimeout(() => this.#letGo(), LINGER_MS);
    this.#waiting.add(() => clearTimeout(timer));
  }

  /**
   * Ends the connection after all that was said has arrived. A connection that is closed with octets
   * unread is reset, and the last reply with it (RFC 1122 section 4.2.2.13); so what still comes is read
   * for a moment.
   */
  async close(): Promise<void> {
    await (this.#farewell ?? this.flush());
    if (this.#isOver) return;
    await this.#within(LINGER_MS, this.#drain(), () => {});
    this.#end();
  }

  async #drain(): Promise<void> {
    await this.#socket.closeWrite();
    const buffer = new Uint8Array(COMMAND_READ_OCTETS);
    while (await this.#socket.read(buffer) !== null);
  }

  /** Waits for `work`; null where it failed, was `late`, or the connection is over. */
  async #within<Result>(
    ms: number,
    work: Promise<Result>,
    late: () => void | Promise<void>,
  ): Promise<Result | null> {
    // Closing frees a pending read, but on older runtimes not a pending write: hence the race.
    const { promise: noResult, resolve } = Promise.withResolvers<null>();
    const wake = () => resolve(null);
    this.#waiting.add(wake);
    const timer = setTimeout(async () => {
      await late();
      wake();
    }, ms);
    try {
      return await Promise.race([work, noResult]);
    } catch {
      this.#end();
      return null;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(wake);
    }
  }

  /** Ends the connection of a client that has had its time, and can be told nothing. */
  #letGo(): void {
    this.#farewell ??= Promise.resolve();
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.close();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
