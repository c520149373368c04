/**
 * The endpoint of a soak: keeps of each POST what the judge has to know, and answers as endpoints do over
 * the years: mostly well, sometimes late, with refusals, with half an answer, or with none.
 *
 * It is made of `node:http`, which lets a handler break a connection off.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Chance, Deck } from "./chance.ts";
import type { Posted } from "./judge.ts";

/** How the program has to be told to POST, for the endpoint to read it. */
export const TEMPLATE = '{"sender":{{json.sender}},"data":{{json.data}},"text":{{json.text}},' +
  '"html":{{json.html}},"attachments":{{json.attachments}}}';

/** What becomes of a request. */
type Fate =
  | {
    readonly status: number;
    /** How late the answer is, in milliseconds. */
    readonly afterMs?: number;
    /** How long its body is. */
    readonly octets?: number;
    /** Whether the connection ends before the body does. */
    readonly breaksOff?: true;
  }
  /** No answer: the connection is broken off. */
  | "dropped"
  /** No answer for as long as the program waits. */
  | "ignored";

const WELL: Fate = { status: 200 };

/** By how many of a hundred requests. */
const FATES = new Map<Fate, number>([
  [WELL, 62],
  [{ status: 204 }, 3],
  [{ status: 200, afterMs: 200 }, 8],
  [{ status: 202, afterMs: 1_500 }, 4],
  [{ status: 200, octets: 1_000_000 }, 2],
  [{ status: 200, breaksOff: true }, 3],
  [{ status: 500 }, 5],
  [{ status: 503, octets: 100_000 }, 2],
  [{ status: 429, afterMs: 500 }, 1],
  [{ status: 406 }, 4],
  [{ status: 302 }, 1],
  ["dropped", 4],
  ["ignored", 1],
]);

/** What stands for a text of any length. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

/** Listens on a free port of the loopback interface. */
export class FickleEndpoint {
  /** Every POST that came in whole. */
  readonly posted: Posted[] = [];
  /** What it could not read. */
  readonly faults: string[] = [];
  /** Whether every request is answered well, and at once. */
  isKind = false;
  readonly #server: Server;
  readonly #fates: Deck<Fate>;

  private constructor(chance: Chance) {
    this.#fates = new Deck(FATES, chance);
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  /** Starts one. */
  static async start(chance: Chance): Promise<FickleEndpoint> {
    const endpoint = new FickleEndpoint(chance);
    await new Promise<void>((resolve) => endpoint.#server.listen(0, "127.0.0.1", resolve));
    return endpoint;
  }

  /** Such as `http://127.0.0.1:40001`. */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * Closes all connections, as endpoints do after a while. Not only those that were used and are idle: a
   * client that makes one too many keeps it for later.
   */
  hangUp(): void {
    this.#server.closeAllConnections();
  }

  /** Ends it, whatever is going on. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await ended;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { sender, data } = JSON.parse(await new Blob(chunks).text());
      const post: Posted & { status: number | null } = {
        id: String(request.headers["webhook-id"]),
        token: sender.split("@")[0],
        digest: digest(data),
        status: null,
      };
      this.posted.push(post);
      const fate = this.isKind ? WELL : this.#fates.deal();
      await fulfil(fate, response, (status) => post.status = status);
    } catch (error) {
      // Where the program gave up while it was sending, nothing has come.
      if (request.complete) this.faults.push((error as Error).message);
    }
  }
}

/** Does what becomes of a request, and says when it is answered. */
async function fulfil(
  fate: Fate,
  response: ServerResponse,
  answered: (status: number) => void,
): Promise<void> {
  const closed = new Promise((resolve) => response.once("close", resolve));
  if (fate === "dropped") {
    response.socket!.destroy();
  } else if (fate !== "ignored") {
    const { status, afterMs = 0, octets = 10, breaksOff = false } = fate;
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    // Who has gone hears no answer.
    if (response.destroyed) return;
    answered(status);
    if (breaksOff) {
      response.writeHead(status, { "content-length": String(octets + 1) });
      response.write("x".repeat(octets), () => response.socket!.destroy());
    } else {
      response.writeHead(status);
      response.end(status === 204 ? undefined : "x".repeat(octets));
    }
  }
  await closed;
}
