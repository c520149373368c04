/** The server on real sockets: how many it serves, whom it lets go, and how it stops. */
import { fixed } from "../lib/config.ts";
import type { Event } from "../lib/event.ts";
import type { Courier, Mail } from "../lib/mail.ts";
import { formatAddress, GOODBYE_MS, listen, type Server, type ServerOptions } from "../lib/smtp.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { Client } from "./client.ts";

/** A server, its events and its end. */
class Fixture implements AsyncDisposable {
  readonly events: Event[] = [];
  readonly mails: Mail[] = [];
  readonly server: Server;
  readonly #stop = new AbortController();
  readonly #clients: Client[] = [];
  #waiting: (() => void)[] = [];

  constructor(
    { limits, host = "127.0.0.1", courier = () => ACCEPTED }: {
      limits?: Partial<ServerOptions["limits"]>;
      host?: string;
      courier?: Courier;
    } = {},
  ) {
    const maxMessageOctets = 100_000;
    let ids = 0;
    this.server = listen({
      host,
      port: 0,
      policy: { ...fixed, domain: "here", maxMessageOctets, maxRecipients: 10 },
      limits: { ...fixed, maxMessageOctets, ...limits },
      courier: (mail, signal) => {
        this.mails.push(mail);
        return courier(mail, signal);
      },
      observe: (event) => {
        this.events.push(event);
        for (const resolve of this.#waiting.splice(0)) resolve();
      },
      newId: () => `id-${++ids}`,
      now: () => new Date(0),
    }, this.#stop.signal);
  }

  /** Waits for an event of a kind. */
  async seen<Kind extends Event["kind"]>(kind: Kind): Promise<Extract<Event, { kind: Kind }>> {
    for (;;) {
      const event = this.events.find((event) => event.kind === kind);
      if (event !== undefined) return event as Extract<Event, { kind: Kind }>;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async connect(): Promise<Client> {
    const client = await Client.connect(this.server.port);
    this.#clients.push(client);
    return client;
  }

  /** A client after the greeting. */
  async greeted(): Promise<Client> {
    const client = await this.connect();
    assertEquals(await client.reply(), "220 here ESMTP smtp-pigeon ready");
    return client;
  }

  stop(): void {
    this.#stop.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    this.stop();
    await this.server.stopped;
  }
}

const ACCEPTED = Promise.resolve({ kind: "accepted", note: "taken" } as const);

/** Waits for its signal. */
const patient: Courier = (_mail, signal) =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve({ kind: "deferred", reason: "told to stop" }));
  });

Deno.test("listen() tells its address and port", async () => {
  await using fixture = new Fixture();
  const { hostname, port } = fixture.server;
  assertEquals(fixture.events, [{ kind: "listening", address: `127.0.0.1:${port}` }]);
  assertEquals(hostname, "127.0.0.1");
  assert(port > 0);
});

Deno.test("listen() throws where its port is taken or its host is none of this machine", () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const options: ServerOptions = {
    host: "127.0.0.1",
    port: taken.addr.port,
    policy: { ...fixed, domain: "here", maxMessageOctets: 1, maxRecipients: 1 },
    limits: { ...fixed, maxMessageOctets: 1 },
    courier: () => ACCEPTED,
    observe: () => {},
    newId: () => "",
    now: () => new Date(),
  };
  const thrown = (options: ServerOptions): unknown => {
    try {
      listen(options, AbortSignal.abort());
    } catch (error) {
      return error;
    }
  };
  assert(thrown(options) instanceof Deno.errors.AddrInUse);
  // TEST-NET-1 of RFC 5737.
  assert(
    thrown({ ...options, host: "192.0.2.1", port: 0 }) instanceof Deno.errors.AddrNotAvailable,
  );
  taken.close();
});

Deno.test("listen() stops at once when its signal has come before", async () => {
  const events: Event[] = [];
  const { stopped } = listen({
    host: "127.0.0.1",
    port: 0,
    policy: { ...fixed, domain: "here", maxMessageOctets: 1, maxRecipients: 1 },
    limits: { ...fixed, maxMessageOctets: 1 },
    courier: () => ACCEPTED,
    observe: (event) => events.push(event),
    newId: () => "",
    now: () => new Date(),
  }, AbortSignal.abort());
  await stopped;
  assertEquals(events.map(({ kind }) => kind), ["listening", "stopping"]);
});

