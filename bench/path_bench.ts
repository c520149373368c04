/**
 * The path of a message, room by room, for a text of 4 KB and a mail of 5 MB with an attachment.
 * `deno task bench` runs it. Compare the rows of one run only: the machine decides the rest.
 */
import { commonsBy, type Socket } from "../lib/channel.ts";
import { converse } from "../lib/connection.ts";
import type { Mail } from "../lib/mail.ts";
import type { Surroundings } from "../lib/context.ts";
import { read } from "../lib/message.ts";
import { parseHere } from "../lib/parser.ts";
import { format } from "../lib/reply.ts";
import { target } from "../lib/request.ts";
import { Room } from "../lib/room.ts";
import { sampleContexts } from "../lib/sample.ts";
import { connect, receive } from "../lib/session.ts";
import type { Policy } from "../lib/state.ts";
import { Decoder, type Frame } from "../lib/wire.ts";
import { isFaults } from "../lib/fault.ts";
import { startOf } from "../lib/front_matter.ts";
import json from "../templates/json.mustache" with { type: "text" };

const limits = {
  maxLineOctets: 2_000,
  maxMessageOctets: 10 * 1024 ** 2,
  idleTimeoutMs: 300_000,
  messageTimeoutMs: 3_600_000,
  minRate: 100,
};
const policy: Policy = {
  protocol: "SMTP",
  domain: "localhost",
  maxMessageOctets: limits.maxMessageOctets,
  maxRecipients: 100,
  maxErrors: 20,
  maxCommands: 100,
  maxMessages: 10_000,
};
const surroundings: Surroundings = {
  version: "0.0.0",
  hostname: () => "localhost",
  env: () => undefined,
  vars: {},
};
const encode = (text: string) => new TextEncoder().encode(text);

const text = encode(
  "From: a@example.org\r\nTo: b@example.org\r\nSubject: report\r\n\r\n" +
    "a line of a report, as cron sends them, with some dots...\r\n".repeat(70),
);
const attached = encode(
  "From: a@example.org\r\nTo: b@example.org\r\nSubject: scan\r\nMIME-Version: 1.0\r\n" +
    "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nsee attachment\r\n--x\r\n" +
    "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
    `${"QUJD".repeat(19)}\r\n`.repeat(67_000) + "--x--\r\n",
);

const commons = commonsBy(() => performance.now());

const mailOf = (data: Uint8Array): Mail => ({
  id: "017e1506-9120-7000-8000-000000000000",
  receivedAt: new Date(0),
  client: { address: "127.0.0.1", port: 1, hostname: null, tls: false, user: null },
  envelope: { reversePath: null, forwardPaths: [{ localPart: "b", domain: "example.org" }] },
  data,
});

/** Data as it stands on the wire, cut as a socket cuts it. */
function cuts(data: Uint8Array): Uint8Array[] {
  const wire = encode(
    new TextDecoder().decode(data).replaceAll("\r\n.", "\r\n..") + ".\r\n",
  );
  const count = Math.ceil(wire.length / 65_536);
  return Array.from({ length: count }, (_, i) => wire.subarray(i * 65_536, (i + 1) * 65_536));
}

for (const [name, data] of [["4 KB", text], ["5 MB", attached]] as const) {
  const pieces = cuts(data);

  Deno.bench(`wire: ${name} of data`, { group: name }, () => {
    const decoder = new Decoder(limits);
    for (const piece of pieces) {
      decoder.push(piece);
      decoder.next({ kind: "data", lineEnd: "CRLF" });
    }
  });

  Deno.bench(`connection: a session with ${name}`, { group: name }, async () => {
    const reads = [
      encode("EHLO a\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"),
      ...pieces,
      encode("QUIT\r\n"),
    ];
    await converse(
      socketOf(reads),
      { address: "127.0.0.1", port: 1, tls: false },
      {
        policy,
        limits,
        room: new Room(256 * 1024 ** 2),
        courierTimes: 7,
        commons,
        courier: () => Promise.resolve({ kind: "accepted", note: "benchmark" }),
        observe: () => {},
        newId: () => "017e1506-9120-7000-8000-000000000000",
        now: () => new Date(0),
        uptimeMs: () => 0,
      },
      { soon: new AbortController().signal, now: new AbortController().signal },
    );
  });

  const made = await target(
    {
      url: null,
      headers: [],
      template: { text: json.slice(startOf(json)), label: "default" },
      version: "0.0.0",
    },
    sampleContexts(surroundings),
  );
  if (isFaults(made)) throw new Error(made.faults.join("\n"));
  for (const [needs, asked] of [[made.needs, "what the payload names"], [null, "all"]] as const) {
    Deno.bench(`message: ${asked} of ${name}`, { group: name }, async () => {
      await read(mailOf(data), surroundings, parseHere, needs);
    });
  }

  const context = await read(mailOf(data), surroundings);
  Deno.bench(`template: ${name} into the request`, { group: name }, async () => {
    await made.request(context, new Date(0));
  });
}

const commands = ["EHLO a", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.org>", "DATA"];

Deno.bench("wire: the commands of a mail", () => {
  const decoder = new Decoder(limits);
  decoder.push(encode(commands.map((line) => `${line}\r\n`).join("")));
  while (decoder.next({ kind: "line" }) !== null);
});

const lines = commands.map((line): Frame => ({
  kind: "line",
  octets: encode(line),
  lineEnd: "CRLF",
}));

Deno.bench("session: the commands of a mail and their replies", () => {
  let { session } = connect(policy);
  for (const line of lines) {
    const turn = receive(session, line, policy);
    session = turn.session;
    turn.replies.map(format);
  }
});

/** A client that has sent all it will ever send. */
function socketOf(reads: readonly Uint8Array[]): Socket {
  const left = reads.flatMap((octets) =>
    Array.from(
      { length: Math.ceil(octets.length / 4096) },
      (_, i) => octets.subarray(i * 4096, (i + 1) * 4096),
    )
  );
  return {
    read: (buffer) => {
      const octets = left.shift();
      if (octets === undefined) return Promise.resolve(null);
      buffer.set(octets);
      return Promise.resolve(octets.length);
    },
    write: (octets) => Promise.resolve(octets.length),
    closeWrite: () => Promise.resolve(),
    close: () => {},
  };
}
