/**
 * The header of the PROXY protocol, by which a proxy such as HAProxy or nginx tells whose
 * connection it passes on: versions 1 (a line) and 2 (binary), as in HAProxy's
 * doc/proxy-protocol.txt, whose section numbers are given below. Who may send one is decided
 * elsewhere, and nobody else's first octets are looked at (2).
 *
 * It is read off all octets that came so far, so nothing depends on how they were cut, and what is
 * no header is refused as soon as it can be seen: whoever sends something else waits for an answer.
 */
import { canonical } from "./ip.ts";

/** What the first octets of a connection are. */
export type ProxyHeader =
  /** They could become a header: ask again with more of them. */
  | { readonly kind: "incomplete" }
  /** They cannot; `reason` is for the log. The connection has to be ended (2.1, 2.2.3). */
  | { readonly kind: "malformed"; readonly reason: string }
  /** The header is the first `length` octets; what follows is the client's. */
  | {
    readonly kind: "complete";
    readonly length: number;
    /** Null where the proxy speaks for itself, or names no TCP address: its own counts then. */
    readonly source: ProxySource | null;
  };

/** The client of a proxy. */
export interface ProxySource {
  /** An IP address in its canonical text. */
  readonly address: string;
  /** 0 to 65535. */
  readonly port: number;
  /** Whether it spoke TLS to the proxy; false where the header does not say. */
  readonly tls: boolean;
}

/** Reads a header, of which as many octets are given as have come, and maybe what follows it. */
export function readProxyHeader(octets: Uint8Array): ProxyHeader {
  if (octets.length === 0) return INCOMPLETE;
  return octets[0] === SIGNATURE[0] ? readVersion2(octets) : readVersion1(octets);
}

const INCOMPLETE: ProxyHeader = { kind: "incomplete" };
const malformed = (reason: string): ProxyHeader => ({ kind: "malformed", reason });
const NO_HEADER = malformed("it does not begin with a PROXY header");

/** The longest line, with its CRLF (2.1). */
const MAX_LINE_OCTETS = 107;

const BEGINNINGS = ["PROXY TCP4 ", "PROXY TCP6 ", "PROXY UNKNOWN\r", "PROXY UNKNOWN "];

/** What ends a line, and all that a line of addresses can have in it. */
const LINE_END = /[\r\n]/;
const ADDRESSES = /^[\dA-Fa-f.: ]*$/;

function readVersion1(octets: Uint8Array): ProxyHeader {
  const text = String.fromCharCode(...octets.subarray(0, MAX_LINE_OCTETS));
  const beginning = BEGINNINGS.find((beginning) => text.startsWith(beginning));
  if (beginning === undefined) {
    return BEGINNINGS.some((beginning) => beginning.startsWith(text)) ? INCOMPLETE : NO_HEADER;
  }
  const end = text.search(LINE_END);
  const line = end === -1 ? text : text.slice(0, end);
  const isUnknown = line.startsWith("PROXY UNKNOWN");
  if (!isUnknown && !ADDRESSES.test(line.slice(beginning.length))) {
    return malformed("its line has more than addresses and ports");
  }
  if (end === -1 || end === text.length - 1 && text.endsWith("\r")) {
    return text.length < MAX_LINE_OCTETS ? INCOMPLETE : malformed("its line is too long");
  }
  if (!text.startsWith("\r\n", end)) return malformed("its line does not end in CRLF");
  const length = end + 2;
  if (isUnknown) return { kind: "complete", length, source: null };
  const source = sourceOf(line.slice(beginning.length).split(" "), beginning.includes("6"));
  return source === null
    ? malformed("its line is not two addresses and two ports")
    : { kind: "complete", length, source };
}

function sourceOf(fields: readonly string[], isVersion6: boolean): ProxySource | null {
  if (fields.length !== 4) return null;
  const [addresses, ports] = [fields.slice(0, 2), fields.slice(2)];
  // As written, since IPv4-mapped addresses come as TCP6.
  if (addresses.some((text) => text.includes(":") !== isVersion6)) return null;
  if (!ports.every((text) => /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535)) {
    return null;
  }
  const [address, destination] = addresses.map(canonical);
  if (address === null || destination === null) return null;
  return { address, port: Number(ports[0]), tls: false };
}

/** Begins with what no line of another protocol has in it (2.2). */
const SIGNATURE = Uint8Array.from("\r\n\r\n\0\r\nQUIT\n", (char) => char.charCodeAt(0));

/** Signature, version and command, family and protocol, length of the rest. */
const FIXED_OCTETS = 16;

const LOCAL = 0;
const PROXY = 1;

/** How many octets the addresses of TCP over IPv4 and over IPv6 have; ports stand behind them. */
const ADDRESS_OCTETS: { readonly [familyAndProtocol: number]: number } = { 0x11: 4, 0x21: 16 };
const PORT_OCTETS = 2;

