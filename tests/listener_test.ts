/** One listener on real sockets: Unix sockets in a folder of their own, and TCP on loopback. */
import type { ListenAddress } from "../lib/address.ts";
import type { Event } from "../lib/event.ts";
import { type Accepted, Listener } from "../lib/listener.ts";
import type { Remote } from "../lib/mail.ts";
import { Turns } from "../lib/turns.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { type Clock, testInTime } from "./clock.ts";
import { hasIpv6, testInFolder } from "./machine.ts";

const uptimeMs = () => 0;
const QUIET = { observe: () => {}, turns: new Turns(uptimeMs), uptimeMs };
const MODE = 0o660;

const unix = (path: string): ListenAddress => ({ protocol: "SMTP", transport: "unix", path });
const tcp = (hostname: string, port = 0): ListenAddress => ({
  ...{ protocol: "SMTP", transport: "tcp", hostname, port },
});

/** Listens where a server listened that was killed: the file is there, and nobody behind it. */
function leaveStale(path: string): void {
  const killed = Deno.listen({ transport: "unix", path: `${path}.old` });
  Deno.renameSync(`${path}.old`, path);
  killed.close();
}

const exists = (path: string) => Deno.lstat(path).then(() => true, () => false);

/** Who connects there is served by this listener: the connection that it accepts says so. */
async function assertServes(listener: Listener, to: Deno.ConnectOptions | Deno.UnixConnectOptions) {
  const connections = listener.connections(QUIET);
  const client = await Deno.connect(to as Deno.ConnectOptions);
  const { value } = await connections.next();
  const { socket, remote } = value as Accepted;
  await socket.write(Uint8Array.of(42));
  socket.close();
  assertEquals(await client.read(new Uint8Array(2)), 1);
  client.close();
  return remote;
}

for (const mode of [0o600, 0o660, 0o666, 0o777]) {
  for (const umask of [0, 0o077]) {
    const name = `${mode.toString(8)}, whatever the umask, such as ${umask.toString(8)}`;
    testInFolder(`a Unix socket has mode ${name}`, async (folder) => {
      const path = `${folder}/smtp.sock`;
      const before = Deno.umask(umask);
      try {
        const listener = await Listener.open(unix(path), mode);
        assertEquals(Deno.lstatSync(path).mode! & 0o777, mode);
        listener.close();
      } finally {
        Deno.umask(before);
      }
    });
  }
}

testInFolder("a Unix socket takes connections, and is gone when it is closed", async (folder) => {
  const path = `${folder}/smtp.sock`;
  const listener = await Listener.open(unix(path), MODE);
  assertEquals(listener.address, unix(path));
  const remote = await assertServes(listener, { transport: "unix", path });
  assertEquals<Remote>(remote, { address: null, port: null, tls: false });
  listener.close();
  assertEquals(Array.from(Deno.readDirSync(folder)), []);
});

testInFolder("the Unix socket of a server that was killed is taken over", async (folder) => {
  const path = `${folder}/smtp.sock`;
  leaveStale(path);
  assert(Deno.lstatSync(path).isSocket);
  const listener = await Listener.open(unix(path), 0o600);
  assertEquals(Deno.lstatSync(path).mode! & 0o777, 0o600);
  await assertServes(listener, { transport: "unix", path });
  listener.close();
  assertEquals(await exists(path), false);
});

/** What may stand where a socket is wanted, and is not removed for it. */
const others: [name: string, put: (path: string) => void][] = [
  ["file", (path) => Deno.writeTextFileSync(path, "precious")],
  ["folder", (path) => Deno.mkdirSync(path)],
  ["link to a stale socket", (path) => {
    leaveStale(`${path}.stale`);
    Deno.symlinkSync(`${path}.stale`, path);
  }],
  ["link to nothing", (path) => Deno.symlinkSync(`${path}.nothing`, path)],
];
for (const [name, put] of others) {
  testInFolder(`a ${name} at the path of a Unix socket stays there`, async (folder) => {
    const path = `${folder}/smtp.sock`;
    put(path);
    const look = () => Array.from(Deno.readDirSync(folder), ({ name }) => name).toSorted();
    const [before, { ino }] = [look(), Deno.lstatSync(path)];
    const error = await assertRejects(() => Listener.open(unix(path), MODE));
    assert(error instanceof Deno.errors.AlreadyExists, `${error}`);
    const reason = "there is something that is no socket";
    assertEquals(error.message, `Cannot listen at smtp+unix:${path}: ${reason}`);
    assertEquals([look(), Deno.lstatSync(path).ino], [before, ino]);
  });
}

