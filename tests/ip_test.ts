import fc from "npm:fast-check@4.10.2";
import { canonical, contains, neighbourhood, type Network, parseNetwork } from "../lib/ip.ts";
import { anyText } from "./property.ts";
import { assert, assertEquals } from "./assert.ts";

/** Addresses, and the one text of each. */
const addresses: readonly (readonly [text: string, canonical: string])[] = [
  ["192.0.2.1", "192.0.2.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["::1", "::1"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["2001:DB8::ABCD", "2001:db8::abcd"],
  ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
  // RFC 5952 section 4.2.2: one group of zeros is not shortened.
  ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  // RFC 5952 section 4.2.3: the longest run, and the first of equal ones.
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["2001:db8::192.0.2.1", "2001:db8::c000:201"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:192.0.2.1", "192.0.2.1"],
  ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
  ["::ffff:c000:201", "192.0.2.1"],
  // IPv4-compatible (RFC 4291 section 2.5.5.1) and translated: not IPv4-mapped.
  ["::192.0.2.1", "::c000:201"],
  ["::ffff:0:192.0.2.1", "::ffff:0:c000:201"],
  ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ["fe80::1%eth0", "fe80::1"],
  ["fe80::1%br-lan.100", "fe80::1"],
  ["FE80::1%3", "fe80::1"],
];

for (const [text, expected] of addresses) {
  Deno.test(`canonical() writes ${text} as ${expected}`, () => {
    assertEquals(canonical(text), expected);
    assertEquals(canonical(expected), expected);
  });
}

/** Texts that are no address, though some readers take them for one. */
const none = [
  "",
  " ",
  "localhost",
  "1",
  "3232235521",
  "127.1",
  "10.0.1",
  "0x7f.1",
  "0x7f.0.0.1",
  "0177.0.0.1",
  "010.0.0.1",
  "10.0.0.01",
  "10.0.0.256",
  "10.0.0.1.",
  ".10.0.0.1",
  "10..0.1",
  "10.0.0.1.1",
  "10.0.0.-1",
  "10.0.0.1 ",
  " 10.0.0.1",
  "10.0.0.1\n",
  "１０.0.0.1",
  "10.0.0.1%eth0",
  "10.0.0.1/8",
  "10.0.0.1:25",
  ":",
  ":::",
  ":1",
  "1:",
  "1::2::3",
  ":1::2",
  "1::2:",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "12345::",
  "00001::",
  "g::",
  "[::1]",
  "::1/128",
  "::1%",
  "::1%eth 0",
  "%eth0",
  "::ffff:10.0.0.256",
  "::ffff:010.0.0.1",
  "::ffff:0x7f.0.0.1",
  "::ffff:10.0.1",
  "::10.0.0.1:1",
  "1:2:3:4:5:6:7:10.0.0.1",
];

for (const text of none) {
  Deno.test(`canonical() knows no address in ${JSON.stringify(text)}`, () => {
    assertEquals(canonical(text), null);
    if (!text.includes("/")) assertEquals(parseNetwork(text), null);
  });
}

/** Networks, what is in them, and what is not though it is near. */
const networks: readonly (readonly [text: string, within: string[], without: string[]])[] = [
  ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["9.255.255.255", "11.0.0.0"]],
  ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127", "192.0.3.128"]],
  ["172.16.0.0/12", ["172.16.0.1", "172.31.255.255"], ["172.32.0.0", "172.15.255.255"]],
  ["192.0.2.1", ["192.0.2.1", "::ffff:c000:201"], ["192.0.2.0", "::192.0.2.1"]],
  ["192.0.2.1/32", ["192.0.2.1"], ["192.0.2.3"]],
  ["192.0.2.2/31", ["192.0.2.2", "192.0.2.3"], ["192.0.2.1", "192.0.2.4"]],
  ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::", "::1"]],
  ["::/0", ["::", "2001:db8::1"], ["192.0.2.1", "::ffff:192.0.2.1"]],
  ["2001:db8::/32", ["2001:db8::", "2001:DB8:ffff::1"], ["2001:db9::", "2001:db7:ffff::"]],
  ["2001:db8:0:8000::/49", ["2001:db8:0:ffff::1"], ["2001:db8:0:7fff::1"]],
  ["2001:db8::1", ["2001:db8::1", "2001:db8:0::1"], ["2001:db8::2", "2001:db8::3"]],
  ["fe80::/10", ["fe80::1%eth0", "febf::1"], ["fec0::1"]],
  ["::ffff:10.0.0.0/104", ["10.1.2.3", "::ffff:10.1.2.3"], ["11.1.2.3", "::10.1.2.3"]],
  ["::ffff:0:0/96", ["0.0.0.0", "10.1.2.3"], ["::", "::1"]],
  ["::ffff:10.0.0.1", ["10.0.0.1"], ["10.0.0.2"]],
];

for (const [text, within, without] of networks) {
  Deno.test(`contains() knows what is in ${text}`, () => {
    const network = parseNetwork(text)!;
    for (const address of within) assert(contains([network], address), `${address} is not in it`);
    for (const address of [...without, "", "localhost", "unix"]) {
      assert(!contains([network], address), `${address} is in it`);
    }
  });
}

Deno.test("contains() finds an address in any of the networks, and in none of no networks", () => {
  const several = ["10.0.0.0/8", "2001:db8::/32"].map((text) => parseNetwork(text)!);
  assert(contains(several, "10.0.0.1") && contains(several, "2001:db8::1"));
  assert(!contains(several, "192.0.2.1"));
  assert(!contains([], "10.0.0.1"));
});

/** Texts that are no network. */
const noNetworks = [
  "",
  "/",
  "/8",
  "localhost/8",
  "10.0.0.0/",
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/08",
  "10.0.0.0/8 ",
  "10.0.0.0/8/8",
  "10.0.0.0/255.0.0.0",
  "10.0.0.0/1e1",
  "10/8",
  "10.0.0.0/9999999999",
  "::/129",
  "unix",
  // Bits behind the prefix.
  "10.0.0.1/8",
  "192.0.2.129/25",
  "192.0.2.1/0",
  "2001:db8::1/32",
  "2001:db8:0:4000::/49",
  "::ffff:10.0.0.1/104",
  // The first bits of both IPv4-mapped and other addresses.
  "::ffff:0:0/95",
  "::ffff:10.0.0.0/8",
  // One link among several.
  "fe80::1%eth0",
  "fe80::%eth0/64",
];

for (const text of noNetworks) {
  Deno.test(`parseNetwork() refuses ${JSON.stringify(text)}`, () => {
    assertEquals(parseNetwork(text), null);
  });
}

for (
  const [address, expected] of [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001:db8:0:0:ffff::", "2001:db8::/64"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4::/64"],
    ["fe80::1%eth0", "fe80::/64"],
    ["::1", "::/64"],
    ["", ""],
    ["unix", "unix"],
  ]
) {
  Deno.test(`neighbourhood() counts ${JSON.stringify(address)} with ${expected}`, () => {
    assertEquals(neighbourhood(address), expected);
  });
}

