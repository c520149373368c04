import { octetsOf as octets } from "../lib/octets.ts";
import { Decoder, type Frame, type Want, type WireLimits } from "../lib/wire.ts";
import { assert, assertEquals } from "./assert.ts";
import { framesOf, plain, type PlainFrame } from "./frames.ts";

const LIMITS: WireLimits = { maxLineOctets: 20, maxMessageOctets: 20 };

const LINE: Want = { kind: "line" };
const CRLF_DATA: Want = { kind: "data", lineEnd: "CRLF" };
const LF_DATA: Want = { kind: "data", lineEnd: "LF" };
const chunk = (octets: number, keep = true): Want => ({ kind: "chunk", octets, keep });

/** What arrives, what is wanted in turn, and the frames that come of it. */
const rows:
  readonly (readonly [text: string, wants: readonly Want[], frames: readonly PlainFrame[]])[] = [
    ["", [LINE], []],
    ["NOOP", [LINE], []],
    ["NOOP\r", [LINE], []],
    ["NOOP\r\n", [LINE], [["line", "NOOP", "CRLF"]]],
    ["NOOP\n", [LINE], [["line", "NOOP", "LF"]]],
    ["\r\n\n", [LINE], [["line", "", "CRLF"], ["line", "", "LF"]]],
    ["a\rb\n\r\r\n", [LINE], [["line", "a\rb", "LF"], ["line", "\r", "CRLF"]]],
    ["a\0\xffb\r\nc", [LINE], [["line", "a\0\xffb", "CRLF"]]],
    [`${"x".repeat(18)}\r\n`, [LINE], [["line", "x".repeat(18), "CRLF"]]],
    [`${"x".repeat(19)}\r\ny\n`, [LINE], [["line", null, "LF"], ["line", "y", "LF"]]],
    [`${"x".repeat(19)}\n`, [LINE], [["line", "x".repeat(19), "LF"]]],
    [`${"x".repeat(20)}\ny\n`, [LINE], [["line", null, "LF"], ["line", "y", "LF"]]],
    // The first octet of TLS is a line by itself where it is the first of all, and nowhere else.
    ["\x16", [LINE], [["line", "\x16", "LF"]]],
    ["\x16\x03\x01\r\n", [LINE], [["line", "\x16", "LF"], ["line", "\x03\x01", "CRLF"]]],
    ["\x17\x03", [LINE], []],
    ["\n\x16\x03\n", [LINE], [["line", "", "LF"], ["line", "\x16\x03", "LF"]]],
    ["a\x16\n\x16\n", [LINE], [["line", "a\x16", "LF"], ["line", "\x16", "LF"]]],

    [".\r\n", [CRLF_DATA], [["data", ""]]],
    ["\r\n.\r\n", [CRLF_DATA], [["data", "\r\n"]]],
    ["a\r\n.\r\n.\r\n", [CRLF_DATA], [["data", "a\r\n"], ["data", ""]]],
    ["..\r\n...\r\n.a\r\n.\r\n", [CRLF_DATA], [["data", ".\r\n..\r\na\r\n"]]],
    [". \r\n.\r\n", [CRLF_DATA], [["data", " \r\n"]]],
    ["a.\r\n.\r\n", [CRLF_DATA], [["data", "a.\r\n"]]],
    ["a\n.\nb\r\n.\r\n", [CRLF_DATA], [["data", "a\n.\nb\r\n"]]],
    ["a\n.\r\nb\r\n.\r\n", [CRLF_DATA], [["data", "a\n.\r\nb\r\n"]]],
    ["a\r.\rb\r\n.\r\n", [CRLF_DATA], [["data", "a\r.\rb\r\n"]]],
    ["a\r.\r\nb\r\n.\r\n", [CRLF_DATA], [["data", "a\r.\r\nb\r\n"]]],
    ["a\r\n.\nb\r\n.\r\n", [CRLF_DATA], [["data", "a\r\n\nb\r\n"]]],
    ["a\r\n.\rb\r\n.\r\n", [CRLF_DATA], [["data", "a\r\n\rb\r\n"]]],
    ["a\r\n.\r\r\n.\r\n", [CRLF_DATA], [["data", "a\r\n\r\r\n"]]],
    ["\r\r\n.\r\n", [CRLF_DATA], [["data", "\r\r\n"]]],
    ["\n\n.\r\n\r\n.\r\n", [CRLF_DATA], [["data", "\n\n.\r\n\r\n"]]],
    [".", [CRLF_DATA], []],
    [".\r", [CRLF_DATA], []],
    ["a\r\n.\r\nQUIT\n", [CRLF_DATA, LINE], [["data", "a\r\n"], ["line", "QUIT", "LF"]]],
    [`${"x".repeat(18)}\r\n.\r\n`, [CRLF_DATA], [["data", `${"x".repeat(18)}\r\n`]]],
    [`..${"x".repeat(17)}\r\n.\r\n`, [CRLF_DATA], [["data", `.${"x".repeat(17)}\r\n`]]],
    [`${"x".repeat(19)}\r\n.\r\nR\n`, [CRLF_DATA, LINE], [["data", null], ["line", "R", "LF"]]],
    [
      `${"x".repeat(30)}\r\nRSET\r\n..\r\n\n.\n\r\n.\r\n.\r\n`,
      [CRLF_DATA],
      [["data", null], ["data", ""]],
    ],

    [".\n", [LF_DATA], [["data", ""]]],
    ["a\n.\n.\n", [LF_DATA], [["data", "a\n"], ["data", ""]]],
    ["..\n.a\n\n.\n", [LF_DATA], [["data", ".\na\n\n"]]],
    ["a\r\n.\r\nb\n.\n", [LF_DATA], [["data", "a\r\n\r\nb\n"]]],
    ["a\r\n.\n", [LF_DATA], [["data", "a\r\n"]]],
    ["a\r.\rb\n.\n", [LF_DATA], [["data", "a\r.\rb\n"]]],
    [`${"x".repeat(20)}\n.\nR\n`, [LF_DATA, LINE], [["data", null], ["line", "R", "LF"]]],

    ["abcdef", [chunk(2)], [["chunk", "ab"], ["chunk", "cd"], ["chunk", "ef"]]],
    [".\r\n.\r\nQUIT\n", [chunk(6), LINE], [["chunk", ".\r\n.\r\n"], ["line", "QUIT", "LF"]]],
    ["QUIT\nRSET\n", [chunk(5, false), LINE], [["chunk", ""], ["line", "RSET", "LF"]]],
    ["a\n", [chunk(0), LINE], [["chunk", ""], ["line", "a", "LF"], ["chunk", ""]]],
    ["a\n", [chunk(0, false), LINE], [["chunk", ""], ["line", "a", "LF"], ["chunk", ""]]],
    ["\r\n.\n\r\n.\r\n", [chunk(1), CRLF_DATA], [["chunk", "\r"], ["data", "\n.\n\r\n"]]],
    ["abc", [chunk(4)], []],
    ["abc", [chunk(Number.MAX_SAFE_INTEGER, false)], []],
    // The limit of a message is the session's to hold against chunks.
    ["x".repeat(25), [chunk(25)], [["chunk", "x".repeat(25)]]],
  ];