testInFolder("a Unix socket of which it is not clear who listens stays there", async (folder) => {
  const path = `${folder}/smtp.sock`;
  leaveStale(path);
  const { ino } = Deno.lstatSync(path);
  const { connect } = Deno;
  // As where another user's server listens, or so many wait that no more can.
  const denied = new Deno.errors.PermissionDenied();
  Deno.connect = (() => Promise.reject<never>(denied)) as unknown as typeof connect;
  try {
    const error = await assertRejects(() => Listener.open(unix(path), MODE));
    assert(error instanceof Deno.errors.AddrInUse, `${error}`);
  } finally {
    Deno.connect = connect;
  }
  assertEquals(Deno.lstatSync(path).ino, ino);
});

testInFolder("a Unix socket whose mode cannot be set is closed again", async (folder) => {
  const path = `${folder}/smtp.sock`;
  const { chmodSync } = Deno;
  Deno.chmodSync = () => {
    throw new Deno.errors.PermissionDenied("no modes here");
  };
  try {
    const error = await assertRejects(() => Listener.open(unix(path), MODE));
    assert(error instanceof Deno.errors.PermissionDenied, `${error}`);
    assertEquals(error.message, `Cannot listen at smtp+unix:${path}: no modes here`);
  } finally {
    Deno.chmodSync = chmodSync;
  }
  // That nothing is left open is for the test runner to see.
  assertEquals(Array.from(Deno.readDirSync(folder)), []);
});

testInFolder("the Unix socket of a server that lives stays its own", async (folder) => {
  const path = `${folder}/smtp.sock`;
  const alive = await Listener.open(unix(path), 0o600);
  const error = await assertRejects(() => Listener.open(unix(path), 0o666));
  assert(error instanceof Deno.errors.AddrInUse, `${error}`);
  assertEquals(Deno.lstatSync(path).mode! & 0o777, 0o600);
  // It sees one that comes to look and leaves, and then its client.
  const connections = alive.connections(QUIET);
  const { value: visit } = await connections.next();
  assertEquals(await visit!.socket.read(new Uint8Array(1)), null);
  visit!.socket.close();
  await assertServes(alive, { transport: "unix", path });
  alive.close();
});

testInFolder("a Unix socket that somebody has removed can be closed", async (folder) => {
  const path = `${folder}/smtp.sock`;
  const listener = await Listener.open(unix(path), MODE);
  await Deno.remove(path);
  listener.close();
  assertEquals(await exists(path), false);
});

/** Where to listen, where to connect, and what the client's address is then. */
const hosts: [host: string, to: string, listening: string, address: string][] = [
  ["127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"],
  ["::1", "::1", "::1", "::1"],
  ["::", "127.0.0.1", "::", "127.0.0.1"],
  ["::", "::1", "::", "::1"],
];
for (const [host, to, listening, address] of hosts) {
  Deno.test({
    name: `a client from ${to} of a socket at ${host} has the address ${address}`,
    ignore: host.includes(":") && !hasIpv6,
    fn: async () => {
      const listener = await Listener.open(tcp(host), MODE);
      const { address: at } = listener;
      assert(at.transport === "tcp" && at.port > 0);
      assertEquals(at, { protocol: "SMTP", transport: "tcp", hostname: listening, port: at.port });
      const remote = await assertServes(listener, { hostname: to, port: at.port });
      assert(remote.port !== null && remote.port > 0);
      assertEquals<Remote>(remote, { address, port: remote.port, tls: false });
      listener.close();
    },
  });
}

testInFolder("what cannot be listened at is named, and why", async (folder) => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const { AddrInUse, AddrNotAvailable, NotFound } = Deno.errors;
  const rows: [address: ListenAddress, kind: new () => Error, name: string][] = [
    [tcp("127.0.0.1", port), AddrInUse, `127.0.0.1:${port}`],
    [{ ...tcp("127.0.0.1", port), protocol: "LMTP" }, AddrInUse, `lmtp://127.0.0.1:${port}`],
    // TEST-NET-1 of RFC 5737.
    [tcp("192.0.2.1"), AddrNotAvailable, "192.0.2.1:0"],
    [unix(`${folder}/none/smtp.sock`), NotFound, `smtp+unix:${folder}/none/smtp.sock`],
  ];
  for (const [address, kind, name] of rows) {
    const error = await assertRejects(() => Listener.open(address, MODE), Error);
    assert(error instanceof kind, `${name}: ${error}`);
    const start = `Cannot listen at ${name}: `;
    assertEquals(error.message.slice(0, start.length), start);
    assert(error.message.length > start.length);
  }
  taken.close();
});