/** AF_UNIX and datagrams are the last that are specified. */
const MAX_FAMILY = 3;
const MAX_PROTOCOL = 2;

function readVersion2(octets: Uint8Array): ProxyHeader {
  const start = octets.subarray(0, SIGNATURE.length);
  if (start.some((octet, at) => octet !== SIGNATURE[at])) return NO_HEADER;
  const [versionAndCommand = 0x20, familyAndProtocol = 0] = octets.subarray(SIGNATURE.length);
  const command = versionAndCommand & 0xf;
  if (versionAndCommand >> 4 !== 2) return malformed("its version is unknown");
  if (command !== LOCAL && command !== PROXY) return malformed("its command is unknown");
  // With LOCAL the family is to be ignored.
  const isProxied = command === PROXY;
  const [family, protocol] = [familyAndProtocol >> 4, familyAndProtocol & 0xf];
  if (isProxied && (family > MAX_FAMILY || protocol > MAX_PROTOCOL)) {
    return malformed("its address family is unknown");
  }
  if (octets.length < FIXED_OCTETS) return INCOMPLETE;

  const length = FIXED_OCTETS + numberAt(octets, FIXED_OCTETS - 2);
  const addressOctets = isProxied ? ADDRESS_OCTETS[familyAndProtocol] : undefined;
  const tlvsAt = FIXED_OCTETS + 2 * ((addressOctets ?? 0) + PORT_OCTETS);
  if (addressOctets !== undefined && length < tlvsAt) {
    return malformed("it is too short for its addresses");
  }
  if (octets.length < length) return INCOMPLETE;

  // The proxy's own address counts, and whatever stands behind is passed over.
  if (addressOctets === undefined) return { kind: "complete", length, source: null };
  const header = octets.subarray(0, length);
  const tlvs = tlvsOf(header, tlvsAt);
  if (tlvs === null) return malformed("its TLVs do not end where it ends");
  if (!tlvs.every((tlv) => isIntact(header, tlv))) return malformed("its checksum is wrong");
  return {
    kind: "complete",
    length,
    source: {
      address: addressAt(header, FIXED_OCTETS, addressOctets),
      port: numberAt(header, FIXED_OCTETS + 2 * addressOctets),
      tls: tlvs.some(tellsTls),
    },
  };
}

const numberAt = (octets: Uint8Array, at: number) => octets[at] << 8 | octets[at + 1];

function addressAt(header: Uint8Array, at: number, count: number): string {
  const octets = header.subarray(at, at + count);
  if (count === 4) return octets.join(".");
  const groups = Array.from({ length: 8 }, (_, group) => numberAt(octets, 2 * group).toString(16));
  return canonical(groups.join(":"))!;
}

/** Type, length and value (2.2). */
interface Tlv {
  readonly type: number;
  readonly value: Uint8Array;
}

/** PP2_TYPE_CRC32C, PP2_TYPE_SSL and the bit PP2_CLIENT_SSL (2.2.3, 2.2.6). */
const CHECKSUM = 0x03;
const SSL = 0x20;
const CLIENT_SSL = 0x01;

/** All that are from a place to the end of the header; null where they are not cut as they say. */
function tlvsOf(header: Uint8Array, start: number): Tlv[] | null {
  const tlvs: Tlv[] = [];
  for (let at = start; at < header.length;) {
    const end = at + 3 + numberAt(header, at + 1);
    if (end > header.length) return null;
    tlvs.push({ type: header[at], value: header.subarray(at + 3, end) });
    at = end;
  }
  return tlvs;
}

function tellsTls({ type, value }: Tlv): boolean {
  return type === SSL && (value[0] & CLIENT_SSL) !== 0;
}

/** Whether a TLV is no checksum, or the right one: of the header with zeros in its place. */
function isIntact(header: Uint8Array, { type, value }: Tlv): boolean {
  if (type !== CHECKSUM) return true;
  if (value.length !== 4) return false;
  const blank = header.slice();
  const at = value.byteOffset - header.byteOffset;
  blank.fill(0, at, at + 4);
  const sum = crc32c(blank);
  return value.every((octet, place) => octet === (sum >>> 8 * (3 - place) & 0xff));
}

/** CRC32c (RFC 9260 appendix A): by the polynomial of Castagnoli, which zlib's CRC-32 is not. */
function crc32c(octets: Uint8Array): number {
  let sum = 0xffff_ffff;
  for (const octet of octets) {
    sum ^= octet;
    for (let bit = 0; bit < 8; bit++) sum = sum >>> 1 ^ (sum & 1 ? 0x82f6_3b78 : 0);
  }
  return ~sum;
}
