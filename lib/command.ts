/**
 * One command line into one `Command`, or into the reply that refuses it.
 *
 * RFC 5321 section 4.1.1 (commands), RFC 1870 (SIZE), 6152 (BODY), 6531 (SMTPUTF8), 4954 (AUTH),
 * 3030 (BDAT). Whether a command is welcome in the present state is for session.ts.
 *
 * Leniences, by the names that tests/conformance.md gives them, with reason and proof: blanks after the
 * colon, blanks at the line end, no name in EHLO, more words in EHLO, UTF-8 in EHLO, any case, any AUTH
 * parameter.
 */
import { utf8 } from "./octets.ts";
import {
  type ForwardPath,
  type PathRead,
  readForwardPath,
  readReversePath,
  type ReversePath,
} from "./path.ts";
import * as replies from "./reply.ts";
import type { Reply } from "./reply.ts";

/** A command that could be read. */
export type Command =
  | { readonly verb: "EHLO" | "HELO" | "LHLO"; readonly hostname: string | null }
  | {
    readonly verb: "MAIL";
    readonly reversePath: ReversePath;
    /** Octets that the client declares (RFC 1870); null where it declares none. */
    readonly size: number | null;
    readonly smtpUtf8: boolean;
  }
  | { readonly verb: "RCPT"; readonly forwardPath: ForwardPath }
  | {
    readonly verb: "BDAT";
    /** Octets that follow; null where that cannot be read, or not be counted. */
    readonly octets: number | null;
    readonly last: boolean;
  }
  | {
    readonly verb: "AUTH";
    readonly mechanism: string;
    readonly initialResponse: string | null;
  }
  /** What HTTP (RFC 9112 section 3) and TLS begin with, and no SMTP session. */
  | { readonly verb: "HTTP" | "TLS" }
  | { readonly verb: "DATA" | "RSET" | "NOOP" | "VRFY" | "HELP" | "QUIT" };

/** A command with one of these verbs. */
export type CommandOf<Verb extends Command["verb"]> = Extract<Command, { readonly verb: Verb }>;

/** A line that is refused as it stands. */
export interface Refusal {
  /** Tells it from a command. */
  readonly verb: null;
  /** What the client is told. */
  readonly reply: Reply;
}

const refuse = (reply: Reply): Refusal => ({ verb: null, reply });

/** Commands that exist but are not offered here: they get 502, not 500 (RFC 5321 section 4.2.4). */
const NOT_IMPLEMENTED = new Set(
  ["EXPN", "STARTTLS", "ETRN", "ATRN", "TURN", "SEND", "SOML", "SAML", "BURL"],
);

const CONTROL = /\p{Cc}/u;

/** What wire.ts makes of the first octet of TLS. */
const TLS = "\x16";

/** The request line, or the Host field for one whose request line is over the limit. */
const HTTP = /^(?:[A-Z]+ .* HTTP\/\d(?:\.\d)?|Host: *\S+) *$/i;

/** Reads a command line, given without its line end. */
export function parse(octets: Uint8Array): Command | Refusal {
  // Trailing white space is to be tolerated (RFC 5321 section 4.1.1).
  const line = utf8(octets)?.replace(/[ \t]+$/, "") ?? null;
  if (line === TLS) return { verb: "TLS" };
  if (line === null || CONTROL.test(line)) {
    return refuse(replies.lineUnreadable);
  }
  if (HTTP.test(line)) return { verb: "HTTP" };
  const [, word, argument] = /^([^ ]*) *(.*)$/s.exec(line)!;
  // Of ASCII alone: "ſ" and "ı" have capitals there too.
  const verb = word.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  switch (verb) {
    case "EHLO":
    case "HELO":
    case "LHLO":
      return { verb, hostname: argument.split(" ")[0] || null };
    case "MAIL":
      return parseMail(argument);
    case "RCPT":
      return parseRecipient(argument);
    case "BDAT":
      return parseChunk(argument);
    case "AUTH":
      return parseAuthentication(argument);
    case "NOOP":
    case "HELP":
      return { verb };
    case "VRFY":
      return argument === "" ? refuse(replies.syntax("VRFY string")) : { verb };
    case "DATA":
    case "RSET":
    case "QUIT":
      return argument === "" ? { verb } : refuse(replies.syntax(verb));
    case "PROXY":
      return refuse(replies.proxyUnknown);
    default:
      return refuse(
        NOT_IMPLEMENTED.has(verb) ? replies.notImplemented : replies.unrecognized,
      );
  }
}