Deno.test("the connections of a listener end when it is closed", async () => {
  const listener = await Listener.open(tcp("127.0.0.1"), MODE);
  const events: Event[] = [];
  const next = listener.connections({ ...QUIET, observe: (event) => events.push(event) }).next();
  listener.close();
  assertEquals(await next, { done: true, value: undefined });
  assertEquals(events, []);
});

/** How long it waits after a failed accept. */
const RETRY_MS = 100;

const from = (hostname: string, port: number) => ({
  remoteAddr: { transport: "tcp", hostname, port },
});
const noDescriptors = () => new Error("Too many open files (os error 24)");

/** A listener that accepts these one after the other, and fails by those that are errors. */
async function stubbed(results: readonly (Error | ReturnType<typeof from>)[]): Promise<Listener> {
  const rest = [...results];
  const { listen } = Deno;
  Deno.listen = (() => ({
    addr: { hostname: "192.0.2.9", port: 25 },
    accept: () => {
      const result = rest.shift()!;
      return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
    },
  })) as unknown as typeof listen;
  return await Listener.open(tcp("192.0.2.9"), MODE).finally(() => Deno.listen = listen);
}

/** Adds to a story who comes and what is told, to the end. */
async function follow(listener: Listener, story: string[], clock: Clock): Promise<void> {
  const uptimeMs = () => clock.now;
  const observe = (event: Event) =>
    story.push(event.kind === "accept failed" ? `${(event.error as Error).message}` : event.kind);
  for await (const { remote } of listener.connections({ ...QUIET, observe, uptimeMs })) {
    story.push(`${remote.address} ${remote.port}`);
  }
  story.push("end");
}

testInTime(
  "a failed accept is told once a minute, and tried again until it succeeds",
  async (clock) => {
    const aMinute = Array.from({ length: 60_000 / RETRY_MS - 5 }, noDescriptors);
    const listener = await stubbed([
      ...[noDescriptors(), noDescriptors(), noDescriptors(), from("::ffff:192.0.2.1", 1)],
      ...[from("192.0.2.2", 2), noDescriptors(), from("2001:DB8::1", 3), noDescriptors()],
      ...[...aMinute, noDescriptors(), new Deno.errors.BadResource()],
    ]);
    const story: string[] = [];
    const all = follow(listener, story, clock);
    const told = async (ms: number) => {
      await clock.tickAsync(ms);
      return story.splice(0);
    };
    assertEquals(await told(0), ["Too many open files (os error 24)"]);
    assertEquals(await told(3 * RETRY_MS - 1), []);
    assertEquals(await told(1), ["192.0.2.1 1", "192.0.2.2 2"]);
    assertEquals(await told(RETRY_MS - 1), []);
    assertEquals(await told(1), ["2001:db8::1 3"]);
    assertEquals(await told(60_000 - 4 * RETRY_MS - 1), []);
    assertEquals(await told(1), ["Too many open files (os error 24)"]);
    assertEquals(await told(RETRY_MS), ["end"]);
    await all;
  },
);

testInTime("clients that are gone before they are accepted delay nobody", async (clock) => {
  const { NotConnected, ConnectionAborted, ConnectionReset, BadResource } = Deno.errors;
  const gone = Array.from({ length: 200 }, (_, index) => {
    const Gone = [NotConnected, ConnectionAborted, ConnectionReset][index % 3];
    return new Gone();
  });
  const listener = await stubbed([
    ...[...gone, from("192.0.2.1", 1), noDescriptors(), ...gone, noDescriptors()],
    ...[...gone, from("192.0.2.2", 2), new BadResource()],
  ]);
  const story: string[] = [];
  const all = follow(listener, story, clock);
  await clock.tickAsync(0);
  assertEquals(story.splice(0), ["192.0.2.1 1", "Too many open files (os error 24)"]);
  // Nor do they hide for how long it has failed.
  await clock.tickAsync(RETRY_MS);
  assertEquals(story.splice(0), []);
  await clock.tickAsync(RETRY_MS);
  assertEquals(story.splice(0), ["192.0.2.2 2", "end"]);
  await all;
});
