/**
 * IP addresses: one text for each, networks of them, and what one client has of them. IPv6 is read by
 * the parser of URLs, which every runtime has. Strict, since an address that two readers read
 * differently gets past whoever compares it: `010.0.0.1` is 8.0.0.1 to one and 10.0.0.1 to another,
 * so it is none here.
 *
 * RFC 4291 section 2.2 (text) and 2.5.5.2 (IPv4-mapped addresses), RFC 5952 (the one text of each),
 * RFC 4632 section 3.1 (prefixes).
 */

/** The addresses that begin with the same bits. */
export interface Network {
  /** Its first address: 4 octets or 16. */
  readonly octets: readonly number[];
  /** How many leading bits its addresses share: at most 32 or 128. */
  readonly prefixLength: number;
}

/**
 * The one text of an IP address: RFC 5952 for IPv6, four decimal numbers for IPv4, also where it
 * came IPv4-mapped (`::ffff:192.0.2.1`), as a dual-stack socket shows its IPv4 peers. Null for what
 * is none.
 *
 * A zone (`fe80::1%eth0`) is left out: it names an interface of one host and means nothing to any
 * other (RFC 4007 section 6), such as the one that the address is sent to.
 */
export function canonical(text: string): string | null {
  const octets = octetsOf(text);
  return octets && textOf(octets);
}

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32`, or one address alone; null for anything else. Bits behind
 * the prefix are refused (`10.0.0.1/8`), since whoever writes them means either less or something
 * else; so is a zone, since leaving it out would let in more than was written.
 */
export function parseNetwork(text: string): Network | null {
  const [, address, length] = /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const octets = parse(address ?? "");
  if (octets === null) return null;
  const bits = 8 * octets.length;
  // Of an IPv4-mapped network the first 96 bits are the same in all of its addresses.
  const mappedBits = bits === 32 && address.includes(":") ? 96 : 0;
  const prefixLength = length === undefined ? bits : Number(length) - mappedBits;
  if (prefixLength < 0 || prefixLength > bits) return null;
  const isFirst = octets.every((octet, at) => octet === prefixOf(octet, at, prefixLength));
  return isFirst ? { octets, prefixLength } : null;
}

/** Whether an address is in one of the networks; what is no address is in none. */
export function contains(networks: readonly Network[], address: string): boolean {
  const octets = octetsOf(address);
  return octets !== null && networks.some((network) =>
    network.octets.length === octets.length &&
    network.octets.every((octet, at) => octet === prefixOf(octets[at], at, network.prefixLength))
  );
}

/**
 * What clients are counted by: an IPv4 address itself, and the /64 network of an IPv6 address,
 * since whoever has one address there has all of them (RFC 4291 section 2.5.1, RFC 6177). What is
 * no address is counted as it is.
 */
export function neighbourhood(address: string): string {
  const octets = octetsOf(address);
  if (octets === null) return address;
  if (octets.length === 4) return textOf(octets);
  return `${textOf(octets.map((octet, at) => prefixOf(octet, at, 64)))}/64`;
}

/** The octets of an address, with a zone or without. */
function octetsOf(text: string): readonly number[] | null {
  return parse(text.replace(/(?<=:[^%]*)%[!-~]+$/, ""));
}

/** An octet, by its place in an address, without the bits that are behind the prefix. */
function prefixOf(octet: number, at: number, prefixLength: number): number {
  const behind = Math.min(Math.max(8 * (at + 1) - prefixLength, 0), 8);
  return octet >> behind << behind;
}

/** The octets of an address without a zone, IPv4-mapped ones as what they map. */
function parse(text: string): readonly number[] | null {
  if (/^(?:(?:0|[1-9]\d{0,2})(?:\.(?!$)|$)){4}$/.test(text)) {
    const octets = text.split(".").map(Number);
    return octets.every((octet) => octet <= 255) ? octets : null;
  }
  const octets = octetsOf6(text);
  const isMapped = octets?.every((octet, at) => at >= 12 || octet === (at < 10 ? 0 : 255));
  return isMapped ? octets!.slice(12) : octets;
}

/** The 16 octets of an IPv6 address. */
function octetsOf6(text: string): readonly number[] | null {
  // A URL may have more in brackets than an address, such as a line end that it drops.
  const url = /^[\da-f:.]+$/i.test(text) ? URL.parse(`http://[${text}]`) : null;
  if (url === null) return null;
  const [before, after] = url.hostname.slice(1, -1).split("::").map(groupsOf);
  const zeros = new Array(8 - before.length - (after?.length ?? 0)).fill(0);
  return [...before, ...zeros, ...after ?? []].flatMap((group) => [group >> 8, group & 255]);
}

function groupsOf(text: string): readonly number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}

/** The one text of an address that is not IPv4-mapped. */
function textOf(octets: readonly number[]): string {
  if (octets.length === 4) return octets.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => octets[2 * at] << 8 | octets[2 * at + 1]);
  const text = groups.map((group) => group.toString(16)).join(":");
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}
