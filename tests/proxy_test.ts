import fc from "npm:fast-check@4.10.2";
import { concat } from "../lib/octets.ts";
import { type ProxyHeader, type ProxySource, readProxyHeader } from "../lib/proxy.ts";
import { canonical } from "../lib/ip.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";

/** Octets of a text of characters up to U+00FF. */
const octets = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
/** Octets in hexadecimal, with blanks wherever they help. */
const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(/\s/g, ""));

/** What the client sends first; an octet of it that is taken is lost. */
const SMTP = octets("EHLO client.example\r\n");

const SIGNATURE = "0d0a0d0a 000d0a51 5549540a";
const source = (address: string, port: number, tls = false): ProxySource => ({
  address,
  port,
  tls,
});

/** Version 1: headers without their CRLF, and the source. */
const lines: readonly (readonly [line: string, source: ProxySource | null])[] = [
  ["PROXY TCP4 192.0.2.1 198.51.100.2 56324 25", source("192.0.2.1", 56324)],
  ["PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535", source("255.255.255.255", 65535)],
  ["PROXY TCP4 0.0.0.0 0.0.0.0 0 0", source("0.0.0.0", 0)],
  ["PROXY TCP6 2001:DB8::1 2001:db8::2 56324 25", source("2001:db8::1", 56324)],
  ["PROXY TCP6 2001:0db8:0:0:0:0:0:1 ::1 1 2", source("2001:db8::1", 1)],
  [
    `PROXY TCP6 ${Array(8).fill("ffff").join(":")} ${Array(8).fill("ffff").join(":")} 65535 65535`,
    source("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
  ],
  ["PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 56324 25", source("192.0.2.1", 56324)],
  ["PROXY UNKNOWN", null],
  ["PROXY UNKNOWN ", null],
  ["PROXY UNKNOWN 192.0.2.1 198.51.100.2 56324 25", null],
  ["PROXY UNKNOWN whatever \0\x80\xff it is", null],
  [`PROXY UNKNOWN ${"x".repeat(91)}`, null],
];

const IPV4 = "c0000201 c6336402 dc04 0019";
const IPV6 = "20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 00000002 dc04 0019";
const FROM_IPV4 = source("192.0.2.1", 56324);
const FROM_IPV6 = source("2001:db8::1", 56324);
const MAPPED = "00000000 00000000 0000ffff c0000201 00000000 00000000 0000ffff c6336402 dc04 0019";

/** Version 2: headers behind the signature, and the source. */
const binaries: readonly (readonly [name: string, header: string, source: ProxySource | null])[] = [
  ["TCP over IPv4", `21 11 000c ${IPV4}`, FROM_IPV4],
  ["TCP over IPv6", `21 21 0024 ${IPV6}`, FROM_IPV6],
  ["an IPv4-mapped address", `21 21 0024 ${MAPPED}`, FROM_IPV4],
  ["LOCAL", "20 00 0000", null],
  ["LOCAL with addresses", `20 11 000c ${IPV4}`, null],
  ["LOCAL of an unknown family", "20 ff 0003 ffffff", null],
  ["LOCAL with what are no TLVs", "20 11 0001 20", null],
  ["an unspecified family", "21 00 0000", null],
  ["an unspecified family with octets", `21 00 000c ${IPV4}`, null],
  ["IPv4, unspecified protocol", `21 10 000c ${IPV4}`, null],
  ["UDP over IPv4", `21 12 000c ${IPV4}`, null],
  ["UDP over IPv6", `21 22 0024 ${IPV6}`, null],
  ["a Unix socket", `21 31 00d8 ${"2f".repeat(216)}`, null],
  ["a Unix datagram", `21 32 00d8 ${"2f".repeat(216)}`, null],
  ["an empty TLV", `21 11 000f ${IPV4} 040000`, FROM_IPV4],
  ["several TLVs", `21 11 0018 ${IPV4} 04 0001 00  02 0002 6162  ea 0000`, FROM_IPV4],
  ["a client with TLS", `21 11 0014 ${IPV4} 20 0005 01 00000000`, { ...FROM_IPV4, tls: true }],
  [
    "a client with TLS and a certificate over IPv6",
    `21 21 0036 ${IPV6} 04 0000  20 000c 07 00000000 21 0004 544c5376`,
    { ...FROM_IPV6, tls: true },
  ],
  ["a client without TLS", `21 11 0014 ${IPV4} 20 0005 00 00000001`, FROM_IPV4],
  ["a certificate of no TLS", `21 11 0014 ${IPV4} 20 0005 06 00000001`, FROM_IPV4],
  [
    "what looks like TLS in another TLV",
    `21 11 0017 ${IPV4} e0 0008 20 0005 01 00000000`,
    FROM_IPV4,
  ],
  ["an empty TLV for TLS", `21 11 000f ${IPV4} 20 0000`, FROM_IPV4],
];

const valid: readonly (readonly [name: string, header: Uint8Array, source: ProxySource | null])[] =
  [
    ...lines.map(([line, from]) => [JSON.stringify(line), octets(`${line}\r\n`), from] as const),
    ...binaries.map(([name, header, from]) => [name, hex(SIGNATURE + header), from] as const),
  ];

for (const [name, header, from] of valid) {
  Deno.test(`readProxyHeader() reads ${name}, and nothing before it is whole`, () => {
    const complete: ProxyHeader = { kind: "complete", length: header.length, source: from };
    assertEquals(readProxyHeader(header), complete);
    assertEquals(readProxyHeader(concat([header, SMTP])), complete);
    for (let length = 0; length < header.length; length++) {
      assertEquals(readProxyHeader(header.subarray(0, length)).kind, "incomplete", `${length}`);
    }
  });
}

/** What is no header: octets that could become one, the octet that ends that, and why. */
const invalid: readonly (readonly [could: Uint8Array, octet: string, reason: RegExp])[] = [
  // What others say first.
  [octets(""), "E", /does not begin/],
  [octets(""), "Q", /does not begin/],
  [octets(""), " ", /does not begin/],
  [octets(""), "\0", /does not begin/],
  [octets(""), "\x16", /does not begin/],
  [octets("P"), "O", /does not begin/],
  [octets(""), "p", /does not begin/],
  [octets(""), "\n", /does not begin/],
  [octets("PROXY"), "\r", /does not begin/],
  [octets("PROXY "), " ", /does not begin/],
  [octets("PROXY "), "t", /does not begin/],
  [octets("PROXY TCP"), "5", /does not begin/],
  [octets("PROXY TCP4"), "\r", /does not begin/],
  [octets("PROXY UNKNOWN"), "S", /does not begin/],
  [octets("PROXY U"), "D", /does not begin/],
  [octets("\r\n\r\n"), "E", /does not begin/],
  [hex("0d0a0d0a 000d0a51 554954"), "\r", /does not begin/],
  // Lines.
  [octets("PROXY TCP4 "), "h", /more than addresses/],
  [octets("PROXY TCP4 192.0.2.1 198.51.100.2 56324 25"), "\t", /more than addresses/],
  [octets("PROXY TCP6 fe80::1"), "%", /more than addresses/],
  [octets("PROXY TCP4 192.0.2.1 198.51.100.2 56324 25"), "\n", /CRLF/],
  [octets("PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r"), "\r", /CRLF/],
  [octets("PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r"), "E", /CRLF/],
  [octets("PROXY UNKNOWN x"), "\n", /CRLF/],
  [octets("PROXY UNKNOWN\r"), " ", /CRLF/],
  [octets(`PROXY UNKNOWN ${"x".repeat(92)}`), "x", /too long/],
  [octets(`PROXY UNKNOWN ${"x".repeat(92)}`), "\r", /too long/],
  [octets(`PROXY TCP4 ${"1".repeat(95)}`), "1", /too long/],
  ...[
    "TCP4 ",
    "TCP4 192.0.2.1",
    "TCP4 192.0.2.1 198.51.100.2",
    "TCP4 192.0.2.1 198.51.100.2 56324",
    "TCP4 192.0.2.1 198.51.100.2 56324 ",
    "TCP4 192.0.2.1 198.51.100.2 56324 25 ",
    "TCP4 192.0.2.1 198.51.100.2 56324 25 1",
    "TCP4  192.0.2.1 198.51.100.2 56324 25",
    "TCP4 192.0.2.1 198.51.100.2  56324 25",
    "TCP4 192.0.2.1 198.51.100.2 56324 65536",
    "TCP4 192.0.2.1 198.51.100.2 65536 25",
    "TCP4 192.0.2.1 198.51.100.2 56324 025",
    "TCP4 192.0.2.1 198.51.100.2 00 25",
    "TCP4 192.0.2.1 198.51.100.2 2a 25",
    "TCP4 192.0.2.01 198.51.100.2 56324 25",
    "TCP4 192.0.2.256 198.51.100.2 56324 25",
    "TCP4 192.0.2 198.51.100.2 56324 25",
    "TCP4 192.0.2.1 198.51.100 56324 25",
    "TCP4 2001:db8::1 2001:db8::2 56324 25",
    "TCP4 ::ffff:192.0.2.1 198.51.100.2 56324 25",
    "TCP6 192.0.2.1 198.51.100.2 56324 25",
    "TCP6 2001:db8::1 198.51.100.2 56324 25",
    "TCP6 2001:db8:::1 2001:db8::2 56324 25",
    "TCP6 2001:db8::1 2001:db8 56324 25",
    "TCP6 ::ffff:192.0.2.01 ::1 56324 25",
  ].map((rest) => [octets(`PROXY ${rest}\r`), "\n", /two addresses/] as const),
  // Binary.
  [hex(SIGNATURE), "\x11", /version/],
  [hex(SIGNATURE), "\x31", /version/],
  [hex(SIGNATURE), "\x01", /version/],
  [hex(SIGNATURE), "\x22", /command/],
  [hex(SIGNATURE), "\x2f", /command/],
  [hex(`${SIGNATURE} 21`), "\x41", /family/],
  [hex(`${SIGNATURE} 21`), "\xf1", /family/],
  [hex(`${SIGNATURE} 21`), "\x13", /family/],
  [hex(`${SIGNATURE} 21`), "\x03", /family/],
  [hex(`${SIGNATURE} 21 11 00`), "\x0b", /too short/],
  [hex(`${SIGNATURE} 21 11 00`), "\x00", /too short/],
  [hex(`${SIGNATURE} 21 21 00`), "\x23", /too short/],
  [hex(`${SIGNATURE} 21 11 000d ${IPV4}`), "\x04", /TLV/],
  [hex(`${SIGNATURE} 21 11 000e ${IPV4} 04`), "\0", /TLV/],
  [hex(`${SIGNATURE} 21 11 0010 ${IPV4} 04 0002`), "\0", /TLV/],
  [hex(`${SIGNATURE} 21 11 0010 ${IPV4} 04 0000`), "\0", /TLV/],
  [hex(`${SIGNATURE} 21 11 0013 ${IPV4} 03 0004 000000`), "\0", /checksum/],
  [hex(`${SIGNATURE} 21 11 0012 ${IPV4} 03 0003 0000`), "\0", /checksum/],
  [hex(`${SIGNATURE} 21 11 000f ${IPV4} 03 00`), "\0", /checksum/],
];

for (const [could, octet, reason] of invalid) {
  const shown = JSON.stringify(String.fromCharCode(...could) + octet);
  Deno.test(`readProxyHeader() refuses ${shown} at its last octet`, () => {
    for (let length = 0; length <= could.length; length++) {
      assertEquals(readProxyHeader(could.subarray(0, length)).kind, "incomplete", `${length}`);
    }
    const refused = readProxyHeader(concat([could, octets(octet)]));
    assert(refused.kind === "malformed");
    assertMatch(refused.reason, reason);
    assertEquals(readProxyHeader(concat([could, octets(octet), SMTP])), refused);
  });
}

Deno.test("readProxyHeader() reads the longest header there is, and takes no more", () => {
  const rest = 0xffff - 12 - 3;
  const start = hex(`${SIGNATURE} 21 11 ffff ${IPV4} 04 ${rest.toString(16)}`);
  const header = concat([start, new Uint8Array(rest).fill(0x20)]);
  assertEquals(header.length, 16 + 0xffff);
  assertEquals(readProxyHeader(header.subarray(0, -1)), { kind: "incomplete" });
  const complete: ProxyHeader = { kind: "complete", length: 16 + 0xffff, source: FROM_IPV4 };
  assertEquals(readProxyHeader(header), complete);
  assertEquals(readProxyHeader(concat([header, SMTP])), complete);
});

/** As binary headers are made by other means: a table of the octets' sums (RFC 9260 appendix A). */
function crc32c(octets: Uint8Array): number {
  const table = Array.from({ length: 256 }, (_, octet) => {
    let sum = BigInt(octet);
    for (let bit = 0; bit < 8; bit++) sum = (sum >> 1n) ^ (sum % 2n * 0x82f63b78n);
    return sum;
  });
  let sum = 0xffffffffn;
  for (const octet of octets) sum = sum >> 8n ^ table[Number((sum ^ BigInt(octet)) & 0xffn)];
  return Number(sum ^ 0xffffffffn);
}

/** A header of a source, with TLVs and, if wanted, the sum of it all. */
function binary(
  { address, port, tlvs, sum }: {
    address: Uint8Array;
    port: number;
    tlvs: readonly Uint8Array[];
    sum: boolean;
  },
): Uint8Array {
  const family = address.length === 4 ? 0x11 : 0x21;
  const number = (value: number) => Uint8Array.of(value >> 8, value & 0xff);
  const body = concat([
    ...[address, address.map((octet) => ~octet), number(port), number(25)],
    ...tlvs.map((value) => concat([Uint8Array.of(0xe0), number(value.length), value])),
    ...(sum ? [hex("03 0004 00000000")] : []),
  ]);
  const header = concat([hex(SIGNATURE), Uint8Array.of(0x21, family), number(body.length), body]);
  if (sum) {
    new DataView(header.buffer, header.byteOffset).setUint32(header.length - 4, crc32c(header));
  }
  return header;
}

const anyOctets = (count: number) => fc.uint8Array({ minLength: count, maxLength: count });
const anySource = fc.record({
  address: fc.oneof(anyOctets(4), anyOctets(16)),
  port: fc.nat({ max: 65_535 }),
  tlvs: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 }),
  sum: fc.boolean(),
});

