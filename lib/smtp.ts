/**
 * The server: a `Deno.listen` loop that accepts connections, turns away those that are too many, and at
 * the end lets the messages in flight arrive. What happens on a connection is connection.ts's.
 */
import { Channel, LINGER_MS } from "./channel.ts";
import { type ConnectionOptions, converse, type Remote } from "./connection.ts";
import * as replies from "./reply.ts";

/** What a server obeys and uses. */
export interface ServerOptions extends ConnectionOptions {
  /** An IP address or a name that resolves to one. */
  readonly host: string;
  /** 0 to 65535; 0 picks a free one. */
  readonly port: number;
  /** Limits of each connection, and of all together. */
  readonly limits: ConnectionOptions["limits"] & {
    /** Open at once; further ones get 421. */
    readonly maxConnections: number;
    /** Open at once from one client address; further ones get 421. */
    readonly maxConnectionsPerAddress: number;
    /** Milliseconds that messages in flight have to arrive once the server stops. */
    readonly graceMs: number;
  };
}

/** A server that listens. */
export interface Server {
  /** The IP address it listens at. */
  readonly hostname: string;
  /** The port it listens at, never 0. */
  readonly port: number;
  /** Resolves when the server has stopped: at the latest 3 s after `graceMs`. */
  readonly stopped: Promise<void>;
}

/** How long to wait after a failed accept, in milliseconds: there is no event for a freed descriptor. */
const ACCEPT_RETRY_MS = 100;

/** How long connections may take to say goodbye once they are told to leave at once, in milliseconds. */
export const GOODBYE_MS = 3 * LINGER_MS;

/**
 * Listens until `signal` is aborted. Throws what `Deno.listen` throws, such as `Deno.errors.AddrInUse`.
 */
export function listen(options: ServerOptions, signal: AbortSignal): Server {
  const listener = Deno.listen({ hostname: options.host, port: options.port });
  const { hostname, port } = listener.addr;
  options.observe({ kind: "listening", address: formatAddress(hostname, port) });
  return { hostname, port, stopped: serve(listener, options, signal) };
}

async function serve(
  listener: Deno.TcpListener,
  options: ServerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { observe, limits } = options;
  const connections = new Map<Promise<void>, string>();
  // They are not counted: whoever keeps trying would else keep everyone out.
  const turnedAway = new Set<Promise<void>>();
  const abandon = new AbortController();
  const stopping = { soon: signal, now: abandon.signal };
  const stop = () => {
    observe({ kind: "stopping", connections: connections.size });
    listener.close();
  };
  // Before any connection hears of it, so that all that are open are counted.
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();

  for await (const socket of accepted(listener, observe)) {
    const remote = remoteOf(socket);
    if (!isTooMany(connections, remote.address, limits)) {
      const done = converse(socket, remote, options, stopping);
      connections.set(done, remote.address);
      done.finally(() => connections.delete(done));
    } else if (turnedAway.size < limits.maxConnections) {
      const done = turnAway(socket, remote, options);
      turnedAway.add(done);
      done.finally(() => turnedAway.delete(done));
    } else {
      // Too many even to be told so.
      socket.close();
    }
  }

  const timers = [setTimeout(() => abandon.abort(), limits.graceMs)];
  // Whatever does not hear that, such as a parser at work, is not waited for.
  const tooLate = new Promise<void>((resolve) =>
    timers.push(setTimeout(resolve, limits.graceMs + GOODBYE_MS))
  );
  await Promise.race([tooLate, Promise.all([...connections.keys(), ...turnedAway])]);
  timers.forEach(clearTimeout);
}

/** Connections as they come, until the listener is closed; a failed accept is not the end. */
async function* accepted(
  listener: Deno.TcpListener,
  observe: ServerOptions["observe"],
): AsyncGenerator<Deno.TcpConn> {
  for (let failing = false;;) {
    try {
      const socket = await listener.accept();
      failing = false;
      yield socket;
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      // Once is enough to say it: descriptors may be short for hours.
      if (!failing) observe({ kind: "accept failed", error });
      failing = true;
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
    }
  }
}

function isTooMany(
  connections: ReadonlyMap<unknown, string>,
  address: string,
  limits: ServerOptions["limits"],
): boolean {
  if (connections.size >= limits.maxConnections) return true;
  if (connections.size < limits.maxConnectionsPerAddress) return false;
  const same = connections.values().filter((other) => other === address);
  return same.reduce((count) => count + 1, 0) >= limits.maxConnectionsPerAddress;
}

async function turnAway(
  socket: Deno.TcpConn,
  { address }: Remote,
  { observe, policy, limits }: ServerOptions,
): Promise<void> {
  const reply = replies.tooManyConnections(policy.domain);
  observe({ kind: "turned away", address, reply });
  const channel = new Channel(socket, limits.idleTimeoutMs);
  channel.say(reply);
  await channel.close();
}

function remoteOf(socket: Deno.TcpConn): Remote {
  const { hostname, port } = socket.remoteAddr;
  return { address: normalise(hostname), port, tls: false };
}

/** An IPv4 peer of a dual-stack socket in its own form (RFC 4291 section 2.5.5.2). */
function normalise(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}

/** `host:port`, with brackets around an IPv6 address (RFC 3986 section 3.2.2). */
export function formatAddress(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
