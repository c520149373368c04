/**
 * The memory that messages share while they come in and are delivered, so that many large ones at once
 * wait for each other instead of using up the machine. A message waits by not being read: its client
 * sees a slow network.
 *
 * Whoever came first always gets its room, also beyond the limit: else messages of which each has a part
 * could wait for each other for ever. So all of them together have at most the limit, one message, and
 * what each has for nothing.
 */

/** Octets of each message that count for nothing: most have no more, and never wait. */
const FREE_OCTETS = 64 * 1024;

/**
 * Octets of memory that a message takes while it is delivered, for each of its own: it is read, and made
 * into a request. Measured with 25 messages of 10 MB of text, and an endpoint that does not answer.
 */
export const DELIVERED_TIMES = 7;

/** The same while it is put into the queue: it is written piece by piece. */
export const QUEUED_TIMES = 1;

/** The memory of all messages; each is named by an object of its own. */
export class Room {
  readonly #limit: number;
  #taken = 0;
  /** Octets of each message, in the order in which they came. */
  readonly #held = new Map<object, number>();
  #waiting: (() => void)[] = [];

  /** `limit` is in octets. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Takes room for `times` as many octets as a message has, if there is any now; for fewer than it has
   * there always is, and the others get the rest.
   */
  takes(message: object, octets: number, times = 1): boolean {
    const wanted = times * Math.max(octets - FREE_OCTETS, 0);
    const held = this.#held.get(message);
    if (wanted === (held ?? 0)) return true;
    if (held === undefined) this.#held.set(message, 0);
    if (!this.#fits(message, wanted)) return false;
    this.#set(message, wanted);
    return true;
  }

  /** Resolves once a message has that room, or has left. */
  async hold(message: object, octets: number, times = 1): Promise<void> {
    if (this.takes(message, octets, times)) return;
    do await new Promise<void>((resolve) => this.#waiting.push(resolve)); while (
      this.#held.has(message) && !this.takes(message, octets, times)
    );
  }

  /** Gives back all that a message has; it is no fault where that is nothing. */
  leave(message: object): void {
    if (!this.#held.has(message)) return;
    this.#set(message, 0);
    this.#held.delete(message);
  }

  #fits(message: object, wanted: number): boolean {
    const [first] = this.#held.keys();
    const held = this.#held.get(message)!;
    return wanted <= held || message === first || this.#taken - held + wanted <= this.#limit;
  }

  #set(message: object, octets: number): void {
    this.#taken += octets - this.#held.get(message)!;
    this.#held.set(message, octets);
    for (const look of this.#waiting.splice(0)) look();
  }
}
