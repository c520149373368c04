/**
 * What the server says. Every reply is a named value here, so that the whole voice of the server can
 * be read on one page and a test can check that each code and enhanced status agree.
 *
 * RFC 5321 section 4.2 (replies), RFC 3463 (enhanced status codes), RFC 2034 (which replies carry
 * one: all but the greeting, the answers to EHLO and HELO, and 3xx). No reply repeats what a client
 * sent, so none can carry a client's octets into another program's log.
 */

/** An enhanced mail system status code, such as `5.1.3` (RFC 3463 section 2). */
export type EnhancedStatus = `${2 | 4 | 5}.${number}.${number}`;

/** One reply: a code, an enhanced status where RFC 2034 wants one, and one or more lines of text. */
export interface Reply {
  /** Three digits (RFC 5321 section 4.2.1). */
  readonly code: number;
  /** Null in the greeting, the answers to EHLO and HELO, and 3xx. */
  readonly status: EnhancedStatus | null;
  /** Printable ASCII. */
  readonly lines: readonly [string, ...string[]];
}

function reply(
  code: number,
  status: EnhancedStatus | null,
  ...lines: [string, ...string[]]
): Reply {
  return { code, status, lines };
}

/** The protocol of a session: what LMTP does otherwise is in RFC 2033. */
export type Protocol = "SMTP" | "LMTP";

/** 220: the first line of a connection. */
export const greeting = (domain: string, protocol: Protocol): Reply =>
  reply(220, null, `${domain} ${protocol === "SMTP" ? "ESMTP" : "LMTP"} smtp-pigeon ready`);

/** 250: the answer to EHLO or LHLO, one service extension a line (RFC 5321 section 4.1.1.1). */
export const extendedHello = (
  domain: string,
  extensions: readonly string[],
): Reply => reply(250, null, domain, ...extensions);

/** 250: the answer to HELO. */
export const hello = (domain: string): Reply => reply(250, null, domain);

/** 250: the answer to RSET and NOOP. */
export const ok: Reply = reply(250, "2.0.0", "OK");

/** 250: the reverse path is accepted. */
export const senderOk: Reply = reply(250, "2.1.0", "Sender OK");

/** 250: one forward path is accepted. */
export const recipientOk: Reply = reply(250, "2.1.5", "Recipient OK");

/** 354: the mail data may come. */
export const startData: Reply = reply(
  354,
  null,
  "Go ahead. End your data with <CR><LF>.<CR><LF>",
);

/** 250: one chunk, not the last, has arrived (RFC 3030 section 2). */
export const chunkOk = (octets: number): Reply => reply(250, "2.0.0", `${octets} octets received`);

/** 252: the answer to every VRFY; who exists is not for a carrier to say (RFC 5321 section 3.5.3). */
export const cannotVerify: Reply = reply(
  252,
  "2.0.0",
  "Cannot VRFY user, but will accept message and attempt delivery",
);

/** 214: the answer to HELP. */
export const help = (protocol: Protocol): Reply =>
  reply(
    214,
    "2.0.0",
    "smtp-pigeon delivers each message as an HTTP POST. Commands:",
    `${
      protocol === "SMTP" ? "EHLO HELO" : "LHLO"
    } MAIL RCPT DATA BDAT RSET NOOP VRFY AUTH HELP QUIT`,
  );

/** 221: the answer to QUIT. */
export const bye = (domain: string): Reply => reply(221, "2.0.0", `${domain} closing connection`);

/** 334: a challenge, already in base64 (RFC 4954 section 4). */
export const challenge = (base64: string): Reply => reply(334, null, base64);

/** 235: the credentials are taken. */
export const authenticated: Reply = reply(
  235,
  "2.7.0",
  "Authentication successful",
);

/** 501: the client broke the exchange off with `*` (RFC 4954 section 4). */
export const authenticationCancelled: Reply = reply(
  501,
  "5.7.0",
  "Authentication cancelled",
);

/** 501: a response that is not base64, or not what the mechanism wants. */
export const authenticationUnreadable: Reply = reply(
  501,
  "5.5.2",
  "Cannot read authentication response",
);

