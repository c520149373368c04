/** Headers of proxies, on a socket in memory and by a clock that stands still. */
import { parseNetwork } from "../lib/ip.ts";
import type { Remote } from "../lib/mail.ts";
import { isProxy, type Passed, takeHeader } from "../lib/proxied.ts";
import { assert, assertEquals } from "./assert.ts";
import { type Clock, testInTime, watch, type Watched } from "./clock.ts";
import { PuppetSocket } from "./socket.ts";

const MS = 10_000;
const PROXY: Remote = { address: "10.0.0.1", port: 40000, tls: false };
const CLIENT: Remote = { address: "192.0.2.1", port: 56324, tls: false };
const LINE = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\n";
/** Version 2 of the same, but for what is no ASCII: the client is 127.0.2.1. */
const BINARY = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\x02\x01\x7f\0\0\x01\x5c\x04\0\x19";
const BINARY_CLIENT: Remote = { address: "127.0.2.1", port: 0x5c04, tls: false };
const SMTP = "EHLO me\r\nMAIL FROM:<>\r\n";
const LATE = "its PROXY header does not come";
const BROKEN = "its PROXY header is broken off";

/** The connection of a proxy, and what becomes of it. */
interface Stage {
  readonly clock: Clock;
  readonly socket: PuppetSocket;
  readonly passed: Watched<Passed>;
  readonly stop: () => void;
}

/** A test of one connection; whatever comes of it, nobody listens to the signal after that. */
function testHeader(name: string, run: (stage: Stage) => Promise<void>, isStopped = false): void {
  testInTime(name, async (clock) => {
    const socket = new PuppetSocket();
    const abort = new AbortController();
    const listeners = listenersOf(abort.signal);
    if (isStopped) abort.abort();
    const passed = watch(takeHeader(socket, PROXY, MS, abort.signal));
    await run({ clock, socket, passed, stop: () => abort.abort() });
    assert(passed.isOver, "it is waited for");
    assertEquals([listeners.count, clock.countTimers()], [0, 0], "listeners and timers");
    const { closes } = socket;
    abort.abort();
    await clock.tickAsync(2 * MS);
    assertEquals([socket.closes, socket.trespasses], [closes, []], "touched after the end");
  });
}

/** Counts who listens to a signal, which lives as long as the server and must not gather them. */
function listenersOf(signal: AbortSignal): { readonly count: number } {
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners.add(args[1]);
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners.delete(args[1]);
    removeEventListener.apply(signal, args);
  };
  return {
    get count() {
      return listeners.size;
    },
  };
}

/** Holds that a connection has passed, whose it is, and what it says; then it is closed. */
async function assertPassed(
  { clock, socket, passed }: Stage,
  remote: Remote,
  text: string,
): Promise<void> {
  await clock.tickAsync(0);
  assertEquals(passed.result?.kind, "passed");
  if (passed.result?.kind !== "passed") return;
  assertEquals(passed.result.remote, remote);
  assertEquals(socket.closes, 0);
  const { socket: rest } = passed.result;
  socket.end();
  // A buffer that is smaller than what came along, to be filled several times.
  const buffer = new Uint8Array(5);
  const decoder = new TextDecoder();
  let read = "";
  for (let count; (count = await rest.read(buffer)) !== null;) {
    read += decoder.decode(buffer.subarray(0, count));
  }
  assertEquals(read, text);
  const said = new TextEncoder().encode("250 OK\r\n");
  assertEquals([await rest.write(said), socket.said], [said.length, "250 OK\r\n"]);
  await rest.closeWrite();
  rest.close();
  assertEquals([socket.isHalfClosed, socket.closes], [true, 1]);
}

async function assertRefused(
  { clock, socket, passed }: Stage,
  reason: string | null,
): Promise<void> {
  await clock.tickAsync(0);
  assertEquals(passed.result, { kind: "refused", reason });
  assertEquals([socket.closes, socket.said], [1, ""]);
}

const headers: [name: string, header: string, remote: Remote][] = [
  ["a line", LINE, CLIENT],
  ["a binary header", BINARY, BINARY_CLIENT],
  ["a header that names nobody", "PROXY UNKNOWN\r\n", PROXY],
];
for (const [name, header, remote] of headers) {
  for (const [along, text] of [["nothing", ""], ["the client's first octets", SMTP]]) {
    testHeader(`${name} that comes in one read with ${along} tells whose it is`, async (stage) => {
      stage.socket.send(header + text);
      await assertPassed(stage, remote, text);
    });

    testHeader(`${name} that comes octet by octet, then ${along}`, async (stage) => {
      const { clock, socket, passed } = stage;
      for (const octet of header) {
        assertEquals(passed.isOver, false);
        socket.send(octet);
        await clock.tickAsync(1);
      }
      assert(passed.isOver, "no more is waited for");
      socket.send(text);
      await assertPassed(stage, remote, text);
    });
  }
}