const addresses: [address: string, port: number, text: string][] = [
  ["127.0.0.1", 25, "127.0.0.1:25"],
  ["::", 1025, "[::]:1025"],
  ["::ffff:127.0.0.1", 1, "[::ffff:127.0.0.1]:1"],
  ["localhost", 0, "localhost:0"],
];
for (const [address, port, text] of addresses) {
  Deno.test(`formatAddress() writes ${text}`, () => {
    assertEquals(formatAddress(address, port), text);
  });
}

const crowds: [name: string, limits: Partial<ServerOptions["limits"]>][] = [
  ["in all", { maxConnections: 2 }],
  ["from one address", { maxConnectionsPerAddress: 2 }],
];
for (const [name, limits] of crowds) {
  Deno.test(`a connection too many ${name} gets 421`, async () => {
    await using fixture = new Fixture({ limits });
    const first = await fixture.greeted();
    const second = await fixture.greeted();
    const third = await fixture.connect();
    assertEquals(await third.reply(), "421 4.7.0 here too many connections, try again later");
    assertEquals(await third.reply(), "");
    third.close();
    const { address } = await fixture.seen("turned away");
    assertEquals(address, "127.0.0.1");
    for (const client of [first, second]) assertMatch(await client.ask("NOOP"), /^250 /);
  });
  Deno.test(`whoever was turned away ${name} gets in when another one leaves`, async () => {
    await using fixture = new Fixture({ limits });
    const first = await fixture.greeted();
    await fixture.greeted();
    assertMatch(await (await fixture.connect()).reply(), /^421 /);
    assertMatch(await first.ask("QUIT"), /^221 /);
    assertEquals(await first.reply(), "");
    first.close();
    // When the server has noticed is not for a client to see. Those that are turned away meanwhile stay as
    // long as they are let, and must not keep the place taken, or use up what is left for being told so.
    for (let attempts = 1;; attempts++) {
      const greeting = await (await fixture.connect()).reply();
      if (greeting.startsWith("220 ")) break;
      assert(attempts < 100, greeting);
    }
  });
}

Deno.test("connections too many even to be told so are closed without a word", async () => {
  await using fixture = new Fixture({ limits: { maxConnections: 1 } });
  const first = await fixture.greeted();
  // Both wait to be accepted before either is looked at.
  const told = await fixture.connect();
  const untold = await fixture.connect();
  assertEquals(await untold.reply(), "");
  assertMatch(await told.reply(), /^421 4\.7\.0 /);
  assertMatch(await first.ask("NOOP"), /^250 /);
  assertEquals(fixture.events.filter(({ kind }) => kind === "turned away").length, 1);
});

Deno.test("an IPv4 client of a dual-stack socket has its IPv4 address", async () => {
  await using fixture = new Fixture({ host: "::ffff:127.0.0.1" });
  assertEquals(fixture.server.hostname, "::ffff:127.0.0.1");
  const client = await fixture.greeted();
  await client.sendMail();
  assertMatch(await client.reply(), /^250 /);
  assertEquals((await fixture.seen("session")).address, "127.0.0.1");
  assertEquals(fixture.mails[0].client.address, "127.0.0.1");
});

Deno.test("a client that says nothing gets 421 after a while", async () => {
  await using fixture = new Fixture({ limits: { idleTimeoutMs: 2_000 } });
  const client = await fixture.greeted();
  await client.startData();
  await client.send("Subject: x\r\n");
  assertEquals(await client.reply(), "421 4.4.2 here waited too long, closing connection");
  assertEquals(await client.reply(), "");
  assertEquals(fixture.mails, []);
});

Deno.test("a client that never reads is let go, and others are served meanwhile", async () => {
  await using fixture = new Fixture({ limits: { idleTimeoutMs: 2_000 } });
  const deaf = await fixture.connect();
  const talk = (async () => {
    while (await deaf.send("HELP\r\n".repeat(10_000)));
  })();
  const client = await fixture.greeted();
  await client.sendMail();
  assertMatch(await client.reply(), /^250 /);
  await talk;
});

Deno.test("a courier that throws costs its own client 421 and nobody else anything", async () => {
  let count = 0;
  await using fixture = new Fixture({
    courier: () => {
      if (count++ === 0) throw new Error("a fault of ours");
      return count === 2 ? Promise.reject(new Error("another one")) : ACCEPTED;
    },
  });
  const bystander = await fixture.greeted();
  for (const _ of [1, 2]) {
    const client = await fixture.greeted();
    await client.sendMail();
    assertEquals(await client.reply(), "421 4.3.0 here internal error, closing connection");
    assertEquals(await client.reply(), "");
  }
  await bystander.sendMail();
  assertMatch(await bystander.reply(), /^250 /);
  const faults = fixture.events.filter((event) => event.kind === "fault");
  assertEquals(faults.map(({ error }) => (error as Error).message), [
    "a fault of ours",
    "another one",
  ]);
});