interface Parameter {
  readonly keyword: string;
  readonly value: string | null;
}

/** `Mail-parameters` and `Rcpt-parameters` of RFC 5321 section 4.1.2; null where they are neither. */
function parseParameters(text: string): readonly Parameter[] | null {
  const parameters: Parameter[] = [];
  for (const word of text.split(" ").filter((word) => word !== "")) {
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^=]+))?$/.exec(word);
    if (match === null) return null;
    parameters.push({ keyword: match[1].toUpperCase(), value: match[2] ?? null });
  }
  return parameters;
}

/** The path and parameters that follow `FROM:` or `TO:`. */
function parsePath<Path>(
  argument: string,
  keyword: RegExp,
  read: (text: string) => PathRead<Path> | null,
): { path: Path; parameters: readonly Parameter[] } | "syntax" | "path" {
  const match = keyword.exec(argument);
  if (match === null) return "syntax";
  const found = read(match[1]);
  if (found === null) return "path";
  if (found.rest !== "" && !found.rest.startsWith(" ")) return "syntax";
  const parameters = parseParameters(found.rest);
  return parameters === null ? "syntax" : { path: found.path, parameters };
}

function parseMail(argument: string): Command | Refusal {
  const found = parsePath(argument, /^FROM: *(.*)$/is, readReversePath);
  if (found === "syntax") {
    return refuse(replies.syntax("MAIL FROM:<address> [parameters]"));
  }
  if (found === "path") return refuse(replies.badSender);
  let size: number | null = null;
  let smtpUtf8 = false;
  const keywords = found.parameters.map(({ keyword }) => keyword);
  for (const [index, { keyword, value }] of found.parameters.entries()) {
    if (keywords.indexOf(keyword) < index) return refuse(replies.parameterTwice(keyword));
    switch (keyword) {
      case "SIZE":
        if (value === null || !/^\d{1,20}$/.test(value)) {
          return refuse(replies.badParameter("SIZE"));
        }
        size = Number(value);
        break;
      case "BODY":
        // The data is carried octet for octet, so both values ask for the same.
        if (value === null || !/^(7BIT|8BITMIME)$/i.test(value)) {
          return refuse(replies.badParameter("BODY"));
        }
        break;
      case "SMTPUTF8":
        if (value !== null) return refuse(replies.badParameter("SMTPUTF8"));
        smtpUtf8 = true;
        break;
      case "AUTH":
        // RFC 4954 section 5: who first submitted it. Nobody here is trusted to say, so it is "<>".
        if (value === null) return refuse(replies.badParameter("AUTH"));
        break;
      default:
        return refuse(replies.parameterUnknown);
    }
  }
  return { verb: "MAIL", reversePath: found.path, size, smtpUtf8 };
}

function parseRecipient(argument: string): Command | Refusal {
  const found = parsePath(argument, /^TO: *(.*)$/is, readForwardPath);
  if (found === "syntax") return refuse(replies.syntax("RCPT TO:<address>"));
  if (found === "path") return refuse(replies.badRecipient);
  if (found.parameters.length > 0) return refuse(replies.parameterUnknown);
  return { verb: "RCPT", forwardPath: found.path };
}

function parseChunk(argument: string): Command {
  const match = /^(\d+)( +LAST)?$/i.exec(argument);
  if (match === null) return { verb: "BDAT", octets: null, last: false };
  const octets = Number(match[1]);
  return {
    verb: "BDAT",
    octets: Number.isSafeInteger(octets) ? octets : null,
    last: match[2] !== undefined,
  };
}

function parseAuthentication(argument: string): Command | Refusal {
  const match = /^([A-Za-z0-9_-]+)(?: +([^ ]+))?$/.exec(argument);
  if (match === null) {
    return refuse(replies.syntax("AUTH mechanism [initial-response]"));
  }
  return {
    verb: "AUTH",
    mechanism: match[1].toUpperCase(),
    initialResponse: match[2] ?? null,
  };
}
