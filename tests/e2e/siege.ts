/**
 * A server that is attacked, and what has to be so whatever the attack is: other clients are served
 * meanwhile, each within a second; memory stays within 100 MB of what it was when nobody had come
 * yet; and when the attackers have left nothing of them is left, and mail is delivered as before.
 */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { Client } from "../client.ts";
import { Endpoint } from "../endpoint.ts";
import { assertWithin, inTime } from "../machine.ts";
import { Pigeon } from "../pigeon.ts";
import type { Report } from "./bystander.ts";
import { descriptorsOf, forgetPeak, isReadable, peakOf } from "../process.ts";

/** How long anyone else waits for an answer at most, in milliseconds. */
const SERVED_WITHIN_MS = 1_000;

/** How much memory an attack may cost, in octets. */
const MEMORY_MARGIN = 100_000_000;

/** What may be different from attack to attack. */
export interface Terms {
  /** Octets that it may cost beside. */
  readonly moreMemory?: number;
}

/** How long those who have left may leave a descriptor behind, in milliseconds. */
const DEADLINE_MS = 20_000;

/** How long to wait before a descriptor is looked for again, in milliseconds. */
const BREATH_MS = 20;

/** What an attack has to do with. */
export interface Siege {
  readonly pigeon: Pigeon;
  readonly endpoint: Endpoint;
  /**
   * Waits until the server has closed all that it opened since it was started, but for someone
   * else.
   */
  readonly calm: () => Promise<void>;
}

/** Flags of the program, without their dashes. */
export type Flags = Readonly<Record<string, string | number>>;

/**
 * Defines a test; `flags` are the server's. Where memory cannot be measured it is ignored, and says
 * so.
 */
export function withstand(
  name: string,
  flags: Flags,
  attack: (siege: Siege) => Promise<void>,
  terms: Terms = {},
): void {
  Deno.test({
    name: isReadable ? name : `${name} (there is no /proc)`,
    ignore: !isReadable,
    fn: () => inTime(() => besiege(flags, attack, terms)),
  });
}

/** Starts a server, attacks it, and looks at what has come of it. */
export async function besiege(
  flags: Flags,
  attack: (siege: Siege) => Promise<void>,
  { moreMemory = 0 }: Terms = {},
): Promise<void> {
  // A connection that is kept for the next request would be a descriptor more.
  await using endpoint = new Endpoint(() =>
    new Response(null, { headers: { connection: "close" } })
  );
  const all = {
    url: endpoint.origin,
    template: "{{json.data}}",
    "max-commands": 1_000_000,
    ...flags,
  };
  await using pigeon = await Pigeon.start(Object.entries(all).map(([k, v]) => `--${k}=${v}`));
  const { pid } = pigeon;
  const idle = { memory: peakOf(pid), descriptors: descriptorsOf(pid) };
  const calm = async (guests: number) => {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const more = descriptorsOf(pid) - idle.descriptors - guests;
      if (more <= 0) return;
      assert(performance.now() < deadline, `${more} file descriptors more than before`);
      await new Promise((resolve) => setTimeout(resolve, BREATH_MS));
    }
  };
  // What the first message brings in is not what attacks leave behind.
  await deliver(pigeon, endpoint);
  await calm(0);

  forgetPeak(pid);
  using bystander = await Bystander.arrive(pigeon.port);
  await attack({ pigeon, endpoint, calm: () => calm(1) });
  const { slowestMs } = await bystander.leave();
  await calm(0);
  const peak = peakOf(pid);
  assert(
    peak < idle.memory + MEMORY_MARGIN + moreMemory,
    `${peak} octets of memory, idle ${idle.memory}`,
  );
  assertWithin(slowestMs, SERVED_WITHIN_MS, "NOOP took");
  await deliver(pigeon, endpoint);
  assertEquals(pigeon.log.filter((line) => line.includes("Internal error")), []);
  assertEquals((await pigeon.stop()).code, 0);
}

/** Delivers a message, exactly and once. */
async function deliver({ port }: Pigeon, endpoint: Endpoint): Promise<void> {
  const { length } = endpoint.received;
  using client = await Client.connect(port);
  assertMatch(await client.reply(), /^220 /);
  await client.startData();
  assertMatch(await client.ask("Subject: Grüße\r\n\r\n..a\r\n."), /^250 /);
  assertMatch(await client.ask("QUIT"), /^221 /);
  assertEquals(endpoint.received.slice(length).map(({ text }) => text), [
    JSON.stringify("Subject: Grüße\r\n\r\n.a\r\n"),
  ]);
}

/** Someone else, who is served meanwhile. */
class Bystander implements Disposable {
  readonly #worker = new Worker(new URL("./bystander.ts", import.meta.url), { type: "module" });

  static async arrive(port: number): Promise<Bystander> {
    const bystander = new Bystander();
    await bystander.#tell(port);
    return bystander;
  }

  async leave(): Promise<Report> {
    return await this.#tell("leave") as Report;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  #tell(message: unknown): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#worker.onmessage = ({ data }) => resolve(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`someone else: ${event.message}`));
    };
    this.#worker.postMessage(message);
    return promise;
  }
}

/** What was answered to a flood. */
export interface Answers {
  /** How many replies there were of each kind, such as `250 2.0.0`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Whether the server had ended the connection before all was sent. */
  readonly wasStopped: boolean;
}

/**
 * Sends pieces as fast as they are taken, and reads what is answered, to the end of the connection.
 */
export async function flood(port: number, pieces: Iterable<string>): Promise<Answers> {
  using socket = await Deno.connect({ hostname: "127.0.0.1", port });
  const sent = pour(socket, pieces);
  const counts: Record<string, number> = {};
  let rest = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await socket.read(buffer).catch(() => null);
    if (count === null) break;
    const lines = (rest + decoder.decode(buffer.subarray(0, count))).split("\r\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const [kind] = /^\d{3} (\d\.\d\.\d+)?/.exec(line) ?? [];
      if (kind !== undefined) counts[kind] = (counts[kind] ?? 0) + 1;
    }
  }
  return { counts, wasStopped: !await sent };
}

/** Sends pieces as fast as they are taken; whether all were, before the connection was over. */
export async function pour(socket: Deno.Conn, pieces: Iterable<string>): Promise<boolean> {
  const encoder = new TextEncoder();
  try {
    for (const piece of pieces) {
      let octets = encoder.encode(piece);
      while (octets.length > 0) octets = octets.subarray(await socket.write(octets));
    }
    return true;
  } catch {
    return false;
  }
}

/** A piece so many times, without holding them all in memory. */
export function* times(count: number, piece: string): Iterable<string> {
  const batch = Math.max(1, Math.floor(65_536 / piece.length));
  const whole = piece.repeat(batch);
  for (; count >= batch; count -= batch) yield whole;
  yield piece.repeat(count);
}

/** A piece again and again without an end, after something else. */
export function* forever(before: string, piece: string): Iterable<string> {
  yield before;
  for (;;) yield piece;
}
