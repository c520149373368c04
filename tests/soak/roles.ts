/**
 * The clients of a soak: good ones, slow ones, those that break off, and hostile ones. A role is one client
 * from its connection to its end; what it knows of its messages it writes into the ledger.
 */
import { Client } from "../client.ts";
import type { Chance } from "./chance.ts";
import { digest } from "./endpoint.ts";
import type { Sent, Verdict } from "./judge.ts";
import { big, bomb, type Letter, note, rich, smuggler, text } from "./letters.ts";

/** What the program has to be told, since roles go beyond it: `--max-size`, in octets. */
export const MAX_SIZE = 4 * 1024 ** 2;

/** Where a client plays its role. */
export interface Scene {
  /** Of the program, on the loopback interface. */
  readonly port: number;
  /** All that is random about the client. */
  readonly chance: Chance;
  /** Gives a message to send, and keeps what is known of it. */
  readonly write: (letter: Letter) => Message;
  /** Ends roles that would stay. */
  readonly over: AbortSignal;
}

/** Plays one client to its end. It rejects where the program does not behave. */
export type Role = (scene: Scene) => Promise<void>;

/** A message on its way, and what its client knows of it. */
export class Message {
  readonly token: string;
  readonly #role: string;
  /** Without dot-stuffing. */
  readonly text: string;
  #verdict: Verdict = "withdrawn";
  #reply = "";

  /** `role` is the name of who sends it. */
  constructor(token: string, role: string, text: string) {
    this.token = token;
    this.#role = role;
    this.text = text;
  }

  /** The command that names its sender, without parameters. */
  get mail(): string {
    return `MAIL FROM:<${this.token}@soak.example>`;
  }

  /** As it goes after DATA, the end among it. */
  get data(): string {
    return this.text.replace(/(^|\r\n)\./g, "$1..") + ".\r\n";
  }

  /** As one chunk, the command before it. */
  get chunk(): string {
    return `BDAT ${octets(this.text)} LAST\r\n${this.text}`;
  }

  /** Says that the client is about to send the end. */
  end(): void {
    this.#verdict = "unknown";
  }

  /** Takes the reply to the message, or one that refuses it; an empty one tells nothing. */
  settle(reply: string): void {
    if (reply === "") return;
    this.#reply = reply;
    this.#verdict = reply.startsWith("2") ? "accepted" : "refused";
  }

