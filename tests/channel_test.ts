/** The patience of a channel, on a socket in memory and by a clock that stands still. */
import { Alarm } from "../lib/alarm.ts";
import { Buffers, Channel, DATA_READ_OCTETS, LINGER_MS } from "../lib/channel.ts";
import { bye, format, idleTooLong, ok, type Reply, shuttingDown } from "../lib/reply.ts";
import { assert, assertEquals } from "./assert.ts";
import { type Clock, testInTime, watch } from "./clock.ts";
import { PuppetSocket } from "./socket.ts";

/** How long a write may take, and a read. */
const PATIENCE_MS = 10_000;
const READ_MS = 4_000;
const TOO_LATE = idleTooLong("here");
const STOPPING = shuttingDown("here");

/** An event loop that is always too busy. */
const turns = { next: () => new Promise<void>((resolve) => setTimeout(resolve, 0)) };

/** What a test of a channel uses. */
interface Stage {
  readonly clock: Clock;
  readonly socket: PuppetSocket;
  readonly channel: Channel;
}

/** A test that ends the channel; from then on nothing may happen, whatever is asked of it. */
function testChannel(
  name: string,
  run: (stage: Stage) => Promise<void>,
  octetsAtOnce?: number,
): void {
  testInTime(name, async (clock) => {
    const socket = new PuppetSocket(octetsAtOnce);
    const alarm = new Alarm(() => clock.now);
    const commons = { turns, alarm, buffers: new Buffers() };
    const channel = new Channel(socket, PATIENCE_MS, commons);
    await run({ clock, socket, channel });
    assertEquals(socket.closes, 1, "closed once");
    assertEquals(clock.countTimers(), 0, "timers");
    const { said, writes } = socket;
    channel.say(ok);
    const calls = [channel.flush(), channel.dismiss(ok), channel.close()].map(watch);
    const read = watch(channel.read("command", READ_MS, TOO_LATE));
    channel.abandon();
    await clock.tickAsync(0);
    assert(calls.every(({ isOver }) => isOver), "nothing waits after the end");
    assertEquals(read, { isOver: true, result: null });
    assertEquals([socket.said, socket.writes, socket.closes], [said, writes, 1]);
    assertEquals(socket.trespasses, []);
    assert(!channel.isWaiting, "waiting");
  });
}

/** The channel is closed, and the client leaves when it sees that. */
async function part({ clock, socket, channel }: Stage): Promise<void> {
  const close = watch(channel.close());
  await clock.tickAsync(0);
  assertEquals([socket.isHalfClosed, socket.closes, close.isOver], [true, 0, false]);
  socket.end();
  await clock.tickAsync(0);
  assert(close.isOver);
}

const textOf = (...replies: readonly Reply[]) => replies.map(format).join("");

/** Looks just before a moment and at it, and holds that the socket is closed only then. */
async function assertClosedAfter({ clock, socket }: Stage, ms: number): Promise<void> {
  await clock.tickAsync(ms - 1);
  assertEquals(socket.closes, 0, `closed before ${ms} ms`);
  await clock.tickAsync(1);
  assertEquals(socket.closes, 1, `closed after ${ms} ms`);
}

for (const kind of ["command", "data"] as const) {
  testChannel(
    `read() lets a client go that sends no ${kind} in time, not before`,
    async (stage) => {
      const { clock, socket, channel } = stage;
      const read = watch(channel.read(kind, READ_MS, TOO_LATE));
      await clock.tickAsync(READ_MS - 1);
      assertEquals([socket.said, socket.closes, read.isOver], ["", 0, false]);
      assert(channel.isWaiting && !channel.isDismissed);
      await clock.tickAsync(1);
      assertEquals(socket.said, textOf(TOO_LATE));
      assertEquals(read, { isOver: true, result: null });
      assert(!channel.isWaiting && channel.isDismissed);
      await part(stage);
    },
  );
}

