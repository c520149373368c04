import fc from "npm:fast-check@4.10.2";
import {
  formatAddress,
  formatListenAddress,
  type ListenAddress,
  MAX_PATH_OCTETS,
  parseHost,
  parseListenAddress,
  type Wanted,
} from "../lib/address.ts";
import type { Protocol } from "../lib/reply.ts";
import { anyText } from "./property.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";

const tcp = (protocol: Protocol, hostname: string, port: number): ListenAddress => ({
  protocol,
  transport: "tcp",
  hostname,
  port,
});
const unix = (protocol: Protocol, path: string): ListenAddress => ({
  protocol,
  transport: "unix",
  path,
});

/** Addresses as operators write them, what they mean, and how that is shown. */
const valid: readonly (readonly [text: string, address: ListenAddress, shown: string])[] = [
  ["smtp://127.0.0.1:1025", tcp("SMTP", "127.0.0.1", 1025), "127.0.0.1:1025"],
  ["smtp://[::1]:2525", tcp("SMTP", "::1", 2525), "[::1]:2525"],
  ["smtp://[::]:25", tcp("SMTP", "::", 25), "[::]:25"],
  ["smtp://[fe80::1%eth0]:25", tcp("SMTP", "fe80::1%eth0", 25), "[fe80::1%eth0]:25"],
  ["smtp://0.0.0.0:0", tcp("SMTP", "0.0.0.0", 0), "0.0.0.0:0"],
  ["smtp://mail.example:65535", tcp("SMTP", "mail.example", 65535), "mail.example:65535"],
  ["smtp://host_1.example.:1", tcp("SMTP", "host_1.example.", 1), "host_1.example.:1"],
  ["SMTP://127.0.0.1:1025", tcp("SMTP", "127.0.0.1", 1025), "127.0.0.1:1025"],
  ["lmtp://localhost:24", tcp("LMTP", "localhost", 24), "lmtp://localhost:24"],
  ["Lmtp://[::1]:24", tcp("LMTP", "::1", 24), "lmtp://[::1]:24"],
  ["smtp+unix:/run/x.sock", unix("SMTP", "/run/x.sock"), "smtp+unix:/run/x.sock"],
  ["lmtp+unix:/run/x.sock", unix("LMTP", "/run/x.sock"), "lmtp+unix:/run/x.sock"],
  ["smtp+unix:///run/x.sock", unix("SMTP", "/run/x.sock"), "smtp+unix:/run/x.sock"],
  ["LMTP+UNIX:/Run/X", unix("LMTP", "/Run/X"), "lmtp+unix:/Run/X"],
  ["smtp+unix:/a b?c#d@e:1/ü", unix("SMTP", "/a b?c#d@e:1/ü"), "smtp+unix:/a b?c#d@e:1/ü"],
];

for (const [text, address, shown] of valid) {
  Deno.test(`parseListenAddress() reads ${text}, shown as ${shown}`, () => {
    assertEquals(parseListenAddress(text), address);
    assertEquals(formatListenAddress(address), shown);
  });
}

function assertWanted(result: ListenAddress | Wanted, pattern: RegExp): void {
  assert("wanted" in result, JSON.stringify(result));
  assertMatch(result.wanted, pattern);
}

const FORMS = /^an address such as smtp:\/\//;
const ABSOLUTE = /^an absolute path/;
const PORT = /^at a port from 0 to 65535$/;
const NOT_25 = /^at another port, as 25 is not for LMTP/;