  /** What is left of it for the judge. */
  get sent(): Sent {
    const { token, text } = this;
    return {
      ...{ token, role: this.#role, digest: digest(text) },
      ...{ verdict: this.#verdict, reply: this.#reply },
    };
  }
}

const octets = (text: string) => new TextEncoder().encode(text).length;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const RCPT = "RCPT TO:<b@soak.example>";
const EHLO = "EHLO soak.example";

/** Connects, and goes on where it is welcome. */
async function visit(port: number, stay: (client: Client) => Promise<void>): Promise<void> {
  using client = await Client.connect(port);
  if ((await client.reply()).startsWith("220")) await stay(client);
}

/** Asks for one thing after another until one of them is refused; whether none was. */
async function agree(client: Client, message: Message, lines: readonly string[]): Promise<boolean> {
  for (const line of lines) {
    const reply = await client.ask(line);
    if (!/^[23]/.test(reply)) {
      message.settle(reply);
      return false;
    }
  }
  return true;
}

async function submit(client: Client, message: Message): Promise<void> {
  if (!await agree(client, message, [message.mail, RCPT, "DATA"])) return;
  message.end();
  await client.send(message.data);
  message.settle(await client.reply());
}

/** One message of a kind, politely. */
function single(letter: Letter): Role {
  return ({ port, write }) =>
    visit(port, async (client) => {
      await client.ask(EHLO);
      await submit(client, write(letter));
      await client.ask("QUIT");
    });
}

/** Several messages on one connection. */
const several: Role = ({ port, write, chance }) =>
  visit(port, async (client) => {
    await client.ask(EHLO);
    for (let left = chance.between(2, 12); left > 0; left--) {
      await submit(client, write(chance.pick([text, rich])));
    }
    await client.ask("QUIT");
  });

/** As RFC 2920 wants it: commands together, data once it is asked for, the next commands with its end. */
const pipelined: Role = ({ port, write, chance }) =>
  visit(port, async (client) => {
    await client.ask(EHLO);
    const messages = Array.from({ length: chance.between(1, 6) }, () => write(text));
    const opening = ({ mail }: Message) => `${mail}\r\n${RCPT}\r\nDATA\r\n`;
    await client.send(opening(messages[0]));
    for (const [index, message] of messages.entries()) {
      const replies = [await client.reply(), await client.reply(), await client.reply()];
      if (!replies[2].startsWith("354")) return message.settle(replies[2]);
      message.end();
      const next = messages[index + 1];
      await client.send(message.data + (next ? opening(next) : "QUIT\r\n"));
      message.settle(await client.reply());
    }
  });

/** In chunks (RFC 3030). */
const chunks: Role = ({ port, write, chance }) =>
  visit(port, async (client) => {
    await client.ask(EHLO);
    const message = write(chance.pick([text, rich, smuggler]));
    if (!await agree(client, message, [message.mail, RCPT])) return;
    let left = message.text;
    while (chance.next() < 0.7 && left.length > 1) {
      const some = left.slice(0, chance.between(1, left.length - 1));
      await client.send(`BDAT ${octets(some)}\r\n${some}`);
      const reply = await client.reply();
      if (!reply.startsWith("250")) return message.settle(reply);
      left = left.slice(some.length);
    }
    message.end();
    await client.send(`BDAT ${octets(left)} LAST\r\n${left}`);
    message.settle(await client.reply());
    await client.ask("QUIT");
  });

/** Says all at once, as a script does, and only then listens. */
const impatient: Role = ({ port, write, chance }) =>
  visit(port, async (client) => {
    const messages = Array.from({ length: chance.between(1, 4) }, () => write(note));
    for (const message of messages) message.end();
    const session = messages.map(({ mail, data }) => `${mail}\r\n${RCPT}\r\nDATA\r\n${data}`);
    await client.send(`${EHLO}\r\n${session.join("")}QUIT\r\n`);
    await client.reply();
    for (const message of messages) {
      for (const _ of ["MAIL", "RCPT", "DATA"]) await client.reply();
      message.settle(await client.reply());
    }
  });

/** A few octets at a time. */
const dripping: Role = ({ port, write, chance }) =>
  visit(port, async (client) => {
    const drip = async (text: string) => {
      const size = Math.ceil(text.length / 20);
      for (let at = 0; at < text.length; at += size) {
        if (!await client.send(text.slice(at, at + size))) return "";
        await pause(chance.between(1, 100));
      }
      return await client.reply();
    };
    const message = write(note);
    for (const line of [EHLO, message.mail, RCPT, "DATA"]) {
      const reply = await drip(`${line}\r\n`);
      if (!/^[23]/.test(reply)) return message.settle(reply);
    }
    message.end();
    message.settle(await drip(message.data));
  });

/** Stays for a while, or until all is over, in one of the states that a session can stay in. */
const idle: Role = ({ port, chance, over, write }) =>
  visit(port, async (client) => {
    const message = write(note);
    const sessions = [[], [EHLO], [EHLO, message.mail], [EHLO, message.mail, RCPT, "DATA"]];
    if (!await agree(client, message, chance.pick(sessions))) return;
    await Promise.race([
      pause(chance.between(1_000, 8_000)),
      new Promise((resolve) => over.addEventListener("abort", resolve, { once: true })),
    ]);
  });

const longNote: Letter = (token, chance) => `${note(token, chance)}${"x".repeat(100_000)}\r\n`;

/** Leaves at a random octet of a session. */
const breakingOff: Role = async ({ port, write, chance }) => {
  using client = await Client.connect(port);
  const message = write(chance.pick([note, note, longNote]));
  const content = chance.pick([`DATA\r\n${message.data}`, message.chunk]);
  const session = `${EHLO}\r\n${message.mail}\r\n${RCPT}\r\n${content}`;
  const cut = chance.next() < 0.2 ? session.length : chance.between(0, session.length - 1);
  // With replies unread the connection is reset, else it is closed.
  const reads = chance.next() < 0.5;
  if (cut === session.length) message.end();
  const at = chance.between(0, cut);
  await client.send(session.slice(0, at));
  if (reads) await client.reply();
  await client.send(session.slice(at, cut));
};

/** Takes no replies, and leaves. */
const deaf: Role = async ({ port, chance }) => {
  using client = await Client.connect(port);
  const sent = client.send("NOOP\r\n".repeat(chance.size(100, 200_000)));
  await Promise.race([sent, pause(chance.between(100, 2_000))]);
};

/** Much of one thing; listens to what it is told until it is shown the door. */
function flood(make: (chance: Chance) => string): Role {
  return ({ port, chance }) =>
    visit(port, async (client) => {
      await client.ask(EHLO);
      const sent = client.send(make(chance) + "QUIT\r\n");
      while (await client.reply() !== "");
      client.close();
      await sent;
    });
}

const noops = flood((chance) => "NOOP\r\n".repeat(chance.size(10, 5_000)));
const recipients = flood((chance) =>
  `MAIL FROM:<>\r\n${`${RCPT}\r\n`.repeat(chance.size(10, 5_000))}`
);
const garbage = flood((chance) =>
  Array.from(
    { length: chance.size(10, 20_000) },
    // Neither HTTP nor SMTP; U+0080 to U+00FF are two octets each.
    () => String.fromCharCode(chance.pick([10, 13, 0, chance.between(0, 255)])),
  ).join("") + "\r\n"
);
const longLine = flood((chance) => "x".repeat(chance.size(1_000, 3_000_000)) + "\r\n");
const badChunks = flood((chance) =>
  `BDAT ${chance.pick(["9223372036854775808", "-1", "x", "100"])}\r\n${
    "MAIL FROM:<>\r\n".repeat(9)
  }`
);

/** A browser, or what a web page makes it do. */
const http = flood((chance) =>
  `POST / HTTP/1.1\r\nHost: x\r\n\r\nMAIL FROM:<smuggled@soak.example>\r\n${RCPT}\r\nDATA\r\n` +
  `${chance.next()}\r\n.\r\n`
);

/** A client that wants TLS from the first octet, and gets none. */
const tls: Role = async ({ port }) => {
  using socket = await Deno.connectTls({ hostname: "127.0.0.1", port });
  const secured = await socket.handshake().then(() => true, () => false);
  if (secured) throw new Error("the program speaks TLS on a port for SMTP");
};

/** More than is taken, declared or not. */
const oversized: Role = ({ port, write, chance }) =>
  visit(port, async (client) => {
    const excess = MAX_SIZE + chance.between(1, 2_000_000);
    const message = write((token) =>
      `Subject: ${token}\r\n\r\n${"x".repeat(76)}\r\n`.padEnd(excess, "x") + "\r\n"
    );
    await client.ask(EHLO);
    const size = chance.pick([` SIZE=${excess}`, "", ""]);
    if (!await agree(client, message, [message.mail + size, RCPT])) return;
    message.end();
    if (chance.next() < 0.5) {
      await client.send(message.chunk);
    } else {
      const reply = await client.ask("DATA");
      if (!reply.startsWith("354")) return message.settle(reply);
      await client.send(message.data);
    }
    message.settle(await client.reply());
    await client.ask("QUIT");
  });

/** Connects and leaves, perhaps with a word. */
const passingBy: Role = async ({ port, chance }) => {
  using client = await Client.connect(port);
  await client.send(chance.pick(["", "", "\r\n", "E", "QUIT\r\n", `${EHLO}\r\n`]));
  if (chance.next() < 0.5) await client.reply();
};

/** Each role, and how often guests play it in one deal of the deck. */
export const roles = {
  "a text": { play: single(text), count: 6 },
  "a rich text": { play: single(rich), count: 5 },
  "a big file": { play: single(big), count: 2 },
  "several messages": { play: several, count: 4 },
  "pipelined": { play: pipelined, count: 3 },
  "in chunks": { play: chunks, count: 4 },
  "impatient": { play: impatient, count: 3 },
  "dripping": { play: dripping, count: 3 },
  "idle": { play: idle, count: 3 },
  "breaking off": { play: breakingOff, count: 8 },
  "deaf": { play: deaf, count: 1 },
  "NOOPs": { play: noops, count: 1 },
  "recipients": { play: recipients, count: 1 },
  "garbage": { play: garbage, count: 3 },
  "a long line": { play: longLine, count: 1 },
  "bad chunks": { play: badChunks, count: 1 },
  "HTTP": { play: http, count: 1 },
  "TLS": { play: tls, count: 1 },
  "oversized": { play: oversized, count: 1 },
  "a bomb": { play: single(bomb), count: 2 },
  "smuggling": { play: single(smuggler), count: 3 },
  "passing by": { play: passingBy, count: 3 },
} as const satisfies Record<string, { readonly play: Role; readonly count: number }>;

/** The name of a role. */
export type RoleName = keyof typeof roles;
