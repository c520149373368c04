/**
 * Listens at one address, over TCP or on a Unix socket, and goes on accepting whatever happens: a failed
 * accept, for example for want of file descriptors, is not the end.
 */
import { formatListenAddress, type ListenAddress } from "./address.ts";
import type { Socket } from "./channel.ts";
import type { Observe } from "./event.ts";
import { canonical } from "./ip.ts";
import type { Remote } from "./mail.ts";
import type { Turns } from "./turns.ts";

/** A connection that was accepted. */
export interface Accepted {
  /** Its octets. */
  readonly socket: Socket;
  /** Who connected: a client, or a proxy. */
  readonly remote: Remote;
}

/** What accepting uses. */
export interface ListenerOptions {
  /** Hears of accepts that fail. */
  readonly observe: Observe;
  /** The time that connections share. */
  readonly turns: Pick<Turns, "next">;
  /** Milliseconds on a clock that only goes forward. */
  readonly uptimeMs: () => number;
}

/** How long to wait after a failed accept, in milliseconds: there is no event for a freed descriptor. */
const ACCEPT_RETRY_MS = 100;

/** How often a failed accept is told, in milliseconds: descriptors may be short for hours. */
const ACCEPT_TOLD_MS = 60_000;

/** An open listener. */
export class Listener {
  /** Where it listens; a port is never 0. */
  readonly address: ListenAddress;
  readonly #listener: Deno.Listener;

  private constructor(address: ListenAddress, listener: Deno.Listener) {
    this.address = address;
    this.#listener = listener;
  }

  /**
   * Begins to listen; `socketMode` is the mode of a Unix socket. Rejects with what `Deno.listen` throws,
   * such as `Deno.errors.AddrInUse`, its message led by the address.
   */
  static async open(address: ListenAddress, socketMode: number): Promise<Listener> {
    try {
      if (address.transport === "unix") return await Listener.#openUnix(address, socketMode);
      const { hostname, port } = address;
      const listener = Deno.listen({ hostname, port });
      return new Listener({ ...address, ...listener.addr, transport: "tcp" }, listener);
    } catch (error) {
      const { message } = error as Error;
      (error as Error).message = `Cannot listen at ${formatListenAddress(address)}: ${message}`;
      throw error;
    }
  }

  static async #openUnix(
    address: ListenAddress & { transport: "unix" },
    mode: number,
  ): Promise<Listener> {
    const { path } = address;
    const listen = () => Deno.listen({ transport: "unix", path });
    let listener: Deno.Listener;
    try {
      listener = listen();
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      if (!Deno.lstatSync(path).isSocket) {
        throw new Deno.errors.AlreadyExists("there is something that is no socket");
      }
      if (!await isStale(path)) throw error;
      Deno.removeSync(path);
      listener = listen();
    }
    const opened = new Listener(address, listener);
    try {
      Deno.chmodSync(path, mode);
    } catch (error) {
      opened.close();
      throw error;
    }
    return opened;
  }

  /** Connections as they come, until it is closed. */
  async *connections(
    { observe, turns, uptimeMs }: ListenerOptions,
  ): AsyncGenerator<Accepted> {
    for (let toldMs = -Infinity;;) {
      await turns.next();
      try {
        const socket = await this.#listener.accept();
        yield { socket, remote: remoteOf(socket) };
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        // Whoever is gone again already is nobody's fault, and no reason to wait.
        if (isGone(error)) continue;
        if (uptimeMs() - toldMs >= ACCEPT_TOLD_MS) {
          observe({ kind: "accept failed", error });
          toldMs = uptimeMs();
        }
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
      }
    }
  }

  /** Stops listening; a Unix socket is gone then. */
  close(): void {
    this.#listener.close();
    if (this.address.transport === "tcp") return;
    try {
      // Older runtimes leave it.
      Deno.removeSync(this.address.path);
    } catch {
      // Newer ones do not; and whoever cannot remove it now takes it over at the next start.
    }
  }
}

function isGone(error: unknown): boolean {
  const { NotConnected, ConnectionAborted, ConnectionReset } = Deno.errors;
  return [NotConnected, ConnectionAborted, ConnectionReset].some((kind) => error instanceof kind);
}

/** Whether nobody listens at a socket any more, as a server leaves it that was killed. */
async function isStale(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused;
  }
}

function remoteOf({ remoteAddr }: Deno.Conn): Remote {
  return remoteAddr.transport === "tcp"
    ? { address: canonical(remoteAddr.hostname), port: remoteAddr.port, tls: false }
    : { address: null, port: null, tls: false };
}