/** Its text by the long way. */
function textOf(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  return address.toHex().match(/..../g)!.join(":");
}

Deno.test("the sum is that of others", () => {
  // RFC 3720 appendix B.4, whose 4 octets are the sum with its lowest octet first.
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertEquals(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assertEquals(crc32c(Uint8Array.from({ length: 32 }, (_, at) => at)), 0x46dd794e);
});

Deno.test("what a proxy says of a client is read, with either version", () => {
  fc.assert(
    fc.property(anySource, (said) => {
      const from = source(canonical(textOf(said.address))!, said.port);
      const header = binary(said);
      assertEquals(readProxyHeader(concat([header, SMTP])), {
        kind: "complete",
        length: header.length,
        source: from,
      });
      const text = textOf(said.address);
      const family = text.includes(":") ? "TCP6" : "TCP4";
      const line = octets(`PROXY ${family} ${text} ${text} ${said.port} 25\r\n`);
      assertEquals(readProxyHeader(concat([line, SMTP])), {
        kind: "complete",
        length: line.length,
        source: from,
      });
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("a header whose addresses or ports are not those of its sum is refused", () => {
  fc.assert(
    fc.property(anySource, fc.nat(), (said, place) => {
      const header = binary({ ...said, sum: true });
      const bit = 16 * 8 + place % (8 * (2 * said.address.length + 4));
      header[bit >> 3] ^= 0x80 >> (bit & 7);
      assertEquals(readProxyHeader(header), { kind: "malformed", reason: "its checksum is wrong" });
    }),
    { numRuns: 1_000 },
  );
});

/** Octets that come close to being a header. */
const nearHeader = fc.oneof(
  fc.uint8Array({ maxLength: 130 }),
  fc.string({
    unit: fc.constantFrom("PROXY ", "TCP4 ", "TCP6 ", "UNKNOWN", "\r\n", "\r", "\n", ..."019a.: x"),
    maxLength: 60,
  }).map(octets),
  fc.tuple(fc.constantFrom(...valid), fc.nat(), fc.nat({ max: 255 }), fc.uint8Array()).map(
    ([[, header], place, octet, rest]) => {
      const spoilt = concat([header, rest]);
      spoilt[place % spoilt.length] = octet;
      return spoilt;
    },
  ),
  fc.tuple(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ maxLength: 300 })).map(
    ([start, rest]) => {
      start[2] &= 1;
      return concat([hex(SIGNATURE), start, rest]);
    },
  ),
);

Deno.test("however octets are cut, the outcome is the same, and none throws", () => {
  fc.assert(
    fc.property(nearHeader, (whole) => {
      const before = whole.slice();
      const outcome = readProxyHeader(whole);
      for (let length = 0; length <= whole.length; length++) {
        const early = readProxyHeader(whole.subarray(0, length));
        if (early.kind !== "incomplete") assertEquals(early, outcome);
        if (outcome.kind === "complete") {
          assertEquals(early.kind === "complete", length >= outcome.length, `${length}`);
        }
      }
      if (outcome.kind === "complete") assert(outcome.length <= whole.length);
      assertEquals(whole, before);
    }),
    { numRuns: 3_000 },
  );
});
