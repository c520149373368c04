/** The patience of a channel, on a socket in memory and by a clock that stands still. */
import { Channel, LINGER_MS } from "../lib/channel.ts";
import { bye, format, idleTooLong, ok, type Reply, shuttingDown } from "../lib/reply.ts";
import { assert, assertEquals } from "./assert.ts";
import { type Clock, testInTime, watch } from "./clock.ts";
import { PuppetSocket } from "./socket.ts";

const PATIENCE_MS = 10_000;
const TOO_LATE = idleTooLong("here");
const STOPPING = shuttingDown("here");

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
    const channel = new Channel(socket, PATIENCE_MS);
    await run({ clock, socket, channel });
    assertEquals(socket.closes, 1, "closed once");
    assertEquals(clock.countTimers(), 0, "timers");
    const { said, writes } = socket;
    channel.say(ok);
    const calls = [channel.flush(), channel.dismiss(ok), channel.close()].map(watch);
    const read = watch(channel.read("command", TOO_LATE));
    channel.abandon();
    await clock.tickAsync(0);
    assert(calls.every(({ isOver }) => isOver), "nothing waits after the end");
    assertEquals(read, { isOver: true, result: null });
    assertEquals([socket.said, socket.writes, socket.closes], [said, writes, 1]);
    assertEquals(socket.trespasses, []);
    assert(!channel.isReading, "reading");
  });
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
      const read = watch(channel.read(kind, TOO_LATE));
      await clock.tickAsync(PATIENCE_MS - 1);
      assertEquals([socket.said, socket.closes, read.isOver], ["", 0, false]);
      assert(channel.isReading && !channel.isDismissed);
      await clock.tickAsync(1);
      assertEquals(socket.said, textOf(TOO_LATE));
      assertEquals(read, { isOver: true, result: null });
    },
  );
}

testChannel("read() is as patient every time, and between reads no time counts", async (stage) => {
  const { clock, socket, channel } = stage;
  for (const text of ["a", "b", "c"]) {
    const read = watch(channel.read("command", TOO_LATE));
    await clock.tickAsync(PATIENCE_MS - 1);
    socket.send(text);
    await clock.tickAsync(0);
    assertEquals(new TextDecoder().decode(read.result!), text);
    assert(!channel.isReading);
    await clock.tickAsync(10 * PATIENCE_MS);
  }
  assertEquals(socket.closes, 0);
  const read = watch(channel.read("command", TOO_LATE));
  await assertClosedAfter(stage, PATIENCE_MS);
  assertEquals(read, { isOver: true, result: null });
});

testChannel("read() gives null at the end, and the channel can still speak", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.end();
  assertEquals(await channel.read("command", TOO_LATE), null);
  channel.say(bye("here"));
  await channel.close();
  await clock.tickAsync(0);
  assertEquals(socket.said, textOf(bye("here")));
});

testChannel("what comes while a client is told that it is too late is not read", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.deafen();
  const read = watch(channel.read("data", TOO_LATE));
  await clock.tickAsync(PATIENCE_MS);
  assertEquals([socket.writes, socket.closes], [1, 0]);
  socket.send(".\r\n");
  await clock.tickAsync(0);
  assertEquals(socket.unread, 0, "the pending read has taken it");
  assertEquals(read.result, null);
  socket.hear();
  await clock.tickAsync(0);
  assertEquals(read, { isOver: true, result: null });
  assertEquals(socket.said, textOf(TOO_LATE));
});

testChannel("what comes while a client is dismissed is not read", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.deafen();
  const read = watch(channel.read("data", TOO_LATE));
  const dismissal = watch(channel.dismiss(STOPPING));
  socket.send(".\r\n");
  await clock.tickAsync(0);
  assertEquals([read.result, dismissal.isOver], [null, false]);
  assertEquals(await channel.read("data", TOO_LATE), null);
  socket.hear();
  await clock.tickAsync(0);
  assert(dismissal.isOver);
  assertEquals(socket.said, textOf(STOPPING));
});

