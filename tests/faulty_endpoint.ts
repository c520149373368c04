/**
 * An endpoint below HTTP, for what no proper one does: it says nothing, says nonsense, never stops,
 * or breaks off wherever a test wants it to. What it does with the next request can be changed at
 * any time, so that an endpoint can fall ill and heal while messages wait for it.
 */

/** One request as it arrived, whole or in part. */
export interface Taken {
  /** Its `webhook-id`; empty without one. */
  readonly id: string;
  /** Path and query. */
  readonly path: string;
  /** When its header had come, in milliseconds since 1970. */
  readonly atMs: number;
}

/** What is done with a request whose header has come; it says whether the connection goes on. */
export type Deed = (line: Line, taken: Taken) => Promise<boolean>;

/** The endpoint's end of a connection; nothing rejects when the other end is gone. */
export class Line {
  /** Requests so far, with the one at hand. */
  turn = 0;
  readonly #socket: Deno.Conn;
  /** Octets of the body that are to come. */
  #rest = 0;

  constructor(socket: Deno.Conn) {
    this.#socket = socket;
  }

  /** Reads the header of the next request; null where none comes. */
  async next(): Promise<Taken | null> {
    let head = "";
    // An octet at a time, so that nothing behind it is read.
    while (!head.endsWith("\r\n\r\n")) {
      const octet = await this.#read(1);
      if (octet === "") return null;
      head += octet;
    }
    this.turn++;
    this.#rest = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? 0);
    const id = /\r\nwebhook-id: ([^\r]*)/i.exec(head)?.[1] ?? "";
    return { id, path: head.split(" ")[1], atMs: Date.now() };
  }

  /**
   * Reads the body but for its last `spare` octets; false where it ends before. Whoever closes a
   * connection with octets unread resets it.
   */
  async take(spare = 0): Promise<boolean> {
    while (this.#rest > spare) {
      const { length } = await this.#read(this.#rest - spare);
      if (length === 0) return false;
      this.#rest -= length;
    }
    return true;
  }

  /** Writes; false when nobody takes it any more. */
  async write(text: string): Promise<boolean> {
    let octets = new TextEncoder().encode(text);
    try {
      while (octets.length > 0) octets = octets.subarray(await this.#socket.write(octets));
      return true;
    } catch {
      return false;
    }
  }

  /** Waits until the other end is closed. */
  async closed(): Promise<void> {
    while (await this.#read(1024) !== "");
  }

  close(): void {
    try {
      this.#socket.close();
    } catch {
      // It is closed already.
    }
  }

  /** Up to so many octets, a character each; empty at the end. */
  async #read(most: number): Promise<string> {
    const buffer = new Uint8Array(Math.min(most, 65_536));
    const count = await this.#socket.read(buffer).catch(() => null);
    return String.fromCharCode(...buffer.subarray(0, count ?? 0));
  }
}

/** Answers, and waits for the next request. `fields` are lines of the header. */
export function answers(status: number, ...fields: string[]): Deed {
  const head = [`HTTP/1.1 ${status} Whatever`, "Content-Length: 0", ...fields].join("\r\n");
  return async (line) => await line.take() && await line.write(`${head}\r\n\r\n`);
}

/** Takes the whole request, says something and closes the connection. */
export function says(text: string): Deed {
  return async (line) => {
    if (await line.take()) await line.write(text);
    return false;
  };
}

/** Takes the request but for its last octet, says something and resets the connection. */
export function resetsAfter(text: string): Deed {
  return async (line) => {
    if (await line.take(1)) await line.write(text);
    return false;
  };
}

/** Resets the connection before it has taken the body. */
export const resetsAtOnce: Deed = () => Promise.resolve(false);

/** Takes the whole request, says something and nothing more. */
export function stopsAfter(text: string): Deed {
  return async (line) => {
    if (await line.take() && await line.write(text)) await line.closed();
    return false;
  };
}

/** Says something, then something else again and again for as long as it is taken. */
export function neverEnds(text: string, more: string, everyMs = 0): Deed {
  return async (line) => {
    let goesOn = await line.take() && await line.write(text);
    while (goesOn) {
      goesOn = await line.write(more);
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    return false;
  };
}

/** Listens at the loopback interface until it is disposed of. */
export class FaultyEndpoint implements AsyncDisposable {
  /** Every request whose header has come, in order. */
  readonly taken: Taken[] = [];
  /** What is done with the next request. */
  deed: Deed;
  readonly #tls: Deno.TlsCertifiedKeyPem | null;
  readonly #lines = new Set<Line>();
  readonly #listener: Deno.TcpListener | Deno.TlsListener;
  readonly #serving: Promise<void>;

  /** Listens at a free port; with `tls` it speaks that. */
  constructor(deed: Deed = answers(200), tls: Deno.TlsCertifiedKeyPem | null = null) {
    this.deed = deed;
    this.#tls = tls;
    const address = { hostname: "127.0.0.1", port: 0 };
    this.#listener = tls === null ? Deno.listen(address) : Deno.listenTls({ ...address, ...tls });
    this.#serving = this.#serve();
  }

  /** Such as `http://127.0.0.1:40001`. */
  get origin(): string {
    return `http${this.#tls === null ? "" : "s"}://127.0.0.1:${this.#listener.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const line of this.#lines) line.close();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const conversations: Promise<void>[] = [];
    for await (const socket of this.#listener) {
      const line = new Line(socket);
      this.#lines.add(line);
      conversations.push(this.#converse(line));
    }
    await Promise.all(conversations);
  }

  async #converse(line: Line): Promise<void> {
    for (let goesOn = true; goesOn;) {
      const taken = await line.next();
      if (taken !== null) this.taken.push(taken);
      // It is decided when a request comes, not when the connection begins to wait for one.
      goesOn = taken !== null && await this.deed(line, taken);
    }
    line.close();
    this.#lines.delete(line);
  }
}
