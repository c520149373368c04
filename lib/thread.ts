/**
 * Parses messages in another thread that take long, so that the sessions of others go on meanwhile, and gives up
 * what takes too long. There is one thread, since memory counts, and only while there is something to do:
 * ending it gives its memory back. Deno 2.9.6 does not interrupt a thread that is busy, so what keeps
 * hostile messages cheap are the limits of the parser. Should one get past them, its thread goes on after
 * it was given up, and no second one is started beside it: until it ends, large messages are left unparsed.
 */
import { type Parse, type Parsed, unparsed } from "./content.ts";
import { within } from "./deadline.ts";
import type { Needs } from "./needs.ts";
import { load, type parseWithin } from "./parser.ts";

/** When to use the thread, and for how long. */
export interface ThreadOptions {
  /** Parses what the thread is not needed for, and everything where none can be had. */
  readonly parseWithin: typeof parseWithin;
  /** Starts the thread. */
  readonly open: () => Worker;
  /**
   * Octets that are decoded here for one message, of what takes longest, and lines that are looked at.
   * Of plain text that is sent as it stands it is eighty times as much.
   */
  readonly mostHere: number;
  /** Milliseconds that a message may take, and that the thread may take to start. */
  readonly timeoutMs: number;
  /** Milliseconds that a message waits for those before it; after that it is left unparsed. */
  readonly maxWaitMs: number;
  /** Octets after which the thread is ended: no garbage collector gives memory back as surely. */
  readonly maxOctetsThere: number;
  /** Milliseconds without a message after which the thread is ended. */
  readonly idleMs: number;
}

/**
 * The worst 128 KiB take a quarter of a second. A thread takes 40 MB, and a fifth of a second
 * to start. A client waits for ten minutes (RFC 5321 section 4.5.3.2.6), many for less.
 */
export const THREAD = {
  // Longer than any message takes that people send; the client waits all the while.
  timeoutMs: 4_000,
  mostHere: 128 * 1024,
  maxWaitMs: 60_000,
  maxOctetsThere: 64 * 1024 * 1024,
  idleMs: 10_000,
};

/** What a thread is asked. */
export interface Question {
  /** A message. */
  readonly data: Uint8Array;
  /** What of it. */
  readonly needs: Needs;
}

/** What a thread answers. */
export interface Answer extends Omit<Parsed, "body"> {
  /** Null where it is the text, as for most: nothing is sent twice. */
  readonly body: string | null;
}

/** Starts the thread that worker.ts describes. */
export function openWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}

/** What parses messages, the large ones in a thread. To dispose of it ends the thread. */
export class Thread implements Disposable {
  readonly #options: ThreadOptions;
  #worker: Worker | null = null;
  /** The thread that was given up, while it is busy even so. */
  #stuck: Worker | null = null;
  #octets = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #idle: ReturnType<typeof setTimeout> | undefined;

  /** Starts nothing yet. */
  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Parses a message, a large one when it is its turn. */
  readonly parse: Parse = async (data, needs) => {
    const { mostHere, parseWithin } = this.#options;
    const since = performance.now();
    return await parseWithin(mostHere, data, needs) ??
      await this.#inTurn(() => this.#parseInTurn({ data, needs }, since));
  };

  /** Never two at a time. */
  #inTurn(parse: () => Promise<Parsed>): Promise<Parsed> {
    const parsed = this.#turn.then(parse);
    this.#turn = parsed.catch(() => {});
    return parsed;
  }

  /** Ends the thread, and what it is at. */
  [Symbol.dispose](): void {
    this.#end();
    this.#stuck?.terminate();
    this.#stuck = null;
  }

  #end(): void {
    clearTimeout(this.#idle);
    this.#worker?.terminate();
    this.#worker = null;
    this.#octets = 0;
  }

  async #parseInTurn(question: Question, since: number): Promise<Parsed> {
    const { parseWithin, maxWaitMs } = this.#options;
    const { data, needs } = question;
    if (this.#stuck !== null) {
      return await leave(data, "the parser is busy with another message");
    }
    if (performance.now() - since > maxWaitMs) {
      return await leave(data, `it waited longer than ${maxWaitMs / 1000} s for the parser`);
    }
    clearTimeout(this.#idle);
    const worker = this.#worker ?? await this.#start();
    return worker === null
      ? (await parseWithin(Infinity, data, needs))!
      : await this.#parseThere(worker, question);
  }

  async #parseThere(worker: Worker, { data, needs }: Question): Promise<Parsed> {
    const answer = next(worker);
    try {
      // A copy, so that the message is still there if the thread ends.
      const copy = data.slice();
      worker.postMessage({ data: copy, needs } satisfies Question, [copy.buffer]);
      const { body, ...parsed } = await within(this.#options.timeoutMs, answer) as Answer;
      this.#rest(data.length);
      return { ...parsed, body: body ?? parsed.text };
    } catch (error) {
      if (error instanceof Deno.errors.TimedOut) this.#giveUp(worker, answer);
      else this.#end();
      return await leave(data, (error as Error).message);
    }
  }

  /** Lets a thread alone until it is no longer busy, with its late answer or otherwise. */
  #giveUp(worker: Worker, answer: Promise<unknown>): void {
    this.#worker = null;
    this.#octets = 0;
    this.#stuck = worker;
    const end = () => {
      worker.terminate();
      if (this.#stuck === worker) this.#stuck = null;
    };
    answer.then(end, end);
    // A parser that never settles is not busy: its thread answers this, and is ended too.
    worker.postMessage({ data: new Uint8Array(0), needs: null } satisfies Question);
  }

  /** Ends the thread after so many octets more, at once or when there is nothing to do. */
  #rest(octets: number): void {
    const { maxOctetsThere, idleMs } = this.#options;
    this.#octets += octets;
    if (this.#octets >= maxOctetsThere) return this.#end();
    const timer = setTimeout(() => this.#end(), idleMs);
    // The program may end sooner.
    Deno.unrefTimer(timer);
    this.#idle = timer;
  }

  /** Null where there is no thread to be had, for example for want of permissions. */
  async #start(): Promise<Worker | null> {
    try {
      this.#worker = this.#options.open();
      await within(this.#options.timeoutMs, next(this.#worker));
    } catch {
      this.#end();
    }
    return this.#worker;
  }
}

/** A message as it was received. */
async function leave(data: Uint8Array, reason: string): Promise<Parsed> {
  return unparsed(data, await load(), reason);
}

/** The next message that a thread sends; rejects where it fails instead, which ends it. */
function next(worker: Worker): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onmessageerror = () => reject(new Error("its answer cannot be read"));
  worker.onerror = (event) => {
    // Else it would be a fault of the whole program.
    event.preventDefault();
    reject(new Error(event.message));
  };
  return promise;
}
