/**
 * The clients of the crash test: on connections that are kept they send one letter after the other
 * as fast as the server takes them, commands of the next with the end of the last (RFC 2920), and
 * chunks (RFC 3030) without waiting for any answer.
 */
import { concat } from "../../lib/octets.ts";
import type { Chance } from "../soak/chance.ts";
import type { Sent, Verdict } from "./ledger.ts";
import type { Letter } from "./letter.ts";

/** Letters in chunks that may be under way on a connection. */
const DEPTH = 6;

/** Octets of a chunked letter that are held back, to go with the next letter. */
const TAIL_OCTETS = 500;

/**
 * How long a client waits that was told to come again, or that the server left, in milliseconds.
 */
const PAUSE_MS = 10;

/** Where a client sends. */
export interface Post {
  /** Of the server, on the loopback interface. */
  readonly port: number;
  /** All that is random about the client. */
  readonly chance: Chance;
  /** Gives a letter to send, and keeps what becomes known of it. */
  readonly next: () => Entry;
  /** Whether it is time to leave in good order. */
  readonly isOver: () => boolean;
}

/** A letter on its way, and what its client knows of it. */
export class Entry {
  readonly letter: Letter;
  /** Called when it is accepted. */
  readonly #accepted: () => void;
  #verdict: Verdict = "withdrawn";
  #reply = "";

  constructor(letter: Letter, accepted: () => void) {
    this.letter = letter;
    this.#accepted = accepted;
  }

  /** Says that the client is about to send the end. */
  end(): void {
    this.#verdict = "unanswered";
  }

