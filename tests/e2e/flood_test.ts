/** Too much of one thing: it is refused with the right reply, and costs next to no memory. */
import { assert, assertEquals } from "../assert.ts";
import { flood, forever, pour, times, withstand } from "./siege.ts";

const EHLO = "EHLO me\r\n";
const MAIL = "MAIL FROM:<a@x.example>\r\n";
const RCPT = "RCPT TO:<b@x.example>\r\n";
const OPEN = `${EHLO}${MAIL}${RCPT}`;
const MEGABYTES_64 = 64 * 1024 * 1024;

/** Greeting, EHLO and goodbye. */
const frame = { "220 ": 1, "250 ": 1, "221 2.0.0": 1 };
const sender = { "250 2.1.0": 1 };
const opened = { ...frame, ...sender, "250 2.1.5": 1 };

const endless = () => times(MEGABYTES_64, "x");

const rows: readonly [
  name: string,
  pieces: () => Iterable<string>,
  counts: Record<string, number>,
][] = [
  [
    "as a command",
    () => [EHLO, ...endless(), "\r\nQUIT\r\n"],
    { ...frame, "500 5.5.2": 1 },
  ],
  [
    "as mail data",
    () => [OPEN, "DATA\r\n", ...endless(), "\r\n.\r\nQUIT\r\n"],
    { ...opened, "354 ": 1, "552 5.3.4": 1 },
  ],
  [
    "as a chunk",
    () => [OPEN, `BDAT ${MEGABYTES_64} LAST\r\n`, ...endless(), "QUIT\r\n"],
    { ...opened, "552 5.3.4": 1 },
  ],
];
for (const [name, pieces, counts] of rows) {
  withstand(`64 MB without a line end ${name}`, {}, async ({ pigeon }) => {
    assertEquals(await flood(pigeon.port, pieces()), { counts, wasStopped: false });
  });
}

/** How many recipients too many are refused one by one, before their client is. */
const OVERSHOOT = 1_000;

withstand("100,000 RCPT, which are too many", {}, async ({ pigeon }) => {
  const { counts } = await flood(pigeon.port, [EHLO, MAIL, ...times(100_000, RCPT)]);
  assertEquals(counts, {
    ...{ "220 ": 1, "250 ": 1, ...sender },
    ...{ "250 2.1.5": 100, "452 4.5.3": OVERSHOOT, "421 4.7.0": 1 },
  });
  // The log has the first of them, and the end.
  assertEquals(pigeon.log.filter((line) => line.includes(": Refused: ")).length, 2);
});

withstand("100,000 RCPT, of which 10,000 may be", { "max-recipients": 10_000 }, async (siege) => {
  const { counts } = await flood(siege.pigeon.port, [EHLO, MAIL, ...times(100_000, RCPT)]);
  assertEquals(counts, {
    ...{ "220 ": 1, "250 ": 1, ...sender },
    ...{ "250 2.1.5": 10_000, "452 4.5.3": OVERSHOOT, "421 4.7.0": 1 },
  });
});

withstand("1,000,000 NOOP, which are too many", { "max-commands": 500 }, async ({ pigeon }) => {
  const { counts } = await flood(pigeon.port, times(1_000_000, "NOOP\r\n"));
  assertEquals(counts, { "220 ": 1, "250 2.0.0": 500, "421 4.7.0": 1 });
});

withstand("1,000,000 NOOP, all of which are answered", {}, async ({ pigeon }) => {
  const pieces = [...times(1_000_000, "NOOP\r\n"), "QUIT\r\n"];
  assertEquals(await flood(pigeon.port, pieces), {
    counts: { "220 ": 1, "250 2.0.0": 1_000_000, "221 2.0.0": 1 },
    wasStopped: false,
  });
});

withstand(
  "1,000,000 EHLO of a client that does not read the answers",
  { "idle-timeout": 1 },
  async ({ pigeon }) => {
    using socket = await Deno.connect({ hostname: "127.0.0.1", port: pigeon.port });
    // The server stops to read where it cannot write, and lets the client go.
    const poured = pour(socket, times(1_000_000, EHLO));
    await pigeon.logged(/Refused: 421 localhost waited too long/);
    // Of a Deno as old as an executable may have, a write that waits outlives its socket.
    if (!Deno.env.has("SMTP_PIGEON_BIN")) assert(!await poured);
  },
);

/**
 * 2^53, beyond which not every number can be told from the next, 2^63, and one of a thousand
 * digits.
 */
const uncountable = ["9007199254740992", "9223372036854775808", "9".repeat(1_000)];
withstand("BDAT of more octets than can be counted", {}, async ({ pigeon }) => {
  for (const octets of uncountable) {
    const { counts } = await flood(pigeon.port, [OPEN, `BDAT ${octets} LAST\r\n`, ...endless()]);
    assertEquals(counts, { "220 ": 1, "250 ": 1, ...sender, "250 2.1.5": 1, "421 4.5.2": 1 });
  }
});

withstand(
  "BDAT of 2^53 - 1 octets, until that takes too long",
  { "message-timeout": 1 },
  async ({ pigeon }) => {
    const chunk = `BDAT ${Number.MAX_SAFE_INTEGER} LAST\r\n`;
    const { counts } = await flood(pigeon.port, forever(OPEN + chunk, "x".repeat(65_536)));
    assertEquals(counts, { "220 ": 1, "250 ": 1, ...sender, "250 2.1.5": 1, "421 4.4.2": 1 });
  },
);

/** With fewer of them others are served in time even where nobody takes turns. */
const FLOODERS = 12;

/** The same from all of them at once; gives how often each was told the same. */
const floodAll = async (port: number, piece: string) =>
  (await Promise.all(
    Array.from({ length: FLOODERS }, () => flood(port, forever(OPEN, piece.repeat(4_000)))),
  )).map(({ counts }) => counts);

withstand(
  `${FLOODERS} clients each flood with RCPT, NOOP and BDAT 0, which are too many`,
  { "max-commands": 500 },
  async ({ pigeon: { port } }) => {
    const begun = { "220 ": 1, "250 ": 1, ...sender };
    const words = [
      [RCPT, { ...begun, "250 2.1.5": 100, "452 4.5.3": OVERSHOOT, "421 4.7.0": 1 }],
      ["NOOP\r\n", { ...begun, "250 2.1.5": 1, "250 2.0.0": 499, "421 4.7.0": 1 }],
      ["BDAT 0\r\n", { ...begun, "250 2.1.5": 1, "250 2.0.0": 499, "421 4.7.0": 1 }],
    ] as const;
    await Promise.all(words.map(async ([piece, counts]) => {
      assertEquals(await floodAll(port, piece), Array(FLOODERS).fill(counts), piece);
    }));
  },
);

/** Longer than anyone may have to wait: a flood that is over by then would prove nothing. */
const LONG_S = 2;

for (const word of ["NOOP", "BDAT 0"]) {
  withstand(
    `${FLOODERS} clients flood with ${word} for as long as a message may take`,
    { "message-timeout": LONG_S },
    async ({ pigeon }) => {
      for (const counts of await floodAll(pigeon.port, `${word}\r\n`)) {
        assertEquals(counts["421 4.4.2"], 1);
      }
    },
  );
}