/** Texts that are no address to listen at, and what is said of them. */
const invalid: readonly (readonly [text: string, wanted: RegExp])[] = [
  ["", FORMS],
  ["127.0.0.1:1025", FORMS],
  ["1025", FORMS],
  [":1025", FORMS],
  ["unix:/run/x.sock", FORMS],
  ["smtps://127.0.0.1:465", FORMS],
  ["http://127.0.0.1:80", FORMS],
  [" smtp://127.0.0.1:1025", FORMS],
  ["smtp://127.0.0.1:1025 ", FORMS],
  ["smtp://127.0.0.1:1025\n", FORMS],
  ["smtp:127.0.0.1:1025", FORMS],
  ["smtp:/127.0.0.1:1025", FORMS],
  ["smtp:///127.0.0.1:1025", FORMS],
  ["smtp://127.0.0.1", FORMS],
  ["smtp://127.0.0.1:", FORMS],
  ["smtp://127.0.0.1:smtp", FORMS],
  ["smtp://127.0.0.1:-1", FORMS],
  ["smtp://127.0.0.1:123456", FORMS],
  ["smtp://127.0.0.1:1025/", FORMS],
  ["smtp://127.0.0.1:1025/path", FORMS],
  ["smtp://127.0.0.1:1025?a=b", FORMS],
  ["smtp://127.0.0.1:1025#a", FORMS],
  ["smtp://user@127.0.0.1:1025", FORMS],
  ["smtp://user:password@127.0.0.1:1025", FORMS],
  ["smtp://:1025", FORMS],
  ["smtp://*:1025", FORMS],
  ["smtp://::1:1025", FORMS],
  ["smtp://[::1]1025", FORMS],
  ["smtp://[]:1025", FORMS],
  ["smtp://[127.0.0.1]:1025", FORMS],
  ["smtp://[localhost]:1025", FORMS],
  ["smtp://[::g]:1025", FORMS],
  ["smtp://[[::1]]:1025", FORMS],
  ["smtp://127.0.0.256:1025", FORMS],
  ["smtp://127.1:1025", FORMS],
  ["smtp://0177.0.0.1:1025", FORMS],
  ["smtp://0x7f.0.0.0x1:1025", FORMS],
  ["smtp://2130706433:1025", FORMS],
  ["smtp://127.0.0.1.:1025", FORMS],
  ["smtp://a..example:1025", FORMS],
  ["smtp://a b:1025", FORMS],
  ["smtp://127.0.0.1:65536", PORT],
  ["smtp://127.0.0.1:99999", PORT],
  ["lmtp://127.0.0.1:25", NOT_25],
  ["LMTP://[::1]:00025", NOT_25],
  ["smtp+unix:", ABSOLUTE],
  ["smtp+unix:x.sock", ABSOLUTE],
  ["smtp+unix:./x.sock", ABSOLUTE],
  ["smtp+unix://run/x.sock", ABSOLUTE],
  ["smtp+unix:////run/x.sock", ABSOLUTE],
  ["smtp+unix:/", ABSOLUTE],
  ["smtp+unix:///", ABSOLUTE],
  ["smtp+unix:/run/", ABSOLUTE],
  ["smtp+unix:/run/x\0.sock", ABSOLUTE],
  ["smtp+unix:/run/x\n", ABSOLUTE],
];

for (const [text, wanted] of invalid) {
  Deno.test(`parseListenAddress() refuses ${JSON.stringify(text)}`, () => {
    assertWanted(parseListenAddress(text), wanted);
  });
}

/** What `--host` says, with the port 1025. */
const hosts: readonly (readonly [host: string, address: ListenAddress])[] = [
  ["127.0.0.1", tcp("SMTP", "127.0.0.1", 1025)],
  ["::", tcp("SMTP", "::", 1025)],
  ["::1", tcp("SMTP", "::1", 1025)],
  ["[::1]", tcp("SMTP", "::1", 1025)],
  ["fe80::1%eth0", tcp("SMTP", "fe80::1%eth0", 1025)],
  ["localhost", tcp("SMTP", "localhost", 1025)],
  ["unix", tcp("SMTP", "unix", 1025)],
  ["unix:/run/x.sock", unix("SMTP", "/run/x.sock")],
  ["unix:///run/x.sock", unix("SMTP", "/run/x.sock")],
  ["UNIX:/run/x.sock", unix("SMTP", "/run/x.sock")],
];

for (const [host, address] of hosts) {
  Deno.test(`parseHost() reads ${host}`, () => {
    assertEquals(parseHost(host, 1025, "SMTP"), address);
    assertEquals(parseHost(host, 1025, "LMTP"), { ...address, protocol: "LMTP" });
  });
}

const HOST = /^a name, an IP address or unix:\/PATH$/;

