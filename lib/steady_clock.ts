/**
 * The time of day for what lasts for days: it does not jump when the clock of the machine does, as one
 * without a battery does at start, but follows when it is told to, and says by how much.
 */

/** Jumps that are followed, in milliseconds; a clock that is adjusted gently differs by less. */
const JUMP_MS = 1000;

/** The time of day, kept by a clock that only goes forward. */
export class SteadyClock {
  readonly #now: () => Date;
  readonly #uptimeMs: () => number;
  /** The time of day at uptime 0. */
  #startMs: number;
  #jumpedMs = 0;

  /** Takes the time of day, and milliseconds of a clock that only goes forward. */
  constructor(now: () => Date, uptimeMs: () => number) {
    this.#now = now;
    this.#uptimeMs = uptimeMs;
    this.#startMs = now().getTime() - uptimeMs();
  }

  /** Whole milliseconds since 1970, by this clock. */
  get nowMs(): number {
    return Math.round(this.#startMs + this.#uptimeMs());
  }

  /** Takes up the time of day of the machine, and gives the milliseconds by which it jumped; mostly 0. */
  follow(): number {
    const jumpMs = this.#now().getTime() - this.nowMs;
    if (Math.abs(jumpMs) < JUMP_MS) return 0;
    this.move(jumpMs);
    return jumpMs;
  }

  /** Moves it by so many milliseconds. */
  move(byMs: number): void {
    this.#startMs += byMs;
    this.#jumpedMs += byMs;
  }

  /** By how much it was moved so far: what makes a moment of then one of now. */
  get jumpedMs(): number {
    return this.#jumpedMs;
  }
}
