/** A socket in memory, whose far end does what a test says. */
import type { Socket } from "../lib/channel.ts";
import { concat } from "../lib/octets.ts";

/** One that waits for the far end. */
interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * The server's end, and the strings that move the client's. As on older runtimes of Deno, closing
 * it frees a pending read, but not a pending write.
 */
export class PuppetSocket implements Socket {
  /** How often it was closed. */
  closes = 0;
  /** Whether the server has ended its half. */
  isHalfClosed = false;
  /** How often it was written to. */
  writes = 0;
  /** How often it was read. */
  reads = 0;
  /** What was tried after it was closed, after the server's half was ended, or during the same. */
  readonly trespasses: string[] = [];
  /** Calls that failed as they were told to. */
  readonly refused: string[] = [];
  readonly #octetsAtOnce: number;
  readonly #said: Uint8Array[] = [];
  #unread = new Uint8Array(0);
  #hasEnded = false;
  #isDeaf = false;
  readonly #failures = new Set<string>();
  readonly #reading = new Set<Waiting>();
  readonly #writing = new Set<Waiting>();

  /** `octetsAtOnce` is how many octets one write takes. */
  constructor(octetsAtOnce = Infinity) {
    this.#octetsAtOnce = octetsAtOnce;
  }

  /** What the client has heard. */
  get said(): string {
    return new TextDecoder().decode(concat(this.#said));
  }

  /** How many octets the server has not read. */
  get unread(): number {
    return this.#unread.length;
  }

  /** The client says something. */
  send(text: string): void {
    this.#unread = concat([this.#unread, new TextEncoder().encode(text)]);
    wake(this.#reading);
  }

  /** The client ends its half. */
  end(): void {
    this.#hasEnded = true;
    wake(this.#reading);
  }

  /** The client takes nothing from now on. */
  deafen(): void {
    this.#isDeaf = true;
  }

  /** The client takes what waits for it, and what comes. */
  hear(): void {
    this.#isDeaf = false;
    wake(this.#writing);
  }

  /** From now on such a call fails, also one that waits already. */
  fail(call: "read" | "write" | "closeWrite"): void {
    this.#failures.add(call);
    const waiting = { read: this.#reading, write: this.#writing, closeWrite: new Set<Waiting>() };
    for (const { reject } of waiting[call]) reject(new Deno.errors.ConnectionReset());
    waiting[call].clear();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    this.#enter("read", this.closes > 0);
    if (this.#reading.size > 0) this.trespasses.push("read during another");
    this.reads++;
    while (this.#unread.length === 0 && !this.#hasEnded) await park(this.#reading);
    const count = Math.min(this.#unread.length, buffer.length);
    buffer.set(this.#unread.subarray(0, count));
    this.#unread = this.#unread.slice(count);
    return count || null;
  }

  async write(octets: Uint8Array): Promise<number> {
    this.#enter("write", this.closes > 0 || this.isHalfClosed);
    if (this.#writing.size > 0) this.trespasses.push("write during another");
    this.writes++;
    while (this.#isDeaf) await park(this.#writing);
    const taken = octets.slice(0, this.#octetsAtOnce);
    this.#said.push(taken);
    return taken.length;
  }

  // deno-lint-ignore require-await -- it rejects, as `Deno.Conn` does
  async closeWrite(): Promise<void> {
    this.#enter("closeWrite", this.closes > 0 || this.isHalfClosed);
    this.isHalfClosed = true;
  }

  close(): void {
    this.closes++;
    for (const { reject } of this.#reading) reject(new Deno.errors.Interrupted());
    this.#reading.clear();
  }

  #enter(call: string, isTrespass: boolean): void {
    if (isTrespass) this.trespasses.push(call);
    if (isTrespass) throw new Deno.errors.BadResource();
    if (!this.#failures.has(call)) return;
    this.refused.push(call);
    throw new Deno.errors.ConnectionReset();
  }
}

function park(waiting: Set<Waiting>): Promise<void> {
  return new Promise((resolve, reject) => waiting.add({ resolve, reject }));
}

function wake(waiting: Set<Waiting>): void {
  for (const { resolve } of waiting) resolve();
  waiting.clear();
}
