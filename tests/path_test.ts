import { isInternational, readForwardPath, readReversePath } from "../lib/path.ts";
import { assert, assertEquals } from "./assert.ts";

type Row = readonly [text: string, localPart: string, domain: string | null, rest?: string];

/** Paths that are read. */
const valid: readonly Row[] = [
  ["<a@example.org>", "a", "example.org"],
  ["<a@example.org> SIZE=5", "a", "example.org", " SIZE=5"],
  ["<a@example.org>SIZE=5", "a", "example.org", "SIZE=5"],
  ["<a@example.org> <b@example.org>", "a", "example.org", " <b@example.org>"],
  ["<A@Example.Org>", "A", "Example.Org"],
  ["<!#$%&'*+-/=?^_`{|}~0@example.org>", "!#$%&'*+-/=?^_`{|}~0", "example.org"],
  ["<a.b@example.org>", "a.b", "example.org"],
  ["<.a..b.@example.org>", ".a..b.", "example.org"],
  ["<a@example>", "a", "example"],
  ["<a@example.org.>", "a", "example.org."],
  ["<a@host_name.example>", "a", "host_name.example"],
  ["<a@xn--bcher-kva.example>", "a", "xn--bcher-kva.example"],
  ["<a@1.2.3.4>", "a", "1.2.3.4"],
  ["<a@[192.0.2.1]>", "a", "[192.0.2.1]"],
  ["<a@[IPv6:2001:db8::1]>", "a", "[IPv6:2001:db8::1]"],
  ["<a@[tag:x>y]>", "a", "[tag:x>y]"],
  ["<root>", "root", null],
  ["<Postmaster>", "Postmaster", null],
  ['<"a b"@example.org>', '"a b"', "example.org"],
  ['<"<a>@b"@example.org>', '"<a>@b"', "example.org"],
  ['<"a\\"\\\\\\ b"@example.org>', '"a\\"\\\\\\ b"', "example.org"],
  ['<""@example.org>', '""', "example.org"],
  ['<"root">', '"root"', null],
  ["<@r.example:a@example.org>", "a", "example.org"],
  ["<@r.example,@s.example:a@example.org>", "a", "example.org"],
  ["<@r.example:root>", "root", null],
  ["a@example.org", "a", "example.org"],
  ["a@example.org SIZE=5", "a", "example.org", " SIZE=5"],
  ["root", "root", null],
  ["Gordon <a@example.org>", "Gordon", null, " <a@example.org>"],
  ['"a b"@example.org x', '"a b"', "example.org", " x"],
  ["<zoë@bücher.example>", "zoë", "bücher.example"],
  ['<"ü ö"@例え.example>', '"ü ö"', "例え.example"],
  ["<😀@example.org>", "😀", "example.org"],
];

for (const [text, localPart, domain, rest = ""] of valid) {
  Deno.test(`readForwardPath() and readReversePath() read ${text}`, () => {
    const expected = { path: { localPart, domain }, rest };
    assertEquals(readForwardPath(text), expected);
    assertEquals(readReversePath(text), expected);
  });
}

/** Texts that begin with no path. */
const invalid = [
  "",
  " ",
  " <a@example.org>",
  "<",
  ">",
  "< >",
  "<<a@example.org>>",
  "<a@example.org",
  "a@example.org>",
  "<a@>",
  "<@example.org>",
  "<@>",
  "@example.org",
  "a@",
  "<a b@example.org>",
  "<a@exam ple.org>",
  "< a@example.org>",
  "<a@example.org >",
  "<a@@example.org>",
  "<a@b@example.org>",
  "<a@.example.org>",
  "<a@example..org>",
  "<a@example.org..>",
  "<a@[192.0.2.1>",
  "<a@[]>",
  "<a@[1 2]>",
  "<a@[1]2]>",
  "<a@192.0.2.1]>",
  "<a@[192.0.2.1].example>",
  '<"a@example.org>',
  '<a"@example.org>',
  '<"a"b@example.org>',
  '<b"a"@example.org>',
  '<"a\\"@example.org>',
  '<"a""b"@example.org>',
  "<a\\ b@example.org>",
  "<a,b@example.org>",
  "<a;b@example.org>",
  "<a:b@example.org>",
  "<a(b)@example.org>",
  "<@r.example a@example.org>",
  "<@r.example,a@example.org>",
  "<r.example:a@example.org>",
  "<@r.example:>",
  "<a\0@example.org>",
  "<a\r@example.org>",
  "<a@example.org\n>",
  '<"a\tb"@example.org>',
  '<"a\\é"@example.org>',
  "<a\u0085@example.org>",
  "a@example.org,b@example.org",
];

for (const text of invalid) {
  Deno.test(`readForwardPath() and readReversePath() refuse ${JSON.stringify(text)}`, () => {
    assertEquals(readForwardPath(text), null);
    assertEquals(readReversePath(text), null);
  });
}

Deno.test("readReversePath() reads <> as the null sender, readForwardPath() refuses it", () => {
  assertEquals(readReversePath("<>"), { path: null, rest: "" });
  assertEquals(readReversePath("<> SIZE=5"), { path: null, rest: " SIZE=5" });
  assertEquals(readReversePath("<>x"), { path: null, rest: "x" });
  assertEquals(readForwardPath("<>"), null);
});

for (
  const [address, expected] of [
    ["<a@example.org>", false],
    ['<"a b~"@[192.0.2.1]>', false],
    ["<root>", false],
    ["<zoë@example.org>", true],
    ["<a@bücher.example>", true],
    ["<a@xn--bcher-kva.example>", false],
    ["<ü>", true],
  ] as const
) {
  Deno.test(`isInternational() says ${expected} of ${address}`, () => {
    assertEquals(isInternational(readForwardPath(address)!.path), expected);
  });
}

Deno.test("readForwardPath() takes no time over a long text that is no path", () => {
  const start = performance.now();
  for (
    const text of ["<" + "@a,".repeat(700), '<"' + "\\ ".repeat(1_000), "<a@" + "a.".repeat(1_000)]
  ) {
    assertEquals(readForwardPath(text), null);
    assertEquals(readForwardPath(text + "é\0"), null);
  }
  assert(performance.now() - start < 1_000);
});
