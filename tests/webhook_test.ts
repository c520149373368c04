/** The webhook against endpoints that do everything that an endpoint can do wrong. */
import { delivery } from "../lib/delivery.ts";
import type { Event } from "../lib/event.ts";
import type { Mail, Outcome } from "../lib/mail.ts";
import { isFaults } from "../lib/fault.ts";
import { type RequestOptions, target } from "../lib/request.ts";
import { sampleContexts, sampleMail } from "../lib/sample.ts";
import { Alarm } from "../lib/alarm.ts";
import { outcomeOf, webhook, type WebhookOptions } from "../lib/webhook.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { Endpoint } from "./endpoint.ts";

const alarm = new Alarm(() => performance.now());

const [rich] = sampleContexts({
  version: "1",
  hostname: () => "",
  env: () => undefined,
  vars: {},
});
const mail: Mail = sampleMail(rich.id, new Date(0));
/** Long enough for whatever answers at all on the loopback interface. */
const PATIENT_MS = 20_000;
const IMPATIENT_MS = 500;

/** What a message met. */
interface Delivery {
  readonly outcome: Outcome;
  /** What the operator is told beyond the outcome. */
  readonly detail: string | undefined;
  readonly events: readonly Event[];
}

async function deliver(
  url: string,
  { signal = new AbortController().signal, template = "{}", ...options }:
    & Partial<WebhookOptions>
    & { signal?: AbortSignal; template?: string } = {},
): Promise<Delivery> {
  const setting = { text: url, label: `--url "${url}"` };
  const requests: RequestOptions = {
    url: setting,
    headers: [],
    template: { text: template, label: "--template" },
    version: "1",
  };
  const endpoint = await target(requests, [rich]);
  assert(!isFaults(endpoint));
  const events: Event[] = [];
  const observe = (event: Event) => void events.push(event);
  const date = () => new Date(0);
  const defaults = {
    timeoutMs: PATIENT_MS,
    maxAnswerOctets: 64 * 1024,
    fetch,
    now: () => 0,
    alarm,
    date,
  };
  const courier = delivery(
    endpoint,
    () => Promise.resolve({ ...rich, html: "" }),
    webhook(observe, { ...defaults, ...options }),
    observe,
    date,
  );
  const { detail, ...outcome } = await courier(mail, signal);
  return { outcome, detail, events };
}

/** Speaks to one connection; it is closed afterwards. */
type Speak = (connection: Connection) => Promise<void>;

/** The endpoint's end of a connection; nothing rejects when the other end is gone. */
class Connection {
  readonly #socket: Deno.Conn;
  #text = "";

  constructor(socket: Deno.Conn) {
    this.#socket = socket;
  }

