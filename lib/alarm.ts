/**
 * Moments that are waited for, many of them by one timer of the runtime. Each read, each write and each
 * request has to end in time and nearly all of them do, so that a timer of its own is made in vain for
 * each: 10 to 20 µs, a tenth of what a mail takes. Here it is an entry in a list.
 */

/** A call that is to be made; `cancel` takes it. */
export interface Call {
  /** When, in milliseconds of the clock. */
  readonly atMs: number;
  /** Makes it. */
  readonly ring: () => void;
}

/** Rings for many. */
export class Alarm {
  readonly #uptimeMs: () => number;
  readonly #calls = new Set<Call>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer looks at the calls; no call is due before that. */
  #looksAtMs = Infinity;

  /** `uptimeMs` is a clock that only goes forward. */
  constructor(uptimeMs: () => number) {
    this.#uptimeMs = uptimeMs;
  }

  /** Has `ring` called after so many milliseconds. */
  after(ms: number, ring: () => void): Call {
    const nowMs = this.#uptimeMs();
    const call = { atMs: nowMs + ms, ring };
    this.#calls.add(call);
    if (call.atMs < this.#looksAtMs) this.#lookAt(call.atMs, nowMs);
    return call;
  }

  /** Takes a call back; one that was made, or taken back, is none any more. */
  cancel(call: Call): void {
    if (this.#calls.delete(call) && this.#calls.size === 0) this.#lookAt(Infinity, 0);
  }

  #lookAt(atMs: number, nowMs: number): void {
    clearTimeout(this.#timer);
    this.#looksAtMs = atMs;
    if (atMs < Infinity) this.#timer = setTimeout(() => this.#look(), Math.ceil(atMs - nowMs));
  }

  /** Makes the calls that are due, and sets the timer for the first of the others. */
  #look(): void {
    const nowMs = this.#uptimeMs();
    let nextMs = Infinity;
    for (const call of this.#calls) {
      if (call.atMs > nowMs) {
        nextMs = Math.min(nextMs, call.atMs);
      } else {
        this.#calls.delete(call);
        call.ring();
      }
    }
    this.#lookAt(nextMs, nowMs);
  }
}