/** 500: RFC 4954 section 4 has a status of its own for this. */
export const authenticationTooLong: Reply = reply(
  500,
  "5.5.6",
  "Authentication exchange line is too long",
);

/** 504: a mechanism that EHLO did not offer. */
export const mechanismUnknown: Reply = reply(
  504,
  "5.5.4",
  "Unrecognized authentication mechanism, use PLAIN or LOGIN",
);

/** 500: no such command (RFC 3463 gives X.5.2 to it, not X.5.1). */
export const unrecognized: Reply = reply(
  500,
  "5.5.2",
  "Command not recognized",
);

/** 502: a command of RFC 5321 or an extension that this server does not have. */
export const notImplemented: Reply = reply(
  502,
  "5.5.1",
  "Command not implemented",
);

/** 500: EHLO or HELO where LMTP is spoken, which knows neither (RFC 2033 section 4.1). */
export const useLhlo: Reply = reply(500, "5.5.2", "This is LMTP, use LHLO");

/** 500: the header of a proxy that nobody has named, so that it is not believed. */
export const proxyUnknown: Reply = reply(
  500,
  "5.5.2",
  "PROXY header from an address that is not in --proxy-from",
);

/** 500: a command line over the limit; it was read to its end and dropped. */
export const lineTooLong: Reply = reply(500, "5.5.2", "Line too long");

/** 500: a command line with octets that are neither ASCII nor UTF-8, or with control characters. */
export const lineUnreadable: Reply = reply(
  500,
  "5.5.2",
  "Cannot read command line, use UTF-8 text",
);

/** 501: arguments that the command does not take; `usage` is its syntax. */
export const syntax = (usage: string): Reply => reply(501, "5.5.4", `Syntax: ${usage}`);

/** 501: the argument of MAIL is no reverse path. */
export const badSender: Reply = reply(
  501,
  "5.1.7",
  "Cannot read sender address",
);

/** 501: the argument of RCPT is no forward path. */
export const badRecipient: Reply = reply(
  501,
  "5.1.3",
  "Cannot read recipient address",
);

/** 501: a known parameter with a value it cannot have. */
export const badParameter = (keyword: string): Reply =>
  reply(501, "5.5.4", `Cannot read value of ${keyword}`);

/** 501: a parameter that is there twice, and which of the two counts is anyone's guess. */
export const parameterTwice = (keyword: string): Reply =>
  reply(501, "5.5.4", `${keyword} is given twice`);

/** 555: a parameter of an extension that EHLO did not offer (RFC 5321 section 4.1.1.11). */
export const parameterUnknown: Reply = reply(
  555,
  "5.5.4",
  "Parameter not recognized",
);

const NEEDS_SMTPUTF8 = "Address has non-ASCII characters, use SMTPUTF8";

/** 550: an internationalized reverse path without SMTPUTF8 (RFC 6531 section 3.5). */
export const senderNeedsSmtpUtf8: Reply = reply(550, "5.6.7", NEEDS_SMTPUTF8);

/** 553: an internationalized forward path without SMTPUTF8 (RFC 6531 section 3.5). */
export const recipientNeedsSmtpUtf8: Reply = reply(553, "5.6.7", NEEDS_SMTPUTF8);

/** 503: a command that the present state does not allow; `wanted` says what it wants first. */
export const badSequence = (wanted: string): Reply =>
  reply(503, "5.5.1", `Bad sequence of commands: ${wanted}`);

/** 503: a command that wants a greeting first. */
export const helloFirst = (protocol: Protocol): Reply =>
  badSequence(`send ${protocol === "SMTP" ? "EHLO" : "LHLO"} first`);

/** 452: one recipient too many; those before it stand (RFC 5321 section 4.5.3.1.10). */
export const tooManyRecipients = (limit: number): Reply =>
  reply(452, "4.5.3", `Too many recipients, at most ${limit} for one message`);

/** 552: declared or found to be over the limit, in octets (RFC 1870; never 5.2.2, mailbox full). */
export const messageTooBig = (limit: number): Reply =>
  reply(552, "5.3.4", `Message too big, at most ${limit} octets`);

/** 250: someone else holds the message now; `note` says who. */
export const delivered = (id: string, note: string): Reply =>
  reply(250, "2.0.0", `OK: ${note} (${id})`);