  /** Reads one whole request with a body of known length; false at the end. */
  async request(): Promise<boolean> {
    for (;;) {
      const [head, length] = /^[^]*?content-length: (\d+)\r\n[^]*?\r\n\r\n/i.exec(this.#text) ?? [];
      if (head !== undefined && this.#text.length >= head.length + Number(length)) {
        this.#text = this.#text.slice(head.length + Number(length));
        return true;
      }
      const buffer = new Uint8Array(65536);
      const count = await this.#socket.read(buffer).catch(() => null);
      if (count === null) return false;
      this.#text += String.fromCharCode(...buffer.subarray(0, count));
    }
  }

  /** Writes; false when nobody takes it any more. */
  async write(data: string | Uint8Array): Promise<boolean> {
    let octets = typeof data === "string" ? new TextEncoder().encode(data) : data;
    try {
      while (octets.length > 0) octets = octets.subarray(await this.#socket.write(octets));
      return true;
    } catch {
      return false;
    }
  }

  /** Waits until the other end is closed. */
  async closed(): Promise<void> {
    const buffer = new Uint8Array(1024);
    while (await this.#socket.read(buffer).catch(() => null) !== null);
  }

  close(): void {
    try {
      this.#socket.close();
    } catch {
      // It is closed already.
    }
  }
}

/** An endpoint below HTTP. */
class RawEndpoint implements AsyncDisposable {
  connections = 0;
  readonly #listener: Deno.TcpListener | Deno.TlsListener;
  readonly #open = new Set<Connection>();
  readonly #serving: Promise<void>;

  constructor(
    speak: Speak,
    listener: Deno.TcpListener | Deno.TlsListener = Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  ) {
    this.#listener = listener;
    this.#serving = this.#serve(speak);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #serve(speak: Speak): Promise<void> {
    const conversations: Promise<void>[] = [];
    for await (const socket of this.#listener) {
      this.connections++;
      const connection = new Connection(socket);
      this.#open.add(connection);
      conversations.push(speak(connection).finally(() => connection.close()));
    }
    await Promise.all(conversations);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) connection.close();
    await this.#serving;
  }
}

const answering = (text: string | Uint8Array): Speak => async (connection) => {
  if (await connection.request()) await connection.write(text);
};

/** URLs with a secret wherever a URL can hold one. */
const secretUrl = (port: number, scheme = "http") =>
  `${scheme}://me:s3cret@127.0.0.1:${port}/t0ken)/(t0ken?key=s3cret)&t0ken`;

/** Neither log nor reply may hold a secret, and the reply nothing of the network. */
function assertDiscreet({ outcome, events }: Delivery): void {
  assertEquals(events.length, 1);
  const [event] = events;
  assert(event.kind === "answered" || event.kind === "unanswered", event.kind);
  assertEquals(event.id, mail.id);
  assertMatch(event.destination, /^https?:\/\/[a-z0-9.-]+(:\d+)?$/);
  assert(!/s3cret|t0ken|me:/.test(JSON.stringify(events)), JSON.stringify(events));
  const said = outcome.kind === "accepted" ? outcome.note : outcome.reason;
  assertMatch(
    said,
    /^(endpoint answered \d{3}|endpoint gave no answer within [\d.]+ s|endpoint could not be reached|server is stopping)$/,
  );
}

const statuses: [kind: Outcome["kind"], ...statuses: number[]][] = [
  ["accepted", 200, 201, 202, 203, 204, 205, 206, 226, 299],
  ["rejected", 400, 406, 410, 413, 415, 422],
  ["deferred", 300, 301, 302, 303, 304, 307, 308],
  ["deferred", 401, 402, 403, 404, 405, 407, 408, 409, 411, 412, 414, 418, 423, 425, 429, 431, 451],
  ["deferred", 500, 501, 502, 503, 504, 511, 599],
];
for (const [kind, ...row] of statuses) {
  for (const status of row) {
    Deno.test(`a POST answered ${status} is ${kind}`, async () => {
      const hasBody = status !== 204 && status !== 205 && status !== 304;
      await using endpoint = new RawEndpoint(answering(
        `HTTP/1.1 ${status} Whatever\r\nLocation: /elsewhere\r\nContent-Length: ${
          hasBody ? 3 : 0
        }\r\n\r\n${hasBody ? "why" : ""}`,
      ));
      const delivery = await deliver(secretUrl(endpoint.port));
      const note = `endpoint answered ${status}`;
      assertEquals(
        delivery.outcome,
        kind === "accepted" ? { kind, note } : { kind, reason: note },
      );
      assertEquals(delivery.events, [{
        kind: "answered",
        id: mail.id,
        destination: `http://127.0.0.1:${endpoint.port}`,
        status,
        elapsedMs: 0,
        answer: hasBody ? "why" : "",
      }]);
      assertEquals(delivery.detail, kind === "accepted" || !hasBody ? "" : "why");
      assertDiscreet(delivery);
      assertEquals(endpoint.connections, 1);
    });
  }
}

Deno.test("outcomeOf() knows nothing outside 2xx and the refusals", () => {
  for (let status = 100; status < 600; status++) {
    const refusals = [400, 406, 410, 413, 415, 422];
    const kind = status >= 200 && status < 300
      ? "accepted"
      : refusals.includes(status)
      ? "rejected"
      : "deferred";
    assertEquals(outcomeOf(status).kind, kind, String(status));
  }
});

Deno.test("a redirect is not followed", async () => {
  await using elsewhere = new Endpoint();
  await using endpoint = new Endpoint(() => Response.redirect(elsewhere.origin, 307));
  const { outcome } = await deliver(endpoint.origin);
  assertEquals(outcome, { kind: "deferred", reason: "endpoint answered 307" });
  assertEquals([endpoint.received.length, elsewhere.received.length], [1, 0]);
});

/** Answers whose status stands, whatever becomes of their body. */
const bodies: [name: string, speak: Speak, answer: RegExp][] = [
  [
    "ends early",
    answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart"),
    /^(part)?$/,
  ],
  [
    "is broken chunks",
    answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n"),
    /^(part)?$/,
  ],
  [
    "never ends",
    async (connection) => {
      await connection.request();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
      await connection.closed();
    },
    // Of a success nobody is told more than its status.
    /^$/,
  ],
  [
    "never begins",
    async (connection) => {
      await connection.request();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
      await connection.closed();
    },
    /^$/,
  ],
  [
    "is endless",
    async (connection) => {
      await connection.request();
      await connection.write("HTTP/1.1 200 OK\r\n\r\n");
      while (await connection.write("x".repeat(10_000)));
    },
    /^x{65536}$/,
  ],
  [
    "is longer than it says",
    async (connection) => {
      await connection.request();
      await connection.write(
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
      );
      const chunk = `f4240\r\n${"x".repeat(1_000_000)}\r\n`;
      await connection.write(`${chunk}0\r\n\r\n`);
    },
    /^x{65536}$/,
  ],
  [
    "is a gzip bomb",
    async (connection) => {
      await connection.request();
      const zeros = new Blob([new Uint8Array(20_000_000)]).stream();
      const bomb = await new Response(zeros.pipeThrough(new CompressionStream("gzip"))).bytes();
      await connection.write(
        `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`,
      );
      await connection.write(bomb);
    },
    /^\0{65536}$/,
  ],
  [
    "is no gzip",
    answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"),
    /^$/,
  ],
  [
    "is no UTF-8",
    answering(
      Uint8Array.from(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe",
        (char) => char.charCodeAt(0),
      ),
    ),
    /^\ufffd\ufffd$/,
  ],
];
for (const [name, speak, answer] of bodies) {
  Deno.test(`a POST whose answer ${name} is judged by its status`, async () => {
    await using endpoint = new RawEndpoint(speak);
    const isSilent = name.startsWith("never");
    let signal: AbortSignal | null | undefined;
    const delivery = await deliver(secretUrl(endpoint.port), {
      timeoutMs: isSilent ? IMPATIENT_MS : PATIENT_MS,
      fetch: (input, init) => {
        signal = init?.signal;
        return fetch(input, init);
      },
    });
    // Nothing else is worth waiting for.
    assertEquals(signal?.aborted, isSilent);
    assertEquals(delivery.outcome, { kind: "accepted", note: "endpoint answered 200" });
    const [event] = delivery.events;
    assert(event.kind === "answered");
    assertMatch(event.answer, answer);
    assertDiscreet(delivery);
  });
}

Deno.test("of a refusal that never ends is told what has come", async () => {
  await using endpoint = new RawEndpoint(async (connection) => {
    await connection.request();
    await connection.write("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nnot now");
    await connection.closed();
  });
  const { events: [event], outcome } = await deliver(secretUrl(endpoint.port), {
    timeoutMs: IMPATIENT_MS,
  });
  assert(event.kind === "answered");
  assertEquals([event.status, event.answer, outcome.kind], [503, "not now", "deferred"]);
});

const HANG: Speak = (connection) => connection.closed();

/** Endpoints that give no answer, each with what the log says of it. */
const silences: [name: string, speak: Speak, timeoutMs: number, detail: RegExp][] = [
  ["says nothing", HANG, IMPATIENT_MS, /^endpoint gave no answer within 0.5 s$/],
  [
    "stops within its header",
    async (connection) => {
      await connection.request();
      await connection.write("HTTP/1.1 200 OK\r\nContent-");
      await connection.closed();
    },
    IMPATIENT_MS,
    /^endpoint gave no answer within 0.5 s$/,
  ],
  ["closes without an answer", answering(""), PATIENT_MS, /connection/i],
  ["closes within the status line", answering("HTTP/1.1 2"), PATIENT_MS, /connection/i],
  ["closes within its header", answering("HTTP/1.1 200 OK\r\nA: b"), PATIENT_MS, /connection/i],
  ["speaks SMTP", answering("220 localhost ESMTP\r\n"), PATIENT_MS, /invalid HTTP/i],
  ["speaks nonsense", answering("\0\x01\x02\r\n\r\n"), PATIENT_MS, /invalid HTTP/i],
  ["answers with status 99", answering("HTTP/1.1 99 No\r\n\r\n"), PATIENT_MS, /invalid HTTP/i],
];
for (const [name, speak, timeoutMs, detail] of silences) {
  Deno.test(`a POST to an endpoint that ${name} is deferred`, async () => {
    await using endpoint = new RawEndpoint(speak);
    const delivery = await deliver(secretUrl(endpoint.port), { timeoutMs });
    assertEquals(delivery.outcome, {
      kind: "deferred",
      reason: timeoutMs === IMPATIENT_MS
        ? "endpoint gave no answer within 0.5 s"
        : "endpoint could not be reached",
    });
    const [event] = delivery.events;
    assert(event.kind === "unanswered");
    assertMatch(event.reason, detail);
    assertDiscreet(delivery);
  });
}

async function assertUnreachable(url: string, detail: RegExp): Promise<void> {
  const delivery = await deliver(url);
  assertEquals(delivery.outcome, { kind: "deferred", reason: "endpoint could not be reached" });
  const [event] = delivery.events;
  assert(event.kind === "unanswered");
  assertMatch(event.reason, detail);
  const parts = event.reason.split(": ");
  assertEquals(parts, [...new Set(parts)]);
  assertDiscreet(delivery);
}

const failures: [error: Error, detail: string][] = [
  [new TypeError("it broke"), "it broke"],
  [new TypeError("it broke", { cause: "a text" }), "it broke"],
  [new TypeError("it broke", { cause: new Error("the cable is out") }), "the cable is out"],
  [
    new TypeError(
      "error sending request for url (http://a.example/t0ken)x): client error (Connect): " +
        "tcp connect error: Connection refused (os error 111): Connection refused (os error 111)",
    ),
    "error sending request: client error (Connect): " +
    "tcp connect error: Connection refused (os error 111)",
  ],
  [
    new TypeError("error sending request", {
      cause: new Error("tcp connect error: Connection refused: tcp connect error: gave up"),
    }),
    "tcp connect error: Connection refused: gave up",
  ],
  [
    new TypeError("Cannot use https://me:s3cret@a.example/t0ken?a: no"),
    "Cannot use the endpoint no",
  ],
];
for (const [error, detail] of failures) {
  Deno.test(`a POST that fails with "${error.message}" is logged once as "${detail}"`, async () => {
    const delivery = await deliver("http://a.example/", { fetch: () => Promise.reject(error) });
    assertEquals(delivery.events, [{
      kind: "unanswered",
      id: mail.id,
      destination: "http://a.example",
      reason: detail,
      elapsedMs: 0,
    }]);
    assertDiscreet(delivery);
  });
}

Deno.test("a POST that is refused a connection is deferred", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await assertUnreachable(secretUrl(port), /refused/);
});

Deno.test("a POST to a name that does not exist is deferred", async () => {
  await assertUnreachable("http://me:s3cret@nothing.invalid/t0ken)?key=s3cret", /dns error/);
});

Deno.test("a POST to a port that fetch does not speak to is deferred", async () => {
  await assertUnreachable("http://me:s3cret@127.0.0.1:25/t0ken?key=s3cret", /25/);
});

Deno.test("a POST by TLS to an endpoint without it is deferred", async () => {
  await using endpoint = new RawEndpoint(async (connection) => {
    await connection.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    await connection.closed();
  });
  await assertUnreachable(secretUrl(endpoint.port, "https"), /corrupt|tls|handshake/i);
});

Deno.test("a POST to an endpoint that nobody vouches for is deferred", async () => {
  await using endpoint = new RawEndpoint(
    answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: CERTIFICATE, key: KEY }),
  );
  await assertUnreachable(secretUrl(endpoint.port, "https"), /certificate/i);
});

