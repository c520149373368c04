/** A real HTTP endpoint that keeps what it is sent. */

/** One request as it arrived. */
export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly text: string;
}

/** How long requests may take to come before the test has failed, in milliseconds. */
const DEADLINE_MS = 20_000;

/** Answers a request. */
export type Handler = (request: Received) => Response | Promise<Response>;

/** Listens on a free port of the loopback interface until it is disposed of. */
export class Endpoint implements AsyncDisposable {
  /** Every request so far. */
  readonly received: Received[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #abort = new AbortController();
  #waiting: (() => void)[] = [];

  constructor(handler: Handler = () => new Response("thanks")) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, signal: this.#abort.signal, onListen() {} },
      async (request) => {
        const body = await request.bytes();
        const { pathname, search } = new URL(request.url);
        const received = {
          method: request.method,
          path: pathname + search,
          headers: request.headers,
          body,
          text: new TextDecoder().decode(body),
        };
        this.received.push(received);
        for (const resolve of this.#waiting.splice(0)) resolve();
        return await handler(received);
      },
    );
  }

  /** Such as `http://127.0.0.1:40001`. */
  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Waits until there are `count` requests, and gives the last of them; throws where they do not come. */
  async request(count = 1): Promise<Received> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`${this.received.length} of ${count} requests came`)),
      DEADLINE_MS,
    );
    try {
      while (this.received.length < count) {
        const next = new Promise<void>((resolve) => this.#waiting.push(resolve));
        await Promise.race([next, late]);
      }
    } finally {
      clearTimeout(timer);
    }
    return this.received[count - 1];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Not gracefully: a test that failed may have left a request without its answer.
    this.#abort.abort();
    await this.#server.finished;
  }
}