Deno.test("a client that breaks off within its data harms nobody", async () => {
  await using fixture = new Fixture();
  const bystander = await fixture.greeted();
  const breaker = await fixture.greeted();
  await breaker.startData();
  await breaker.send("Subject: half\r\n\r\nbo");
  breaker.close();
  assertEquals((await fixture.seen("lost")).state, "data");
  await bystander.sendMail();
  assertMatch(await bystander.reply(), /^250 /);
  assertEquals(fixture.mails.length, 1);
});

Deno.test("a client that breaks off while its message is delivered harms nobody", async () => {
  const { promise: delivered, resolve: deliver } = Promise.withResolvers<void>();
  await using fixture = new Fixture({
    courier: async () => {
      await delivered;
      return await ACCEPTED;
    },
  });
  const breaker = await fixture.greeted();
  await breaker.sendMail();
  await fixture.seen("data");
  breaker.close();
  deliver();
  await fixture.seen("reset");
  const client = await fixture.greeted();
  await client.sendMail();
  assertMatch(await client.reply(), /^250 /);
});

Deno.test("a stopping server takes no connection and dismisses the idle", async () => {
  await using fixture = new Fixture();
  const idle = await fixture.greeted();
  const composing = await fixture.greeted();
  assertMatch(await composing.ask("EHLO me"), /^250 /);
  assertMatch(await composing.ask("MAIL FROM:<>"), /^250 /);
  fixture.stop();
  for (const client of [idle, composing]) {
    assertEquals(await client.reply(), "421 4.3.2 here service shutting down, closing connection");
    assertEquals(await client.reply(), "");
  }
  await fixture.server.stopped;
  const refused = await fixture.connect().then(() => false, (error) => error);
  assert(refused instanceof Deno.errors.ConnectionRefused);
});

Deno.test("a stopping server does not wait for a client that never reads", async () => {
  const graceMs = 100;
  await using fixture = new Fixture({ limits: { graceMs } });
  const deaf = await fixture.connect();
  const talk = (async () => {
    while (await deaf.send("HELP\r\n".repeat(10_000)));
  })();
  // Meanwhile its replies fill all buffers between here and there.
  const bystander = await fixture.greeted();
  await bystander.sendMail();
  assertMatch(await bystander.reply(), /^250 /);
  const begin = performance.now();
  fixture.stop();
  await fixture.server.stopped;
  const slackMs = 5_000;
  assert(performance.now() - begin < graceMs + GOODBYE_MS + slackMs);
  // It was made to leave, and not just left behind.
  assertEquals(fixture.events.filter(({ kind }) => kind === "logout").length, 2);
  await talk;
});

Deno.test("a stopping server delivers what is in flight", async () => {
  const { promise: delivered, resolve: deliver } = Promise.withResolvers<void>();
  await using fixture = new Fixture({
    courier: async () => {
      await delivered;
      return await ACCEPTED;
    },
  });
  const delivering = await fixture.greeted();
  await delivering.sendMail();
  await fixture.seen("data");
  const within = await fixture.greeted();
  await within.startData();
  fixture.stop();
  await fixture.seen("stopping");
  await within.send("Subject: x\r\n\r\nbody\r\n.\r\n");
  deliver();
  for (const client of [delivering, within]) {
    assertMatch(await client.reply(), /^250 2\.0\.0 OK: taken \(id-\d+\)$/);
    assertEquals(await client.reply(), "421 4.3.2 here service shutting down, closing connection");
    assertEquals(await client.reply(), "");
  }
  assertEquals(fixture.mails.length, 2);
});

Deno.test("a message that does not arrive in the time of grace is deferred", async () => {
  await using fixture = new Fixture({ limits: { graceMs: 50 }, courier: patient });
  const client = await fixture.greeted();
  await client.sendMail();
  await fixture.seen("data");
  fixture.stop();
  assertMatch(
    await client.reply(),
    /^451 4\.3\.0 Not delivered, try again later: told to stop \(id-\d+\)$/,
  );
  assertEquals(await client.reply(), "421 4.3.2 here service shutting down, closing connection");
  await fixture.server.stopped;
});

Deno.test("a client within its data is dismissed when the time of grace is over", async () => {
  await using fixture = new Fixture({ limits: { graceMs: 50 } });
  const client = await fixture.greeted();
  await client.startData();
  await client.send("Subject: x\r\n");
  fixture.stop();
  assertEquals(await client.reply(), "421 4.3.2 here service shutting down, closing connection");
  await fixture.server.stopped;
  assertEquals(fixture.mails, []);
});
