/** One connection in memory, by a clock that stands still: what it says, tells and delivers. */
import { commonsBy, DATA_READ_OCTETS, LINGER_MS } from "../lib/channel.ts";
import { type ConnectionOptions, converse } from "../lib/connection.ts";
import type { Event } from "../lib/event.ts";
import type { Courier, Mail, Outcome } from "../lib/mail.ts";
import { format } from "../lib/reply.ts";
import { Room } from "../lib/room.ts";
import type { Policy, Session } from "../lib/state.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { type Clock, testInTime, watch } from "./clock.ts";
import { PuppetSocket } from "./socket.ts";

const IDLE_MS = 300_000;
const MESSAGE_MS = 5 * IDLE_MS;
/** Octets a second: in the time for a command 300 of them. */
const MIN_RATE = 1;
const MAX_OCTETS = 1_000;
const STOPPING = "421 4.3.2 here service shutting down, closing connection\r\n";
const TOO_LATE = "421 4.4.2 here waited too long, closing connection\r\n";
const TOO_LONG = "421 4.4.2 here message took too long, closing connection\r\n";
const TOO_SLOW =
  `421 4.4.2 here data comes slower than ${MIN_RATE} octets/s, closing connection\r\n`;
const INTERNAL = "421 4.3.0 here internal error, closing connection\r\n";
const NO_ROOM = "421 4.3.1 here too many messages at once, try again later\r\n";
const ACCEPTED: Outcome = { kind: "accepted", note: "taken" };

/** What a connection obeys where a test does not say otherwise. */
const POLICY: Policy = {
  ...{ protocol: "SMTP", domain: "here", maxMessageOctets: MAX_OCTETS, maxRecipients: 2 },
  ...{ maxErrors: 5, maxCommands: 100, maxMessages: 100 },
};
const LIMITS: ConnectionOptions["limits"] = {
  ...{ maxLineOctets: 200, maxMessageOctets: MAX_OCTETS },
  ...{ idleTimeoutMs: IDLE_MS, messageTimeoutMs: MESSAGE_MS, minRate: MIN_RATE },
};
const REMOTE = { address: "192.0.2.1", port: 49152, tls: false };

/** What is different on a stage. */
interface Setting {
  readonly policy?: Partial<Policy>;
  readonly limits?: Partial<ConnectionOptions["limits"]>;
  readonly room?: Room;
}

/** A connection, both of its ends, and all that it gives away. */
class Stage {
  readonly clock: Clock;
  readonly socket = new PuppetSocket();
  readonly events: Event[] = [];
  /** What the courier was given, and how it is told to give up. */
  readonly mails: Mail[] = [];
  readonly signals: AbortSignal[] = [];
  readonly #setting: Setting;
  /** Those that wait for the courier's answer. */
  readonly #outcomes: ((outcome: Outcome) => void)[] = [];
  readonly #soon = new AbortController();
  readonly #now = new AbortController();
  #heard = 0;
  #ids = 0;

  constructor(clock: Clock, setting: Setting = {}) {
    this.clock = clock;
    this.#setting = setting;
  }

