/**
 * The server: listens at its addresses, takes each connection through the door, and at the end lets the
 * messages in flight arrive. What happens on a connection is connection.ts's.
 */
import { formatListenAddress, type ListenAddress } from "./address.ts";
import { Channel, LINGER_MS, type Socket } from "./channel.ts";
import { type ConnectionOptions, converse, type Stopping } from "./connection.ts";
import { Crowd, type CrowdLimits } from "./crowd.ts";
import { type Accepted, Listener } from "./listener.ts";
import type { Remote } from "./mail.ts";
import { isProxy, type Proxies, takeHeader } from "./proxied.ts";
import * as replies from "./reply.ts";
import type { Protocol } from "./reply.ts";
import { Room } from "./room.ts";
import type { Policy } from "./state.ts";

/** What a server obeys and uses. */
export interface ServerOptions extends Omit<ConnectionOptions, "policy" | "room"> {
  /** Where to listen; at least one. */
  readonly addresses: readonly ListenAddress[];
  /** The mode of Unix sockets, such as `0o660`. */
  readonly socketMode: number;
  /** Who passes connections on. */
  readonly proxies: Proxies;
  /** What sessions obey; the protocol is that of the address. */
  readonly policy: Omit<Policy, "protocol">;
  /** Limits of each connection, and of all together. */
  readonly limits: ConnectionOptions["limits"] & CrowdLimits & {
    /** Milliseconds that a proxy may take to say whose connection it passes on. */
    readonly proxyTimeoutMs: number;
    /** Octets of all messages that are in memory, about. */
    readonly maxHeldOctets: number;
    /** Milliseconds that messages in flight have to arrive once the server stops. */
    readonly graceMs: number;
  };
}

/** A server that listens. */
export interface Server {
  /** Where it listens; no port is 0. */
  readonly addresses: readonly ListenAddress[];
  /** Resolves when the server has stopped: at the latest 3 s after `graceMs`. */
  readonly stopped: Promise<void>;
}

/** How long connections may take to say goodbye once they are told to leave at once, in milliseconds. */
export const GOODBYE_MS = 3 * LINGER_MS;

/**
 * Listens until `signal` is aborted. Where it cannot listen at one of its addresses it listens at none,
 * and rejects with what `Deno.listen` throws, such as `Deno.errors.AddrInUse`.
 */
export async function listen(options: ServerOptions, signal: AbortSignal): Promise<Server> {
  const listeners: Listener[] = [];
  try {
    for (const address of options.addresses) {
      listeners.push(await Listener.open(address, options.socketMode));
    }
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
  const addresses = listeners.map(({ address }) => address);
  for (const address of addresses) {
    options.observe({ kind: "listening", address: formatListenAddress(address) });
  }
  return { addresses, stopped: serve(listeners, options, signal) };
}

async function serve(
  listeners: readonly Listener[],
  options: ServerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { observe, limits } = options;
  const abandon = new AbortController();
  const door = new Door(options, { soon: signal, now: abandon.signal });
  const stop = () => {
    observe({ kind: "stopping", connections: door.connections });
    for (const listener of listeners) listener.close();
  };
  // Before any connection hears of it, so that all that are open are counted.
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();

  await Promise.all(listeners.map(async (listener) => {
    for await (const accepted of listener.connections(observe)) {
      door.open(accepted, listener.address.protocol);
    }
  }));

  const timers = [setTimeout(() => abandon.abort(), limits.graceMs)];
  // Whatever does not hear that, such as a parser at work, is not waited for.
  const tooLate = new Promise<void>((resolve) =>
    timers.push(setTimeout(resolve, limits.graceMs + GOODBYE_MS))
  );
  await Promise.race([tooLate, door.empty()]);
  timers.forEach(clearTimeout);
}

/** A connection, and who is behind it. */
interface Visitor {
  readonly socket: Socket;
  readonly remote: Remote;
}

/** What stands between a connection that was accepted and its session. */
class Door {
  readonly #options: ServerOptions;
  readonly #stopping: Stopping;
  readonly #crowd: Crowd;
  readonly #room: Room;
  readonly #visits = new Set<Promise<void>>();
  /**
   * Those at the door are not counted with those inside, nor those that are told to leave with those that
   * may come in: whoever keeps knocking would keep everyone out.
   */
  readonly #asking: Limited;
  readonly #telling: Limited;

  constructor(options: ServerOptions, stopping: Stopping) {
    const { maxConnections } = options.limits;
    this.#asking = limited(maxConnections);
    this.#telling = limited(maxConnections);
    this.#options = options;
    this.#stopping = stopping;
    this.#crowd = new Crowd(options.limits);
    this.#room = new Room(options.limits.maxHeldOctets);
  }

  /** How many connections have been let in. */
  get connections(): number {
    return this.#crowd.size;
  }

  /** Resolves when all who came have left. */
  async empty(): Promise<void> {
    await Promise.all(this.#visits);
  }

  /** Lets a connection in, or turns it away. */
  open({ socket, remote }: Accepted, protocol: Protocol): void {
    const visit = this.#receive(socket, remote, protocol);
    this.#visits.add(visit);
    visit.finally(() => this.#visits.delete(visit));
  }

  async #receive(socket: Deno.Conn, remote: Remote, protocol: Protocol): Promise<void> {
    const { proxies, limits, observe } = this.#options;
    if (!isProxy(proxies, remote)) return await this.#admit({ socket, remote }, protocol);
    const passed = await this.#asking(() =>
      takeHeader(socket, remote, limits.proxyTimeoutMs, this.#stopping.soon)
    );
    if (passed === null) return socket.close();
    if (passed.kind === "passed") return await this.#admit(passed, protocol);
    if (passed.reason === null) return;
    observe({ kind: "proxy fault", address: remote.address, reason: passed.reason });
  }

  async #admit({ socket, remote }: Visitor, protocol: Protocol): Promise<void> {
    const leave = this.#crowd.enter(remote.address);
    if (leave === null) {
      const told = await this.#telling(() => this.#turnAway({ socket, remote }));
      // Too many even to be told so.
      if (told === null) socket.close();
      return;
    }
    try {
      const policy = { ...this.#options.policy, protocol };
      const options = { ...this.#options, policy, room: this.#room };
      await converse(socket, remote, options, this.#stopping);
    } finally {
      leave();
    }
  }

  async #turnAway({ socket, remote }: Visitor): Promise<void> {
    const { observe, policy, limits } = this.#options;
    const reply = replies.tooManyConnections(policy.domain);
    observe({ kind: "turned away", address: remote.address, reply });
    const channel = new Channel(socket, limits.idleTimeoutMs);
    channel.say(reply);
    await channel.close();
  }
}

/** Does work, unless as much of it as may be is going on; null then. */
type Limited = <Result>(work: () => Promise<Result>) => Promise<Result | null>;

function limited(most: number): Limited {
  let busy = 0;
  return async (work) => {
    if (busy >= most) return null;
    busy++;
    try {
      return await work();
    } finally {
      busy--;
    }
  };
}
