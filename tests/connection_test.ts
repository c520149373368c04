/** One connection on a socket in memory, by a clock that stands still: what it says, tells and delivers. */
import { LINGER_MS } from "../lib/channel.ts";
import { converse } from "../lib/connection.ts";
import type { Event } from "../lib/event.ts";
import type { Courier, Mail, Outcome } from "../lib/mail.ts";
import type { Session } from "../lib/state.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { type Clock, testInTime, watch } from "./clock.ts";
import { PuppetSocket } from "./socket.ts";

const IDLE_MS = 300_000;
const MAX_OCTETS = 1_000;
const STOPPING = "421 4.3.2 here service shutting down, closing connection\r\n";
const TOO_LATE = "421 4.4.2 here waited too long, closing connection\r\n";
const ACCEPTED: Outcome = { kind: "accepted", note: "taken" };

/** A connection, both of its ends, and all that it gives away. */
class Stage {
  readonly clock: Clock;
  readonly socket = new PuppetSocket();
  readonly events: Event[] = [];
  /** What the courier was given, and how it is told to give up. */
  readonly mails: Mail[] = [];
  readonly signals: AbortSignal[] = [];
  /** Gives the courier's answer. */
  readonly deliver: (outcome: Outcome) => void;
  readonly #outcome = Promise.withResolvers<Outcome>();
  readonly #soon = new AbortController();
  readonly #now = new AbortController();
  #heard = 0;
  #ids = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.deliver = this.#outcome.resolve;
  }

  /** Begins; `courier` answers when `deliver` says so, where none is named. */
  begin(courier: Courier = () => this.#outcome.promise): { isOver: boolean } {
    return watch(converse(
      this.socket,
      { address: "192.0.2.1", port: 49152, tls: false },
      {
        policy: { domain: "here", maxMessageOctets: MAX_OCTETS, maxRecipients: 2, maxErrors: 5 },
        limits: { maxLineOctets: 200, maxMessageOctets: MAX_OCTETS, idleTimeoutMs: IDLE_MS },
        courier: (mail, signal) => {
          this.mails.push(mail);
          this.signals.push(signal);
          return courier(mail, signal);
        },
        observe: (event) => this.events.push(event),
        newId: () => `id-${++this.#ids}`,
        now: () => new Date(this.#ids * 1_000),
      },
      { soon: this.#soon.signal, now: this.#now.signal },
    ));
  }

  /** The client says something; gives what it hears since it was last asked. */
  async say(text: string): Promise<string> {
    this.socket.send(text);
    return await this.heard();
  }

  /** What the client hears since it was last asked. */
  async heard(): Promise<string> {
    await this.clock.tickAsync(0);
    const { said } = this.socket;
    const heard = said.slice(this.#heard);
    this.#heard = said.length;
    return heard;
  }

  stopSoon(): void {
    this.#soon.abort();
  }

  stopNow(): void {
    this.#now.abort();
  }

  /** The kinds of all events. */
  get kinds(): readonly string[] {
    return this.events.map(({ kind }) => kind);
  }
}

/** A test that brings a connection to its end. */
function testConnection(name: string, run: (stage: Stage) => Promise<void>): void {
  testInTime(name, async (clock) => {
    const stage = new Stage(clock);
    await run(stage);
    const { socket, kinds } = stage;
    assertEquals(socket.closes, 1, "closed once");
    assertEquals(socket.trespasses, []);
    assertEquals(kinds.filter((kind) => kind === "logout"), ["logout"]);
    assertEquals(kinds.at(-1), "logout");
    const { said } = socket;
    stage.stopSoon();
    stage.stopNow();
    assertEquals(await stage.heard().then(() => socket.said), said, "said after the end");
  });
}

const OPEN = "EHLO me\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n";

/** What a client sends to bring a session into each state. */
const ways: Readonly<Record<Exclude<Session["state"], "closed">, string>> = {
  connected: "",
  ready: "EHLO me\r\n",
  transaction: OPEN,
  authenticating: "EHLO me\r\nAUTH LOGIN\r\n",
  data: `${OPEN}DATA\r\nSubj`,
  chunk: `${OPEN}BDAT 9 LAST\r\nSubj`,
  chunked: `${OPEN}BDAT 4\r\nSubj`,
  discarding: "EHLO me\r\nBDAT 9\r\nSubj",
  delivering: `${OPEN}DATA\r\nhello\r\n.\r\n`,
};

/** Those that a stopping server leaves at once. */
const idle = ["connected", "ready", "transaction", "authenticating", "discarding"] as const;

/** Those in which a message is coming; and what brings the rest of it. */
const within: readonly (readonly [state: keyof typeof ways, rest: string])[] = [
  ["data", "ect: x\r\n.\r\n"],
  ["chunk", "ect:x"],
  ["chunked", "BDAT 5 LAST\r\nect:x"],
];

testConnection("a message of which nothing was sent is reset without POST", async (stage) => {
  const { socket, events } = stage;
  stage.begin();
  await stage.heard();
  await stage.say(OPEN);
  await stage.say("DATA\r\n");
  await stage.say("hello\r\n.\r\n");
  stage.deliver({ kind: "deferred", reason: "template fails", unsent: true });
  assertMatch(await stage.heard(), /^451 4\.3\.0 /);
  const resets = events.filter(({ kind }) => kind === "reset");
  assertEquals<unknown>(resets, [{ kind: "reset", id: "id-1", posted: false }]);
  socket.end();
  await stage.heard();
});

testConnection("a plain session is told event by event", async (stage) => {
  const { socket, events } = stage;
  const conversation = stage.begin();
  assertEquals(await stage.heard(), "220 here ESMTP smtp-pigeon ready\r\n");
  await stage.say(OPEN);
  await stage.say("RCPT TO:<c@x.example>\r\n");
  assertMatch(await stage.say("DATA\r\n"), /^354 /);
  assertEquals(await stage.say("hello\r\n.\r\n"), "");
  stage.deliver(ACCEPTED);
  assertEquals(await stage.heard(), "250 2.0.0 OK: taken (id-1)\r\n");
  assertEquals(await stage.say("QUIT\r\n"), "221 2.0.0 here closing connection\r\n");
  socket.end();
  await stage.heard();
  assert(conversation.isOver);
  const path = (localPart: string) => ({ localPart, domain: "x.example" });
  assertEquals<unknown>(events, [
    { kind: "session", id: "id-1", address: "192.0.2.1" },
    { kind: "mail", id: "id-1", reversePath: path("a") },
    { kind: "recipient", id: "id-1", forwardPath: path("b") },
    { kind: "recipient", id: "id-1", forwardPath: path("c") },
    { kind: "data", id: "id-1", octets: 7 },
    { kind: "reset", id: "id-1", posted: true },
    { kind: "session", id: "id-2", address: "192.0.2.1" },
    { kind: "logout", id: "id-2" },
  ]);
  assertEquals<unknown>(stage.mails, [{
    id: "id-1",
    receivedAt: new Date(1_000),
    client: { address: "192.0.2.1", port: 49152, tls: false, hostname: "me", user: null },
    envelope: { reversePath: path("a"), forwardPaths: [path("b"), path("c")] },
    data: new TextEncoder().encode("hello\r\n"),
  }]);
});

const resets: [name: string, text: string, reply: RegExp][] = [
  ["RSET", "RSET\r\n", /^250 /],
  ["EHLO", "EHLO me\r\n", /^250/],
  ["too big a message", `DATA\r\n${"x".repeat(MAX_OCTETS)}\r\n.\r\n`, /^354 .*\r\n552 /],
  ["too big a chunk", `BDAT ${MAX_OCTETS + 1}\r\n${"x".repeat(MAX_OCTETS + 1)}`, /^552 /],
];
for (const [name, text, reply] of resets) {
  testConnection(`${name} gives the next message an id and a time of its own`, async (stage) => {
    stage.begin(() => Promise.resolve(ACCEPTED));
    await stage.say(OPEN);
    assertMatch(await stage.say(text), reply);
    assertMatch(await stage.say(ways.delivering), /\r\n250 2\.0\.0 OK: taken \(id-2\)\r\n$/);
    assertMatch(await stage.say(ways.delivering), /\r\n250 2\.0\.0 OK: taken \(id-3\)\r\n$/);
    assertEquals(
      stage.mails.map(({ id, receivedAt }) => [id, receivedAt.getTime()]),
      [["id-2", 2_000], ["id-3", 3_000]],
    );
    stage.socket.end();
    await stage.heard();
    const story = stage.events.flatMap((event) =>
      event.kind === "reset"
        ? [[event.kind, event.id, event.posted]]
        : event.kind === "refused"
        ? []
        : [[event.kind, "id" in event && event.id]]
    );
    const message = (id: string) => [["mail", id], ["recipient", id]];
    const whole = (id: string) => [
      ...[["session", id], ...message(id), ["data", id], ["reset", id, true]],
    ];
    assertEquals<unknown>(story, [
      ...[["session", "id-1"], ...message("id-1"), ["reset", "id-1", false]],
      ...whole("id-2"),
      ...whole("id-3"),
      ...[["session", "id-4"], ["logout", "id-4"]],
    ]);
  });
}

testConnection("what is refused is told, with the reply", async (stage) => {
  stage.begin(() => Promise.resolve({ kind: "rejected", reason: "no" }));
  await stage.say("DATA\r\n");
  await stage.say(ways.delivering);
  stage.socket.end();
  await stage.heard();
  // What became of a message is for the courier to tell.
  assertEquals(
    stage.events.flatMap((event) => event.kind === "refused" ? [event.reply.code] : []),
    [503],
  );
});

// RFC 2920 lets a client send all of this at once: its replies are then all to be sent before delivery.
const AT_ONCE = `${OPEN}BDAT 5 LAST\r\nhello`;

testConnection(
  "a message is not delivered where the replies before it are not taken in time",
  async (stage) => {
    const { clock, socket } = stage;
    const conversation = stage.begin();
    await stage.heard();
    socket.deafen();
    // By then the second has come as well.
    await stage.say(AT_ONCE + ways.delivering);
    await clock.tickAsync(IDLE_MS - 1);
    assertEquals(conversation.isOver, false);
    await clock.tickAsync(1);
    assert(conversation.isOver);
    assertEquals(stage.mails, []);
    assertEquals(stage.events.slice(-3), [
      { kind: "data", id: "id-1", octets: 5 },
      { kind: "lost", id: "id-1", state: "delivering" },
      { kind: "logout", id: "id-1" },
    ]);
  },
);

testConnection(
  "a message is not delivered where the replies before it are stuck and time is up",
  async (stage) => {
    const { clock, socket } = stage;
    const conversation = stage.begin();
    await stage.heard();
    socket.deafen();
    await stage.say(AT_ONCE);
    stage.stopSoon();
    await clock.tickAsync(LINGER_MS);
    assertEquals(conversation.isOver, false);
    stage.stopNow();
    await clock.tickAsync(LINGER_MS);
    assert(conversation.isOver);
    assertEquals(stage.mails, []);
    assertEquals(stage.kinds.slice(-2), ["lost", "logout"]);
  },
);

testConnection(
  "a client that sends its mail and leaves without waiting has it delivered",
  async (stage) => {
    const { socket } = stage;
    for (const call of ["write", "closeWrite"] as const) socket.fail(call);
    const conversation = stage.begin(() => Promise.resolve(ACCEPTED));
    socket.send(`${ways.delivering}${AT_ONCE}QUIT\r\n`);
    socket.end();
    await stage.heard();
    assert(conversation.isOver);
    assertEquals(stage.mails.map(({ id, data }) => [id, new TextDecoder().decode(data)]), [
      ["id-1", "hello\r\n"],
      ["id-2", "hello"],
    ]);
    assert(!stage.kinds.includes("lost"));
  },
);

testConnection(
  "a message is delivered as soon as the replies before it are taken",
  async (stage) => {
    const { socket, clock } = stage;
    stage.begin(() => Promise.resolve(ACCEPTED));
    await stage.heard();
    socket.deafen();
    await stage.say(AT_ONCE);
    await clock.tickAsync(IDLE_MS - 1);
    assertEquals(stage.mails, []);
    socket.hear();
    assertMatch(await stage.heard(), /\r\n250 2\.0\.0 OK: taken \(id-1\)\r\n$/);
    assertEquals(stage.mails.length, 1);
    socket.end();
    await stage.heard();
  },
);

testConnection(
  "data that ends while the client is told that it is too late is not delivered",
  async (stage) => {
    const { socket, clock } = stage;
    const conversation = stage.begin();
    await stage.say(ways.data);
    socket.deafen();
    await clock.tickAsync(IDLE_MS);
    await stage.say("ect: x\r\n.\r\n");
    socket.hear();
    assertEquals(await stage.heard(), TOO_LATE);
    assert(conversation.isOver);
    assertEquals(stage.mails, []);
    assertEquals(stage.kinds.slice(-2), ["lost", "logout"]);
  },
);

for (const [state, way] of Object.entries(ways).filter(([state]) => state !== "delivering")) {
  testConnection(
    `a client that says nothing more when ${state} is let go in time`,
    async (stage) => {
      const { clock } = stage;
      const conversation = stage.begin();
      await stage.say(way);
      await clock.tickAsync(IDLE_MS - 1);
      assertEquals(await stage.heard(), "");
      await clock.tickAsync(1);
      assertEquals(await stage.heard(), TOO_LATE);
      assert(conversation.isOver);
      assertEquals(stage.mails, []);
    },
  );
}

testConnection("a client that says anything at all is not idle", async (stage) => {
  const { clock } = stage;
  stage.begin();
  await stage.heard();
  for (const octet of "NOOP\r") {
    await stage.say(octet);
    await clock.tickAsync(IDLE_MS - 1);
  }
  assertMatch(await stage.say("\n"), /^250 /);
  await clock.tickAsync(IDLE_MS);
  assertEquals(await stage.heard(), TOO_LATE);
});

testConnection("a client that waits for its message is not idle", async (stage) => {
  const { clock, socket } = stage;
  stage.begin();
  await stage.say(ways.delivering);
  await clock.tickAsync(10 * IDLE_MS);
  stage.deliver(ACCEPTED);
  assertEquals(await stage.heard(), "250 2.0.0 OK: taken (id-1)\r\n");
  socket.end();
  await stage.heard();
});

for (const state of idle) {
  for (const [name, stop] of [["soon", "stopSoon"], ["now", "stopNow"]] as const) {
    testConnection(`who has to leave ${name} is dismissed when ${state}`, async (stage) => {
      const conversation = stage.begin();
      await stage.say(ways[state]);
      stage[stop]();
      assertEquals(await stage.heard(), STOPPING);
      assert(conversation.isOver);
      assert(!stage.kinds.includes("lost"), "nothing is lost");
    });
  }
}

for (const [state, rest] of within) {
  testConnection(`who has to leave soon may finish the message when ${state}`, async (stage) => {
    const { clock, socket } = stage;
    const conversation = stage.begin();
    await stage.say(ways[state]);
    stage.stopSoon();
    assertEquals(await stage.heard(), "");
    await clock.tickAsync(IDLE_MS - 1);
    await stage.say(rest);
    assertEquals(stage.mails.length, 1);
    stage.deliver(ACCEPTED);
    assertEquals(await stage.heard(), `250 2.0.0 OK: taken (id-1)\r\n${STOPPING}`);
    socket.end();
    await stage.heard();
    assert(conversation.isOver);
  });

  testConnection(`who has to leave now is dismissed when ${state}`, async (stage) => {
    const conversation = stage.begin();
    await stage.say(ways[state]);
    stage.stopSoon();
    await stage.heard();
    stage.stopNow();
    assertEquals(await stage.heard(), STOPPING);
    assert(conversation.isOver);
    assertEquals(stage.mails, []);
    assertEquals(stage.events.slice(-2), [
      { kind: "lost", id: "id-1", state },
      { kind: "logout", id: "id-1" },
    ]);
  });
}

testConnection("who has to leave soon leaves when the message is given up", async (stage) => {
  stage.begin();
  await stage.say(ways.chunked);
  stage.stopSoon();
  assertEquals(await stage.say("RSET\r\n"), `250 2.0.0 OK\r\n${STOPPING}`);
  stage.socket.end();
  await stage.heard();
});

testConnection("who has to leave soon hears first what became of the message", async (stage) => {
  const { clock, socket } = stage;
  stage.begin();
  await stage.say(`${ways.delivering}NOOP\r\n`);
  stage.stopSoon();
  await clock.tickAsync(10 * IDLE_MS);
  assertEquals([await stage.heard(), stage.signals[0].aborted], ["", false]);
  stage.deliver(ACCEPTED);
  assertEquals(await stage.heard(), `250 2.0.0 OK: taken (id-1)\r\n${STOPPING}`);
  socket.end();
  await stage.heard();
});

testConnection("who has to leave now hears that the courier has given up", async (stage) => {
  const { socket } = stage;
  stage.begin((_mail, signal) =>
    new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve({ kind: "deferred", reason: "stopped" }))
    )
  );
  await stage.say(ways.delivering);
  stage.stopSoon();
  assertEquals(await stage.heard(), "");
  stage.stopNow();
  assertEquals(
    await stage.heard(),
    `451 4.3.0 Not delivered, try again later: stopped (id-1)\r\n${STOPPING}`,
  );
  socket.end();
  await stage.heard();
});