for (const [text, wants, frames] of rows) {
  const wanted = wants.map((want) => want.kind === "data" ? want.lineEnd : want.kind).join(", ");
  Deno.test(`next() finds ${frames.length} frames (${wanted}) in ${JSON.stringify(text)}`, () => {
    const whole = octets(text);
    for (const pieces of [[whole], Array.from(whole, (octet) => Uint8Array.of(octet))]) {
      assertEquals(framesOf(pieces, wants, LIMITS), [...frames]);
    }
  });
}

const MEGABYTE = 2 ** 20;

/** A message of many lines, some of them dot-stuffed, and a command behind it. */
function bigMessage(want: Want): { readonly sent: Uint8Array; readonly message: Uint8Array } {
  const line = `.${"x".repeat(60)}\r\n`;
  const message = octets(line.repeat(Math.ceil(MEGABYTE / line.length)));
  const stuffed = want.kind === "data" ? `.${line}` : line;
  const count = message.length / line.length;
  const end = want.kind === "data" ? ".\r\n" : "";
  return { sent: octets(stuffed.repeat(count) + end + "NOOP\r\n"), message };
}

/** Above what any machine needs, and far below what it needs where each octet has all of them copied. */
const DEADLINE_MS = 20_000;

for (const kind of ["data", "chunk"] as const) {
  Deno.test(`a megabyte of ${kind} that comes octet by octet is the same, in bounded time`, () => {
    const { message } = bigMessage(CRLF_DATA);
    const want = kind === "data" ? CRLF_DATA : chunk(message.length);
    const { sent } = bigMessage(want);
    const decoder = new Decoder({ maxLineOctets: 20, maxMessageOctets: message.length });
    const frames: Frame[] = [];
    const begin = performance.now();
    for (const [at, octet] of sent.entries()) {
      decoder.push(Uint8Array.of(octet));
      const frame = decoder.next(frames.length === 0 ? want : LINE);
      if (frame !== null) frames.push(frame);
      if (at % 1_000 === 0) assert(performance.now() - begin < DEADLINE_MS, `${at} octets only`);
    }
    const [first, ...others] = frames;
    assertEquals(first.kind, kind);
    const got = first.octets!;
    // One by one, as a difference would otherwise be printed octet by octet.
    assert(got.length === message.length && got.every((octet, at) => octet === message[at]));
    assertEquals(others.map(plain), [["line", "NOOP", "CRLF"]]);
  });
}

