/** The log: one line an event, and nothing in it that a terminal would obey. */
import type { Event } from "../lib/event.ts";
import { logger } from "../lib/log.ts";
import * as replies from "../lib/reply.ts";
import { assertEquals, assertMatch } from "./assert.ts";

function linesOf(event: Event, now: (() => Date) | null = null): string[] {
  const lines: string[] = [];
  logger({ write: (line) => lines.push(line), now })(event);
  return lines;
}

const id = "0190";
const answered = (status: number, answer: string): Event => ({
  kind: "answered",
  id,
  destination: "https://a.example",
  status,
  elapsedMs: 12.6,
  answer,
});
const unanswered = (reason: string): Event => ({
  kind: "unanswered",
  id,
  destination: "https://a.example",
  elapsedMs: 0.4,
  reason,
});

const events: [event: Event, line: string][] = [
  [{ kind: "listening", address: "127.0.0.1:1025" }, "smtp-pigeon listening at 127.0.0.1:1025"],
  [{ kind: "stopping", connections: 0 }, "smtp-pigeon stopping, 0 connections open"],
  [{ kind: "stopping", connections: 1 }, "smtp-pigeon stopping, 1 connection open"],
  [{ kind: "stopping", connections: 3 }, "smtp-pigeon stopping, 3 connections open"],
  [
    { kind: "accept failed", error: new Error("too many open files") },
    "Cannot accept a connection: too many open files, trying again",
  ],
  [
    { kind: "turned away", address: "10.0.0.1", reply: replies.tooManyFromAddress("here") },
    "Connection from 10.0.0.1 turned away: 421 here too many connections from your address, " +
    "try again later",
  ],
  [
    { kind: "turned away", address: null, reply: replies.tooManyConnections("here") },
    "Connection from a Unix socket turned away: 421 here too many connections, try again later",
  ],
  [
    { kind: "proxy fault", address: "10.0.0.1", reason: "its PROXY header does not come" },
    "Proxy connection from 10.0.0.1 ended: its PROXY header does not come",
  ],
  [
    { kind: "proxy fault", address: null, reason: "its PROXY header does not come" },
    "Proxy connection from a Unix socket ended: its PROXY header does not come",
  ],
  [{ kind: "session", id, address: "::1" }, "0190: New session from ::1"],
  [{ kind: "session", id, address: null }, "0190: New session from a Unix socket"],
  [{ kind: "mail", id, reversePath: null }, "0190: MAIL: <>"],
  [
    { kind: "mail", id, reversePath: { localPart: "a", domain: "b.example" } },
    "0190: MAIL: a@b.example",
  ],
  [{ kind: "recipient", id, forwardPath: { localPart: "root", domain: null } }, "0190: RCPT: root"],
  [{ kind: "data", id, octets: 222 }, "0190: DATA: [redacted (222 bytes)]"],
  [{ kind: "refused", id, reply: replies.lineTooLong }, "0190: Refused: 500 Line too long"],
  [answered(200, ""), "0190: POST returned status: 200 (https://a.example, 13 ms)"],
  [answered(500, ""), "0190: POST returned status: 500 (https://a.example, 13 ms)"],
  [
    answered(422, "no such topic"),
    "0190: POST returned status: 422 (https://a.example, 13 ms): no such topic",
  ],
  [
    { kind: "unsent", id, reason: "Cannot use --template: bad" },
    "0190: Not sent: Cannot use --template: bad",
  ],
  [
    { kind: "queue", file: "/var/q.db", waiting: 12, dead: 3 },
    "smtp-pigeon queue at /var/q.db: 12 waiting, 3 dead",
  ],
  [{ kind: "queued", id }, "0190: Queued"],
  [{ kind: "unqueued", id, reason: "queue is full" }, "0190: Not queued: queue is full"],
  ...([[900, "1s"], [5_100, "6s"], [120_000, "2m"], [7_200_000, "2h"], [
    172_800_000,
    "2d",
  ]] as const)
    .map(([delayMs, text]): [Event, string] => [
      { kind: "postponed", id, reason: "endpoint answered 503", delayMs },
      `0190: Deferred: endpoint answered 503, next attempt in ${text}`,
    ]),
  [
    { kind: "dead", id, reason: "endpoint answered 422" },
    "0190: Dead: endpoint answered 422",
  ],
  [
    { kind: "buried", destination: "https://a.example", messages: 7 },
    "https://a.example was down for too long: 7 messages are dead",
  ],
  [
    { kind: "down", destination: "https://a.example", reason: "endpoint answered 503" },
    "https://a.example is down: endpoint answered 503",
  ],
  [{ kind: "up", destination: "https://a.example" }, "https://a.example is up again"],
  [{ kind: "queue fault", reason: "disk is full" }, "Queue fault: disk is full, trying again"],
  [
    { kind: "clock jumped", byMs: 3_600_000 },
    "The clock jumped forward by 1h, the queue follows",
  ],
  [{ kind: "clock jumped", byMs: -5_000 }, "The clock jumped back by 5s, the queue follows"],
  [unanswered("dns error"), "0190: POST failed: dns error (https://a.example, 0 ms)"],
  [{ kind: "reset", id, posted: true }, "0190: Session reset after POST"],
  [{ kind: "reset", id, posted: null }, "0190: Session reset"],
  [{ kind: "dropped", id }, "0190: Removed by hand while it was delivered"],
  [
    { kind: "throttled", destination: "https://a.example", delayMs: 60_000 },
    "https://a.example asks to be left alone for 1m",
  ],
  [{ kind: "reset", id, posted: false }, "0190: Session reset without POST"],
  [{ kind: "lost", id, state: "data" }, "0190: Session ended within data, message dropped"],
  [{ kind: "logout", id }, "0190: Session logout without POST"],
  [{ kind: "fault", id, error: new TypeError("oh no") }, "0190: Internal error: oh no"],
  [{ kind: "fault", id, error: "a text" }, "0190: Internal error: a text"],
];
for (const [event, line] of events) {
  Deno.test(`logger() says "${line}"`, () => {
    assertEquals(linesOf(event), [line]);
  });
}

