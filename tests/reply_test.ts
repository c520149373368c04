import * as replies from "../lib/reply.ts";
import type { Reply } from "../lib/reply.ts";
import { assertEquals, assertMatch } from "./assert.ts";

const { format } = replies;

/**
 * Every reply, as the server says it; this table is the voice of the server. A name is that of an
 * export, with what it is said for after a blank where there is more than one.
 */
const catalogue: Readonly<Record<string, readonly [reply: Reply, octets: string]>> = {
  greeting: [replies.greeting("h.example", "SMTP"), "220 h.example ESMTP smtp-pigeon ready\r\n"],
  "greeting for LMTP": [
    replies.greeting("h.example", "LMTP"),
    "220 h.example LMTP smtp-pigeon ready\r\n",
  ],
  extendedHello: [
    replies.extendedHello("h.example", ["PIPELINING", "SIZE 5"]),
    "250-h.example\r\n250-PIPELINING\r\n250 SIZE 5\r\n",
  ],
  hello: [replies.hello("h.example"), "250 h.example\r\n"],
  ok: [replies.ok, "250 2.0.0 OK\r\n"],
  senderOk: [replies.senderOk, "250 2.1.0 Sender OK\r\n"],
  recipientOk: [replies.recipientOk, "250 2.1.5 Recipient OK\r\n"],
  startData: [replies.startData, "354 Go ahead. End your data with <CR><LF>.<CR><LF>\r\n"],
  chunkOk: [replies.chunkOk(5), "250 2.0.0 5 octets received\r\n"],
  cannotVerify: [
    replies.cannotVerify,
    "252 2.0.0 Cannot VRFY user, but will accept message and attempt delivery\r\n",
  ],
  help: [
    replies.help("SMTP"),
    "214-2.0.0 smtp-pigeon delivers each message as an HTTP POST. Commands:\r\n" +
    "214 2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY AUTH HELP QUIT\r\n",
  ],
  "help for LMTP": [
    replies.help("LMTP"),
    "214-2.0.0 smtp-pigeon delivers each message as an HTTP POST. Commands:\r\n" +
    "214 2.0.0 LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY AUTH HELP QUIT\r\n",
  ],
  bye: [replies.bye("h.example"), "221 2.0.0 h.example closing connection\r\n"],
  challenge: [replies.challenge("VXNlcm5hbWU6"), "334 VXNlcm5hbWU6\r\n"],
  authenticated: [replies.authenticated, "235 2.7.0 Authentication successful\r\n"],
  authenticationCancelled: [
    replies.authenticationCancelled,
    "501 5.7.0 Authentication cancelled\r\n",
  ],
  authenticationUnreadable: [
    replies.authenticationUnreadable,
    "501 5.5.2 Cannot read authentication response\r\n",
  ],
  authenticationTooLong: [
    replies.authenticationTooLong,
    "500 5.5.6 Authentication exchange line is too long\r\n",
  ],
  mechanismUnknown: [
    replies.mechanismUnknown,
    "504 5.5.4 Unrecognized authentication mechanism, use PLAIN or LOGIN\r\n",
  ],
  unrecognized: [replies.unrecognized, "500 5.5.2 Command not recognized\r\n"],
  notImplemented: [replies.notImplemented, "502 5.5.1 Command not implemented\r\n"],
  useLhlo: [replies.useLhlo, "500 5.5.2 This is LMTP, use LHLO\r\n"],
  proxyUnknown: [
    replies.proxyUnknown,
    "500 5.5.2 PROXY header from an address that is not in --proxy-from\r\n",
  ],
  lineTooLong: [replies.lineTooLong, "500 5.5.2 Line too long\r\n"],
  lineUnreadable: [
    replies.lineUnreadable,
    "500 5.5.2 Cannot read command line, use UTF-8 text\r\n",
  ],
  syntax: [replies.syntax("QUIT"), "501 5.5.4 Syntax: QUIT\r\n"],
  badSender: [replies.badSender, "501 5.1.7 Cannot read sender address\r\n"],
  badRecipient: [replies.badRecipient, "501 5.1.3 Cannot read recipient address\r\n"],
  badParameter: [replies.badParameter("SIZE"), "501 5.5.4 Cannot read value of SIZE\r\n"],
  parameterTwice: [replies.parameterTwice("SIZE"), "501 5.5.4 SIZE is given twice\r\n"],
  parameterUnknown: [replies.parameterUnknown, "555 5.5.4 Parameter not recognized\r\n"],
  senderNeedsSmtpUtf8: [
    replies.senderNeedsSmtpUtf8,
    "550 5.6.7 Address has non-ASCII characters, use SMTPUTF8\r\n",
  ],
  recipientNeedsSmtpUtf8: [
    replies.recipientNeedsSmtpUtf8,
    "553 5.6.7 Address has non-ASCII characters, use SMTPUTF8\r\n",
  ],
  badSequence: [
    replies.badSequence("send MAIL first"),
    "503 5.5.1 Bad sequence of commands: send MAIL first\r\n",
  ],
  helloFirst: [
    replies.helloFirst("SMTP"),
    "503 5.5.1 Bad sequence of commands: send EHLO first\r\n",
  ],
  "helloFirst for LMTP": [
    replies.helloFirst("LMTP"),
    "503 5.5.1 Bad sequence of commands: send LHLO first\r\n",
  ],
  tooManyRecipients: [
    replies.tooManyRecipients(100),
    "452 4.5.3 Too many recipients, at most 100 for one message\r\n",
  ],
  messageTooBig: [
    replies.messageTooBig(100),
    "552 5.3.4 Message too big, at most 100 octets\r\n",
  ],
  delivered: [replies.delivered("ID", "a note"), "250 2.0.0 OK: a note (ID)\r\n"],
  deferred: [
    replies.deferred("ID", "a reason"),
    "451 4.3.0 Not delivered, try again later: a reason (ID)\r\n",
  ],
  notStored: [
    replies.notStored("ID", "queue is full"),
    "452 4.3.1 Not queued, try again later: queue is full (ID)\r\n",
  ],
  rejected: [replies.rejected("ID", "a reason"), "554 5.6.0 Not delivered: a reason (ID)\r\n"],
  idleTooLong: [
    replies.idleTooLong("h.example"),
    "421 4.4.2 h.example waited too long, closing connection\r\n",
  ],
  messageTooLong: [
    replies.messageTooLong("h.example"),
    "421 4.4.2 h.example message took too long, closing connection\r\n",
  ],
  dataTooSlow: [
    replies.dataTooSlow("h.example", 100),
    "421 4.4.2 h.example data comes slower than 100 octets/s, closing connection\r\n",
  ],
  noRoom: [
    replies.noRoom("h.example"),
    "421 4.3.1 h.example too many messages at once, try again later\r\n",
  ],
  tooManyErrors: [
    replies.tooManyErrors("h.example"),
    "421 4.7.0 h.example too many errors, closing connection\r\n",
  ],
  tooManyCommands: [
    replies.tooManyCommands("h.example"),
    "421 4.7.0 h.example too many commands without a message, closing connection\r\n",
  ],
  tooManyMessages: [
    replies.tooManyMessages("h.example"),
    "421 4.7.0 h.example too many messages, go on in another connection\r\n",
  ],
  tooManyConnections: [
    replies.tooManyConnections("h.example"),
    "421 4.7.0 h.example too many connections, try again later\r\n",
  ],
  tooManyFromAddress: [
    replies.tooManyFromAddress("h.example"),
    "421 4.7.0 h.example too many connections from your address, try again later\r\n",
  ],
  framingLost: [
    replies.framingLost("h.example"),
    "421 4.5.2 h.example cannot read size of BDAT, closing connection\r\n",
  ],
  notSmtp: [
    replies.notSmtp("h.example", "HTTP"),
    "421 4.7.0 h.example speaks SMTP, not HTTP, closing connection\r\n",
  ],
  "notSmtp for TLS": [
    replies.notSmtp("h.example", "TLS"),
    "421 4.7.0 h.example speaks SMTP, not TLS, closing connection\r\n",
  ],
  shuttingDown: [
    replies.shuttingDown("h.example"),
    "421 4.3.2 h.example service shutting down, closing connection\r\n",
  ],
  internalError: [
    replies.internalError("h.example"),
    "421 4.3.0 h.example internal error, closing connection\r\n",
  ],
};

