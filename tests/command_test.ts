import { type Command, parse, type Refusal } from "../lib/command.ts";
import * as replies from "../lib/reply.ts";
import { assertEquals } from "./assert.ts";

const octets = (text: string) => new TextEncoder().encode(text);
const refused = (reply: replies.Reply): Refusal => ({ verb: null, reply });

type Mail = Extract<Command, { verb: "MAIL" }>;
const a = { localPart: "a", domain: "example.org" };
const mail = (parameters: Partial<Mail> = {}): Mail => ({
  ...{ verb: "MAIL", reversePath: a, size: null, smtpUtf8: false },
  ...parameters,
});
const bdat = (octets: number | null, last = false): Command => ({ verb: "BDAT", octets, last });
const auth = (mechanism: string, initialResponse: string | null = null): Command => ({
  ...{ verb: "AUTH", mechanism, initialResponse },
});

const mailSyntax = refused(replies.syntax("MAIL FROM:<address> [parameters]"));
const rcptSyntax = refused(replies.syntax("RCPT TO:<address>"));
const authSyntax = refused(replies.syntax("AUTH mechanism [initial-response]"));
const unreadable = refused(replies.lineUnreadable);
const bad = (keyword: string) => refused(replies.badParameter(keyword));
const twice = (keyword: string) => refused(replies.parameterTwice(keyword));