Deno.test("every kind of event has a row above", async () => {
  // The kinds are types only: read them where they are written.
  const source = await Deno.readTextFile(new URL("../lib/event.ts", import.meta.url));
  const kinds = Array.from(source.matchAll(/readonly kind: "([^"]+)"/g), ([, kind]) => kind);
  const missing = kinds.filter((kind) => !events.some(([event]) => event.kind === kind));
  assertEquals([missing, kinds.length > 10], [[], true]);
});

/** Whatever moves a cursor, ends a line or paints a terminal. */
const HOSTILE =
  "a\r\nb\0c\x07d\x1b[31me\x1b]0;title\x07f\x7fg\x80h\x85i\x9b31mj\u2028k\u2029l\n0190: forged";
const HARMLESS = "a b c d [31me ]0;title f g h i 31mj k l 0190: forged";

const carriers: [name: string, event: Event, rest: string][] = [
  ["an answer", answered(500, HOSTILE), "POST returned status: 500 (https://a.example, 13 ms): "],
  ["a fault", { kind: "fault", id, error: new Error(HOSTILE) }, "Internal error: "],
  ["a reason", unanswered(HOSTILE), "POST failed: "],
  ["a template's fault", { kind: "unsent", id, reason: HOSTILE }, "Not sent: "],
  ["a sender", { kind: "mail", id, reversePath: { localPart: HOSTILE, domain: null } }, "MAIL: "],
  [
    "a recipient",
    { kind: "recipient", id, forwardPath: { localPart: HOSTILE, domain: null } },
    "RCPT: ",
  ],
];
for (const [name, event, rest] of carriers) {
  Deno.test(`no control character of ${name} reaches the log`, () => {
    const [line, ...others] = linesOf(event);
    assertEquals(others, []);
    assertEquals(line.slice(0, `0190: ${rest}${HARMLESS}`.length), `0190: ${rest}${HARMLESS}`);
    assertMatch(line, /^[ -~]+$/);
  });
}

Deno.test("a success's answer is not logged, whatever the success", () => {
  for (const status of [200, 201, 204, 299]) {
    assertMatch(linesOf(answered(status, "the message itself"))[0], / ms\)$/);
  }
});

Deno.test("of a failure's answer the first 200 characters are logged, whole ones", () => {
  for (const status of [300, 400, 404, 500, 503]) {
    const [line] = linesOf(answered(status, "😀".repeat(201)));
    assertEquals(line.split("ms): ")[1], "😀".repeat(200));
  }
  const [line] = linesOf(answered(500, "x".repeat(60_000)));
  assertEquals(line.split("ms): ")[1], "x".repeat(200));
});

Deno.test("a line may begin with the date and time of this machine", () => {
  const now = new Date(2022, 0, 2, 3, 4, 5);
  assertEquals(linesOf({ kind: "reset", id, posted: true }, () => now), [
    "2022-01-02 03:04:05 0190: Session reset after POST",
  ]);
});