testChannel("each read() has a time of its own, and between reads none counts", async (stage) => {
  const { clock, socket, channel } = stage;
  for (const [text, ms] of [["a", READ_MS], ["b", 2 * READ_MS], ["c", READ_MS / 2]] as const) {
    const read = watch(channel.read("command", ms, TOO_LATE));
    await clock.tickAsync(ms - 1);
    socket.send(text);
    await clock.tickAsync(0);
    assertEquals(new TextDecoder().decode(read.result!), text);
    assert(!channel.isWaiting);
    await clock.tickAsync(10 * PATIENCE_MS);
  }
  assertEquals([socket.said, socket.closes], ["", 0]);
  await part(stage);
});

testChannel("read() in no time at all says that it is too late, whatever came", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.send("x");
  const read = watch(channel.read("data", 0, TOO_LATE));
  await clock.tickAsync(0);
  assertEquals(read, { isOver: true, result: null });
  assertEquals([socket.said, socket.reads], [textOf(TOO_LATE), 0]);
  await part(stage);
});

testChannel("read() gives null at the end, and the channel can still speak", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.end();
  assertEquals(await channel.read("command", READ_MS, TOO_LATE), null);
  channel.say(bye("here"));
  await channel.close();
  await clock.tickAsync(0);
  assertEquals(socket.said, textOf(bye("here")));
});

testChannel("what comes while a client is told that it is too late is not read", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.deafen();
  const read = watch(channel.read("data", READ_MS, TOO_LATE));
  await clock.tickAsync(READ_MS);
  assertEquals([socket.writes, socket.closes], [1, 0]);
  socket.send(".\r\n");
  await clock.tickAsync(0);
  assertEquals(socket.unread, 0, "the pending read has taken it");
  assertEquals(read.result, null);
  socket.hear();
  await clock.tickAsync(0);
  assertEquals(read, { isOver: true, result: null });
  assertEquals(socket.said, textOf(TOO_LATE));
  await part(stage);
});

testChannel("what comes while a client is dismissed is not read", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.deafen();
  const read = watch(channel.read("data", READ_MS, TOO_LATE));
  const dismissal = watch(channel.dismiss(STOPPING));
  socket.send(".\r\n");
  await clock.tickAsync(0);
  assertEquals([read.result, dismissal.isOver], [null, false]);
  assertEquals(await channel.read("data", READ_MS, TOO_LATE), null);
  socket.hear();
  await clock.tickAsync(0);
  assert(dismissal.isOver);
  assertEquals(socket.said, textOf(STOPPING));
  await part(stage);
});

testChannel(
  "dismiss() frees a pending read and says its reply once, also when called again",
  async (stage) => {
    const { clock, socket, channel } = stage;
    const read = watch(channel.read("command", READ_MS, TOO_LATE));
    const dismissals = [channel.dismiss(STOPPING), channel.dismiss(STOPPING)].map(watch);
    assert(channel.isDismissed, "for whoever asks, though the reply is still on its way");
    await clock.tickAsync(0);
    dismissals.push(watch(channel.dismiss(TOO_LATE)));
    await clock.tickAsync(0);
    assert(dismissals.every(({ isOver }) => isOver));
    assertEquals(read, { isOver: true, result: null });
    assertEquals(socket.said, textOf(STOPPING));
    assertEquals([socket.isHalfClosed, socket.closes], [false, 0]);
    await part(stage);
    assertEquals(socket.said, textOf(STOPPING));
  },
);

testChannel(
  "dismiss() says nothing more to a client that is just told that it is too late",
  async (stage) => {
    const { clock, socket, channel } = stage;
    socket.deafen();
    const read = watch(channel.read("command", READ_MS, TOO_LATE));
    await clock.tickAsync(READ_MS);
    const dismissal = watch(channel.dismiss(STOPPING));
    socket.hear();
    await clock.tickAsync(0);
    assert(read.isOver && dismissal.isOver);
    assertEquals(socket.said, textOf(TOO_LATE));
    await part(stage);
  },
);

