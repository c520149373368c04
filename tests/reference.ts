/**
 * A second reading of what a client sends, as straightforward as it can be: from the start of one text, by
 * regular expressions, into the codes of all replies and the messages. It knows a few lines and takes any
 * other for a mistake. What a session makes of the same octets is compared with it.
 */
import type { Outcome } from "../lib/mail.ts";
import type { Policy } from "../lib/state.ts";

/** A message that was taken. */
export interface Message {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** One character an octet. */
  readonly data: string;
}

/** What came of what a client sent. */
export interface Story {
  /** Of all replies, in order. */
  readonly codes: readonly number[];
  readonly messages: readonly Message[];
  /** Whether the server has ended the session. */
  readonly isClosed: boolean;
}

/** What there is beside what was sent. */
export interface Circumstances {
  readonly policy: Policy;
  readonly maxLineOctets: number;
  /** Of the messages, over and over. */
  readonly outcomes: readonly Outcome["kind"][];
}

const KNOWN =
  /^(?:(?<hello>EHLO|HELO|LHLO) x|MAIL FROM:<(?<sender>a?)>|RCPT TO:<(?<recipient>[bc])>|(?<verb>BDAT(?: (?<size>\d+)(?<last> LAST)?)?|DATA|RSET|NOOP|QUIT))$/;

/** The lines that belong to a message, and QUIT. */
const UNCOUNTED = /^(?:MAIL|RCPT|BDAT(?! 0+$)|DATA|QUIT)/;

/** RFC 5321 section 4.5.2: a line of one dot ends data; another dot at the start of a line is left out. */
const DATA: Readonly<Record<string, { readonly end: string; readonly dot: RegExp }>> = {
  "\r\n": { end: "\r\n.\r\n", dot: /(?<=\r\n)\./g },
  "\n": { end: "\n.\n", dot: /(?<=\n)\./g },
};

const CODE_OF: Readonly<Record<Outcome["kind"], number>> = {
  ...{ accepted: 250, deferred: 451, rejected: 554 },
};

/** Reads all that a client sent. */
export function readAll(sent: string, { policy, maxLineOctets, outcomes }: Circumstances): Story {
  const codes = [220];
  const messages: Message[] = [];
  let rest = sent;
  let isGreeted = false;
  let errors = 0;
  let commands = 0;
  let transactions = 0;
  let mail: { sender: string; recipients: string[]; chunks: string | null } | null = null;
  /** Recipients of a message of which a chunk was too big, until the last one has come. */
  let spoiled: string[] | null = null;

  /** The data or the chunk that comes next; null where it has not come to its end. */
  const take = (length: number): string | null => {
    if (rest.length < length) return null;
    const taken = rest.slice(0, length);
    rest = rest.slice(length);
    return taken;
  };
  /** What is said of a message: in LMTP to each recipient (RFC 2033 sections 4.2 and 4.3). */
  const conclude = (code: number, recipients: readonly string[]): number[] => {
    [mail, spoiled] = [null, null];
    return policy.protocol === "SMTP" ? [code] : recipients.map(() => code);
  };
  const deliver = (data: string): number[] => {
    const { sender, recipients } = mail!;
    const outcome = outcomes[messages.length % outcomes.length];
    messages.push({ sender, recipients, data });
    commands = 0;
    return conclude(CODE_OF[outcome], recipients);
  };
  return tell();

  function tell(): Story {
    for (;;) {
      const line = /^([^\n]*?)(\r?\n)/.exec(rest);
      if (line === null) return { codes, messages, isClosed: false };
      take(line[0].length);
      const before = messages.length;
      const said = line[0].length > maxLineOctets ? [500] : answer(line[1], line[2]);
      if (said === null) return { codes, messages, isClosed: false };
      // What a courier says of a message is no mistake of the client.
      if (messages.length === before && said.some((code) => code >= 500)) errors++;
      const isTooMuch = errors >= policy.maxErrors;
      codes.push(...(isTooMuch ? [421] : said));
      if (isTooMuch || said[0] === 421 || said[0] === 221) {
        return { codes, messages, isClosed: true };
      }
    }
  }

  /** The codes that answer a line; null where what has to follow it has not come. */
  function answer(line: string, lineEnd: string): number[] | null {
    const { protocol } = policy;
    const { hello, sender, recipient, verb, size, last } = KNOWN.exec(line)?.groups ?? {};
    if (!UNCOUNTED.test(line) || !KNOWN.test(line)) {
      if (++commands > policy.maxCommands) return [421];
    }
    if (hello !== undefined) {
      if (protocol === "LMTP" && hello !== "LHLO") return [500];
      if (protocol === "SMTP" && hello === "LHLO") return [502];
      [isGreeted, mail, spoiled] = [true, null, null];
      return [250];
    }
    if (sender !== undefined) {
      if (!isGreeted || mail !== null) return [503];
      if (transactions === policy.maxMessages) return [421];
      transactions++;
      spoiled = null;
      mail = { sender, recipients: [], chunks: null };
      return [250];
    }
    if (recipient !== undefined) {
      if (mail === null || mail.chunks !== null) return [503];
      if (mail.recipients.length === policy.maxRecipients) return [452];
      mail.recipients.push(recipient);
      return [250];
    }
    if (verb === undefined) return [500];
    if (verb === "QUIT") return [221];
    if (verb === "NOOP") return [250];
    if (verb === "RSET") {
      [mail, spoiled] = [null, null];
      return [250];
    }
    const isOpen = mail !== null && mail.recipients.length > 0;
    if (verb === "DATA") {
      if (!isOpen || mail!.chunks !== null) return [503];
      codes.push(354);
      const { end, dot } = DATA[lineEnd];
      // The line end of the DATA line is the one before the first line of data.
      const at = (lineEnd + rest).indexOf(end);
      if (at === -1) return null;
      const whole = take(at + end.length - lineEnd.length)!;
      const data = (lineEnd + whole).slice(0, -end.length + lineEnd.length)
        .replace(dot, "").slice(lineEnd.length);
      return data.length > policy.maxMessageOctets
        ? conclude(552, mail!.recipients)
        : deliver(data);
    }
    if (size === undefined) return [421];
    const chunk = take(Number(size));
    if (chunk === null) return null;
    if (mail === null && spoiled !== null && last !== undefined) return conclude(503, spoiled);
    // Of nobody's message the end is still the end.
    if (mail !== null && !isOpen && last !== undefined && protocol === "LMTP") {
      return conclude(503, []);
    }
    if (!isOpen) return [503];
    const { recipients, chunks } = mail!;
    const data = (chunks ?? "") + chunk;
    if (data.length > policy.maxMessageOctets) {
      if (last !== undefined) return conclude(552, recipients);
      [mail, spoiled] = [null, recipients];
      return [552];
    }
    if (last !== undefined) return deliver(data);
    mail!.chunks = data;
    return [250];
  }
}