  /** Begins; `courier` answers when `deliver` says so, where none is named. */
  begin(
    courier: Courier = () => new Promise((resolve) => this.#outcomes.push(resolve)),
  ): { isOver: boolean } {
    const { policy, limits, room = new Room(Infinity) } = this.#setting;
    return watch(converse(
      this.socket,
      REMOTE,
      {
        policy: { ...POLICY, ...policy },
        limits: { ...LIMITS, ...limits },
        room,
        courierTimes: 7,
        commons: commonsBy(() => this.clock.now),
        courier: (mail, signal) => {
          this.mails.push(mail);
          this.signals.push(signal);
          return courier(mail, signal);
        },
        observe: (event) => this.events.push(event),
        newId: () => `id-${++this.#ids}`,
        now: () => new Date(this.#ids * 1_000),
        uptimeMs: () => this.clock.now,
      },
      { soon: this.#soon.signal, now: this.#now.signal },
    ));
  }

  /** Gives the courier's answer. */
  deliver(outcome: Outcome): void {
    this.#outcomes.shift()!(outcome);
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

  /** The client ends its half; gives what it hears then. */
  async leave(): Promise<string> {
    this.socket.end();
    return await this.heard();
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

/** All refusals that the log was told of, as the client hears them. */
function refusals({ events }: Stage): readonly string[] {
  return events.flatMap((event) => event.kind === "refused" ? [format(event.reply)] : []);
}

/** A test that brings a connection to its end. */
function testConnection(
  name: string,
  run: (stage: Stage) => Promise<void>,
  setting?: Setting,
): void {
  testInTime(name, async (clock) => {
    const stage = new Stage(clock, setting);
    await run(stage);
    await assertEnded(stage);
  });
}

async function assertEnded(stage: Stage): Promise<void> {
  const { socket, kinds, clock } = stage;
  assertEquals(socket.closes, 1, "closed once");
  assertEquals(socket.trespasses, []);
  assertEquals(kinds.filter((kind) => kind === "logout"), ["logout"]);
  assertEquals(kinds.at(-1), "logout");
  const { said } = socket;
  // Why a client was made to go is told, once, unless it is for the server's sake.
  const goodbyes = Array.from(said.matchAll(/^421 .*\r\n/gm), ([goodbye]) => goodbye)
    .filter((goodbye) => goodbye !== STOPPING && goodbye !== INTERNAL);
  const told = refusals(stage).filter((refusal) => refusal.startsWith("421 "));
  // Whoever took nothing cannot hear it.
  assertEquals(told, goodbyes.length > 0 ? goodbyes : told.slice(0, 1));
  const timers = clock.countTimers();
  stage.stopSoon();
  stage.stopNow();
  assertEquals(await stage.heard().then(() => socket.said), said, "said after the end");
  assertEquals(clock.countTimers(), timers, "timers after the end");
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
  spoiled: `${OPEN}BDAT ${MAX_OCTETS + 1}\r\n${"x".repeat(MAX_OCTETS + 1)}`,
  discarding: "EHLO me\r\nBDAT 9\r\nSubj",
  delivering: `${OPEN}DATA\r\nhello\r\n.\r\n`,
};

/** Those that a stopping server leaves at once. */
const idle = [
  ...["connected", "ready", "transaction", "authenticating", "spoiled", "discarding"] as const,
];

/** Those in which a line is awaited. */
const awaitingLine = [
  ...["connected", "ready", "transaction", "authenticating", "chunked", "spoiled"] as const,
];

/** Those in which a message is coming; and what brings the rest of it. */
const within: readonly (readonly [state: keyof typeof ways, rest: string])[] = [
  ["data", "ect: x\r\n.\r\n"],
  ["chunk", "ect:x"],
  ["chunked", "BDAT 5 LAST\r\nect:x"],
];

testConnection("a message of which nothing was sent is reset without POST", async (stage) => {
  const { events } = stage;
  stage.begin();
  await stage.heard();
  await stage.say(OPEN);
  await stage.say("DATA\r\n");
  await stage.say("hello\r\n.\r\n");
  stage.deliver({ kind: "deferred", reason: "template fails", unsent: true });
  assertMatch(await stage.heard(), /^451 4\.3\.0 /);
  const resets = events.filter(({ kind }) => kind === "reset");
  assertEquals<unknown>(resets, [{ kind: "reset", id: "id-1", posted: false }]);
  await stage.leave();
});

testConnection("a plain session is told event by event", async (stage) => {
  const { events } = stage;
  const conversation = stage.begin();
  assertEquals(await stage.heard(), "220 here ESMTP smtp-pigeon ready\r\n");
  await stage.say(OPEN);
  await stage.say("RCPT TO:<c@x.example>\r\n");
  assertMatch(await stage.say("DATA\r\n"), /^354 /);
  assertEquals(await stage.say("hello\r\n.\r\n"), "");
  stage.deliver(ACCEPTED);
  assertEquals(await stage.heard(), "250 2.0.0 OK: taken (id-1)\r\n");
  assertEquals(await stage.say("QUIT\r\n"), "221 2.0.0 here closing connection\r\n");
  await stage.leave();
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
  await stage.leave();
  // What became of a message is for the courier to tell.
  assertEquals(
    stage.events.flatMap((event) => event.kind === "refused" ? [event.reply.code] : []),
    [503],
  );
});

testConnection(
  "refusals that are equal are told once, until something else comes",
  async (stage) => {
    stage.begin(() => Promise.resolve(ACCEPTED));
    await stage.say(`${OPEN}RCPT TO:<c@x.example>\r\n`);
    const tooMany = "RCPT TO:<d@x.example>\r\n";
    await stage.say(tooMany.repeat(10));
    await stage.say(`MAIL FROM:<>\r\n${tooMany}${tooMany}`);
    await stage.say(`NOOP\r\n${tooMany}${tooMany}`);
    await stage.say(`DATA\r\n.\r\n${OPEN}RCPT TO:<c@x.example>\r\n${tooMany}`);
    const codes = refusals(stage).map((refusal) => refusal.slice(0, 3));
    assertEquals(codes, ["452", "503", "452", "452", "452"]);
    assertEquals(stage.socket.said.match(/^452 /gm)!.length, 15);
    await stage.leave();
  },
);

// RFC 2920 lets a client send all of this at once: its replies are then all sent before delivery.
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
    assertEquals(refusals(stage), [TOO_LATE]);
    assertEquals(stage.events.filter(({ kind }) => kind !== "refused").slice(-3), [
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
    await stage.say(ways.delivering);
    assertEquals(await stage.leave(), "");
    assert(conversation.isOver);
    assertEquals(stage.mails, []);
    assertEquals(stage.kinds.slice(-2), ["lost", "logout"]);
  },
);

for (const [state, way] of Object.entries(ways).filter(([state]) => state !== "delivering")) {
  testConnection(
    `a client that says nothing more when ${state} is let go in time`,
    async (stage) => {
      const { clock, socket } = stage;
      const conversation = stage.begin();
      await stage.say(way);
      await clock.tickAsync(IDLE_MS - 1);
      assertEquals(await stage.heard(), "");
      await clock.tickAsync(1);
      assertEquals(await stage.heard(), TOO_LATE);
      assert(socket.isHalfClosed);
      // What it says now is read, lest the connection be reset, and not acted on.
      assertEquals(await stage.say(ways.delivering), "");
      assertEquals([socket.unread, conversation.isOver], [0, false]);
      await clock.tickAsync(LINGER_MS);
      assert(conversation.isOver);
      assertEquals(stage.mails, []);
    },
  );
}

for (const state of awaitingLine) {
  testConnection(
    `a client that says a line octet by octet has no more time for it when ${state}`,
    async (stage) => {
      const { clock } = stage;
      const conversation = stage.begin();
      await stage.say(ways[state]);
      for (const octet of "NOOP\r") {
        await clock.tickAsync(IDLE_MS / 5 - 1);
        assertEquals(await stage.say(octet), "");
      }
      await clock.tickAsync(4);
      assertEquals(await stage.heard(), "");
      await clock.tickAsync(1);
      assertEquals(await stage.heard(), TOO_LATE);
      assertEquals(await stage.say("\n"), "");
      assertEquals(await stage.leave(), "");
      assert(conversation.isOver);
    },
  );
}

testConnection("each command has a time of its own", async (stage) => {
  const { clock } = stage;
  stage.begin();
  await stage.heard();
  for (const line of ["NO", "OP\r\n", "RSET\r\nNO", "OP\r\n"]) {
    await clock.tickAsync(IDLE_MS / 2 - 1);
    assertEquals(await stage.say(line), line.includes("\n") ? "250 2.0.0 OK\r\n" : "");
  }
  await clock.tickAsync(IDLE_MS);
  assertEquals(await stage.heard(), TOO_LATE);
  await stage.leave();
});

/** What brings mail data, in pieces of so many octets, and its end. */
const pieces: [name: string, start: string, piece: (octets: number) => string, end: string][] = [
  ["DATA", `${OPEN}DATA\r\n`, (octets) => "x".repeat(octets), "\r\n.\r\n"],
  ["one chunk", `${OPEN}BDAT 901 LAST\r\n`, (octets) => "x".repeat(octets), "\n"],
  ["chunks", OPEN, (octets) => `BDAT ${octets}\r\n${"x".repeat(octets)}`, "BDAT 0 LAST\r\n"],
];
for (const [name, start, piece, end] of pieces) {
  testConnection(`each piece of data has a time of its own, in ${name}`, async (stage) => {
    const { clock } = stage;
    stage.begin(() => Promise.resolve(ACCEPTED));
    await stage.say(start);
    for (let count = 0; count < 3; count++) {
      await clock.tickAsync(IDLE_MS - 1);
      assertMatch(await stage.say(piece(300)), /^(250 2\.0\.0 300 octets received\r\n)?$/);
    }
    assertEquals(await stage.say(end), "250 2.0.0 OK: taken (id-1)\r\n");
    assertEquals(stage.mails[0].data.filter((octet) => octet === 120).length, 900);
    await stage.leave();
  });

  testConnection(`data that comes just at the rate is taken, in ${name}`, async (stage) => {
    const { clock } = stage;
    stage.begin();
    await stage.say(start);
    for (let ms = 0; ms < 3 * IDLE_MS; ms += 10_000) {
      await clock.tickAsync(10_000);
      assert(!(await stage.say(piece(10))).includes("421 "), `${ms} ms`);
    }
    await stage.leave();
  }, { limits: { messageTimeoutMs: 10 * IDLE_MS } });

  testConnection(`data that comes any slower is not taken, in ${name}`, async (stage) => {
    const { clock } = stage;
    const conversation = stage.begin();
    await stage.say(start);
    // What comes at once gains nothing; a command between chunks counts as what it brings.
    await stage.say(piece(10));
    for (let count = 0; count < 2; count++) {
      await clock.tickAsync(IDLE_MS - 1);
      assert(!(await stage.say(piece(10))).includes("421 "));
    }
    // Twice the time for a command, and what was gained, less what has gone by.
    await clock.tickAsync(2 + 2 * 1_000 * piece(10).length - 1);
    assertEquals(await stage.heard(), "");
    await clock.tickAsync(1);
    assertEquals(await stage.heard(), TOO_SLOW);
    assertEquals(refusals(stage), [TOO_SLOW]);
    assertEquals(await stage.say(ways.delivering), "");
    assertEquals(await stage.leave(), "");
    assert(conversation.isOver);
    assertEquals(stage.mails, []);
    assertEquals(stage.kinds.slice(-2), ["lost", "logout"]);
  });
}

/** What keeps a message from its end, a piece at a time that is always in time. */
const dawdling: [name: string, start: string, piece: string, isLost: boolean][] = [
  ["DATA", `${OPEN}DATA\r\n`, "x".repeat(300), true],
  ["one chunk", `${OPEN}BDAT ${MAX_OCTETS} LAST\r\n`, "x".repeat(50), true],
  ["several chunks", OPEN, `BDAT 10\r\n${"x".repeat(10)}`, true],
  ["a refused chunk", `${OPEN}BDAT 5000\r\n`, "x".repeat(300), false],
  ["a refused chunk without MAIL", "EHLO me\r\nBDAT 5000\r\n", "x".repeat(300), false],
  ["recipients", OPEN, "RCPT TO:<c@x.example>\r\n", false],
  ["other commands", OPEN, "NOOP\r\n", false],
];
for (const [name, start, piece, isLost] of dawdling) {
  testConnection(`a message takes no longer than it may, in ${name}`, async (stage) => {
    const { clock } = stage;
    const conversation = stage.begin();
    await stage.heard();
    // What counts is the time since MAIL.
    await clock.tickAsync(IDLE_MS - 1);
    await stage.say(start);
    for (let ms = 0; ms < MESSAGE_MS - IDLE_MS; ms += IDLE_MS) {
      await clock.tickAsync(IDLE_MS);
      assert(!(await stage.say(piece)).includes("421 "));
    }
    await clock.tickAsync(IDLE_MS - 1);
    assertEquals(await stage.heard(), "");
    await clock.tickAsync(1);
    assertEquals(await stage.heard(), TOO_LONG);
    assertEquals(refusals(stage).at(-1), TOO_LONG);
    assertEquals(await stage.say(`\r\n.\r\n${ways.delivering}`), "");
    assertEquals(await stage.leave(), "");
    assert(conversation.isOver);
    assertEquals(stage.mails, []);
    assertEquals(stage.kinds.includes("lost"), isLost);
  }, { limits: { idleTimeoutMs: IDLE_MS + 1, minRate: 0.001 } });
}

const delivered = "DATA\r\nhello\r\n.\r\n";
for (const [name, text] of [...resets, ["a delivery, long as it took,", delivered]] as const) {
  testConnection(`${name} gives the next message all the time that there is`, async (stage) => {
    const { clock } = stage;
    stage.begin();
    await stage.say(OPEN);
    await clock.tickAsync(MESSAGE_MS - 1);
    await stage.say(text);
    await clock.tickAsync(MESSAGE_MS + 1);
    if (text === delivered) stage.deliver(ACCEPTED);
    await stage.say(OPEN);
    await clock.tickAsync(MESSAGE_MS - 1);
    assertEquals(await stage.heard(), "");
    await clock.tickAsync(1);
    assertEquals(await stage.heard(), TOO_LONG);
    await stage.leave();
  }, { limits: { idleTimeoutMs: 3 * MESSAGE_MS } });
}

testConnection("the rate of a message is its own", async (stage) => {
  const { clock } = stage;
  stage.begin(() => Promise.resolve(ACCEPTED));
  await stage.say(`${OPEN}DATA\r\n`);
  await stage.say("x".repeat(600));
  await clock.tickAsync(IDLE_MS - 1);
  await stage.say("\r\n.\r\n");
  await stage.say(`${OPEN}DATA\r\n`);
  for (let count = 0; count < 2; count++) {
    await clock.tickAsync(IDLE_MS - 1);
    assertEquals(await stage.say("x"), "");
  }
  await clock.tickAsync(2 + 2 * 1_000 - 1);
  assertEquals(await stage.heard(), "");
  await clock.tickAsync(1);
  assertEquals(await stage.heard(), TOO_SLOW);
  assertEquals(stage.mails.length, 1);
  await stage.leave();
});

testConnection("who was fast may not drip for long after that", async (stage) => {
  const { clock } = stage;
  stage.begin();
  await stage.say(`${OPEN}DATA\r\n`);
  await stage.say("x".repeat(900));
  for (let ms = 0; ms < 2 * IDLE_MS; ms += 60_000) {
    assertEquals(await stage.say("x"), "", `${ms} ms`);
    await clock.tickAsync(60_000);
  }
  // The first of ten gained nothing.
  await clock.tickAsync(9_000 - 1);
  assertEquals(await stage.heard(), "");
  await clock.tickAsync(1);
  assertEquals(await stage.heard(), TOO_SLOW);
  await stage.leave();
});

testConnection("a client that waits for its message is not idle", async (stage) => {
  const { clock } = stage;
  stage.begin();
  await stage.say(ways.delivering);
  await clock.tickAsync(10 * IDLE_MS);
  stage.deliver(ACCEPTED);
  assertEquals(await stage.heard(), "250 2.0.0 OK: taken (id-1)\r\n");
  await stage.leave();
});

for (const state of idle) {
  for (const [name, stop] of [["soon", "stopSoon"], ["now", "stopNow"]] as const) {
    testConnection(`who has to leave ${name} is dismissed when ${state}`, async (stage) => {
      const conversation = stage.begin();
      await stage.say(ways[state]);
      stage[stop]();
      assertEquals(await stage.heard(), STOPPING);
      assertEquals(await stage.leave(), "");
      assert(conversation.isOver);
      assert(!stage.kinds.includes("lost"), "nothing is lost");
      assert(!refusals(stage).includes(STOPPING), "nobody was refused");
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
    assertEquals(await stage.say(`${rest}${ways.delivering}`), "");
    assertEquals(await stage.leave(), "");
    assert(conversation.isOver);
    assertEquals([stage.mails, refusals(stage)], [[], []]);
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
  await stage.leave();
});

testConnection("who has to leave soon hears first what became of the message", async (stage) => {
  const { clock } = stage;
  stage.begin();
  await stage.say(`${ways.delivering}NOOP\r\n`);
  stage.stopSoon();
  await clock.tickAsync(10 * IDLE_MS);
  assertEquals([await stage.heard(), stage.signals[0].aborted], ["", false]);
  stage.deliver(ACCEPTED);
  assertEquals(await stage.heard(), `250 2.0.0 OK: taken (id-1)\r\n${STOPPING}`);
  await stage.leave();
});

testConnection("who has to leave now hears that the courier has given up", async (stage) => {
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
  await stage.leave();
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
  assertEquals(await stage.leave(), "");
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
  await stage.leave();
  assert(conversation.isOver);
});

testConnection("a stop before the session begins ends it after the greeting", async (stage) => {
  stage.stopSoon();
  const conversation = stage.begin();
  assertEquals(await stage.say(OPEN), `220 here ESMTP smtp-pigeon ready\r\n${STOPPING}`);
  await stage.leave();
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
    assertEquals(await stage.leave(), "");
    assert(conversation.isOver);
    assert(!stage.kinds.includes("lost"), "nothing is lost");
  });
}

for (const [state] of within) {
  testConnection(`a client that leaves when ${state} loses its message`, async (stage) => {
    const conversation = stage.begin();
    await stage.say(ways[state]);
    assertEquals(await stage.leave(), "");
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
    assertEquals(await stage.leave(), "");
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
  assertEquals(await stage.leave(), "");
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
      REMOTE,
      {
        policy: POLICY,
        limits: LIMITS,
        room: new Room(1),
        courierTimes: 7,
        commons: commonsBy(() => 0),
        courier: () => Promise.resolve(ACCEPTED),
        observe: () => {},
        newId: () => "id",
        now: () => new Date(0),
        uptimeMs: () => 0,
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

const TLS_HELLO = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
testConnection("who begins with TLS is told so at once, though no line ends", async (stage) => {
  const conversation = stage.begin();
  await stage.heard();
  assertEquals(
    await stage.say(TLS_HELLO),
    "421 4.7.0 here speaks SMTP, not TLS, closing connection\r\n",
  );
  assert(stage.socket.isHalfClosed);
  assertEquals(await stage.say(TLS_HELLO), "");
  assertEquals(stage.socket.unread, 0);
  await stage.clock.tickAsync(LINGER_MS);
  assert(conversation.isOver);
  assertEquals(stage.kinds, ["session", "refused", "logout"]);
});

const LMTP: Setting = { policy: { protocol: "LMTP" } };
const LMTP_OPEN = `${OPEN.replace("EHLO", "LHLO")}RCPT TO:<c@x.example>\r\n`;
const LMTP_REPLIES: [outcome: Outcome, reply: string][] = [
  [ACCEPTED, "250 2.0.0 OK: taken (id-1)\r\n"],
  [
    { kind: "deferred", reason: "not now" },
    "451 4.3.0 Not delivered, try again later: not now (id-1)\r\n",
  ],
  [{ kind: "rejected", reason: "never" }, "554 5.6.0 Not delivered: never (id-1)\r\n"],
];
for (const text of ["DATA\r\nhello\r\n.\r\n", "BDAT 7 LAST\r\nhello\r\n"]) {
  for (const [outcome, reply] of LMTP_REPLIES) {
    const command = text.slice(0, 4);
    testConnection(
      `in LMTP each recipient of ${command} hears ${outcome.kind}, and no sooner`,
      async (stage) => {
        stage.begin();
        await stage.say(LMTP_OPEN);
        assertMatch(await stage.say(text), /^(354 .*\r\n)?$/);
        stage.deliver(outcome);
        assertEquals(await stage.heard(), `${reply}${reply}`);
        assertEquals(stage.mails.length, 1);
        assertEquals(stage.mails[0].envelope.forwardPaths.length, 2);
        assertEquals(await stage.say("QUIT\r\n"), "221 2.0.0 here closing connection\r\n");
        await stage.leave();
        assertEquals(stage.kinds, [
          ...["session", "mail", "recipient", "recipient", "data", "reset", "session", "logout"],
        ]);
      },
      LMTP,
    );
  }
}

const tooBig: [name: string, text: string][] = [
  ["DATA", `DATA\r\n${"x".repeat(MAX_OCTETS)}\r\n.\r\n`],
  ["BDAT", `BDAT ${MAX_OCTETS + 1} LAST\r\n${"x".repeat(MAX_OCTETS + 1)}`],
];
for (const [name, text] of tooBig) {
  testConnection(`in LMTP each recipient of ${name} hears that it is too big`, async (stage) => {
    stage.begin();
    await stage.say(LMTP_OPEN);
    assertMatch(await stage.say(text), /^(354 .*\r\n)?(552 5\.3\.4 [^\r]*\r\n){2}$/);
    // What is told is that it was refused, once.
    assertEquals(stage.kinds.filter((kind) => kind === "refused").length, 1);
    assertEquals(stage.mails, []);
    await stage.leave();
  }, LMTP);
}

/** What the messages of a test share. */
const ROOM_OCTETS = 100_000;
const BIG_OCTETS = 200_000;
const BIG: Setting = {
  policy: { maxMessageOctets: 1_000_000 },
  limits: { maxMessageOctets: 1_000_000 },
};

/** Two connections, of which the first has all the room, and the second waits for it. */
function testWaiting(
  name: string,
  run: (first: Stage, second: Stage, conversation: { isOver: boolean }) => Promise<void>,
  limits: Partial<ConnectionOptions["limits"]> = {},
): void {
  testInTime(name, async (clock) => {
    const room = new Room(ROOM_OCTETS);
    const setting = { ...BIG, limits: { ...BIG.limits, ...limits }, room };
    const first = new Stage(clock, setting);
    const second = new Stage(clock, { ...setting });
    first.begin();
    await first.say(`${OPEN}DATA\r\n`);
    await first.say("x".repeat(BIG_OCTETS));
    assertEquals(first.socket.unread, 0, "whoever is first has room");
    const conversation = second.begin();
    await second.say(`${OPEN}DATA\r\n`);
    await second.say("y".repeat(BIG_OCTETS));
    assertWaits(second);
    await run(first, second, conversation);
    for (const stage of [first, second]) await assertEnded(stage);
    await assertEmpty(room);
  });
}

/** Holds that of what has come since DATA one read is done, and the rest waits. */
function assertWaits({ socket }: Stage): void {
  assertEquals(socket.unread, BIG_OCTETS - DATA_READ_OCTETS);
}

/** Holds that nobody has any room: beside a message that is there first, another one has it all. */
async function assertEmpty(room: Room): Promise<void> {
  const free = 64 * 1024;
  await room.hold({}, free + 1);
  const all = watch(room.hold({}, free + ROOM_OCTETS - 1));
  await Promise.resolve();
  await Promise.resolve();
  assert(all.isOver, "room is not given back");
}

const END = "\r\n.\r\n";
const TAKEN = "250 2.0.0 OK: taken (id-1)\r\n";

testWaiting("a message waits unread for room until another is delivered", async (first, second) => {
  const { clock } = first;
  await clock.tickAsync(IDLE_MS / 2);
  assertEquals(await first.say(END), "");
  await clock.tickAsync(IDLE_MS / 2 - 1);
  assertWaits(second);
  first.deliver(ACCEPTED);
  assertEquals(await first.heard(), TAKEN);
  assertEquals([await second.heard(), second.socket.unread], ["", 0]);
  assertEquals(await second.say(END), "");
  second.deliver(ACCEPTED);
  assertEquals(await second.heard(), TAKEN);
  assertEquals(second.mails[0].data.length, BIG_OCTETS + 2);
  for (const stage of [first, second]) await stage.leave();
});

const leavings: [name: string, leave: (stage: Stage) => Promise<unknown>][] = [
  ["leaves", (first) => first.leave()],
  ["is reset", async (first) => {
    first.socket.fail("read");
    return await first.heard();
  }],
  ["is too big", async (first) => {
    await first.say("x".repeat(1_000_000));
    await first.clock.tickAsync(10);
    assertMatch(await first.say(END), /^552 /);
  }],
];
for (const [name, leave] of leavings) {
  testWaiting(`a message that waits goes on when the client before ${name}`, async (...stages) => {
    const [first, second] = stages;
    await leave(first);
    await first.clock.tickAsync(1);
    assertEquals([await second.heard(), second.socket.unread], ["", 0]);
    await second.say(END);
    second.deliver(ACCEPTED);
    assertEquals(await second.heard(), TAKEN);
    for (const stage of [first, second]) await stage.leave();
  });
}

testWaiting("a message that waits for room too long is put off", async (first, second, over) => {
  const { clock } = first;
  await clock.tickAsync(IDLE_MS - 1);
  // Its client is patient; the other one's is not asked.
  assertEquals(await first.say("x"), "");
  assertEquals(await second.heard(), "");
  await clock.tickAsync(1);
  assertEquals(await second.heard(), NO_ROOM);
  assertEquals(second.kinds.slice(-3), ["refused", "lost", "logout"]);
  assert(second.socket.isHalfClosed);
  await clock.tickAsync(LINGER_MS);
  assert(over.isOver);
  assertEquals(second.mails, []);
  await first.say(END);
  first.deliver(ACCEPTED);
  assertEquals(await first.heard(), TAKEN);
  await first.leave();
});

testWaiting("a client that waits for room may finish when the server stops", async (...stages) => {
  const [first, second] = stages;
  for (const stage of [first, second]) stage.stopSoon();
  for (const stage of [first, second]) assertEquals(await stage.heard(), "");
  for (const stage of [first, second]) {
    await stage.say(END);
    stage.deliver(ACCEPTED);
    assertEquals(await stage.heard(), `${TAKEN}${STOPPING}`);
    await stage.leave();
  }
});

testWaiting(
  "a client that waits for room is dismissed when the server stops now",
  async (first, second, conversation) => {
    for (const stage of [first, second]) stage.stopSoon();
    second.stopNow();
    assertEquals(await second.heard(), STOPPING);
    assertEquals(refusals(second), []);
    assertEquals(second.kinds.slice(-2), ["lost", "logout"]);
    await second.leave();
    assert(conversation.isOver);
    assertEquals(second.mails, []);
    await first.leave();
  },
);

testWaiting("who had to wait for room does not pay for it", async (first, second) => {
  const { clock } = first;
  await clock.tickAsync(IDLE_MS - 1);
  await first.leave();
  assertEquals([await second.heard(), second.socket.unread], ["", 0]);
  // It has sent as fast as it was let.
  await clock.tickAsync(IDLE_MS / 2);
  assertEquals(await second.say(END), "");
  second.deliver(ACCEPTED);
  assertEquals(await second.heard(), TAKEN);
  await second.leave();
}, { minRate: 100_000, messageTimeoutMs: IDLE_MS });

testWaiting("who had to wait for room has all the time for its data", async (first, second) => {
  const { clock } = first;
  await clock.tickAsync(IDLE_MS - 1);
  await first.leave();
  for (let count = 0; count < 2; count++) {
    assertEquals([await second.heard(), second.socket.unread], ["", 0]);
    await clock.tickAsync(IDLE_MS - 1);
    await second.say("y");
  }
  assertEquals(await second.say(END), "");
  second.deliver(ACCEPTED);
  assertEquals(await second.heard(), TAKEN);
  await second.leave();
}, { minRate: 1_000_000 });

testInTime("chunks that have come take room as data does", async (clock) => {
  const setting: Setting = { ...BIG, room: new Room(250_000) };
  const [first, second] = [new Stage(clock, setting), new Stage(clock, setting)];
  first.begin();
  await first.say(`${OPEN}BDAT ${BIG_OCTETS}\r\n`);
  assertEquals(await first.say("x".repeat(BIG_OCTETS)), "250 2.0.0 200000 octets received\r\n");
  // What has come is the session's now, and no more the decoder's.
  await first.say("BDAT 2\r\n");
  await first.say("x");
  second.begin();
  await second.say(`${OPEN}DATA\r\n`);
  await second.say("y".repeat(BIG_OCTETS));
  assertWaits(second);
  for (const stage of [first, second]) await stage.leave();
  for (const stage of [first, second]) await assertEnded(stage);
});

/** What two messages have, and what each takes beyond that which is free, while it is delivered. */
const COMPLETE_OCTETS = 100_000;
const DELIVERED_OCTETS = 7 * (COMPLETE_OCTETS - 64 * 1024);

/** Two connections in a room of so many octets, of which each has sent a complete message. */
async function twoComplete(
  clock: Clock,
  octets: number,
  prepare: (second: Stage) => void = () => {},
): Promise<[first: Stage, second: Stage]> {
  const setting: Setting = { ...BIG, room: new Room(octets) };
  const stages: [Stage, Stage] = [new Stage(clock, setting), new Stage(clock, setting)];
  prepare(stages[1]);
  for (const stage of stages) {
    stage.begin();
    await stage.say(`${OPEN}DATA\r\n`);
    await stage.say("x".repeat(COMPLETE_OCTETS - 2) + END);
  }
  return stages;
}

testInTime(
  "messages that are complete are delivered at once where there is room",
  async (clock) => {
    const stages = await twoComplete(clock, 2 * DELIVERED_OCTETS);
    assertEquals(stages.map(({ mails }) => mails.length), [1, 1]);
    for (const stage of stages) {
      assertEquals(stage.mails.map(({ data }) => data.length), [COMPLETE_OCTETS]);
      stage.deliver(ACCEPTED);
      await stage.leave();
      await assertEnded(stage);
    }
  },
);

testInTime("a complete message that has no room for too long is put off", async (clock) => {
  const [first, second] = await twoComplete(clock, 2 * DELIVERED_OCTETS - 1);
  await second.heard();
  await clock.tickAsync(IDLE_MS - 1);
  assertEquals(await second.heard(), "");
  await clock.tickAsync(1);
  assertEquals(await second.heard(), NO_ROOM);
  await second.leave();
  assertEquals(second.mails, []);
  assertEquals(second.kinds.slice(-4), ["data", "refused", "lost", "logout"]);
  first.deliver(ACCEPTED);
  await first.leave();
  for (const stage of [first, second]) await assertEnded(stage);
});

testInTime("a complete message of a client that has left waits for its room", async (clock) => {
  const [first, second] = await twoComplete(clock, 2 * DELIVERED_OCTETS - 1, ({ socket }) => {
    for (const call of ["write", "closeWrite"] as const) socket.fail(call);
  });
  second.socket.end();
  await clock.tickAsync(IDLE_MS - 1);
  assertEquals(second.mails, []);
  first.deliver(ACCEPTED);
  await first.leave();
  assertEquals(second.mails.length, 1);
  second.deliver(ACCEPTED);
  await second.heard();
  for (const stage of [first, second]) await assertEnded(stage);
});

testInTime(
  "a complete message without room is dropped when the server stops now",
  async (clock) => {
    const [first, second] = await twoComplete(clock, 2 * DELIVERED_OCTETS - 1);
    await second.heard();
    for (const stage of [first, second]) stage.stopSoon();
    assertEquals(await second.heard(), "");
    second.stopNow();
    assertEquals(await second.heard(), STOPPING);
    await second.leave();
    assertEquals([second.mails, refusals(second)], [[], []]);
    assertEquals(second.kinds.slice(-3), ["data", "lost", "logout"]);
    first.deliver(ACCEPTED);
    await first.leave();
    for (const stage of [first, second]) await assertEnded(stage);
  },
);

/** With its command it has 4,096 octets, one read of commands, so that no data is ever awaited. */
const WHOLE_CHUNK = `BDAT 4085\r\n${"x".repeat(4_085)}`;

testInTime("who had to wait for room has all the time for the next command", async (clock) => {
  const setting: Setting = { ...BIG, room: new Room(ROOM_OCTETS) };
  const [first, second] = [new Stage(clock, setting), new Stage(clock, setting)];
  first.begin();
  await first.say(`${OPEN}DATA\r\n`);
  await first.say("x".repeat(BIG_OCTETS));
  second.begin(() => Promise.resolve(ACCEPTED));
  await second.say(OPEN);
  await second.say(WHOLE_CHUNK);
  await clock.tickAsync(IDLE_MS - 1);
  await first.leave();
  await clock.tickAsync(IDLE_MS - 1);
  assertEquals(await second.heard(), "");
  assertEquals(await second.say("BDAT 0 LAST\r\n"), TAKEN);
  await second.leave();
  for (const stage of [first, second]) await assertEnded(stage);
});

testInTime("small chunks that come whole with their commands wait for room", async (clock) => {
  const setting: Setting = { ...BIG, room: new Room(ROOM_OCTETS) };
  const chunk = WHOLE_CHUNK;
  const sent = chunk.repeat(50);
  const stages = Array.from({ length: 30 }, () => new Stage(clock, setting));
  for (const stage of stages) {
    stage.begin(() => Promise.resolve(ACCEPTED));
    await stage.say(OPEN);
    stage.socket.send(sent);
    await stage.heard();
  }
  const taken = stages.map(({ socket }) => sent.length - socket.unread);
  assertEquals(taken[0], sent.length, "whoever is first has room");
  const all = taken.reduce((sum, octets) => sum + octets, 0);
  // Beside the room, one message and what each has for nothing.
  assert(all <= ROOM_OCTETS + sent.length + stages.length * 64 * 1024, `${all} octets`);
  assert(all > ROOM_OCTETS + sent.length, `${all} octets`);
  // One after the other they get what they want.
  for (const stage of stages) {
    assertEquals(stage.socket.unread, 0);
    assertMatch(await stage.say("BDAT 0 LAST\r\n"), /250 2\.0\.0 OK: taken \(id-1\)\r\n$/);
    assertEquals(stage.mails[0].data.length, 50 * 4_085);
    await stage.leave();
  }
  for (const stage of stages) await assertEnded(stage);
});

testInTime("a message that is complete waits until there is room to deliver it", async (clock) => {
  const [first, second] = await twoComplete(clock, 2 * DELIVERED_OCTETS - 1);
  assertEquals([first.mails.length, second.mails.length], [1, 0]);
  first.deliver(ACCEPTED);
  await first.heard();
  assertEquals([first.mails.length, second.mails.length], [1, 1]);
  second.deliver(ACCEPTED);
  assertEquals(await second.heard(), TAKEN);
  for (const stage of [first, second]) await stage.leave();
  for (const stage of [first, second]) await assertEnded(stage);
});

testInTime("a client that took no reply does not wait for room after that", async (clock) => {
  const room = new Room(ROOM_OCTETS);
  const [first, second] = [new Stage(clock, { ...BIG, room }), new Stage(clock, { ...BIG, room })];
  first.begin();
  await first.say(`${OPEN}DATA\r\n`);
  await first.say("x".repeat(BIG_OCTETS));
  const conversation = second.begin();
  await second.say(OPEN);
  second.socket.deafen();
  await second.say(`DATA\r\n${"y".repeat(BIG_OCTETS)}`);
  await clock.tickAsync(IDLE_MS - 1);
  await first.say("x");
  assertEquals(conversation.isOver, false);
  await clock.tickAsync(1);
  assert(conversation.isOver);
  assertEquals(refusals(second), [TOO_LATE]);
  await first.leave();
  for (const stage of [first, second]) await assertEnded(stage);
  await assertEmpty(room);
});