testChannel(
  "a client that was dismissed has a moment to leave, and one read listens to it",
  async (stage) => {
    const { clock, socket, channel } = stage;
    const read = watch(channel.read("command", READ_MS, TOO_LATE));
    await channel.dismiss(STOPPING);
    const close = watch(channel.close());
    await clock.tickAsync(LINGER_MS / 2);
    assertEquals([socket.said, socket.isHalfClosed], [textOf(STOPPING), true]);
    // The read that was at work goes on; a second one beside it would be a trespass.
    assertEquals(socket.reads, 1);
    socket.send("x".repeat(100_000));
    await clock.tickAsync(LINGER_MS / 4);
    assertEquals([socket.unread, read.result], [0, null]);
    await assertClosedAfter(stage, LINGER_MS / 4);
    assert(close.isOver);
  },
);

testChannel(
  "close() waits for a dismissal that is on its way, and says nothing of its own",
  async (stage) => {
    const { clock, socket, channel } = stage;
    socket.deafen();
    const read = watch(channel.read("command", READ_MS, TOO_LATE));
    const dismissal = watch(channel.dismiss(STOPPING));
    const close = watch(channel.close());
    await clock.tickAsync(PATIENCE_MS - 1);
    assertEquals([socket.isHalfClosed, dismissal.isOver, close.isOver], [false, false, false]);
    socket.hear();
    await clock.tickAsync(0);
    assertEquals([socket.said, socket.isHalfClosed], [textOf(STOPPING), true]);
    assert(read.isOver && dismissal.isOver);
    await assertClosedAfter(stage, LINGER_MS);
    assert(close.isOver);
  },
);

testChannel("wait() gives what it waited for, in time", async (stage) => {
  const { clock, channel } = stage;
  const work = Promise.withResolvers<string>();
  const wait = watch(channel.wait(work.promise, READ_MS, TOO_LATE));
  await clock.tickAsync(READ_MS - 1);
  assert(channel.isWaiting && !wait.isOver);
  work.resolve("done");
  await clock.tickAsync(0);
  assertEquals(wait, { isOver: true, result: "done" });
  assert(!channel.isWaiting && !channel.isDismissed);
  await part(stage);
});

const waits: [name: string, stop: (stage: Stage) => Promise<void>, said: Reply][] = [
  ["gives up in time", async ({ clock }) => void await clock.tickAsync(READ_MS), TOO_LATE],
  ["is ended by dismiss()", ({ channel }) => channel.dismiss(STOPPING), STOPPING],
];
for (const [name, stop, said] of waits) {
  testChannel(`wait() ${name}, and what it waited for comes to nobody`, async (stage) => {
    const { clock, socket, channel } = stage;
    const work = Promise.withResolvers<string>();
    const wait = watch(channel.wait(work.promise, READ_MS, TOO_LATE));
    await clock.tickAsync(READ_MS - 1);
    assertEquals([wait.isOver, socket.said], [false, ""]);
    await stop(stage);
    await clock.tickAsync(0);
    assertEquals(wait, { isOver: true, result: null });
    assertEquals(socket.said, textOf(said));
    assertEquals(await channel.read("command", READ_MS, TOO_LATE), null);
    work.resolve("done");
    await part(stage);
    assertEquals(wait.result, null);
  });
}

testChannel("wait() does not wait where the connection is over", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.deafen();
  channel.say(ok);
  const flush = watch(channel.flush());
  await assertClosedAfter(stage, PATIENCE_MS);
  const wait = watch(channel.wait(new Promise(() => {}), READ_MS, TOO_LATE));
  await clock.tickAsync(0);
  assert(flush.isOver);
  assertEquals(wait, { isOver: true, result: null });
});

const ROUNDS = 8;

/** Full buffers that are read before a turn is left to others. */
interface InARow {
  readonly buffers: number;
  readonly octets: number;
}

const [COMMANDS, DATA]: InARow[] = [
  { buffers: 1, octets: 4 * 1024 },
  { buffers: 8, octets: DATA_READ_OCTETS },
];