const rows: readonly (readonly [line: string, result: Command | Refusal])[] = [
  ["EHLO client.example", { verb: "EHLO", hostname: "client.example" }],
  ["EHLO", { verb: "EHLO", hostname: null }],
  ["EHLO ", { verb: "EHLO", hostname: null }],
  ["ehlo [192.0.2.1]", { verb: "EHLO", hostname: "[192.0.2.1]" }],
  ["HELO my printer", { verb: "HELO", hostname: "my" }],
  ["HELO  x", { verb: "HELO", hostname: "x" }],
  ["HELO bücher.example", { verb: "HELO", hostname: "bücher.example" }],
  ["HELOx", refused(replies.unrecognized)],
  ["LHLO client.example", { verb: "LHLO", hostname: "client.example" }],
  ["lhlo", { verb: "LHLO", hostname: null }],

  ["MAIL FROM:<a@example.org>", mail()],
  ["mail from:<a@example.org>", mail()],
  ["MAIL  FROM:<a@example.org>", mail()],
  ["MAIL FROM: <a@example.org>", mail()],
  ["MAIL FROM:   a@example.org  ", mail()],
  ["MAIL FROM:a@example.org SIZE=5", mail({ size: 5 })],
  ["MAIL FROM:<>", mail({ reversePath: null })],
  ["MAIL FROM: <> SIZE=5", mail({ reversePath: null, size: 5 })],
  ["MAIL FROM:<a@example.org> SIZE=0", mail({ size: 0 })],
  ["MAIL FROM:<a@example.org>  size=10   body=7bit ", mail({ size: 10 })],
  ["MAIL FROM:<a@example.org> SIZE=99999999999999999999", mail({ size: 1e20 })],
  ["MAIL FROM:<a@example.org> SIZE=100000000000000000000", bad("SIZE")],
  ["MAIL FROM:<a@example.org> SIZE", bad("SIZE")],
  ["MAIL FROM:<a@example.org> SIZE=-1", bad("SIZE")],
  ["MAIL FROM:<a@example.org> SIZE=1e3", bad("SIZE")],
  ["MAIL FROM:<a@example.org> SIZE=٣", bad("SIZE")],
  ["MAIL FROM:<a@example.org> SIZE=", mailSyntax],
  ["MAIL FROM:<a@example.org> SIZE=1=2", mailSyntax],
  ["MAIL FROM:<a@example.org> BODY=8BITMIME", mail()],
  ["MAIL FROM:<a@example.org> BODY=BINARYMIME", bad("BODY")],
  ["MAIL FROM:<a@example.org> BODY", bad("BODY")],
  ["MAIL FROM:<a@example.org> SMTPUTF8", mail({ smtpUtf8: true })],
  ["MAIL FROM:<a@example.org> SMTPUTF8=1", bad("SMTPUTF8")],
  ["MAIL FROM:<a@example.org> AUTH=<>", mail()],
  ["MAIL FROM:<a@example.org> AUTH=a+40b", mail()],
  ["MAIL FROM:<a@example.org> AUTH", bad("AUTH")],
  // Which of two counts is anyone's guess, also where they say the same.
  ["MAIL FROM:<a@example.org> SIZE=5 SIZE=6", twice("SIZE")],
  ["MAIL FROM:<a@example.org> SIZE=5 size=5", twice("SIZE")],
  ["MAIL FROM:<a@example.org> BODY=7BIT SIZE=5 BODY=8BITMIME", twice("BODY")],
  ["MAIL FROM:<a@example.org> SMTPUTF8 SMTPUTF8", twice("SMTPUTF8")],
  ["MAIL FROM:<a@example.org> AUTH=<> AUTH=<>", twice("AUTH")],
  ["MAIL FROM:<a@example.org> SIZE=x SIZE=5", bad("SIZE")],
  ["MAIL FROM:<a@example.org> X=1 X=1", refused(replies.parameterUnknown)],
  [
    "MAIL FROM:<a@example.org> SIZE=5 BODY=8BITMIME SMTPUTF8 AUTH=<>",
    mail({
      ...{ size: 5, smtpUtf8: true },
    }),
  ],
  ["MAIL FROM:<a@example.org> RET=FULL", refused(replies.parameterUnknown)],
  ["MAIL FROM:<a@example.org> X", refused(replies.parameterUnknown)],
  ["MAIL FROM:<a@example.org> -X", mailSyntax],
  ["MAIL FROM:<a@example.org> =5", mailSyntax],
  ["MAIL FROM:<a@example.org>SIZE=5", mailSyntax],
  ["MAIL FROM:<a@example.org>>", mailSyntax],
  ["MAIL", mailSyntax],
  ["MAIL FROM", mailSyntax],
  ["MAIL FROM <a@example.org>", mailSyntax],
  ["MAIL FROM :<a@example.org>", mailSyntax],
  ["MAIL TO:<a@example.org>", mailSyntax],
  ["MAIL <a@example.org>", mailSyntax],
  ["MAIL FROM:Gordon <a@example.org>", mailSyntax],
  ["MAIL FROM:", refused(replies.badSender)],
  ["MAIL FROM:<a@example.org", refused(replies.badSender)],
  ["MAIL FROM:<a b@example.org>", refused(replies.badSender)],

  ["RCPT TO:<a@example.org>", { verb: "RCPT", forwardPath: a }],
  ["rcpt to: a@example.org", { verb: "RCPT", forwardPath: a }],
  ["RCPT TO:<root>", { verb: "RCPT", forwardPath: { localPart: "root", domain: null } }],
  ["RCPT TO:<@r.example:a@example.org>", { verb: "RCPT", forwardPath: a }],
  ["RCPT TO:<>", refused(replies.badRecipient)],
  ["RCPT TO:", refused(replies.badRecipient)],
  ["RCPT TO:<a@example.org> NOTIFY=NEVER", refused(replies.parameterUnknown)],
  ["RCPT TO:<a@example.org> ,", rcptSyntax],
  ["RCPT TO:<a@example.org>,<a@example.org>", rcptSyntax],
  ["RCPT FROM:<a@example.org>", rcptSyntax],
  ["RCPT", rcptSyntax],

  ["BDAT 5", bdat(5)],
  ["BDAT 0", bdat(0)],
  ["BDAT 0 LAST", bdat(0, true)],
  ["bdat  005   last ", bdat(5, true)],
  ["BDAT 9007199254740991", bdat(Number.MAX_SAFE_INTEGER)],
  ["BDAT 9007199254740992", bdat(null)],
  ["BDAT 99999999999999999999 LAST", bdat(null, true)],
  ["BDAT", bdat(null)],
  ["BDAT LAST", bdat(null)],
  ["BDAT -1", bdat(null)],
  ["BDAT 1.5", bdat(null)],
  ["BDAT 0x5", bdat(null)],
  ["BDAT 5 FIRST", bdat(null)],
  ["BDAT 5LAST", bdat(null)],
  ["BDAT 5 LAST 5", bdat(null)],

  ["AUTH PLAIN", auth("PLAIN")],
  ["auth plain", auth("PLAIN")],
  ["AUTH PLAIN AGEAYg==", auth("PLAIN", "AGEAYg==")],
  ["AUTH LOGIN =", auth("LOGIN", "=")],
  ["AUTH CRAM-MD5", auth("CRAM-MD5")],
  ["AUTH", authSyntax],
  ["AUTH PLAIN AGEAYg== x", authSyntax],
  ["AUTH PL@IN", authSyntax],

  ["DATA", { verb: "DATA" }],
  ["data  ", { verb: "DATA" }],
  ["DATA 5", refused(replies.syntax("DATA"))],
  ["RSET", { verb: "RSET" }],
  ["RSET x", refused(replies.syntax("RSET"))],
  ["QUIT", { verb: "QUIT" }],
  ["QUIT x", refused(replies.syntax("QUIT"))],
  ["NOOP", { verb: "NOOP" }],
  ["NOOP a b c", { verb: "NOOP" }],
  ["HELP", { verb: "HELP" }],
  ["HELP MAIL", { verb: "HELP" }],
  ["VRFY root", { verb: "VRFY" }],
  ["VRFY", refused(replies.syntax("VRFY string"))],

  ["EXPN staff", refused(replies.notImplemented)],
  ["starttls", refused(replies.notImplemented)],
  ["BURL imap://a", refused(replies.notImplemented)],
  ["", refused(replies.unrecognized)],
  [" ", refused(replies.unrecognized)],
  [" NOOP", refused(replies.unrecognized)],
  ["NOOP;", refused(replies.unrecognized)],
  ["GET / HTTP/1.1", { verb: "HTTP" }],
  ["post /hook?a=b HTTP/1.0 ", { verb: "HTTP" }],
  ["PRI * HTTP/2.0", { verb: "HTTP" }],
  ["Host: localhost:1025", { verb: "HTTP" }],
  ["HOST:localhost", { verb: "HTTP" }],
  ["GET /", refused(replies.unrecognized)],
  // The one octet that wire.ts makes a line of.
  ["\x16", { verb: "TLS" }],
  ["\x16\x03\x01", unreadable],
  ["\x15", unreadable],
  ["TLS", refused(replies.unrecognized)],
  ["HTTP", refused(replies.unrecognized)],
  // The header of a proxy that nobody has named, in the first version of the protocol.
  ["PROXY TCP4 192.0.2.1 192.0.2.2 1 2", refused(replies.proxyUnknown)],
  ["PROXY UNKNOWN", refused(replies.proxyUnknown)],
  ["PROXY", refused(replies.proxyUnknown)],
  ["PROXYX", refused(replies.unrecognized)],
  ["NOOP HTTP/1.1", { verb: "NOOP" }],
  ["HTTP/1.1 200 OK", refused(replies.unrecognized)],
  ["constructor", refused(replies.unrecognized)],
  // Capitals of these two are S and I, but they are no letters of a verb.
  ["r\u017fet", refused(replies.unrecognized)],
  ["qu\u0131t", refused(replies.unrecognized)],

  // White space at the end of a line is to be tolerated (RFC 5321 section 4.1.1), not within it.
  ["QUIT\t", { verb: "QUIT" }],
  ["QUIT \t \t", { verb: "QUIT" }],
  ["NOOP\t", { verb: "NOOP" }],
  ["RSET  ", { verb: "RSET" }],
  ["EHLO\t", { verb: "EHLO", hostname: null }],
  ["EHLO client.example\t", { verb: "EHLO", hostname: "client.example" }],
  ["MAIL FROM:<a@example.org>\t ", mail()],
  ["MAIL FROM:a@example.org SIZE=5\t", mail({ size: 5 })],
  ["RCPT TO:<a@example.org>\t", { verb: "RCPT", forwardPath: a }],
  ["BDAT 5 LAST \t", bdat(5, true)],
  ["AUTH PLAIN AGEAYg==\t", auth("PLAIN", "AGEAYg==")],
  ["VRFY \t", refused(replies.syntax("VRFY string"))],
  ["GET / HTTP/1.1 \t", { verb: "HTTP" }],
  ["\t", refused(replies.unrecognized)],
  ["NOOP\ta", unreadable],
  ["MAIL FROM:<a@example.org>\tSIZE=5", unreadable],
  ["QUIT\t\r", unreadable],
  ["QUIT\u00a0", refused(replies.unrecognized)],
  ["NOOP\r", unreadable],
  ["NOOP\0", unreadable],
  ["NOOP\x7f", unreadable],
  ["NOOP\u0085", unreadable],
  ["\ufeffNOOP", refused(replies.unrecognized)],
];

for (const [line, result] of rows) {
  const outcome = result.verb ?? result.reply.code;
  Deno.test(`parse() takes ${JSON.stringify(line)} for ${outcome}`, () => {
    assertEquals(parse(octets(line)), result);
  });
}

Deno.test("parse() refuses octets that are not UTF-8", () => {
  for (const octet of [0x80, 0xc0, 0xe9, 0xff]) {
    assertEquals(parse(Uint8Array.of(...octets("NOOP "), octet)), unreadable);
  }
});
