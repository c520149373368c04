/**
 * Clients that break off, dawdle, or speak something else: nothing of a message that is not whole
 * is delivered, and one that is whole is delivered once.
 */
import { assert, assertEquals } from "../assert.ts";
import { Client } from "../client.ts";
import { withstand } from "./siege.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** A session with two messages, said without a pause; `token` is in both. */
function session(token: string): { text: string; ends: readonly number[] } {
  const envelope = "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n";
  const content = `${token}\r\n\r\n.`;
  const first = `EHLO me\r\n${envelope}DATA\r\n${token}\r\n\r\n..\r\n.\r\n`;
  const second = `${first}${envelope}BDAT ${content.length} LAST\r\n${content}`;
  return { text: `${second}QUIT\r\n`, ends: [first.length, second.length] };
}

/**
 * How a client leaves, having read all that the server said, or so little that TCP calls it a
 * reset.
 */
type Departure = "closes" | "resets";

/** Sends the start of a session and leaves. */
async function breakOff(port: number, text: string, departure: Departure): Promise<void> {
  using socket = await Deno.connect({ hostname: "127.0.0.1", port });
  // The greeting is a single write, so the rest of it is there, and goes unread.
  const octets = new Uint8Array(departure === "resets" ? 1 : 1024);
  await socket.read(octets);
  await socket.write(encode(text));
  if (departure === "resets" || text.length === 0) return;
  // What the server has to say till then is read, else this is a reset as well.
  await socket.closeWrite();
  while (await socket.read(octets) !== null);
}

for (const departure of ["closes", "resets"] as const) {
  withstand(`a client ${departure} at each octet of a session`, {}, async (siege) => {
    const { pigeon, endpoint, calm } = siege;
    const before = endpoint.received.length;
    const expected: string[] = [];
    const { length } = session("000").text;
    for (let cut = 0; cut <= length; cut++) {
      const token = String(cut).padStart(3, "0");
      const { text, ends } = session(token);
      for (const end of ends) if (cut >= end) expected.push(token);
      await breakOff(pigeon.port, text.slice(0, cut), departure);
    }
    await calm();
    const tokens = endpoint.received.slice(before).map(({ text }) => JSON.parse(text));
    assert(tokens.every((text) => /^\d{3}\r\n\r\n\.(\r\n)?$/.test(text)));
    assertEquals(tokens.map((text) => text.slice(0, 3)).toSorted(), expected);
  });
}

/** What comes one octet at a time, and what ends it, with 1 s of patience and 1,000 octets/s. */
const drips: readonly [name: string, before: string, drip: string, last: RegExp][] = [
  ["a command", "EHLO me\r\n", "NOOP ", /^421 4\.4\.2 .*waited too long/],
  [
    "mail data",
    "EHLO me\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n",
    "Subject: x\r\n",
    /^421 4\.4\.2 .*data comes slower than 1000 octets\/s/,
  ],
  [
    "a chunk",
    "EHLO me\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nBDAT 1000000 LAST\r\n",
    "Subject: x\r\n",
    /^421 4\.4\.2 .*data comes slower than 1000 octets\/s/,
  ],
  [
    "a chunk that is not wanted",
    "EHLO me\r\nBDAT 1000000\r\n",
    "MAIL FROM:<>\r\n",
    /^421 4\.4\.2 .*data comes slower than 1000 octets\/s/,
  ],
];
withstand(
  "clients that send an octet now and then are let go",
  { "idle-timeout": 1, "min-rate": 1_000 },
  async ({ pigeon, endpoint }) => {
    const { length } = endpoint.received;
    await Promise.all(drips.map(async ([name, before, drip, last]) => {
      using client = await Client.connect(pigeon.port);
      await client.send(before);
      const dripping = setInterval(() => {
        void client.send(drip[0]);
        drip = drip.slice(1) + drip[0];
      }, 100);
      let said = "";
      for (let reply; (reply = await client.reply()) !== "";) said = reply;
      clearInterval(dripping);
      assert(last.test(said), `${name}: ${said}`);
    }));
    assertEquals(endpoint.received.length, length);
  },
);

/** Other protocols, and a session of SMTP within them. */
const smuggled =
  "EHLO me\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\nx\r\n.\r\n";
const others: readonly [name: string, text: string][] = [
  ["TLS", `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${"\x00".repeat(508)}${smuggled}`],
  ["HTTP", `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n${smuggled}`],
  ["HTTP", `GET /${"x".repeat(1_000)} HTTP/1.0\r\n\r\n`],
  ["HTTP", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${smuggled}`],
];
withstand("TLS and HTTP are told what is spoken here", {}, async ({ pigeon, endpoint }) => {
  const { length } = endpoint.received;
  for (const [name, text] of others) {
    using client = await Client.connect(pigeon.port);
    await client.send(text);
    assertEquals([await client.reply(), await client.reply(), await client.reply()], [
      "220 localhost ESMTP smtp-pigeon ready",
      `421 4.7.0 localhost speaks SMTP, not ${name}, closing connection`,
      "",
    ]);
  }
  await Deno.connectTls({ hostname: "127.0.0.1", port: pigeon.port }).then(
    async (socket) => {
      const shaken = await socket.handshake().then(() => true, () => false);
      socket.close();
      assert(!shaken);
    },
  );
  assertEquals(endpoint.received.length, length);
});