const readAll = async (channel: Channel, kind: "command" | "data", inARow: InARow) => {
  for (let buffers = 0; buffers < ROUNDS * inARow.buffers; buffers++) {
    assertEquals((await channel.read(kind, READ_MS, TOO_LATE))?.length, inARow.octets);
  }
};
const floods: [name: string, inARow: InARow, take: (channel: Channel) => Promise<void>][] = [
  ["commands", COMMANDS, (channel) => readAll(channel, "command", COMMANDS)],
  ["data", DATA, (channel) => readAll(channel, "data", DATA)],
  ["though it was dismissed", COMMANDS, async (channel) => {
    await channel.read("command", READ_MS, TOO_LATE);
    await channel.dismiss(STOPPING);
  }],
];
for (const [name, { buffers, octets }, take] of floods) {
  testChannel(`who never stops sending ${name} leaves others their turns`, async (stage) => {
    const { clock, socket, channel } = stage;
    socket.send("x".repeat(ROUNDS * buffers * octets));
    socket.end();
    const turns: number[] = [];
    const takeTurn = () => {
      turns.push(socket.reads);
      if (turns.length < ROUNDS) setTimeout(takeTurn, 0);
    };
    setTimeout(takeTurn, 0);
    const all = watch(take(channel).then(() => channel.close()));
    // The clock counts a timer of 0 ms within a tick as one of 1 ms.
    await clock.tickAsync(ROUNDS);
    assert(all.isOver);
    assertEquals(socket.unread, 0);
    assertEquals(turns, Array.from({ length: ROUNDS }, (_, turn) => (turn + 1) * buffers));
  });
}

testChannel("a client that is in the middle of a flood can be let go", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.send("x".repeat(DATA.buffers * DATA_READ_OCTETS));
  const all = watch((async () => {
    while (await channel.read("data", READ_MS, TOO_LATE) !== null);
  })());
  // Now it is in the pause.
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  assertEquals([socket.reads, socket.unread], [DATA.buffers, 0]);
  const dismissal = watch(channel.dismiss(STOPPING));
  const close = watch(channel.close());
  socket.send("x");
  await clock.tickAsync(LINGER_MS - 1);
  assert(all.isOver && dismissal.isOver && !close.isOver);
  assertEquals([socket.said, socket.unread], [textOf(STOPPING), 0]);
  await clock.tickAsync(1);
  assert(close.isOver);
});

testChannel("a flood of a client that breaks off is not read on", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.send("x".repeat((DATA.buffers + 1) * DATA_READ_OCTETS));
  const all = watch(readAll(channel, "data", DATA).catch(() => {}));
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  await channel.dismiss(STOPPING);
  socket.fail("closeWrite");
  const close = watch(channel.close());
  await clock.tickAsync(1);
  assertEquals([socket.closes, socket.reads], [1, DATA.buffers]);
  assert(all.isOver && close.isOver);
});

testInTime(
  "a buffer for data goes to the next client once its own asks for commands",
  async (clock) => {
    const buffers = new Buffers();
    const commons = { turns, alarm: new Alarm(() => clock.now), buffers };
    const [one, two] = [new PuppetSocket(), new PuppetSocket()];
    const [first, second] = [one, two].map((socket) => new Channel(socket, PATIENCE_MS, commons));
    one.send("data");
    const data = await first.read("data", READ_MS, TOO_LATE);
    assert(buffers.take().buffer !== data!.buffer, "it is in use");
    one.send("RSET\r\n");
    const command = await first.read("command", READ_MS, TOO_LATE);
    two.send("data");
    const others = await second.read("data", READ_MS, TOO_LATE);
    assert(others!.buffer === data!.buffer, "it goes around");
    assert(command!.buffer !== data!.buffer, "its own client is done with it");
    for (const socket of [one, two]) socket.end();
    await Promise.all([first.close(), second.close()]);
  },
);

testInTime("a buffer for data that is still read into goes to nobody", async (clock) => {
  const buffers = new Buffers();
  const buffer = buffers.take();
  buffers.give(buffer);
  const commons = { turns, alarm: new Alarm(() => clock.now), buffers };
  const socket = new PuppetSocket();
  const channel = new Channel(socket, PATIENCE_MS, commons);
  const data = watch(channel.read("data", READ_MS, TOO_LATE));
  await channel.dismiss(STOPPING);
  assertEquals(await channel.read("command", READ_MS, TOO_LATE), null);
  const close = watch(channel.close());
  assert(buffers.take() !== buffer, "the client may still send");
  socket.end();
  await clock.tickAsync(0);
  assertEquals([data.isOver, close.isOver], [true, true]);
});

