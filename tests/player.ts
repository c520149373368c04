/**
 * Plays dialogues: in memory, where the client does not wait; and in turns over a socket, against a
 * listener in this process or any other server. Each way ends at a real courier, and at a real endpoint
 * where there is a socket.
 */
import type { ListenAddress } from "../lib/address.ts";
import type { Socket } from "../lib/channel.ts";
import { Alarm } from "../lib/alarm.ts";
import { commonsBy } from "../lib/channel.ts";
import { type Config, configure, fixed } from "../lib/config.ts";
import { converse } from "../lib/connection.ts";
import { isFaults } from "../lib/fault.ts";
import type { Courier } from "../lib/mail.ts";
import { read } from "../lib/message.ts";
import { concat } from "../lib/octets.ts";
import { grammar, tieValues } from "../lib/flags.ts";
import { target } from "../lib/request.ts";
import { Room } from "../lib/room.ts";
import { sampleContexts } from "../lib/sample.ts";
import { listen } from "../lib/smtp.ts";
import { delivery } from "../lib/delivery.ts";
import { webhook } from "../lib/webhook.ts";
import { startOf } from "../lib/front_matter.ts";
import json from "../templates/json.mustache" with { type: "text" };
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { argumentsOf, type Dialogue, type EndpointAnswer } from "./dialogue.ts";
import { Endpoint, type Received } from "./endpoint.ts";
import { generate, parseArgs } from "./std.ts";

/** The configuration and the courier that such a program would have. */
async function wire(
  dialogue: Dialogue,
  url: string,
  send: typeof fetch,
): Promise<{ config: Config; courier: Courier }> {
  const flags = parseArgs(tieValues(argumentsOf(dialogue, url)), grammar);
  const env = () => undefined;
  const { config, faults } = configure(flags, { env, readTextFile: Deno.readTextFileSync });
  assertEquals(faults, []);
  const surroundings = { version: "0.0.0", hostname: () => "", env, vars: {} };
  const template = config.template ??
    { text: json.slice(startOf(json)), label: "the default template" };
  const endpoint = await target(
    { ...config, template, version: "0.0.0" },
    sampleContexts(surroundings),
  );
  if (isFaults(endpoint)) throw new Error(endpoint.faults.join("\n"));
  const { timeoutMs } = config;
  const date = () => new Date();
  const now = () => performance.now();
  const sending = { ...fixed, timeoutMs, fetch: send, now, alarm: new Alarm(now), date };
  const courier = delivery(
    endpoint,
    (mail) => read(mail, surroundings),
    webhook(observe, sending),
    observe,
    date,
  );
  return { config, courier };
}

const observe = () => {};

/** What a server obeys under this configuration. */
function serving(config: Config, courier: Courier) {
  return {
    policy: { ...config, protocol: config.addresses[0].protocol },
    limits: { ...fixed, ...config },
    room: new Room(config.maxHeldOctets),
    courierTimes: 7,
    ...{ courier, observe, newId: generate, now: () => new Date() },
    uptimeMs: () => performance.now(),
  };
}

/**
 * Plays a dialogue in memory. The client does not wait for replies: its octets come in one read, or one
 * octet a read; and its end takes as many octets a write.
 */
export async function playInMemory(dialogue: Dialogue, cut: "whole" | "octets"): Promise<void> {
  const sent = concat(
    dialogue.turns.flatMap((turn) => turn.kind === "client" ? [turn.octets] : []),
  );
  const answers = [...dialogue.answers];
  const received: Received[] = [];
  const send: typeof fetch = async (input, init) => {
    const answer = answers.shift() ?? 200;
    if (answer === "unreachable") throw new TypeError("nobody listens");
    received.push(await receivedOf(new Request(input, init)));
    return answer === "silence"
      ? await silence(init!.signal!)
      : new Response(null, statusOf(answer));
  };
  const { config, courier } = await wire(dialogue, "http://endpoint.invalid/mail", send);
  const socket = new MemorySocket(sent, cut === "whole" ? Infinity : 1);
  const remote = { address: "127.0.0.1", port: 49152, tls: false };
  const never = new AbortController().signal;
  const commons = commonsBy(() => performance.now());
  const options = { ...serving(config, courier), commons };
  await converse(socket, remote, options, { soon: never, now: never });

  const said = new TextDecoder().decode(concat(socket.written));
  const expected = dialogue.turns.flatMap((turn) => turn.kind === "server" ? turn.lines : []);
  assertLines(linesOf(said), expected);
  assertEquals(socket.endedBy, endedBy(dialogue), "who ended the connection");
  assert(socket.closed, "the server must close its socket");
  assertRequests(dialogue, received, said);
}