testConnection("who has to leave now is left where the courier does not give up", async (stage) => {
  const { clock, socket } = stage;
  const conversation = stage.begin();
  await stage.say(ways.delivering);
  stage.stopSoon();
  stage.stopNow();
  await clock.tickAsync(LINGER_MS - 1);
  assertEquals([socket.closes, stage.signals[0].aborted], [0, true]);
  await clock.tickAsync(1);
  assertEquals(socket.closes, 1);
  stage.deliver(ACCEPTED);
  assertEquals(await stage.heard(), "");
  assert(conversation.isOver);
});

testConnection("a stop that comes twice is told once", async (stage) => {
  const { clock, socket } = stage;
  const conversation = stage.begin();
  await stage.heard();
  socket.deafen();
  stage.stopSoon();
  await clock.tickAsync(0);
  stage.stopNow();
  await clock.tickAsync(LINGER_MS - 1);
  assertEquals(socket.closes, 0);
  socket.hear();
  assertEquals(await stage.heard(), STOPPING);
  assert(conversation.isOver);
});

for (const [name, text] of [["replies", ""], ["replies before delivery", AT_ONCE]] as const) {
  testConnection(`who has to leave now and takes no ${name} is left soon`, async (stage) => {
    const { clock, socket } = stage;
    socket.deafen();
    const conversation = stage.begin();
    socket.send(text);
    await clock.tickAsync(0);
    stage.stopSoon();
    stage.stopNow();
    await clock.tickAsync(LINGER_MS - 1);
    assertEquals(socket.closes, 0);
    await clock.tickAsync(1);
    assert(conversation.isOver);
    assertEquals([stage.mails.length, socket.said], [0, ""]);
  });
}