/** The replies that RFC 2034 section 4 leaves without a status; and 3xx, which have no class there. */
const withoutStatus = ["greeting", "extendedHello", "hello", "startData", "challenge"];

const exportOf = (name: string) => name.split(" ")[0];

Deno.test("every named reply is in the table, and no other", () => {
  const named = Object.keys(replies).filter((name) => name !== "format");
  const rows = new Set(Object.keys(catalogue).map(exportOf));
  assertEquals(Array.from(rows).toSorted(), named.toSorted());
});

for (const [name, [reply, octets]] of Object.entries(catalogue)) {
  Deno.test(`${name} is said as "${octets.trimEnd().split("\r\n").at(-1)}"`, () => {
    assertEquals(format(reply), octets);
  });

  Deno.test(`${name} has a code and a status that agree`, () => {
    const { code, status } = reply;
    assertMatch(String(code), /^[2-5][0-5]\d$/);
    if (withoutStatus.includes(exportOf(name))) {
      assertEquals(status, null);
    } else {
      // RFC 3463 section 2: class "." subject "." detail, of which the class is the code's.
      assertMatch(String(status), /^[245]\.\d{1,3}\.\d{1,3}$/);
      assertEquals(String(status)[0], String(code)[0]);
    }
  });
}

Deno.test("3xx carries no status, and all else does but greeting and hello", () => {
  for (const [name, [{ code, status }]] of Object.entries(catalogue)) {
    const exempt = code < 400 && code >= 300 || code === 220 || /hello$/i.test(exportOf(name));
    assertEquals(status === null, exempt, name);
  }
});

Deno.test("format() cuts a line at 512 octets, its end among them", () => {
  assertEquals(format(replies.hello("x".repeat(506))).length, 512);
  assertEquals(format(replies.hello("x".repeat(507))).length, 512);
  assertEquals(format(replies.hello("x".repeat(507))).slice(-3), "x\r\n");
});

Deno.test("format() lets nothing but printable ASCII through, whatever it is given", () => {
  assertEquals(
    format(replies.deferred("ID", "a\r\nb\0\té\u2028")),
    "451 4.3.0 Not delivered, try again later: a??b???? (ID)\r\n",
  );
});