const tooBig: [name: string, want: Want, limits: WireLimits][] = [
  ["data over the limit", CRLF_DATA, { maxLineOctets: 20, maxMessageOctets: MEGABYTE }],
  ["a line over the limit", LINE, { maxLineOctets: MEGABYTE, maxMessageOctets: 20 }],
  ["a chunk that is to be dropped", chunk(Number.MAX_SAFE_INTEGER, false), LIMITS],
];
for (const [name, want, limits] of tooBig) {
  Deno.test(`nothing is kept of ${name}`, () => {
    const decoder = new Decoder(limits);
    const piece = new Uint8Array(MEGABYTE).fill(0x78);
    // What is kept cannot be freed; what can be freed is so long before it is as much.
    const most = Deno.memoryUsage().external + 256 * MEGABYTE;
    for (let count = 0; count < 512; count++) {
      decoder.push(piece);
      assertEquals(decoder.next(want), null);
      assert(Deno.memoryUsage().external < most, `after ${count} MB`);
    }
  });
}

/** What is pushed and wanted, and how many octets are held for it: at least, and at most. */
const held: [what: string, text: string, want: Want, least: number, most: number][] = [
  ["nothing", "", LINE, 0, 0],
  ["a part of a line", "NOOP", LINE, 4, 8],
  ["a line of which the rest is dropped", "x".repeat(21), LINE, 0, 0],
  ["a part of data", "hello\r\nthere", CRLF_DATA, 12, 24],
  ["what may end data", "\r\n.\r", CRLF_DATA, 4, 6],
  ["data of which the rest is dropped", "x".repeat(21), CRLF_DATA, 0, 0],
  ["a part of a chunk", "abcd", chunk(20), 4, 8],
  ["a part of a chunk that is dropped", "abcd", chunk(20, false), 0, 0],
];
for (const [what, text, want, least, most] of held) {
  Deno.test(`for ${what} ${least} octets are held, and little more`, () => {
    const decoder = new Decoder(LIMITS);
    decoder.push(octets(text));
    assertEquals(decoder.heldOctets, text.length);
    assertEquals(decoder.next(want), null);
    const { heldOctets } = decoder;
    assert(least <= heldOctets && heldOctets <= most, `${heldOctets} octets`);
  });
}

Deno.test("nothing is held of a frame that was given out, but of what came behind it", () => {
  const decoder = new Decoder({ maxLineOctets: 20, maxMessageOctets: 2 * MEGABYTE });
  const { sent, message } = bigMessage(CRLF_DATA);
  decoder.push(sent);
  assertEquals(decoder.next(CRLF_DATA)?.octets?.length, message.length);
  assertEquals(decoder.heldOctets, "NOOP\r\n".length);
  decoder.next(LINE);
  assertEquals(decoder.heldOctets, 0);
});
