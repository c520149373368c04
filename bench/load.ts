/**
 * The load: clients in a process of its own that send mails as fast as the server takes them, as a relay
 * does: connections are kept, MAIL, RCPT and DATA go out together (RFC 2920), and a client sends its next
 * mail once the last one is answered. It is told what to do by an `Order`, as JSON, and prints a `Load`.
 */
import { cpuSecondsOf } from "./process.ts";
import { quantile } from "./figures.ts";

/** What to send. */
export interface Order {
  /** Where to, on the loopback interface. */
  readonly port: number;
  /** How many clients send at the same time. */
  readonly connections: number;
  /** Octets of each mail. */
  readonly octets: number;
  /** For how long to send before it counts, while runtimes get warm, in seconds. */
  readonly warmUpSeconds: number;
  /** When to end: after so many seconds that count, or so many mails. */
  readonly until: { readonly seconds: number } | { readonly messages: number };
  /** After how many mails a client connects anew; null where it stays. */
  readonly messagesEach: number | null;
}

/** What came of it. */
export interface Load {
  /** Mails answered 250 in the time that counts. */
  readonly accepted: number;
  /** The time that counts, in seconds. */
  readonly seconds: number;
  /** `accepted` by `seconds`. */
  readonly rate: number;
  /** Mails answered 250 in all. */
  readonly acceptedInAll: number;
  /** Mails that were refused in all. */
  readonly refused: number;
  /** The first refusal; empty where there is none. */
  readonly refusal: string;
  /** From the first octet of the data to its reply, of those that count, in milliseconds. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Mails that count by the second in which they were answered. */
  readonly bySecond: readonly number[];
  /** CPU time of this process. */
  readonly cpuSeconds: number;
}

/** The reply that a client waits for, read off a socket. */
class Replies {
  readonly #socket: Deno.Conn;
  readonly #buffer = new Uint8Array(4096);
  #start = 0;
  #end = 0;

  constructor(socket: Deno.Conn) {
    this.#socket = socket;
  }

  /** The last line of the next reply; throws where the server is gone. */
  async next(): Promise<string> {
    for (;;) {
      const lineEnd = this.#buffer.subarray(0, this.#end).indexOf(LF, this.#start);
      if (lineEnd < 0) {
        await this.#read();
        continue;
      }
      const start = this.#start;
      this.#start = lineEnd + 1;
      if (this.#buffer[start + 3] === HYPHEN) continue;
      return decoder.decode(this.#buffer.subarray(start, lineEnd - 1));
    }
  }

  async #read(): Promise<void> {
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    const count = await this.#socket.read(this.#buffer.subarray(this.#end));
    if (count === null) throw new Error("the server has closed the connection");
    this.#end += count;
  }
}

const [LF, HYPHEN] = [10, 45];
const decoder = new TextDecoder();
const encode = (text: string) => new TextEncoder().encode(text);

const HELLO = encode("EHLO load.example\r\n");
const OPENING = encode("MAIL FROM:<a@load.example>\r\nRCPT TO:<b@load.example>\r\nDATA\r\n");
const QUIT = encode("QUIT\r\n");

/** A text of so many octets and the line that ends it, as it stands on the wire. */
export function dataOf(octets: number): Uint8Array {
  const header =
    "From: Load <a@load.example>\r\nTo: b@load.example\r\nSubject: Nightly report\r\n" +
    "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@load.example>\r\n\r\n";
  const line = "a line of a report, as programs send them, with a few words and 1234\r\n";
  const text = header + line.repeat(Math.ceil(octets / line.length));
  return encode(`${text.slice(0, Math.max(octets, header.length) - 2)}\r\n.\r\n`);
}

async function send(socket: Deno.Conn, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) at += await socket.write(octets.subarray(at));
}

/** Sends what is ordered. */
async function load(order: Order): Promise<Load> {
  const data = dataOf(order.octets);
  const startMs = performance.now() + order.warmUpSeconds * 1000;
  const endMs = "seconds" in order.until ? startMs + order.until.seconds * 1000 : Infinity;
  let left = "messages" in order.until ? order.until.messages : Infinity;
  let refused = 0;
  let refusal = "";
  const beforeStart: number[] = [];
  const answeredMs: number[] = [];
  const latencies: number[] = [];

  const isOver = () => left <= 0 || performance.now() >= endMs;
  const client = async () => {
    while (!isOver()) {
      using socket = await Deno.connect({ hostname: "127.0.0.1", port: order.port });
      const replies = new Replies(socket);
      await replies.next();
      await send(socket, HELLO);
      await replies.next();
      for (let sent = 0; sent !== order.messagesEach && !isOver(); sent++) {
        left--;
        await send(socket, OPENING);
        for (const code of ["250", "250", "354"]) {
          const reply = await replies.next();
          if (!reply.startsWith(code)) throw new Error(`the server says ${reply}`);
        }
        const beganMs = performance.now();
        await send(socket, data);
        const reply = await replies.next();
        const nowMs = performance.now();
        if (!reply.startsWith("250")) {
          refused++;
          refusal ||= reply;
        } else if (nowMs < startMs) {
          beforeStart.push(nowMs);
        } else {
          answeredMs.push(nowMs);
          latencies.push(nowMs - beganMs);
        }
      }
      await send(socket, QUIT);
      await replies.next();
    }
  };
  await Promise.all(Array.from({ length: order.connections }, client));

  const counted = answeredMs.filter((ms) => ms <= endMs);
  const seconds = ((endMs === Infinity ? answeredMs.at(-1)! : endMs) - startMs) / 1000;
  const bySecond = new Array<number>(Math.ceil(seconds - 1e-6)).fill(0);
  for (const ms of counted) {
    bySecond[Math.min(Math.floor((ms - startMs) / 1000), bySecond.length - 1)]++;
  }
  latencies.sort((a, b) => a - b);
  return {
    accepted: counted.length,
    seconds,
    rate: counted.length / seconds,
    acceptedInAll: beforeStart.length + answeredMs.length,
    refused,
    refusal,
    latencyMs: {
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      max: latencies.at(-1) ?? NaN,
    },
    bySecond,
    cpuSeconds: cpuSecondsOf("self"),
  };
}

if (import.meta.main) console.log(JSON.stringify(await load(JSON.parse(Deno.args[0]))));
