/**
 * Connections that a proxy passes on: which ones have to begin with a header of the PROXY protocol, and
 * whose they are then. The header itself is read in proxy.ts.
 *
 * A header is believed from proxies that the operator named, and from nobody else; and from those it has
 * to come, as the specification wants (section 2): who may leave it out may pretend to be anyone.
 */
import type { Socket } from "./channel.ts";
import { contains, type Network } from "./ip.ts";
import type { Remote } from "./mail.ts";
import { concat } from "./octets.ts";
import { readProxyHeader } from "./proxy.ts";

/** Whose headers are believed. */
export interface Proxies {
  /** Those at these addresses. */
  readonly networks: readonly Network[];
  /** Those that connect by a Unix socket. */
  readonly unix: boolean;
}

/** A connection without its header, and who is behind it; or why it has to be ended, null for no reason. */
export type Passed =
  | { readonly kind: "passed"; readonly socket: Socket; readonly remote: Remote }
  | { readonly kind: "refused"; readonly reason: string | null };

/** Whether connections from there are a proxy's. */
export function isProxy({ networks, unix }: Proxies, { address }: Remote): boolean {
  return address === null ? unix : contains(networks, address);
}

/** Octets of a read: a header is shorter, unless it says more than is wanted to know. */
const READ_OCTETS = 512;

/**
 * Reads the header, for so many milliseconds at most, or until `signal`. A connection that is refused is
 * closed already. It does not reject.
 */
export async function takeHeader(
  socket: Socket,
  remote: Remote,
  ms: number,
  signal: AbortSignal,
): Promise<Passed> {
  let refused: Passed & { kind: "refused" } | null = null;
  const refuse = (reason: string | null) => {
    if (refused === null) socket.close();
    return refused ??= { kind: "refused", reason };
  };
  if (signal.aborted) return refuse(null);
  const timer = setTimeout(() => refuse("its PROXY header does not come"), ms);
  const stop = () => void refuse(null);
  signal.addEventListener("abort", stop);
  try {
    const found = await readHeader(socket, remote);
    // It may have come too late by then.
    return refused ?? (found.kind === "refused" ? refuse(found.reason) : found);
  } catch {
    // It was closed here, or reset there.
    return refuse(null);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

async function readHeader(socket: Socket, remote: Remote): Promise<Passed> {
  const buffer = new Uint8Array(READ_OCTETS);
  for (let octets = new Uint8Array(0);;) {
    const header = readProxyHeader(octets);
    if (header.kind === "malformed") return { kind: "refused", reason: header.reason };
    if (header.kind === "complete") {
      const rest = octets.subarray(header.length);
      return {
        kind: "passed",
        socket: rest.length === 0 ? socket : putBack(socket, rest),
        remote: header.source ?? remote,
      };
    }
    const count = await socket.read(buffer);
    if (count === null) {
      // Proxies connect and leave to see whether the server is there.
      const reason = octets.length === 0 ? null : "its PROXY header is broken off";
      return { kind: "refused", reason };
    }
    octets = concat([octets, buffer.subarray(0, count)]);
  }
}

/** A socket of which octets that were read can be read again. */
function putBack(socket: Socket, octets: Uint8Array): Socket {
  return {
    read: (buffer) => {
      if (octets.length === 0) return socket.read(buffer);
      const count = Math.min(octets.length, buffer.length);
      buffer.set(octets.subarray(0, count));
      octets = octets.subarray(count);
      return Promise.resolve(count);
    },
    write: (octets) => socket.write(octets),
    closeWrite: () => socket.closeWrite(),
    close: () => socket.close(),
  };
}