testConnection("a stop while the client takes its replies is not forgotten", async (stage) => {
  const { clock, socket } = stage;
  socket.deafen();
  const conversation = stage.begin();
  await clock.tickAsync(0);
  stage.stopSoon();
  socket.hear();
  assertEquals(await stage.heard(), `220 here ESMTP smtp-pigeon ready\r\n${STOPPING}`);
  socket.end();
  await stage.heard();
  assert(conversation.isOver);
});

testConnection("a stop before the session begins ends it after the greeting", async (stage) => {
  stage.stopSoon();
  const conversation = stage.begin();
  assertEquals(await stage.say(OPEN), `220 here ESMTP smtp-pigeon ready\r\n${STOPPING}`);
  stage.socket.end();
  await stage.heard();
  assert(conversation.isOver);
  assertEquals(stage.kinds, ["session", "logout"]);
});

const faulty: [name: string, courier: Courier][] = [
  ["throws", () => {
    throw new Error("a fault of ours");
  }],
  ["rejects", () => Promise.reject(new Error("a fault of ours"))],
];
for (const [name, courier] of faulty) {
  testConnection(`a courier that ${name} ends the session with 421`, async (stage) => {
    const conversation = stage.begin(courier);
    assertMatch(
      await stage.say(`${ways.delivering}NOOP\r\n`),
      /\r\n421 4\.3\.0 here internal error, closing connection\r\n$/,
    );
    stage.socket.end();
    await stage.heard();
    assert(conversation.isOver);
    const [fault, ...rest] = stage.events.slice(-3) as [Event & { kind: "fault" }, ...Event[]];
    assertEquals([fault.kind, fault.id, (fault.error as Error).message], [
      ...["fault", "id-1", "a fault of ours"],
    ]);
    assertEquals(rest, [
      { kind: "lost", id: "id-1", state: "delivering" },
      { kind: "logout", id: "id-1" },
    ]);
  });
}

