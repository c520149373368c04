/**
 * The load: clients in a process of its own that send mails as fast as the server takes them, as a
 * relay does: connections are kept, MAIL, RCPT and DATA go out together (RFC 2920), and a client
 * sends its next mail once the last one is answered. It is told what to do by an `Order`, as JSON,
 * and prints a `Load`.
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
  /** Whether most of them are an attachment; else it is all text. */
  readonly hasAttachment: boolean;
  /**
   * For how long to send before it counts, while runtimes get warm, in seconds; longer until there
   * are as many answers as clients. With 0 all counts.
   */
  readonly warmUpSeconds: number;
  /**
   * When to end: after so many seconds that count, longer until there are as many answers as
   * clients; or after so many mails.
   */
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
  /**
   * What a mail takes as its client sees it, of those that count, in milliseconds: from the first
   * octet of MAIL, or from before the connection where there is one for each mail, to the reply to
   * the data.
   */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Mails that count by the second in which they were answered. */
  readonly bySecond: readonly number[];
  /** CPU time of this process, in seconds. */
  readonly cpuSeconds: number;
  /** How long it took in all, in seconds. */
  readonly elapsedSeconds: number;
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

const HEADER = "From: Load <a@load.example>\r\nTo: b@load.example\r\nSubject: Nightly report\r\n" +
  "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@load.example>\r\n";
const LINE = "a line of a report, as programs send them, with a few words and 1234\r\n";
const BASE64_LINE = `${"QUJDREVGR0hJSktM".repeat(5).slice(0, 76)}\r\n`;
const PARTS = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="=_part"\r\n\r\n' +
  "--=_part\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe report is attached.\r\n" +
  '--=_part\r\nContent-Type: application/pdf; name="report.pdf"\r\n' +
  'Content-Disposition: attachment; filename="report.pdf"\r\n' +
  "Content-Transfer-Encoding: base64\r\n\r\n";
const CLOSING = "--=_part--\r\n";

/** A mail of so many octets, or few more, and the line that ends it, as it stands on the wire. */
export function dataOf({ octets, hasAttachment }: Pick<Order, "octets" | "hasAttachment">) {
  const filled = (start: string, line: string, end: number) =>
    start + line.repeat(Math.max(0, Math.ceil((end - start.length) / line.length)));
  if (hasAttachment) {
    return encode(`${filled(HEADER + PARTS, BASE64_LINE, octets - CLOSING.length)}${CLOSING}.\r\n`);
  }
  const start = `${HEADER}\r\n`;
  return encode(
    `${filled(start, LINE, octets).slice(0, Math.max(octets, start.length) - 2)}\r\n.\r\n`,
  );
}

async function send(socket: Deno.Conn, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) at += await socket.write(octets.subarray(at));
}

/** Sends what is ordered. */
async function load(order: Order): Promise<Load> {
  const data = dataOf(order);
  const beganMs = performance.now();
  const isTimed = "seconds" in order.until;
  const lengthMs = "seconds" in order.until ? order.until.seconds * 1000 : Infinity;
  let left = "messages" in order.until ? order.until.messages : Infinity;
  let startMs = order.warmUpSeconds === 0 ? beganMs : Infinity;
  let endMs = Infinity;
  let answers = 0;
  let acceptedInAll = 0;
  let refused = 0;
  let refusal = "";
  const answeredMs: number[] = [];
  const latencies: number[] = [];

  /** Turns from warming up to counting, and from that to the end, each time with an answer. */
  const note = (nowMs: number) => {
    answers++;
    if (answers < order.connections) return;
    if (startMs === Infinity) {
      if (nowMs < beganMs + order.warmUpSeconds * 1000) return;
      [startMs, answers] = [nowMs, 0];
    } else if (endMs === Infinity && nowMs >= startMs + lengthMs) {
      endMs = nowMs;
    }
  };

  const isOver = () => left <= 0 || endMs < Infinity;
  const client = async () => {
    while (!isOver()) {
      const connectingMs = performance.now();
      using socket = await Deno.connect({ hostname: "127.0.0.1", port: order.port });
      const replies = new Replies(socket);
      await replies.next();
      await send(socket, HELLO);
      await replies.next();
      for (let sent = 0; sent !== order.messagesEach && !isOver(); sent++) {
        left--;
        const sentMs = order.messagesEach === 1 ? connectingMs : performance.now();
        await send(socket, OPENING);
        for (const code of ["250", "250", "354"]) {
          const reply = await replies.next();
          if (!reply.startsWith(code)) throw new Error(`the server says ${reply}`);
        }
        await send(socket, data);
        const reply = await replies.next();
        const nowMs = performance.now();
        const counts = startMs < Infinity && endMs === Infinity;
        note(nowMs);
        if (!reply.startsWith("250")) {
          refused++;
          refusal ||= reply;
          continue;
        }
        acceptedInAll++;
        if (!counts) continue;
        answeredMs.push(nowMs);
        latencies.push(nowMs - sentMs);
      }
      await send(socket, QUIT);
      await replies.next();
    }
  };
  await Promise.all(Array.from({ length: order.connections }, client));

  const seconds = ((isTimed ? endMs : answeredMs.at(-1)!) - startMs) / 1000;
  const bySecond = new Array<number>(Math.ceil(seconds - 1e-6)).fill(0);
  for (const ms of answeredMs) {
    bySecond[Math.min(Math.floor((ms - startMs) / 1000), bySecond.length - 1)]++;
  }
  latencies.sort((a, b) => a - b);
  return {
    accepted: answeredMs.length,
    seconds,
    rate: answeredMs.length / seconds,
    acceptedInAll,
    refused,
    refusal,
    latencyMs: {
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      max: latencies.at(-1) ?? NaN,
    },
    bySecond,
    cpuSeconds: cpuSecondsOf("self"),
    elapsedSeconds: (performance.now() - beganMs) / 1000,
  };
}

if (import.meta.main) console.log(JSON.stringify(await load(JSON.parse(Deno.args[0]))));
