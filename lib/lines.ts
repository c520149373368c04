/**
 * Lines for a log, many in one write: a mail has seven, a write takes 9 µs and a timer 2. What was said is
 * written soon, also where nothing else happens.
 */

/** How long a line waits for others, in milliseconds. */
export const SOON_MS = 5;

/** Gathers lines. */
export class Lines {
  readonly #write: (text: string) => void;
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `write` takes whole lines, with their ends; it does not throw. */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Says a line, given without its end. */
  say(line: string): void {
    this.#text += `${line}\n`;
    this.#timer ??= setTimeout(() => this.flush(), SOON_MS);
  }

  /** Writes lines now, after what was said. */
  tell(lines: readonly string[]): void {
    for (const line of lines) this.#text += `${line}\n`;
    this.flush();
  }

  /** Writes now what was said. */
  flush(): void {
    // To name a timer is to load what has them: 15 ms and 4 MB, which a server without clients saves.
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = "";
    if (text !== "") this.#write(text);
  }
}
