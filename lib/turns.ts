/**
 * Turns of the event loop. Octets and connections that have come already are taken at once, and as long
 * as there are any the loop looks at nobody else's sockets; a callback of `setImmediate` does not make it
 * look either, only a timer does, since then it has nothing to do for a moment. On Deno 2.9.6, beside a
 * loop that is busy for 5 ms at a time, another client's echo took 300 ms with the one, and 8 ms with the
 * other.
 *
 * So whoever has work without end asks for a turn between the pieces of it. Turns are shared, two of
 * them after each pause: what the loop does between two looks does not grow with the number of those who
 * keep it busy.
 */

/** How long the loop may be busy without a pause, in milliseconds. */
const BUSY_MS = 5;

/** How many get their turn after a pause. A piece of work, such as 4 KiB of commands, takes 2 to 3 ms. */
const TURNS = 2;

/** Shares the event loop. */
export class Turns {
  readonly #uptimeMs: () => number;
  #sinceMs: number;
  /** In the order in which they asked. */
  readonly #waiting: (() => void)[] = [];

  /** `uptimeMs` is a clock that only goes forward. */
  constructor(uptimeMs: () => number) {
    this.#uptimeMs = uptimeMs;
    this.#sinceMs = uptimeMs();
  }

  /** Resolves when there is time for another piece of work; mostly that is at once. */
  async next(): Promise<void> {
    const isBusy = this.#uptimeMs() - this.#sinceMs >= BUSY_MS;
    if (!isBusy && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) this.#pause();
    });
  }

  #pause(): void {
    setTimeout(() => {
      this.#sinceMs = this.#uptimeMs();
      for (const go of this.#waiting.splice(0, TURNS)) go();
      if (this.#waiting.length > 0) this.#pause();
    }, 0);
  }
}