testChannel(
  "dismiss() frees a pending read and says its reply once, also when called again",
  async (stage) => {
    const { clock, socket, channel } = stage;
    const read = watch(channel.read("command", TOO_LATE));
    const dismissals = [channel.dismiss(STOPPING), channel.dismiss(STOPPING)].map(watch);
    assert(channel.isDismissed, "for whoever asks, though the reply is still on its way");
    await clock.tickAsync(0);
    dismissals.push(watch(channel.dismiss(TOO_LATE)));
    await clock.tickAsync(0);
    assert(dismissals.every(({ isOver }) => isOver));
    assertEquals(read, { isOver: true, result: null });
    assertEquals(socket.said, textOf(STOPPING));
  },
);

testChannel(
  "dismiss() says nothing more to a client that is just told that it is too late",
  async (stage) => {
    const { clock, socket, channel } = stage;
    socket.deafen();
    const read = watch(channel.read("command", TOO_LATE));
    await clock.tickAsync(PATIENCE_MS);
    const dismissal = watch(channel.dismiss(STOPPING));
    socket.hear();
    await clock.tickAsync(0);
    assert(read.isOver && dismissal.isOver);
    assertEquals(socket.said, textOf(TOO_LATE));
  },
);

testChannel("dismiss() waits for a deaf client as long as flush() does", async (stage) => {
  const { socket, channel } = stage;
  socket.deafen();
  const dismissal = watch(channel.dismiss(STOPPING));
  const close = watch(channel.close());
  await assertClosedAfter(stage, PATIENCE_MS);
  assert(dismissal.isOver && close.isOver);
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
  const read = watch(channel.read("command", TOO_LATE));
  await clock.tickAsync(PATIENCE_MS);
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
  const read = watch(channel.read("data", TOO_LATE));
  channel.abandon();
  channel.abandon();
  await assertClosedAfter(stage, LINGER_MS);
  assertEquals(read, { isOver: true, result: null });
});

testChannel("abandon() ends a dismissal that is stuck", async (stage) => {
  const { socket, channel } = stage;
  socket.deafen();
  const read = watch(channel.read("command", TOO_LATE));
  const dismissal = watch(channel.dismiss(STOPPING));
  channel.abandon();
  await assertClosedAfter(stage, LINGER_MS);
  assert(read.isOver && dismissal.isOver);
});

testChannel("abandon() leaves time to say a last thing", async (stage) => {
  const { clock, socket, channel } = stage;
  channel.abandon();
  await clock.tickAsync(LINGER_MS - 1);
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
  ["read()", (channel) => channel.read("command", TOO_LATE)],
  ["dismiss()", (channel) => channel.dismiss(STOPPING)],
  ["dismiss() during a read", (channel) => {
    const read = channel.read("command", TOO_LATE);
    return Promise.all([read, channel.dismiss(STOPPING)]);
  }],
  ["close()", (channel) => channel.close()],
];
for (const [name, call] of calls) {
  testChannel(`${name} ends the channel quietly where the socket fails`, async (stage) => {
    const { clock, socket, channel } = stage;
    for (const part of ["read", "write", "closeWrite"] as const) socket.fail(part);
    const watched = watch(call(channel));
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
  const read = watch(channel.read("command", TOO_LATE));
  await clock.tickAsync(0);
  assertEquals(new TextDecoder().decode(read.result!), "DATA\r\n");
  assertEquals(await channel.read("command", TOO_LATE), null);
  assert(!channel.isDismissed, "it left by itself");
  channel.say(bye("here"));
  await channel.close();
  assertEquals(socket.refused, ["write", "closeWrite"], "it is not spoken to again");
});

testChannel("a write that fails while it waits ends the channel quietly", async (stage) => {
  const { clock, socket, channel } = stage;
  socket.deafen();
  const read = watch(channel.read("command", TOO_LATE));
  await clock.tickAsync(PATIENCE_MS);
  socket.fail("write");
  await clock.tickAsync(0);
  assertEquals(read, { isOver: true, result: null });
});

testChannel("a read that fails while it waits ends the channel quietly", async (stage) => {
  const { clock, socket, channel } = stage;
  const read = watch(channel.read("command", TOO_LATE));
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
    const read = watch(channel.read("command", TOO_LATE));
    const dismissal = watch(channel.dismiss(STOPPING));
    await clock.tickAsync(0);
    socket.fail("read");
    socket.fail("write");
    await clock.tickAsync(0);
    assert(read.isOver && dismissal.isOver);
  },
);