testChannel("flush() sends what was said in one write", async ({ socket, channel }) => {
  channel.say(ok);
  channel.say(STOPPING);
  assertEquals(socket.writes, 0);
  await channel.flush();
  await channel.flush();
  assertEquals([socket.writes, socket.said], [1, textOf(ok, STOPPING)]);
  socket.end();
  await channel.close();
});

testChannel("flush() writes on until all is taken", async ({ socket, channel }) => {
  channel.say(ok);
  await channel.flush();
  assertEquals(socket.said, textOf(ok));
  assert(socket.writes > 1);
  await channel.dismiss(STOPPING);
  assertEquals(socket.said, textOf(ok, STOPPING));
  socket.end();
  await channel.close();
}, 5);

testChannel("flush() lets a deaf client go when patience is over, not before", async (stage) => {
  const { socket, channel } = stage;
  socket.deafen();
  channel.say(ok);
  const flush = watch(channel.flush());
  assert(!channel.isDismissed);
  await assertClosedAfter(stage, PATIENCE_MS);
  assert(flush.isOver && channel.isDismissed);
  assertEquals(socket.said, "");
});

testChannel("read() lets an idle client go that does not take its 421 either", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.deafen();
  const read = watch(channel.read("command", READ_MS, TOO_LATE));
  await clock.tickAsync(READ_MS);
  assertEquals(read.isOver, false);
  await assertClosedAfter(stage, PATIENCE_MS);
  assertEquals(read, { isOver: true, result: null });
});

testChannel("abandon() ends a write that is stuck", async (stage) => {
  const { socket, channel } = stage;
  socket.deafen();
  channel.say(ok);
  const flush = watch(channel.flush());
  channel.abandon();
  assertEquals([flush.isOver, channel.isDismissed], [false, false]);
  await assertClosedAfter(stage, LINGER_MS);
  assert(flush.isOver && channel.isDismissed);
});

testChannel("abandon() ends a read that is pending", async (stage) => {
  const { channel } = stage;
  const read = watch(channel.read("data", READ_MS, TOO_LATE));
  channel.abandon();
  channel.abandon();
  await assertClosedAfter(stage, LINGER_MS);
  assertEquals(read, { isOver: true, result: null });
});

testChannel("abandon() ends a dismissal that is stuck", async (stage) => {
  const { socket, channel } = stage;
  socket.deafen();
  const read = watch(channel.read("command", READ_MS, TOO_LATE));
  const dismissal = watch(channel.dismiss(STOPPING));
  channel.abandon();
  await assertClosedAfter(stage, LINGER_MS);
  assert(read.isOver && dismissal.isOver);
});

testChannel("abandon() leaves time to say a last thing", async (stage) => {
  const { clock, socket, channel } = stage;
  channel.abandon();
  await clock.tickAsync(LINGER_MS - 1);
  channel.abandon();
  channel.say(STOPPING);
  socket.end();
  await channel.close();
  assertEquals(socket.said, textOf(STOPPING));
});

testChannel(
  "close() sends what was said and waits a moment for the client to leave",
  async (stage) => {
    const { clock, socket, channel } = stage;
    channel.say(bye("here"));
    const close = watch(channel.close());
    await clock.tickAsync(0);
    assertEquals([socket.said, socket.isHalfClosed], [textOf(bye("here")), true]);
    assertEquals(close.isOver, false);
    await assertClosedAfter(stage, LINGER_MS);
    assert(close.isOver);
  },
);

testChannel("close() is over as soon as the client leaves", async ({ clock, socket, channel }) => {
  const close = watch(channel.close());
  await clock.tickAsync(LINGER_MS - 1);
  assertEquals(close.isOver, false);
  socket.end();
  await clock.tickAsync(0);
  assert(close.isOver);
});