const octets = (count: number) =>
  fc.array(fc.oneof(fc.constantFrom(0, 255), fc.nat({ max: 255 })), {
    minLength: count,
    maxLength: count,
  });
const version4 = octets(4).map((octets) => octets.join("."));
const group = (high: number, low: number) => (high << 8 | low).toString(16);
const version6 = octets(16).map((octets) =>
  Array.from({ length: 8 }, (_, at) => group(octets[2 * at], octets[2 * at + 1])).join(":")
);

/** Texts that come close to being addresses. */
const nearAddress = fc.string({
  unit: fc.constantFrom(..."0179afg:::...%/x\n"),
  maxLength: 30,
});

Deno.test("canonical() gives every address one text, the one that URLs have too", () => {
  fc.assert(
    fc.property(version6, (text) => {
      const once = canonical(text)!;
      // URLs write them by RFC 5952 as well, except for IPv4-mapped ones.
      if (once.includes(":")) assertEquals(`[${once}]`, new URL(`http://[${text}]/`).hostname);
      else assertEquals(canonical(`::ffff:${once}`), once);
      assertEquals(canonical(once), once);
      assertEquals(canonical(text.toUpperCase()), once);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(fc.property(version4, (text) => {
    assertEquals(canonical(text), text);
    assertEquals(canonical(`::ffff:${text}`), text);
  }));
});

Deno.test("no text makes anything throw, and what is accepted stays as it is", () => {
  const text = fc.oneof(nearAddress, anyText, version4, version6);
  fc.assert(
    fc.property(text, text, (one, other) => {
      const address = canonical(one);
      if (address !== null) assertEquals(canonical(address), address);
      const network: Network | null = parseNetwork(one);
      assertEquals(network !== null && !one.includes("/"), address !== null && !one.includes("%"));
      if (network !== null) contains([network], other);
      neighbourhood(one);
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("contains() says the same as bits written out", () => {
  const bits = (octets: readonly number[]) =>
    octets.map((octet) => octet.toString(2).padStart(8, "0")).join("");
  const numbers = (text: string) => text.split(".").map(Number);
  fc.assert(
    fc.property(version4, fc.nat({ max: 32 }), fc.nat({ max: 32 }), (text, length, flipped) => {
      const written = bits(numbers(text));
      const first = written.slice(0, length).padEnd(32, "0");
      const start = Array.from(
        { length: 4 },
        (_, at) => parseInt(first.slice(8 * at, 8 * at + 8), 2),
      );
      const network = parseNetwork(`${start.join(".")}/${length}`)!;
      assertEquals(parseNetwork(`${text}/${length}`) !== null, written === first);
      // The same address, with one bit turned unless that is behind its end.
      const other = numbers(text).map((octet, at) =>
        flipped >> 3 === at ? octet ^ 0x80 >> (flipped & 7) : octet
      );
      assertEquals(contains([network], other.join(".")), flipped >= length);
    }),
    { numRuns: 2_000 },
  );
});