/** 451: nobody holds the message but the client, who may try again. */
export const deferred = (id: string, reason: string): Reply =>
  reply(451, "4.3.0", `Not delivered, try again later: ${reason} (${id})`);

/** 452: there is no space to keep the message (RFC 5321 section 4.2.2). */
export const notStored = (id: string, reason: string): Reply =>
  reply(452, "4.3.1", `Not queued, try again later: ${reason} (${id})`);

/** 554: the endpoint will never take this message. */
export const rejected = (id: string, reason: string): Reply =>
  reply(554, "5.6.0", `Not delivered: ${reason} (${id})`);

/** 421: the client said nothing, or took no reply, for too long (RFC 5321 section 4.5.3.2.7). */
export const idleTooLong = (domain: string): Reply =>
  reply(421, "4.4.2", `${domain} waited too long, closing connection`);

/** 421: a message from MAIL to its end took longer than any may. */
export const messageTooLong = (domain: string): Reply =>
  reply(421, "4.4.2", `${domain} message took too long, closing connection`);

/** 421: mail data that drips; `octets` a second is the least that is taken. */
export const dataTooSlow = (domain: string, octets: number): Reply =>
  reply(421, "4.4.2", `${domain} data comes slower than ${octets} octets/s, closing connection`);

/** 421: messages of others have filled the memory for so long that this one cannot wait any more. */
export const noRoom = (domain: string): Reply =>
  reply(421, "4.3.1", `${domain} too many messages at once, try again later`);

/** 421: too many refused commands on one connection. */
export const tooManyErrors = (domain: string): Reply =>
  reply(421, "4.7.0", `${domain} too many errors, closing connection`);

/** 421: too many commands in a row that lead to no message. */
export const tooManyCommands = (domain: string): Reply =>
  reply(421, "4.7.0", `${domain} too many commands without a message, closing connection`);

/** 421: MAIL once more than EHLO announced as MAILMAX (RFC 9422). */
export const tooManyMessages = (domain: string): Reply =>
  reply(421, "4.7.0", `${domain} too many messages, go on in another connection`);

/** 421: too many connections in all. */
export const tooManyConnections = (domain: string): Reply =>
  reply(421, "4.7.0", `${domain} too many connections, try again later`);

/** 421: too many connections from one address. */
export const tooManyFromAddress = (domain: string): Reply =>
  reply(421, "4.7.0", `${domain} too many connections from your address, try again later`);

/** 421: a chunk whose size cannot be read; what follows it could be taken for commands. */
export const framingLost = (domain: string): Reply =>
  reply(421, "4.5.2", `${domain} cannot read size of BDAT, closing connection`);

/** 421: another protocol's request, whose rest may be made to look like commands. */
export const notSmtp = (domain: string, protocol: "HTTP" | "TLS"): Reply =>
  reply(421, "4.7.0", `${domain} speaks SMTP, not ${protocol}, closing connection`);

/** 421: the server is stopping (RFC 5321 section 3.8). */
export const shuttingDown = (domain: string): Reply =>
  reply(421, "4.3.2", `${domain} service shutting down, closing connection`);

/** 421: a fault of the server's own. */
export const internalError = (domain: string): Reply =>
  reply(421, "4.3.0", `${domain} internal error, closing connection`);

/** RFC 5321 section 4.5.3.1.5: a reply line has at most 512 octets, code and CRLF among them. */
const MAX_REPLY_LINE_OCTETS = 512;

/**
 * A reply as it goes to the client, each line ended by CRLF.
 *
 * @example
 * ```ts
 * import { format, senderOk } from "./reply.ts";
 * format(senderOk); // "250 2.1.0 Sender OK\r\n"
 * ```
 */
export function format(reply: Reply): string {
  const last = reply.lines.length - 1;
  return reply.lines.map((line, index) => {
    const prefix = `${reply.code}${index === last ? " " : "-"}`;
    const text = (reply.status === null ? line : `${reply.status} ${line}`)
      .replace(/[^\x20-\x7e]/g, "?");
    return (prefix + text).slice(0, MAX_REPLY_LINE_OCTETS - 2) + "\r\n";
  }).join("");
}