testChannel("close() reads what still comes, and no longer than a moment", async (stage) => {
  const { clock, socket, channel } = stage;
  const close = watch(channel.close());
  for (let ms = 0; ms < LINGER_MS; ms += LINGER_MS / 10) {
    socket.send("x".repeat(100_000));
    await clock.tickAsync(LINGER_MS / 10 - 1);
    assertEquals([socket.unread, close.isOver], [0, false]);
    await clock.tickAsync(1);
  }
  assert(close.isOver);
});

testChannel("close() lets a deaf client go when patience is over", async (stage) => {
  const { socket, channel } = stage;
  socket.deafen();
  channel.say(bye("here"));
  const close = watch(channel.close());
  await assertClosedAfter(stage, PATIENCE_MS);
  assert(close.isOver);
  assertEquals(socket.isHalfClosed, false);
});

const calls: [name: string, call: (channel: Channel) => Promise<unknown>][] = [
  ["read()", (channel) => channel.read("command", READ_MS, TOO_LATE)],
  ["dismiss()", (channel) => channel.dismiss(STOPPING)],
  ["dismiss() during a read", (channel) => {
    const read = channel.read("command", READ_MS, TOO_LATE);
    return Promise.all([read, channel.dismiss(STOPPING)]);
  }],
  ["close()", (channel) => channel.close()],
];
for (const [name, call] of calls) {
  testChannel(`${name} ends the channel quietly where the socket fails`, async (stage) => {
    const { clock, socket, channel } = stage;
    for (const part of ["read", "write", "closeWrite"] as const) socket.fail(part);
    const watched = watch(call(channel).then(() => channel.close()));
    await clock.tickAsync(0);
    assert(watched.isOver);
  });
}

testChannel("what a client sent before it left is read, though it takes nothing", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.send("DATA\r\n");
  socket.end();
  socket.fail("write");
  socket.fail("closeWrite");
  channel.say(ok);
  await channel.flush();
  channel.say(ok);
  await channel.flush();
  const read = watch(channel.read("command", READ_MS, TOO_LATE));
  await clock.tickAsync(0);
  assertEquals(new TextDecoder().decode(read.result!), "DATA\r\n");
  assertEquals(await channel.read("command", READ_MS, TOO_LATE), null);
  assert(!channel.isDismissed, "it left by itself");
  channel.say(bye("here"));
  await channel.close();
  assertEquals(socket.refused, ["write", "closeWrite"], "it is not spoken to again");
});

testChannel("a write that fails while it waits ends the channel quietly", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.deafen();
  const read = watch(channel.read("command", READ_MS, TOO_LATE));
  await clock.tickAsync(READ_MS);
  socket.fail("write");
  await clock.tickAsync(0);
  assertEquals(read, { isOver: true, result: null });
  await part(stage);
});

testChannel("a read that fails while it waits ends the channel quietly", async (stage) => {
  const { clock, socket, channel } = stage;
  const read = watch(channel.read("command", READ_MS, TOO_LATE));
  await clock.tickAsync(0);
  socket.fail("read");
  await clock.tickAsync(0);
  assertEquals(read, { isOver: true, result: null });
  assert(!channel.isDismissed, "it left by itself");
});

testChannel("close() ends quietly where the client breaks off meanwhile", async (stage) => {
  const { clock, socket, channel } = stage;
  const close = watch(channel.close());
  await clock.tickAsync(0);
  socket.fail("read");
  await clock.tickAsync(0);
  assert(close.isOver);
});

testChannel(
  "a client that breaks off while it is dismissed ends the channel once",
  async (stage) => {
    const { clock, socket, channel } = stage;
    socket.deafen();
    const read = watch(channel.read("command", READ_MS, TOO_LATE));
    const dismissal = watch(channel.dismiss(STOPPING));
    await clock.tickAsync(0);
    socket.fail("read");
    socket.fail("write");
    await clock.tickAsync(0);
    assert(read.isOver && dismissal.isOver);
  },
);