  /** Says what the server answered; empty where it did not. */
  settle(reply: string): void {
    this.#reply = reply;
    if (reply === "") return;
    this.#verdict = reply.startsWith("250 ") ? "accepted" : "refused";
    if (this.#verdict === "accepted") this.#accepted();
  }

  /** What is left of it for the ledger. */
  sent(run: number, isTight: boolean): Sent {
    const { number, flaw, octets: { length: size } } = this.letter;
    return {
      ...{ number, flaw, size, run, isTight },
      verdict: this.#verdict,
      reply: this.#reply,
    };
  }
}

/** Sends until it is time to leave, or until the server is gone. */
export async function send(post: Post): Promise<void> {
  while (!post.isOver()) {
    const wire = await Wire.connect(post.port);
    if (wire === null) return;
    await converse(wire, post);
    wire.close();
    await pause();
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** The end of a letter that is still to be sent. */
interface Tail {
  readonly entry: Entry;
  readonly octets: Uint8Array;
}

/** One connection, from its greeting to its end. */
async function converse(wire: Wire, post: Post): Promise<void> {
  if (!(await wire.reply()).startsWith("220")) return;
  wire.write(ascii("EHLO crash.example\r\n"));
  if (!(await wire.reply()).startsWith("250")) return;
  const underWay: Promise<string>[] = [];
  let tail: Tail | null = null;

  /** Sends what is still to be sent, and more. */
  const write = (octets: Uint8Array): Promise<boolean> => {
    if (tail === null) return wire.write(octets);
    const { entry, octets: end } = tail;
    tail = null;
    entry.end();
    underWay.push(
      wire.reply().then((reply) => {
        entry.settle(reply);
        return reply;
      }),
    );
    return wire.write(concat([end, octets]));
  };

  let hasRemains = false;
  while (!post.isOver()) {
    const entry = post.next();
    const { letter } = entry;
    const recipients = letter.paths.map((path) => `RCPT TO:${path}`);
    const opening = [...(hasRemains ? ["RSET"] : []), letter.mail, ...recipients];
    // Its transaction stays open, and the next MAIL would be refused.
    hasRemains = letter.flaw === "unaddressed";
    if (letter.isChunked) {
      const { head, end } = chunksOf(letter, post.chance);
      const written = write(concat([ascii(opening.join("\r\n") + "\r\n"), head.octets]));
      for (let left = opening.length + head.replies; left > 0; left--) void wire.reply();
      if (!await written) return;
      tail = { entry, octets: end };
    } else {
      const written = write(ascii([...opening, "DATA", ""].join("\r\n")));
      const replies = [...opening, "DATA"].map(() => wire.reply());
      if (!await written) return;
      const reply = (await Promise.all(replies)).at(-1)!;
      if (reply === "") return;
      if (reply.startsWith("354")) {
        if (!await wire.write(stuffed(letter.octets))) return;
        tail = { entry, octets: ascii(".\r\n") };
      } else {
        entry.settle(reply);
      }
    }
    // Leaves in the middle of a letter.
    if (post.chance.next() < 0.01) return;
    while (underWay.length > DEPTH) {
      const reply = await underWay.shift()!;
      if (reply === "") return;
      if (reply.startsWith("452")) await pause();
    }
  }
  void write(ascii("QUIT\r\n"));
  await Promise.all(underWay);
  await wire.reply();
}

const ascii = (text: string) => new TextEncoder().encode(text);

/** A letter as BDAT has it, in one chunk or two; the end is some octets of the last one. */
function chunksOf(letter: Letter, chance: Chance) {
  const { octets } = letter;
  const cut = chance.next() < 0.3 ? chance.between(1, octets.length - 1) : 0;
  const at = octets.length - Math.min(TAIL_OCTETS, octets.length - cut);
  const whole = concat([
    ...(cut === 0 ? [] : [ascii(`BDAT ${cut}\r\n`), octets.subarray(0, cut)]),
    ascii(`BDAT ${octets.length - cut} LAST\r\n`),
    octets.subarray(cut, at),
  ]);
  return { head: { octets: whole, replies: cut === 0 ? 0 : 1 }, end: octets.subarray(at) };
}

/** Data with its dots stuffed (RFC 5321 section 4.5.2). */
function stuffed(octets: Uint8Array): Uint8Array {
  const [CR, LF, DOT] = [0x0d, 0x0a, 0x2e];
  const pieces = [];
  let from = 0;
  for (let at = octets.indexOf(DOT); at !== -1; at = octets.indexOf(DOT, at + 1)) {
    if (at > 0 && !(octets[at - 1] === LF && octets[at - 2] === CR)) continue;
    pieces.push(octets.subarray(from, at), ascii("."));
    from = at;
  }
  return concat([...pieces, octets.subarray(from)]);
}

/** A connection on which nobody waits for an answer before saying the next thing. */
class Wire {
  readonly #socket: Deno.Conn;
  /** Those who wait for a reply, in the order of what they said. */
  readonly #waiting: ((reply: string) => void)[] = [];
  /** Replies that nobody has waited for yet. */
  readonly #replies: string[] = [];
  #hasEnded = false;
  #written: Promise<boolean> = Promise.resolve(true);

  private constructor(socket: Deno.Conn) {
    this.#socket = socket;
    void this.#listen();
  }

  /** Connects to a port of the loopback interface; null where nobody listens. */
  static async connect(port: number): Promise<Wire | null> {
    try {
      return new Wire(await Deno.connect({ hostname: "127.0.0.1", port }));
    } catch {
      return null;
    }
  }

  /** Writes after all that is being written; false when nobody takes it any more. */
  write(octets: Uint8Array): Promise<boolean> {
    return this.#written = this.#written.then(async (isOpen) => {
      try {
        let left = octets;
        while (isOpen && left.length > 0) left = left.subarray(await this.#socket.write(left));
        return isOpen;
      } catch {
        return false;
      }
    });
  }

  /** The last line of the next reply; empty at the end. */
  reply(): Promise<string> {
    const reply = this.#replies.shift() ?? (this.#hasEnded ? "" : undefined);
    if (reply !== undefined) return Promise.resolve(reply);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    try {
      this.#socket.close();
    } catch {
      // It is closed already.
    }
  }

  async #listen(): Promise<void> {
    const buffer = new Uint8Array(4096);
    let text = "";
    for (;;) {
      const count = await this.#socket.read(buffer).catch(() => null);
      if (count === null) break;
      // Replies are ASCII, so that no read can cut a character.
      const lines = (text + new TextDecoder().decode(buffer.subarray(0, count))).split("\r\n");
      text = lines.pop()!;
      for (const line of lines.filter((line) => /^\d{3} /.test(line))) this.#answer(line);
    }
    this.#hasEnded = true;
    for (const resolve of this.#waiting.splice(0)) resolve("");
    this.close();
  }

  #answer(line: string): void {
    const resolve = this.#waiting.shift();
    if (resolve === undefined) this.#replies.push(line);
    else resolve(line);
  }
}