for (const state of idle) {
  testConnection(`a client that leaves when ${state} hears nothing more`, async (stage) => {
    const conversation = stage.begin();
    await stage.say(ways[state]);
    stage.socket.end();
    assertEquals(await stage.heard(), "");
    assert(conversation.isOver);
    assert(!stage.kinds.includes("lost"), "nothing is lost");
  });
}

for (const [state] of within) {
  testConnection(`a client that leaves when ${state} loses its message`, async (stage) => {
    const conversation = stage.begin();
    await stage.say(ways[state]);
    stage.socket.end();
    assertEquals(await stage.heard(), "");
    assert(conversation.isOver);
    assertEquals(stage.mails, []);
    assertEquals(stage.events.slice(-2), [
      { kind: "lost", id: "id-1", state },
      { kind: "logout", id: "id-1" },
    ]);
  });
}

testConnection(
  "a client that ends its half when delivering hears what became of it",
  async (stage) => {
    const conversation = stage.begin();
    await stage.say(ways.delivering);
    stage.socket.end();
    assertEquals(await stage.heard(), "");
    stage.deliver(ACCEPTED);
    assertEquals(await stage.heard(), "250 2.0.0 OK: taken (id-1)\r\n");
    assert(conversation.isOver);
    assertEquals(stage.mails.length, 1);
  },
);

