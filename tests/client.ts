/** An SMTP client by hand, for what proper clients do not do. */
import { assertMatch } from "./assert.ts";

/** How long a server may take for a reply before the test has failed, in milliseconds. */
const DEADLINE_MS = 20_000;

/** A client that says what it is told to. */
export class Client implements Disposable {
  readonly #socket: Deno.Conn;
  #text = "";

  private constructor(socket: Deno.Conn) {
    this.#socket = socket;
  }

  /** Connects to a port of the loopback interface. */
  static async connect(port: number, hostname = "127.0.0.1"): Promise<Client> {
    return new Client(await Deno.connect({ hostname, port }));
  }

  /** Connects to a Unix socket. */
  static async connectUnix(path: string): Promise<Client> {
    return new Client(await Deno.connect({ transport: "unix", path }));
  }

  /** Writes; false when nobody takes it any more. */
  async send(data: string | Uint8Array): Promise<boolean> {
    let octets = typeof data === "string" ? new TextEncoder().encode(data) : data;
    try {
      while (octets.length > 0) octets = octets.subarray(await this.#socket.write(octets));
      return true;
    } catch {
      return false;
    }
  }

  /**
   * The next line, or the last of a reply of several; empty at the end. Throws where the server
   * says nothing for 20 s.
   */
  async reply(): Promise<string> {
    for (;;) {
      const [whole, line] = /^(?:\d{3}-[^\n]*\n)*(\d{3} [^\n]*)\r\n/.exec(this.#text) ?? [];
      if (whole !== undefined) {
        this.#text = this.#text.slice(whole.length);
        return line;
      }
      const octets = await this.#read();
      if (octets === null) return "";
      this.#text += new TextDecoder().decode(octets);
    }
  }

  /** What comes next; null at the end. */
  async #read(): Promise<Uint8Array | null> {
    const buffer = new Uint8Array(4096);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.close();
    }, DEADLINE_MS);
    try {
      const count = await this.#socket.read(buffer);
      return count === null ? null : buffer.subarray(0, count);
    } catch {
      if (late) throw new Error(`the server says nothing after: ${JSON.stringify(this.#text)}`);
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a line and gives the reply. */
  async ask(line: string): Promise<string> {
    await this.send(`${line}\r\n`);
    return await this.reply();
  }

  /** Goes as far as into the data. */
  async startData(): Promise<void> {
    for (const line of ["EHLO me", "MAIL FROM:<a@x.example>", "RCPT TO:<b@x.example>"]) {
      assertMatch(await this.ask(line), /^250 /);
    }
    assertMatch(await this.ask("DATA"), /^354 /);
  }

  /** Delivers a message as far as its end; the reply is still to come. */
  async sendMail(): Promise<void> {
    await this.startData();
    await this.send("Subject: x\r\n\r\nbody\r\n.\r\n");
  }

  /** Breaks off. */
  close(): void {
    try {
      this.#socket.close();
    } catch {
      // It is closed already.
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
