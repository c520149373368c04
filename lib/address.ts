/**
 * Where a server listens, and for what: SMTP (RFC 5321) or LMTP (RFC 2033), over TCP or on a Unix
 * socket. As operators write it, and as it is shown to them.
 */
import { canonical } from "./ip.ts";
import type { Protocol } from "./reply.ts";

/** Where a server listens. */
export type ListenAddress =
  & { readonly protocol: Protocol }
  & (
    | {
      readonly transport: "tcp";
      /** An IP address, without brackets, or a name that resolves to one. */
      readonly hostname: string;
      /** 0 to 65535; 0 picks a free one. */
      readonly port: number;
    }
    | {
      readonly transport: "unix";
      /** Absolute. */
      readonly path: string;
    }
  );

/** What a text has to be, which it is not: what stands behind "must be" in a fault. */
export interface Wanted {
  /** Without a full stop. */
  readonly wanted: string;
}

/**
 * What the address of a Unix socket has room for: `sun_path` is 108 octets on Linux and 104 on
 * macOS and the BSDs, and the last of them ends it.
 */
export const MAX_PATH_OCTETS = Deno.build.os === "linux" ? 107 : 103;

/** What LMTP must not be on (RFC 2033 section 5). */
const SMTP_PORT = 25;

const FORMS =
  "an address such as smtp://127.0.0.1:1025, lmtp://[::1]:24, smtp+unix:/PATH or lmtp+unix:/PATH";

/** Reads `smtp://HOST:PORT`, `lmtp://HOST:PORT`, `smtp+unix:/PATH` or `lmtp+unix:/PATH`. */
export function parseListenAddress(text: string): ListenAddress | Wanted {
  const [, scheme, unix, rest] = /^(smtp|lmtp)(\+unix)?:(.*)$/is.exec(text) ?? [];
  if (scheme === undefined) return { wanted: FORMS };
  const protocol = scheme.toUpperCase() as Protocol;
  if (unix !== undefined) return unixAddress(protocol, rest);
  const [, address, name, port] = /^\/\/(?:\[(.*:.*)\]|([^:]*)):(\d{1,5})$/.exec(rest) ?? [];
  const hostname = address ?? name;
  if (port === undefined || !isHostname(hostname)) return { wanted: FORMS };
  return tcpAddress(protocol, hostname, Number(port));
}

/** What `--host` and `--port` say: an address or a name, or `unix:/PATH`, where no port counts. */
export function parseHost(host: string, port: number, protocol: Protocol): ListenAddress | Wanted {
  const [, path] = /^unix:(.*)$/is.exec(host) ?? [];
  if (path !== undefined) return unixAddress(protocol, path);
  const hostname = host.replace(/^\[(.*:.*)\]$/, "$1");
  if (!isHostname(hostname)) return { wanted: "a name, an IP address or unix:/PATH" };
  return tcpAddress(protocol, hostname, port);
}

function tcpAddress(protocol: Protocol, hostname: string, port: number): ListenAddress | Wanted {
  if (port > 65_535) return { wanted: "at a port from 0 to 65535" };
  if (protocol === "LMTP" && port === SMTP_PORT) {
    return { wanted: "at another port, as 25 is not for LMTP (RFC 2033 section 5)" };
  }
  return { protocol, transport: "tcp", hostname, port };
}

/** Whether a text is an IP address, or a name that is not nearly one. */
function isHostname(text: string): boolean {
  // A name that ends in a number is resolved as an address, such as 127.1 or 0x7f.1.
  const isAddress = text.includes(":") || /(^|\.)(\d+|0x[\da-f]*)\.?$/i.test(text);
  return isAddress ? canonical(text) !== null : /^[\w-]+(\.[\w-]+)*\.?$/.test(text);
}

function unixAddress(protocol: Protocol, text: string): ListenAddress | Wanted {
  // An empty authority may be written or not (RFC 3986 section 3); unix://run/x would have one.
  const path = text.replace(/^\/\//, "");
  // deno-lint-ignore no-control-regex
  if (!/^\/[^/]/.test(path) || /[\0-\x1f\x7f]|\/$/.test(path)) {
    return { wanted: "an absolute path, such as /run/smtp-pigeon/smtp.sock" };
  }
  if (new TextEncoder().encode(path).length > MAX_PATH_OCTETS) {
    return {
      wanted: `a path of at most ${MAX_PATH_OCTETS} octets, as a socket has no room for more`,
    };
  }
  return { protocol, transport: "unix", path };
}

/** As it is shown: SMTP over TCP as `HOST:PORT`, anything else as parseListenAddress() reads it. */
export function formatListenAddress(address: ListenAddress): string {
  const scheme = address.protocol.toLowerCase();
  if (address.transport === "unix") return `${scheme}+unix:${address.path}`;
  const text = formatAddress(address.hostname, address.port);
  return address.protocol === "SMTP" ? text : `${scheme}://${text}`;
}

/** `HOST:PORT`, with brackets around an IPv6 address (RFC 3986 section 3.2.2). */
export function formatAddress(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