testConnection("a client that breaks off when delivering harms nobody", async (stage) => {
  const conversation = stage.begin();
  await stage.say(ways.delivering);
  for (const call of ["read", "write", "closeWrite"] as const) stage.socket.fail(call);
  stage.deliver(ACCEPTED);
  await stage.heard();
  assert(conversation.isOver);
  assert(!stage.kinds.includes("lost"), "it was delivered");
});

testConnection("what comes behind QUIT is not listened to", async (stage) => {
  stage.begin();
  await stage.heard();
  const heard = await stage.say(`QUIT\r\n${ways.delivering}`);
  assertEquals(heard, "221 2.0.0 here closing connection\r\n");
  await stage.say(ways.delivering);
  stage.socket.end();
  assertEquals(await stage.heard(), "");
  assertEquals([stage.mails.length, stage.kinds], [0, ["session", "logout"]]);
});

testInTime(
  "a connection that is over listens to no signal of the server any more",
  async (clock) => {
    const calls: string[] = [];
    /** A signal that lives as long as the server, and so must not gather listeners. */
    const signal = (name: string) => {
      const { signal } = new AbortController();
      for (const call of ["addEventListener", "removeEventListener"] as const) {
        const listen = signal[call].bind(signal);
        signal[call] = (type: string, listener: EventListener) => {
          calls.push(`${name} ${call}`);
          listen(type, listener);
        };
      }
      return signal;
    };
    const socket = new PuppetSocket();
    socket.end();
    const conversation = watch(converse(
      socket,
      { address: "192.0.2.1", port: 49152, tls: false },
      {
        policy: { domain: "here", maxMessageOctets: 1, maxRecipients: 1, maxErrors: 1 },
        limits: { maxLineOctets: 200, maxMessageOctets: 1, idleTimeoutMs: IDLE_MS },
        courier: () => Promise.resolve(ACCEPTED),
        observe: () => {},
        newId: () => "id",
        now: () => new Date(0),
      },
      { soon: signal("soon"), now: signal("now") },
    ));
    await clock.tickAsync(0);
    assert(conversation.isOver);
    assertEquals(calls.toSorted(), [
      ...["now addEventListener", "now removeEventListener"],
      ...["soon addEventListener", "soon removeEventListener"],
    ]);
  },
);
