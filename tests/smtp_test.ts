/** The server on real sockets: where it listens, whom it serves and lets go, and how it stops. */
import { formatListenAddress, type ListenAddress, parseListenAddress } from "../lib/address.ts";
import { fixed } from "../lib/config.ts";
import type { Event } from "../lib/event.ts";
import { parseNetwork } from "../lib/ip.ts";
import type { Courier, Mail } from "../lib/mail.ts";
import { format } from "../lib/reply.ts";
import { GOODBYE_MS, listen, type Server, type ServerOptions } from "../lib/smtp.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "./assert.ts";
import { Room } from "../lib/room.ts";
import { Client } from "./client.ts";
import { hasIpv6, testInFolder } from "./machine.ts";

/** What a server obeys where a test does not say otherwise. */
const OPTIONS: ServerOptions = {
  addresses: [at("smtp://127.0.0.1:0")],
  socketMode: 0o600,
  proxies: { networks: [], unix: false },
  policy: {
    ...{ domain: "here", maxMessageOctets: 100_000, maxRecipients: 10 },
    ...{ maxErrors: 20, maxCommands: 1_000_000, maxMessages: 1_000 },
  },
  limits: {
    ...fixed,
    ...{ maxMessageOctets: 100_000, idleTimeoutMs: 300_000, messageTimeoutMs: 600_000, minRate: 1 },
    ...{ maxConnections: 1_000, maxConnectionsPerAddress: 100 },
  },
  room: new Room(1_000_000),
  courierTimes: 7,
  courier: () => ACCEPTED,
  observe: () => {},
  newId: () => "id",
  now: () => new Date(0),
  uptimeMs: () => performance.now(),
};

/** How long an event may take before the test has failed, in milliseconds. */
const DEADLINE_MS = 20_000;

function at(text: string): ListenAddress {
  const address = parseListenAddress(text);
  assert(!("wanted" in address), text);
  return address;
}

/** A server, its events and its end. */
class Fixture implements AsyncDisposable {
  readonly events: Event[] = [];
  readonly mails: Mail[] = [];
  #server!: Server;
  readonly #stop = new AbortController();
  readonly #clients: Client[] = [];
  #waiting: (() => void)[] = [];

  /** Begins to listen. */
  static async open(
    { limits, courier = () => ACCEPTED, ...others }: Partial<Omit<ServerOptions, "limits">> & {
      limits?: Partial<ServerOptions["limits"]>;
    } = {},
  ): Promise<Fixture> {
    const fixture = new Fixture();
    let ids = 0;
    fixture.#server = await listen({
      ...OPTIONS,
      ...others,
      limits: { ...OPTIONS.limits, ...limits },
      courier: (mail, signal) => {
        fixture.mails.push(mail);
        return courier(mail, signal);
      },
      observe: (event) => {
        fixture.events.push(event);
        for (const resolve of fixture.#waiting.splice(0)) resolve();
      },
      newId: () => `id-${++ids}`,
    }, fixture.#stop.signal);
    return fixture;
  }

  get server(): Server {
    return this.#server;
  }

