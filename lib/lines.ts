/**
 * Lines for a log, those of one turn of the event loop in one write: a mail has seven, and each write took
 * 9 µs. What was said is written within a millisecond or so, also where nothing else happens.
 */

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
    this.#timer ??= setTimeout(() => this.flush(), 0);
  }

  /** Writes now what was said. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = "";
    if (text !== "") this.#write(text);
  }
}
