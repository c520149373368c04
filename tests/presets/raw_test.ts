/** Messages as they came, and envelopes that are a burden to a header. */
import { assert, assertEquals } from "../assert.ts";
import { assertRight, renderer } from "./rules.ts";
import { rules } from "./raw.ts";

const render = await renderer("raw", rules);

Deno.test("raw: every octet is as it came", async () => {
  const rows: readonly [name: string, octets: Uint8Array<ArrayBuffer>][] = [
    ["nothing", new Uint8Array(0)],
    ["all octets", Uint8Array.from({ length: 512 }, (_, at) => at)],
    ["a byte order mark", new Uint8Array([0xef, 0xbb, 0xbf, 0x0d, 0x0a])],
    ["bare CR and LF", new TextEncoder().encode("a\rb\nc\r\n\r\n\n")],
    ["half a character", new Uint8Array([0xf0, 0x9f, 0x92])],
    ["a template", new TextEncoder().encode("{{subject}} {{{data}}} {{! }}")],
    ["a megabyte", new Uint8Array(1_000_000).fill(0xff)],
  ];
  for (const [name, data] of rows) {
    const sent = await render({ data });
    assertRight(rules, sent);
    assertEquals(sent.octets, data, name);
  }
});

Deno.test("raw: the envelope is in header fields, and its sender is <> for a bounce", async () => {
  const sent = await render({
    data: "X-Envelope-From: forged@example.org\r\n\r\n",
    sender: "",
    recipients: ["bob@example.net", '"a, b"@example.net', "ünal@example.net"],
  });
  assertRight(rules, sent);
  assertEquals(sent.headers.get("x-envelope-from"), "<>");
  assertEquals(
    sent.headers.get("x-envelope-to"),
    'bob@example.net, "a, b"@example.net, ünal@example.net',
  );
  assertEquals(sent.headers.get("x-client-address"), "192.0.2.1");
  assertEquals(sent.headers.get("x-client-hostname"), "lamp");
});

Deno.test("raw: more recipients than servers take in a header are cut, and it shows", async () => {
  const longest = (at: number) => `${"ü".repeat(200)}${at}@${"x".repeat(250)}.example`;
  const sent = await render({
    data: "Subject: x\r\n\r\n",
    sender: `${"s".repeat(1900)}@example.org`,
    recipients: Array.from({ length: 100 }, (_, at) => longest(at)),
  });
  assertRight(rules, sent);
  assert(sent.headers.get("x-envelope-to")!.endsWith("…"));
});