Deno.test("a stopping server defers a POST that has no answer yet", async () => {
  const stop = new AbortController();
  await using endpoint = new RawEndpoint(async (connection) => {
    await connection.request();
    stop.abort();
    await connection.closed();
  });
  const delivery = await deliver(secretUrl(endpoint.port), { signal: stop.signal });
  assertEquals(delivery.outcome, { kind: "deferred", reason: "server is stopping" });
  assertDiscreet(delivery);
});

Deno.test("a stopped server sends nothing", async () => {
  await using endpoint = new RawEndpoint(HANG);
  const delivery = await deliver(secretUrl(endpoint.port), { signal: AbortSignal.abort() });
  assertEquals(delivery.outcome, { kind: "deferred", reason: "server is stopping" });
  assertDiscreet(delivery);
  assertEquals(endpoint.connections, 0);
});

Deno.test("a stopping server keeps a status that has come", async () => {
  const stop = new AbortController();
  await using endpoint = new RawEndpoint(async (connection) => {
    await connection.request();
    await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    await connection.closed();
  });
  const watched: typeof fetch = async (...args) => {
    const response = await fetch(...args);
    stop.abort();
    return response;
  };
  const { outcome } = await deliver(secretUrl(endpoint.port), {
    signal: stop.signal,
    fetch: watched,
  });
  assertEquals(outcome, { kind: "accepted", note: "endpoint answered 200" });
});

