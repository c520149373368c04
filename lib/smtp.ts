/**
 * The server: listens at its addresses, takes each connection to the door, and at the end lets the
 * messages in flight arrive. Who comes in is door.ts's, what happens on a connection connection.ts's.
 */
import { formatListenAddress, type ListenAddress } from "./address.ts";
import { commonsBy, LINGER_MS } from "./channel.ts";
import { Door, type DoorOptions } from "./door.ts";
import { Listener } from "./listener.ts";

/** What a server obeys and uses. */
export interface ServerOptions extends DoorOptions {
  /** Where to listen; at least one. */
  readonly addresses: readonly ListenAddress[];
  /** The mode of Unix sockets, such as `0o660`. */
  readonly socketMode: number;
  /** Limits of each connection, and of all together. */
  readonly limits: DoorOptions["limits"] & {
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
  const commons = commonsBy(options.uptimeMs);
  const door = new Door(options, commons, { soon: signal, now: abandon.signal });
  const stop = () => {
    observe({ kind: "stopping", connections: door.connections });
    for (const listener of listeners) listener.close();
  };
  // Before any connection hears of it, so that all that are open are counted.
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();

  await Promise.all(listeners.map(async (listener) => {
    for await (const accepted of listener.connections({ ...options, ...commons })) {
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
