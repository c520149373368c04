/**
 * The endpoint of the crash test: it outlives all runs of the server, compares what it is sent with
 * the letter that it should be, and is not always in the mood to take it. It never rejects: a dead
 * letter would end in the queue.
 */
import { Buffer } from "node:buffer";
import type { Chance } from "../soak/chance.ts";
import type { Posted } from "./ledger.ts";
import { letterOf, numberOf } from "./letter.ts";

/** How the endpoint answers. */
export type Mood = "kind" | "slow" | "fickle" | "down";

/**
 * How the program has to be told to POST: a line of JSON, and the message after it. Where the
 * message is not UTF-8 each of its octets is a character (`data` of a template), and the body is
 * longer than `size` says, since there is an octet that takes two; where it is UTF-8 the body is
 * the message.
 */
const TEMPLATE = '{"run":"{{var.run}}","size":{{size}},"sender":{{json.sender}},' +
  '"recipients":{{json.recipients}}}\n{{{data}}}';

/** What a POST says. */
interface Told {
  readonly run: number;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly data: Uint8Array;
}

/** Reads what `TEMPLATE` makes of a message. */
export function read(body: Uint8Array): Told {
  const decoder = new TextDecoder();
  const end = body.indexOf(0x0a);
  const { run, size, sender, recipients } = JSON.parse(decoder.decode(body.subarray(0, end)));
  const text = body.subarray(end + 1);
  const data = text.length === size ? text : Buffer.from(decoder.decode(text), "latin1");
  return { run: Number(run), sender, recipients, data };
}

/** Listens on a free port of the loopback interface. */
export class MoodyEndpoint implements AsyncDisposable {
  mood: Mood = "kind";
  /** Called for each POST that came in whole, before it is answered. */
  heard: () => void = () => {};
  /** What it could not read. */
  readonly faults: string[] = [];
  #posted: Posted[] = [];
  readonly #seed: number;
  readonly #chance: Chance;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #abort = new AbortController();

  /** `seed` is that of the letters. */
  constructor(seed: number, chance: Chance) {
    this.#seed = seed;
    this.#chance = chance;
    const place = { hostname: "127.0.0.1", port: 0, signal: this.#abort.signal, onListen() {} };
    this.#server = Deno.serve(place, (request) => this.#take(request));
  }

  /** What the program has to be told, to POST here in a way that can be read. */
  flags(run: number): readonly string[] {
    return [
      `--url=http://127.0.0.1:${this.#server.addr.port}`,
      "--header=Content-Type: text/plain; charset=utf-8",
      `--template=${TEMPLATE}`,
      `--var=run=${run}`,
    ];
  }

  /** POSTs since this was last asked. */
  takePosted(): readonly Posted[] {
    const posted = this.#posted;
    this.#posted = [];
    return posted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#server.finished;
  }

  async #take(request: Request): Promise<Response> {
    const body = await request.bytes().catch(() => null);
    // The program was killed while it was sending.
    if (body === null) return new Response(null, { status: 400 });
    try {
      const told = read(body);
      const { status, afterMs } = this.#answer();
      this.#posted.push({
        number: numberOf(told.recipients),
        id: request.headers.get("webhook-id") ?? "",
        run: told.run,
        difference: differenceOf(told, this.#seed),
        isTaken: status === 200,
      });
      this.heard();
      if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
      const headers = status === 429 ? { "retry-after": "1" } : undefined;
      return new Response("thanks", { status, headers });
    } catch (error) {
      this.faults.push(`a POST cannot be read: ${(error as Error).message}`);
      return new Response(null, { status: 503 });
    }
  }

  #answer(): { status: number; afterMs: number } {
    const chance = this.#chance;
    switch (this.mood) {
      case "kind":
        return { status: 200, afterMs: 0 };
      case "slow":
        return { status: 200, afterMs: chance.size(1, 400) };
      case "fickle":
        return {
          status: chance.next() < 0.95 ? 200 : chance.pick([503, 500, 429]),
          afterMs: chance.next() < 0.8 ? 0 : chance.size(1, 200),
        };
      case "down":
        return { status: 503, afterMs: 0 };
    }
  }
}

/**
 * In what a POST is not the letter of its number; null where it is, or where it is of no letter.
 */
function differenceOf(told: Told, seed: number): string | null {
  const number = numberOf(told.recipients);
  if (number === null) return null;
  const { sender, recipients, octets } = letterOf(seed, number);
  if (told.sender !== sender) return `another sender, ${JSON.stringify(told.sender)}`;
  if (told.recipients.join("\n") !== recipients.join("\n")) {
    return `other recipients, ${JSON.stringify(told.recipients)}`;
  }
  if (Buffer.compare(told.data, octets) === 0) return null;
  const at = octets.findIndex((octet, index) => octet !== told.data[index]);
  return `other octets, ${told.data.length} of them, from ${at === -1 ? octets.length : at} on`;
}