Deno.test("a message on which its template fails is deferred, and nothing sent", async () => {
  await using endpoint = new RawEndpoint(HANG);
  // The sample that is tried at start has HTML, the message has none.
  const delivery = await deliver(secretUrl(endpoint.port), {
    template: "{{^html}}broken{{/html}}{{#html}}{}{{/html}}",
  });
  assertEquals(delivery.outcome, {
    kind: "deferred",
    reason: "template fails on this message",
    unsent: true,
  });
  assertEquals(delivery.events, [{
    kind: "unsent",
    id: mail.id,
    reason: "Cannot use --template: at line 1, column 10 it makes of a message what is " +
      "not JSON (invalid symbol), must be for Content-Type application/json",
  }]);
  assertEquals(endpoint.connections, 0);
});

Deno.test("one connection serves POST after POST, whatever the answers", async () => {
  const answers = ["200 OK", "500 No", "302 Found", "200 OK"];
  await using endpoint = new RawEndpoint(async (connection) => {
    for (let count = 0; await connection.request(); count++) {
      await connection.write(`HTTP/1.1 ${answers[count]}\r\nContent-Length: 4\r\n\r\nbody`);
    }
  });
  const kinds = [];
  for (const _ of answers) kinds.push((await deliver(secretUrl(endpoint.port))).outcome.kind);
  assertEquals(kinds, ["accepted", "deferred", "deferred", "accepted"]);
  assertEquals(endpoint.connections, 1);
});