/** An answer of that status; a redirect leads to where no request is expected. */
const statusOf = (status: number): ResponseInit =>
  status >= 300 && status < 400 ? { status, headers: { location: "/elsewhere" } } : { status };

async function receivedOf(request: Request): Promise<Received> {
  const { method, headers } = request;
  const { pathname, search } = new URL(request.url);
  const body = await request.bytes();
  return { method, path: pathname + search, headers, body, text: new TextDecoder().decode(body) };
}

function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

/** A socket whose client has said everything already. */
class MemorySocket implements Socket {
  readonly written: Uint8Array[] = [];
  endedBy: "client" | "server" | null = null;
  closed = false;
  readonly #octetsAtOnce: number;
  #unread: Uint8Array;

  constructor(sent: Uint8Array, octetsAtOnce: number) {
    this.#unread = sent;
    this.#octetsAtOnce = octetsAtOnce;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    const count = Math.min(this.#unread.length, buffer.length, this.#octetsAtOnce);
    buffer.set(this.#unread.subarray(0, count));
    this.#unread = this.#unread.subarray(count);
    if (count === 0) this.endedBy ??= "client";
    return Promise.resolve(count || null);
  }

  write(octets: Uint8Array): Promise<number> {
    const count = Math.min(octets.length, this.#octetsAtOnce);
    this.written.push(octets.slice(0, count));
    return Promise.resolve(count);
  }

  closeWrite(): Promise<void> {
    this.endedBy ??= "server";
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
  }
}

function endedBy({ turns }: Dialogue): "client" | "server" {
  const end = turns.find(({ kind }) => kind === "client closes" || kind === "server closes");
  return end?.kind === "server closes" ? "server" : "client";
}

/** Plays a dialogue in turns, over a socket, against a listener within this process. */
export async function playOverSocket(dialogue: Dialogue): Promise<void> {
  await using endpoint = new DialogueEndpoint();
  using client = Deno.createHttpClient({});
  const send: typeof fetch = (input, init) => fetch(input, { ...init, client });
  const { config, courier } = await wire(dialogue, endpoint.urlFor(dialogue), send);
  const stop = new AbortController();
  const { protocol } = config.addresses[0];
  const address = { protocol, transport: "tcp", hostname: "127.0.0.1", port: 0 } as const;
  const { addresses, stopped } = await listen(
    { ...config, ...serving(config, courier), addresses: [address] },
    stop.signal,
  );
  try {
    await endpoint.play(dialogue, portOf(addresses));
  } finally {
    stop.abort();
    await stopped;
  }
}

/** The port of a server that listens at one address. */
export function portOf([address]: readonly ListenAddress[]): number {
  assert(address.transport === "tcp");
  return address.port;
}

/** An endpoint that answers as dialogues say, and plays them against a server that posts to it. */
export class DialogueEndpoint implements AsyncDisposable {
  readonly #endpoint = new Endpoint(() => this.#answer());
  #answers: EndpointAnswer[] = [];
  #over = Promise.withResolvers<void>();

  /** The URL for a server that shall hold this dialogue. */
  urlFor({ answers }: Dialogue): string {
    return answers.includes("unreachable") ? unreachableUrl() : `${this.#endpoint.origin}/mail`;
  }

  /** Plays one dialogue in turns against the server at this port; not two at a time. */
  async play(dialogue: Dialogue, port: number): Promise<void> {
    const before = this.#endpoint.received.length;
    this.#answers = [...dialogue.answers];
    this.#over = Promise.withResolvers<void>();
    try {
      const said = await converseInTurns(dialogue, port);
      assertRequests(dialogue, this.#endpoint.received.slice(before), said);
    } finally {
      this.#over.resolve();
    }
  }

  async #answer(): Promise<Response> {
    const answer = this.#answers.shift() ?? 200;
    if (typeof answer !== "number") await this.#over.promise;
    return new Response(null, typeof answer === "number" ? statusOf(answer) : {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endpoint[Symbol.asyncDispose]();
  }
}

/** A URL where nobody listens: somebody did, a moment ago. */
function unreachableUrl(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `http://127.0.0.1:${listener.addr.port}/mail`;
}

/** How long a server may take for a turn before the dialogue has failed, in milliseconds. */
const DEADLINE_MS = 20_000;

/** Plays the client's part turn by turn and gives all that the server said. */
async function converseInTurns({ turns }: Dialogue, port: number): Promise<string> {
  using socket = await Deno.connect({ hostname: "127.0.0.1", port });
  const server = new Listener(socket);
  const isClosing = turns.some(({ kind }) => kind === "client closes" || kind === "server closes");
  for (const turn of isClosing ? turns : [...turns, { kind: "client closes" } as const]) {
    switch (turn.kind) {
      case "client":
        for (let rest = turn.octets; rest.length > 0;) {
          rest = rest.subarray(await socket.write(rest));
        }
        break;
      case "client closes":
        await socket.closeWrite();
        break;
      case "server":
        assertLines(await server.lines(turn.lines.length), turn.lines);
        break;
      case "server closes":
        break;
    }
  }
  assertEquals(await server.rest(), "", "said beyond the dialogue");
  return server.said;
}

/** Hears what a server says. */
class Listener {
  said = "";
  #unheard = "";
  readonly #socket: Deno.TcpConn;
  readonly #decoder = new TextDecoder();

  constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
  }

  /** The next lines, fewer where the server closes. */
  async lines(count: number): Promise<readonly string[]> {
    while (this.#unheard.split("\r\n").length <= count && await this.#more());
    const lines = this.#unheard.split("\r\n");
    this.#unheard = lines.slice(count).join("\r\n");
    return lines.slice(0, count);
  }

  /** Everything until the server closes. */
  async rest(): Promise<string> {
    while (await this.#more());
    return this.#unheard;
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(64 * 1024);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#socket.close();
    }, DEADLINE_MS);
    try {
      const count = await this.#socket.read(buffer);
      const text = this.#decoder.decode(buffer.subarray(0, count ?? 0), { stream: true });
      this.said += text;
      this.#unheard += text;
      return count !== null;
    } catch (error) {
      throw late ? new Error(`the server says nothing after:\n${this.said}`) : error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function linesOf(said: string): readonly string[] {
  const lines = said.split("\r\n");
  assertEquals(lines.pop(), "", "the last line must end with CRLF");
  return lines;
}

/** Holds lines against expectations; a line that fits is shown as what was expected. */
function assertLines(actual: readonly string[], expected: readonly string[]): void {
  const fits = (line: string, pattern = "") =>
    pattern.endsWith("*") ? line.startsWith(pattern.slice(0, -1)) : line === pattern;
  assertEquals(
    actual.map((line, index) => fits(line, expected[index]) ? expected[index] : line),
    [...expected],
  );
}

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Holds requests against the neighbour file, and each id against body and reply. */
function assertRequests(
  { requests }: Dialogue,
  received: readonly Received[],
  said: string,
): void {
  const ids = received.map(({ headers }) => headers.get("webhook-id") ?? "");
  const actual = received.map(({ method, path, headers, text }, index) => ({
    method,
    path,
    headers: Object.fromEntries(
      Object.keys(requests[index]?.headers ?? {}).map((
        name,
      ) => [name, placeholder(headers.get(name), ids[index])]),
    ),
    body: JSON.parse(text, (_, value) => placeholder(value, ids[index])),
  }));
  assertEquals<readonly unknown[]>(actual, requests);
  assertEquals(new Set(ids).size, ids.length, "each message has its own id");
  for (const id of ids) {
    assertMatch(id, ID);
    assertStringIncludes(said, `(${id})\r\n`);
  }
}

/** What differs each time, made the same. */
function placeholder(value: unknown, id: string): unknown {
  if (typeof value !== "string") return value;
  return value === id ? "<id>" : TIME.test(value) ? "<time>" : value;
}