for (
  const [host, wanted] of [
    ["", HOST],
    ["a b", HOST],
    ["127.0.0.1:1025", HOST],
    ["127.1", HOST],
    ["[127.0.0.1]", HOST],
    ["smtp://127.0.0.1", HOST],
    ["/run/x.sock", HOST],
    ["unix:", ABSOLUTE],
    ["unix:run/x.sock", ABSOLUTE],
    ["unix://run/x.sock", ABSOLUTE],
  ] as const
) {
  Deno.test(`parseHost() refuses ${JSON.stringify(host)}`, () => {
    assertWanted(parseHost(host, 1025, "SMTP"), wanted);
  });
}

Deno.test("parseHost() refuses port 25 for LMTP, and only there", () => {
  assertWanted(parseHost("127.0.0.1", 25, "LMTP"), NOT_25);
  assertEquals(parseHost("127.0.0.1", 25, "SMTP"), tcp("SMTP", "127.0.0.1", 25));
  assertEquals(parseHost("unix:/run/x", 25, "LMTP"), unix("LMTP", "/run/x"));
});

for (const [name, letter] of [["letters", "x"], ["letters of two octets", "ü"]]) {
  Deno.test(`a path is as long as a socket takes it, in ${name}`, async () => {
    const folder = await Deno.makeTempDir();
    const octets = (text: string) => new TextEncoder().encode(text).length;
    const room = MAX_PATH_OCTETS - octets(`${folder}/`);
    const path = `${folder}/${letter.repeat(Math.floor(room / octets(letter)))}`;
    const longest = path + "y".repeat(MAX_PATH_OCTETS - octets(path));
    assertEquals(parseHost(`unix:${longest}`, 0, "SMTP"), unix("SMTP", longest));
    for (const scheme of ["smtp+unix:", "lmtp+unix://"]) {
      assertWanted(
        parseListenAddress(`${scheme}${longest}y`),
        new RegExp(`^a path of at most ${MAX_PATH_OCTETS} octets`),
      );
    }
    try {
      Deno.listen({ transport: "unix", path: longest }).close();
      let refused = false;
      try {
        Deno.listen({ transport: "unix", path: `${longest}y` }).close();
      } catch {
        refused = true;
      }
      assert(refused, "a longer one is taken too");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

for (
  const [address, port, text] of [
    ["127.0.0.1", 1025, "127.0.0.1:1025"],
    ["::1", 1025, "[::1]:1025"],
    ["::", 0, "[::]:0"],
    ["localhost", 25, "localhost:25"],
  ] as const
) {
  Deno.test(`formatAddress() writes ${text}`, () => {
    assertEquals(formatAddress(address, port), text);
  });
}

const hostOrPath = fc.constantFrom("127.0.0.1", "localhost", "[::1]", "[fe80::1%eth0]", "/run/ü");
const oddity = fc.constantFrom(..."[]/.@:%?\0\n ");

/** Texts that are addresses, or come close to it. */
const nearAddress = fc.tuple(
  fc.constantFrom("smtp", "lmtp", "LMTP", "SmtP", "smtp+unix", "lmtp+unix"),
  fc.constantFrom(":", "://"),
  fc.oneof(hostOrPath, fc.tuple(hostOrPath, oddity, hostOrPath).map((parts) => parts.join(""))),
  fc.constantFrom("", ":25", ":1025", ":0", ":65536", ":smtp"),
).map((parts) => parts.join(""));

Deno.test("no text throws, and what is accepted prints back to the same", () => {
  let accepted = 0;
  const text = fc.oneof(nearAddress, anyText);
  fc.assert(
    fc.property(text, (text) => {
      parseHost(text, 1025, "LMTP");
      const address = parseListenAddress(text);
      if ("wanted" in address) return;
      accepted++;
      const shown = formatListenAddress(address);
      const isBare = address.protocol === "SMTP" && address.transport === "tcp";
      assertEquals(parseListenAddress(isBare ? `smtp://${shown}` : shown), address);
    }),
    { numRuns: 5_000 },
  );
  assert(accepted > 100, `${accepted} texts were addresses`);
});