Deno.test("the user of a URL is sent as Basic authentication", async () => {
  await using endpoint = new Endpoint();
  const url = endpoint.origin.replace("//", "//m%40e:p%C3%A4ss%3A@");
  await deliver(`${url}/mail`);
  const { headers, path } = await endpoint.request();
  const [scheme, credentials] = headers.get("authorization")!.split(" ");
  assertEquals([path, scheme], ["/mail", "Basic"]);
  const octets = Uint8Array.from(atob(credentials), (char) => char.charCodeAt(0));
  assertEquals(new TextDecoder().decode(octets), "m@e:päss:");
});

/** Of an authority that nobody trusts; its key guards nothing. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBkTCCATagAwIBAgIUVHCAVUSS2P5IU0daoS0K0weQr9IwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMjE1MjQyM1oYDzIxMjYxMDI5
MTUyNDIzWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ9Cgvk4P0VPqo6O0dF3YjIXbbnsdDhGP9KyogQnrEb9M510pmDaW41
x0RQVzBFvk0wtIJ0Wn89Fcx/oSqiImmto2QwYjAdBgNVHQ4EFgQUK7AbvtkmYXRV
NqsTdV/j6NQ/shcwHwYDVR0jBBgwFoAUK7AbvtkmYXRVNqsTdV/j6NQ/shcwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0kAMEYC
IQDH1gKZ5kIkll4ozk4j/4rIArpVPuHgk0ITXf1Lk+qDNAIhAPj16wqyrDNbfz43
C7CNxjuzbvDb7I/ilqQk8Zu9O6C8
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiuMqNN2J9q6LPf+G
vHhtTknq5gsOdkBxOP4PlyhnaYuhRANCAAQ9Cgvk4P0VPqo6O0dF3YjIXbbnsdDh
GP9KyogQnrEb9M510pmDaW41x0RQVzBFvk0wtIJ0Wn89Fcx/oSqiImmt
-----END PRIVATE KEY-----
`;