testHeader("octets that come after those that came along are read behind them", async (stage) => {
  const { clock, socket } = stage;
  socket.send(`${LINE}EHLO `);
  await clock.tickAsync(0);
  socket.send("me\r\n");
  await assertPassed(stage, CLIENT, "EHLO me\r\n");
});

testHeader("a header longer than one read is read whole", async (stage) => {
  // 2,000 octets that are no TLV of this program's.
  const tlv = `\x04\x07\x4d${"x".repeat(1869)}`;
  const length = String.fromCharCode(12 + tlv.length >> 8, 12 + tlv.length & 0xff);
  assert(/^[\0-\x7f]+$/.test(length), "as octets");
  stage.socket.send(`${BINARY.slice(0, 14)}${length}${BINARY.slice(16)}${tlv}${SMTP}`);
  await assertPassed(stage, BINARY_CLIENT, SMTP);
});

const malformed: [name: string, text: string, reason: string][] = [
  ["SMTP", SMTP, "it does not begin with a PROXY header"],
  ["TLS", "\x16\x03\x01", "it does not begin with a PROXY header"],
  ["another command", "PROXIES\r\n", "it does not begin with a PROXY header"],
  ["half a line end", LINE.replace("\r\n", "\n"), "its line does not end in CRLF"],
  ["version 3", BINARY.replace("\x21", "\x31"), "its version is unknown"],
];
for (const [name, text, reason] of malformed) {
  testHeader(`a proxy that says ${name} is left at once`, async (stage) => {
    stage.socket.send(text);
    await assertRefused(stage, reason);
  });
}

for (const [name, header] of headers) {
  testHeader(`${name} that is broken off is told`, async (stage) => {
    stage.socket.send(header.slice(0, -1));
    await stage.clock.tickAsync(0);
    assertEquals(stage.passed.isOver, false);
    stage.socket.end();
    await assertRefused(stage, BROKEN);
  });
}

testHeader("a proxy that looks whether somebody is there is not told of", async (stage) => {
  stage.socket.end();
  await assertRefused(stage, null);
});

for (const said of ["", LINE.slice(0, 10)]) {
  testHeader(`a connection that is reset after ${said.length} octets is over`, async (stage) => {
    stage.socket.send(said);
    await stage.clock.tickAsync(0);
    stage.socket.fail("read");
    await assertRefused(stage, null);
  });

  testHeader(`a header of which ${said.length} octets come is waited for, and no longer`, async (
    stage,
  ) => {
    const { clock, socket, passed } = stage;
    socket.send(said);
    await clock.tickAsync(MS - 1);
    assertEquals([passed.isOver, socket.closes], [false, 0]);
    await clock.tickAsync(1);
    await assertRefused(stage, LATE);
  });

  testHeader(`a stop ends the wait for a header after ${said.length} octets`, async (stage) => {
    stage.socket.send(said);
    await stage.clock.tickAsync(MS - 1);
    stage.stop();
    await assertRefused(stage, null);
  });
}

testHeader("a header that drips has no more time than any other", async (stage) => {
  const { clock, socket, passed } = stage;
  for (const octet of LINE.slice(0, 10)) {
    await clock.tickAsync(MS / 10 - 1);
    socket.send(octet);
  }
  await clock.tickAsync(9);
  assertEquals(passed.isOver, false);
  await clock.tickAsync(1);
  await assertRefused(stage, LATE);
});

testHeader("a header is not waited for after the stop", async (stage) => {
  await assertRefused(stage, null);
}, true);

testHeader("a header that comes at the moment of the stop passes nothing closed", async (stage) => {
  const { socket, stop } = stage;
  socket.send(LINE);
  stop();
  await assertRefused(stage, null);
});

const networks = ["10.0.0.0/8", "2001:db8::/32", "203.0.113.7"].map((text) => parseNetwork(text)!);
const remotes: [address: string | null, unix: boolean, isProxy: boolean][] = [
  ["10.255.255.255", false, true],
  ["11.0.0.0", false, false],
  ["2001:db8:ffff::1", false, true],
  ["2001:db9::1", false, false],
  ["203.0.113.7", false, true],
  ["203.0.113.8", true, false],
  [null, false, false],
  [null, true, true],
];
for (const [address, unix, expected] of remotes) {
  const name = `${address ?? "a Unix socket"}, unix ${unix}`;
  Deno.test(`isProxy() of ${name} is ${expected}`, () => {
    const remote = { address, port: null, tls: false };
    assertEquals(isProxy({ networks, unix }, remote), expected);
    assertEquals(isProxy({ networks: [], unix: false }, remote), false);
  });
}