  /** Waits for an event of a kind; throws where it does not come. */
  async seen<Kind extends Event["kind"]>(kind: Kind): Promise<Extract<Event, { kind: Kind }>> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`no event "${kind}" comes`)), DEADLINE_MS);
    try {
      for (;;) {
        const event = this.events.find((event) => event.kind === kind);
        if (event !== undefined) return event as Extract<Event, { kind: Kind }>;
        await Promise.race([late, new Promise<void>((resolve) => this.#waiting.push(resolve))]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Connects to the first of its addresses, or another one. */
  async connect(address = this.server.addresses[0]): Promise<Client> {
    const client = address.transport === "unix"
      ? await Client.connectUnix(address.path)
      : await Client.connect(address.port, address.hostname);
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
  await using fixture = await Fixture.open();
  const [address, ...others] = fixture.server.addresses;
  assert(address.transport === "tcp" && address.port > 0);
  assertEquals([address.hostname, address.protocol, others], ["127.0.0.1", "SMTP", []]);
  assertEquals(fixture.events, [{ kind: "listening", address: `127.0.0.1:${address.port}` }]);
});

testInFolder(
  "listen() serves at several addresses at once, each by its protocol",
  async (folder) => {
    await using fixture = await Fixture.open({
      addresses: [
        ...["smtp://127.0.0.1:0", "lmtp://127.0.0.1:0", ...hasIpv6 ? ["smtp://[::1]:0"] : []],
        ...[`smtp+unix:${folder}/smtp.sock`, `lmtp+unix:${folder}/lmtp.sock`],
      ].map(at),
    });
    const { addresses } = fixture.server;
    assertEquals(
      addresses.map((address) => formatListenAddress(address).replace(/:[1-9]\d*$/, ":PORT")),
      [
        ...["127.0.0.1:PORT", "lmtp://127.0.0.1:PORT", ...hasIpv6 ? ["[::1]:PORT"] : []],
        ...[`smtp+unix:${folder}/smtp.sock`, `lmtp+unix:${folder}/lmtp.sock`],
      ],
    );
    assertEquals(
      fixture.events,
      addresses.map((address) => ({ kind: "listening", address: formatListenAddress(address) })),
    );
    for (const address of addresses) {
      if (address.transport === "unix") {
        assertEquals(Deno.lstatSync(address.path).mode! & 0o777, OPTIONS.socketMode);
      }
    }
    // All at once, so that each is served while others are.
    const clients = await Promise.all(addresses.map((address) => fixture.connect(address)));
    for (const [index, client] of clients.entries()) {
      const { protocol, transport } = addresses[index];
      const [name, hello] = protocol === "SMTP" ? ["ESMTP", "EHLO me"] : ["LMTP", "LHLO me"];
      assertEquals(await client.reply(), `220 here ${name} smtp-pigeon ready`);
      const to = ["RCPT TO:<b@x.example>", "RCPT TO:<c@x.example>"];
      for (const line of [hello, "MAIL FROM:<>", ...to]) {
        assertMatch(
          await client.ask(line),
          /^250 /,
        );
      }
      assertMatch(await client.ask("DATA"), /^354 /);
      await client.send("Subject: x\r\n\r\n.\r\n");
      for (const _ of protocol === "SMTP" ? [1] : to) {
        assertMatch(await client.reply(), /^250 2\.0\.0 OK: taken /);
      }
      assertMatch(await client.ask("NOOP"), /^250 2\.0\.0 OK$/);
      const { address, port } = fixture.mails.at(-1)!.client;
      assertEquals([address === null, port === null], Array(2).fill(transport === "unix"));
    }
    assertEquals(fixture.mails.length, addresses.length);
    fixture.stop();
    for (const client of clients) {
      assertEquals(
        await client.reply(),
        "421 4.3.2 here service shutting down, closing connection",
      );
      client.close();
    }
    await fixture.server.stopped;
    assertEquals(fixture.events.filter(({ kind }) => kind === "stopping"), [
      { kind: "stopping", connections: addresses.length },
    ]);
    assertEquals(Array.from(Deno.readDirSync(folder)), []);
    for (const address of addresses) await assertRejects(() => fixture.connect(address));
  },
);

testInFolder(
  "listen() listens nowhere where one of its addresses cannot be had",
  async (folder) => {
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const name = `127.0.0.1:${taken.addr.port}`;
    const events: Event[] = [];
    const first = `smtp+unix:${folder}/first.sock`;
    const last = `smtp+unix:${folder}/last.sock`;
    const options = {
      ...OPTIONS,
      // Those over TCP would be found open at the end of the test.
      addresses: [first, "smtp://127.0.0.1:0", `smtp://${name}`, last].map(at),
      observe: (event: Event) => events.push(event),
    };
    const error = await assertRejects(() => listen(options, new AbortController().signal), Error);
    assert(error instanceof Deno.errors.AddrInUse, `${error}`);
    assertMatch(error.message, new RegExp(`^Cannot listen at ${name.replaceAll(".", "\\.")}: .`));
    assertEquals([events, Array.from(Deno.readDirSync(folder))], [[], []]);
    taken.close();
  },
);

Deno.test("listen() stops at once when its signal has come before", async () => {
  const events: Event[] = [];
  const observe = (event: Event) => void events.push(event);
  const { stopped } = await listen({ ...OPTIONS, observe }, AbortSignal.abort());
  await stopped;
  assertEquals(events.map(({ kind }) => kind), ["listening", "stopping"]);
});

const TOO_MANY = "421 4.7.0 here too many connections, try again later";
const TOO_MANY_THERE = "421 4.7.0 here too many connections from your address, try again later";
const crowds: [name: string, limits: Partial<ServerOptions["limits"]>, reply: string][] = [
  ["in all", { maxConnections: 2 }, TOO_MANY],
  ["from one address", { maxConnectionsPerAddress: 2 }, TOO_MANY_THERE],
];
for (const [name, limits, reply] of crowds) {
  Deno.test(`a connection too many ${name} gets 421`, async () => {
    await using fixture = await Fixture.open({ limits });
    const first = await fixture.greeted();
    const second = await fixture.greeted();
    const third = await fixture.connect();
    assertEquals(await third.reply(), reply);
    assertEquals(await third.reply(), "");
    third.close();
    const { address, reply: told } = await fixture.seen("turned away");
    assertEquals([address, format(told)], ["127.0.0.1", `${reply}\r\n`]);
    for (const client of [first, second]) assertMatch(await client.ask("NOOP"), /^250 /);
  });
  Deno.test(`whoever was turned away ${name} gets in when another one leaves`, async () => {
    await using fixture = await Fixture.open({ limits });
    const first = await fixture.greeted();
    await fixture.greeted();
    assertMatch(await (await fixture.connect()).reply(), /^421 /);
    assertMatch(await first.ask("QUIT"), /^221 /);
    assertEquals(await first.reply(), "");
    first.close();
    // When the server has noticed is not for a client to see. Those that are turned away meanwhile
    // stay as long as they are let, and must not keep the place taken, nor the door shut.
    for (let attempts = 1;; attempts++) {
      const greeting = await (await fixture.connect()).reply();
      if (greeting.startsWith("220 ")) break;
      assert(attempts < 100, greeting);
    }
  });
}

Deno.test("connections too many even to be told so are closed without a word", async () => {
  await using fixture = await Fixture.open({ limits: { maxConnections: 1 } });
  const first = await fixture.greeted();
  // Both wait to be accepted before either is looked at.
  const told = await fixture.connect();
  const untold = await fixture.connect();
  assertEquals(await untold.reply(), "");
  assertMatch(await told.reply(), /^421 4\.7\.0 /);
  assertMatch(await first.ask("NOOP"), /^250 /);
  assertEquals(fixture.events.filter(({ kind }) => kind === "turned away").length, 1);
});

Deno.test({
  name: "an IPv4 client of a dual-stack socket has its IPv4 address",
  ignore: !hasIpv6,
  fn: async () => {
    await using fixture = await Fixture.open({
      addresses: [at("smtp://[::]:0")],
      limits: { maxConnectionsPerAddress: 1 },
    });
    const [address] = fixture.server.addresses;
    assert(address.transport === "tcp");
    assertEquals(address.hostname, "::");
    for (const hostname of ["127.0.0.1", "::1"]) {
      const client = await fixture.connect({ ...address, hostname });
      assertMatch(await client.reply(), /^220 /);
      await client.sendMail();
      assertMatch(await client.reply(), /^250 /);
    }
    assertEquals(fixture.mails.map(({ client }) => client.address), ["127.0.0.1", "::1"]);
    const another = await fixture.connect({ ...address, hostname: "127.0.0.1" });
    assertMatch(await another.reply(), /^421 4\.7\.0 /);
    assertEquals((await fixture.seen("turned away")).address, "127.0.0.1");
  },
});

testInFolder("clients on a Unix socket are no crowd from one address", async (folder) => {
  await using fixture = await Fixture.open({
    addresses: [at(`smtp+unix:${folder}/smtp.sock`)],
    limits: { maxConnections: 2, maxConnectionsPerAddress: 1 },
  });
  await fixture.greeted();
  await fixture.greeted();
  assertMatch(await (await fixture.connect()).reply(), /^421 4\.7\.0 /);
  assertEquals((await fixture.seen("turned away")).address, null);
});

const PROXIED = { proxies: { networks: [parseNetwork("127.0.0.0/8")!], unix: true } };
const headerOf = (address: string) => `PROXY TCP4 ${address} 198.51.100.2 56324 25\r\n`;

testInFolder("a proxy's connections are its clients'", async (folder) => {
  await using fixture = await Fixture.open({
    ...PROXIED,
    addresses: [at("smtp://127.0.0.1:0"), at(`smtp+unix:${folder}/smtp.sock`)],
  });
  for (const address of fixture.server.addresses) {
    const client = await fixture.connect(address);
    // What comes along with the header is the session's; the rest comes when it likes.
    await client.send(`${headerOf("192.0.2.1")}EHLO me\r\nMAIL FR`);
    assertMatch(await client.reply(), /^220 /);
    assertMatch(await client.reply(), /^250 /);
    assertMatch(await client.ask("OM:<>"), /^250 2\.1\.0 /);
    assertMatch(await client.ask("RCPT TO:<b@x.example>"), /^250 /);
    assertMatch(await client.ask("DATA"), /^354 /);
    assertMatch(await client.ask("Subject: x\r\n\r\n."), /^250 /);
    const { address: from, port } = fixture.mails.at(-1)!.client;
    assertEquals([from, port], ["192.0.2.1", 56324]);
  }
  assertEquals((await fixture.seen("session")).address, "192.0.2.1");
});

Deno.test("behind a proxy it is the clients that are counted", async () => {
  await using fixture = await Fixture.open({ ...PROXIED, limits: { maxConnectionsPerAddress: 1 } });
  const greet = async (address: string) => {
    const client = await fixture.connect();
    await client.send(headerOf(address));
    return await client.reply();
  };
  assertMatch(await greet("192.0.2.1"), /^220 /);
  assertMatch(await greet("192.0.2.2"), /^220 /);
  assertEquals(await greet("192.0.2.1"), TOO_MANY_THERE);
  assertEquals((await fixture.seen("turned away")).address, "192.0.2.1");
  // The proxy for itself, as where it looks whether the server is well.
  const itself = await fixture.connect();
  await itself.send("PROXY UNKNOWN\r\n");
  assertMatch(await itself.reply(), /^220 /);
});

Deno.test("an address that keeps knocking keeps no other one out", async () => {
  const limits = { maxConnections: 3, maxConnectionsPerAddress: 1 };
  await using fixture = await Fixture.open({ ...PROXIED, limits });
  const greet = async (address: string) => {
    const client = await fixture.connect();
    await client.send(headerOf(address));
    return await client.reply();
  };
  assertMatch(await greet("192.0.2.1"), /^220 /);
  // They are told so, and stay.
  for (let count = 0; count < 3; count++) assertMatch(await greet("192.0.2.1"), /^421 4\.7\.0 /);
  assertMatch(await greet("192.0.2.2"), /^220 /);
});

Deno.test("who is no proxy is not believed to be one", async () => {
  await using fixture = await Fixture.open({
    proxies: { networks: [parseNetwork("192.0.2.0/24")!], unix: true },
  });
  const client = await fixture.greeted();
  assertMatch(await client.ask(headerOf("192.0.2.1").trimEnd()), /^500 /);
  assertEquals((await fixture.seen("session")).address, "127.0.0.1");
});

const strangers: [name: string, said: string, reason: string][] = [
  ["nothing", "", "its PROXY header does not come"],
  ["half a header", "PROXY TCP4 192", "its PROXY header does not come"],
  ["SMTP", "EHLO me\r\n", "it does not begin with a PROXY header"],
];
for (const [name, said, reason] of strangers) {
  Deno.test(`a proxy that says ${name} is let go without a word`, async () => {
    await using fixture = await Fixture.open({ ...PROXIED, limits: { proxyTimeoutMs: 100 } });
    const client = await fixture.connect();
    await client.send(said);
    assertEquals(await client.reply(), "");
    const { address, reason: told } = await fixture.seen("proxy fault");
    assertEquals([address, told], ["127.0.0.1", reason]);
    assert(!fixture.events.some(({ kind }) => kind === "session"));
  });
}

Deno.test("a proxy that looks whether the server is there leaves no trace", async () => {
  await using fixture = await Fixture.open(PROXIED);
  for (let count = 0; count < 3; count++) (await fixture.connect()).close();
  const client = await fixture.connect();
  await client.send(headerOf("192.0.2.1"));
  assertMatch(await client.reply(), /^220 /);
  assertEquals(fixture.events.map(({ kind }) => kind), ["listening", "session"]);
});

Deno.test("a stopping server does not wait for headers of proxies", async () => {
  await using fixture = await Fixture.open(PROXIED);
  const silent = await fixture.connect();
  const half = await fixture.connect();
  await half.send("PROXY TCP4 192");
  const inside = await fixture.connect();
  await inside.send(headerOf("192.0.2.1"));
  assertMatch(await inside.reply(), /^220 /);
  // Whoever was accepted before is at the door by now.
  fixture.stop();
  for (const client of [silent, half]) assertEquals(await client.reply(), "");
  assertMatch(await inside.reply(), /^421 4\.3\.2 /);
  inside.close();
  await fixture.server.stopped;
  assertEquals(fixture.events.map(({ kind }) => kind), [
    ...["listening", "session", "stopping", "logout"],
  ]);
});

Deno.test("those at the door do not keep anyone out, and are not more than may be", async () => {
  await using fixture = await Fixture.open({ ...PROXIED, limits: { maxConnections: 2 } });
  const waiting = [await fixture.connect(), await fixture.connect()];
  const untold = await fixture.connect();
  assertEquals(await untold.reply(), "");
  for (const [index, client] of waiting.entries()) {
    await client.send(headerOf(`192.0.2.${index}`));
    assertMatch(await client.reply(), /^220 /);
  }
  const third = await fixture.connect();
  await third.send(headerOf("192.0.2.9"));
  assertMatch(await third.reply(), /^421 4\.7\.0 /);
});

Deno.test("a client that never stops sending keeps nobody from being served", async () => {
  await using fixture = await Fixture.open({ limits: { idleTimeoutMs: 20_000 } });
  const loud = await fixture.greeted();
  await loud.startData();
  let isOver = false;
  const flood = (async () => {
    // Far beyond what a message may have: it is read all the same, up to its end.
    while (!isOver) await loud.send("x".repeat(100_000));
    return await loud.ask("\r\n.");
  })();
  for (let count = 0; count < 5; count++) {
    const client = await fixture.greeted();
    await client.sendMail();
    assertMatch(await client.reply(), /^250 /);
  }
  isOver = true;
  assertMatch(await flood, /^552 5\.3\.4 /);
});

Deno.test("a client that says nothing gets 421 after a while", async () => {
  await using fixture = await Fixture.open({ limits: { idleTimeoutMs: 2_000 } });
  const client = await fixture.greeted();
  await client.startData();
  await client.send("Subject: x\r\n");
  assertEquals(await client.reply(), "421 4.4.2 here waited too long, closing connection");
  assertEquals(await client.reply(), "");
  assertEquals(fixture.mails, []);
});

Deno.test("a client that never reads is let go, and others are served meanwhile", async () => {
  await using fixture = await Fixture.open({ limits: { idleTimeoutMs: 2_000 } });
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
  await using fixture = await Fixture.open({
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
  await using fixture = await Fixture.open();
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
  await using fixture = await Fixture.open({
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
  await using fixture = await Fixture.open();
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
  await using fixture = await Fixture.open({ limits: { graceMs } });
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
  await using fixture = await Fixture.open({
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
  await using fixture = await Fixture.open({ limits: { graceMs: 50 }, courier: patient });
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
  await using fixture = await Fixture.open({ limits: { graceMs: 50 } });
  const client = await fixture.greeted();
  await client.startData();
  await client.send("Subject: x\r\n");
  fixture.stop();
  assertEquals(await client.reply(), "421 4.3.2 here service shutting down, closing connection");
  await fixture.server.stopped;
  assertEquals(fixture.mails, []);
});
