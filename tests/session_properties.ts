/**
 * What is said of whole sessions: octets are pumped through decoder and session as connection.ts does, with
 * a courier that says what the input has it say. No time passes, and there is no socket.
 */
import fc from "npm:fast-check@4.10.2";
import type { Envelope, Outcome } from "../lib/mail.ts";
import { characters, octetsOf } from "../lib/octets.ts";
import { addressOf } from "../lib/path.ts";
import { format, type Reply } from "../lib/reply.ts";
import { connect, finish, receive } from "../lib/session.ts";
import { type Policy, type Session, type Turn, wanted } from "../lib/state.ts";
import { Decoder } from "../lib/wire.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import {
  anyOctets,
  anyPlaces,
  anyText,
  cut,
  type Property,
  property,
  textOf,
  waysToRead,
} from "./property.ts";
import { type Message, readAll, type Story } from "./reference.ts";
import { attack, END, SEQUENCES, stuff, unstuff } from "./smuggling.ts";

/** What a session obeys that is to be kept up by nothing. */
export const LOOSE: Policy = {
  protocol: "SMTP",
  domain: "localhost",
  maxMessageOctets: 1e6,
  maxRecipients: 100,
  maxErrors: 1e6,
  maxCommands: 1e6,
  maxMessages: 100,
};
const MAX_LINE_OCTETS = 60;

/** What sessions obey: little of everything, so that every limit is met. */
const limits = fc.record({
  protocol: fc.constantFrom("SMTP" as const, "LMTP" as const),
  maxMessageOctets: fc.nat({ max: 40 }),
  maxRecipients: fc.integer({ min: 1, max: 3 }),
  maxErrors: fc.integer({ min: 1, max: 10 }),
  maxCommands: fc.integer({ min: 1, max: 10 }),
  maxMessages: fc.integer({ min: 1, max: 4 }),
});

/** What a session said and delivered in the end. */
export interface Talk extends Story {
  /** All replies as they went to the client. */
  readonly said: string;
}

const accept = (): Outcome => ({ kind: "accepted", note: "held" });

/** Pumps pieces through decoder and session; `look` sees each state. */
export function pump(
  pieces: readonly Uint8Array[],
  policy: Policy,
  courier: (count: number) => Outcome = accept,
  look: (session: Session) => void = () => {},
): Talk {
  const decoder = new Decoder({
    maxLineOctets: MAX_LINE_OCTETS,
    maxMessageOctets: policy.maxMessageOctets,
  });
  const replies: Reply[] = [];
  const messages: Message[] = [];
  const take = (turn: Turn): Session => {
    replies.push(...turn.replies);
    look(turn.session);
    return turn.session;
  };
  let session = take(connect(policy));
  for (const piece of pieces) {
    decoder.push(piece);
    for (;;) {
      if (session.state === "delivering") {
        const outcome = courier(messages.length);
        messages.push(messageOf(session));
        session = take(finish(session, "ID", outcome, policy));
      }
      const want = wanted(session);
      assertEquals(want === null, session.state === "closed", "only what is closed wants nothing");
      const frame = want && decoder.next(want);
      if (frame === null) break;
      session = take(receive(session, frame, policy));
    }
  }
  return {
    codes: replies.map(({ code }) => code),
    messages,
    isClosed: session.state === "closed",
    said: replies.map(format).join(""),
  };
}

function messageOf({ envelope, data }: { envelope: Envelope; data: Uint8Array }): Message {
  const { reversePath, forwardPaths } = envelope;
  return {
    sender: reversePath === null ? "" : addressOf(reversePath),
    recipients: forwardPaths.map(addressOf),
    data: characters(data),
  };
}

const kind = fc.constantFrom("accepted" as const, "deferred" as const, "rejected" as const);

/** The lines that reference.ts knows, and what may come between them. */
const plainWords = [
  ...["EHLO x", "HELO x", "LHLO x", "MAIL FROM:<a>", "MAIL FROM:<>", "RCPT TO:<b>", "RCPT TO:<c>"],
  ...["DATA", "RSET", "NOOP", "QUIT", "BOO", "BDAT", "BDAT 3 LAST", "BDAT 5", "BDAT 31", "BDAT 0"],
].flatMap((line) => [`${line}\r\n`, `${line}\n`]);
const junk = [
  ...["MAIL FROM:<a>\r\nRCPT TO:<b>\r\n", "BDAT 3 LAST\r\nabc", "BDAT 2\r\n\r\n", ".\r\n", ".\n"],
  ...["MAIL FROM:<>\r\nRCPT TO:<b>\r\nRCPT TO:<c>\r\n", "DATA\r\nhi\r\n.\r\n", "DATA\nhi\n.\n"],
  ...["..x\r\n", "hi\r\n", "\r", "\n", ".", "\xe9", "\0", "x".repeat(70)],
];
const otherWords = [
  ...[
    "AUTH LOGIN\r\n",
    "AUTH PLAIN\r\n",
    "*\r\n",
    "YQ==\r\n",
    "AGEAYg==\r\n",
    "\x16",
    "VRFY x\r\n",
  ],
  ...["HELP\r\n", "STARTTLS\r\n", "GET / HTTP/1.1\r\n", "MAIL FROM:<\xc3\xa9> SMTPUTF8\r\n"],
];

/** Mail data of a client that may get dots wrong, or that is cut into chunks. */
const letter = fc.tuple(
  textOf(8, "\r", "\n", ".", "\r\n", "..", "x", "\xff", "\0", "letter"),
  fc.constantFrom("DATA\r\n", "DATA\n", "BDAT"),
).map(([text, by]) => {
  if (by !== "BDAT") return `${by}${text}${by.slice(4)}.${by.slice(4)}`;
  const half = Math.floor(text.length / 2);
  const [first, second] = [text.slice(0, half), text.slice(half)];
  return `BDAT ${first.length}\r\n${first}BDAT ${second.length} LAST\r\n${second}`;
});

/** What clients send, most of whom begin well and mean to deliver something. */
const sentFrom = (...words: readonly string[]) => {
  const transaction = fc.tuple(
    fc.constantFrom("MAIL FROM:<a>\r\n", "MAIL FROM:<>\n", ""),
    fc.constantFrom("RCPT TO:<c>\r\n", "RCPT TO:<b>\n", ""),
    textOf(2, "RCPT TO:<b>\r\n", "RCPT TO:<c>\n", "NOOP\r\n"),
    letter,
  ).map((parts) => parts.join(""));
  return fc.tuple(
    fc.constantFrom("", "EHLO x\r\n", "LHLO x\r\n", "LHLO x\r\nEHLO x\n", "LHLO x\nEHLO x\r\n"),
    fc.array(fc.oneof(transaction, transaction, textOf(4, ...words)), { maxLength: 8 }),
  ).map(([start, rest]) => start + rest.join(""));
};

/** One of a reply's lines: a code and a status of its class, or no status (RFC 2034 section 4). */
const REPLY_LINE = /^(?:([245])\d\d[ -]\1\.\d{1,3}\.\d{1,3} |[23]\d\d[ -])[\x20-\x7e]*$/;

function assertSound(said: string): void {
  assert(said.endsWith("\r\n"));
  const lines = said.slice(0, -2).split("\r\n");
  for (const [index, line] of lines.entries()) {
    assertMatch(line, REPLY_LINE);
    assert(line.length <= 510);
    // RFC 5321 section 4.2.1: all lines of a reply have its code, and all but the last a hyphen.
    const next = lines[index + 1]?.slice(0, 3);
    if (line[3] === "-") assertEquals(next, line.slice(0, 3));
  }
}

/** Text in which sequences of smuggling stand anywhere, each with what it is for. */
const hostileMessage = fc.array(
  fc.oneof(
    textOf(6, "\r", "\n", ".", "\r\n", "\0", "x", "Subject: hi\r\n"),
    fc.constantFrom(...SEQUENCES).map(attack),
  ),
  { minLength: 1, maxLength: 5 },
).map((parts) => parts.join(""));

const OPENING = "EHLO x\r\nMAIL FROM:<a>\r\nRCPT TO:<b>\r\n";

/** Fails where a client that sends `text` after RCPT, and QUIT, has not sent this one message. */
export function assertOneMessage(
  pieces: readonly Uint8Array[],
  data: string,
  codes: readonly number[],
): void {
  const { messages, codes: found, isClosed } = pump(pieces, LOOSE);
  assertEquals(messages, [{ sender: "a", recipients: ["b"], data }]);
  assertEquals({ codes: found, isClosed }, {
    codes: [220, 250, 250, 250, ...codes, 221],
    isClosed: true,
  });
}

/** What is sent to bring data by DATA, in a session whose lines end with CRLF. */
export const byData = (data: string) => octetsOf(`${OPENING}DATA\r\n${data}QUIT\r\n`);

/** What is sent to bring a message by BDAT, in these chunks. */
export const byChunks = (chunks: readonly string[]) =>
  octetsOf(
    chunks.reduce((sent, chunk, index) => {
      const last = index === chunks.length - 1 ? " LAST" : "";
      return `${sent}BDAT ${chunk.length}${last}\r\n${chunk}`;
    }, OPENING) + "QUIT\r\n",
  );

/** All of them. */
export const sessionProperties: readonly Property[] = [
  property(
    "however a client's octets are cut, it is told the same, in sound replies, and delivers the same",
    fc.record({
      limits,
      sent: fc.oneof(
        { weight: 4, arbitrary: sentFrom(...plainWords, ...junk, ...otherWords) },
        anyOctets,
      ),
      outcomes: fc.array(fc.record({ kind, text: anyText }), { minLength: 1, maxLength: 3 }),
      places: anyPlaces,
    }),
    ({ limits, sent, outcomes, places }) => {
      const courier = (count: number): Outcome => {
        const { kind, text } = outcomes[count % outcomes.length];
        return kind === "accepted" ? { kind, note: text } : { kind, reason: text };
      };
      const [whole, ...others] = waysToRead(octetsOf(sent), places)
        .map((pieces) => pump(pieces, { ...LOOSE, ...limits }, courier));
      for (const other of others) assertEquals(other, whole);
      assertSound(whole.said);
      assertEquals(whole.isClosed, /^[24]21 /m.test(whole.said));
      return whole.codes.length > 2;
    },
  ),
  property(
    "a client gets the replies, and its messages are those, that a second reading of all it sent finds",
    fc.record({
      limits,
      sent: sentFrom(...plainWords, ...junk),
      outcomes: fc.array(kind, { minLength: 1, maxLength: 3 }),
      places: anyPlaces,
    }),
    ({ limits, sent, outcomes, places }) => {
      const policy = { ...LOOSE, ...limits };
      const courier = (count: number): Outcome => {
        const kind = outcomes[count % outcomes.length];
        return kind === "accepted" ? { kind, note: "held" } : { kind, reason: "no" };
      };
      const { codes, messages, isClosed } = pump(cut(octetsOf(sent), places), policy, courier);
      const expected = readAll(sent, { policy, maxLineOctets: MAX_LINE_OCTETS, outcomes });
      assertEquals({ codes, messages, isClosed }, expected);
      return messages.length > 0;
    },
  ),
  property(
    "however a message is cut into chunks, few parts of it are kept, and it is the same",
    fc.array(fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 500 })), { minLength: 1, maxLength: 40 }),
    (sizes) => {
      const chunks = sizes.map((size, index) => String.fromCharCode(index + 0x80).repeat(size));
      const talk = pump([byChunks(chunks)], LOOSE, accept, (session) => {
        if (session.state !== "chunk") return;
        const lengths = session.chunks.map(({ length }) => length);
        assert(
          lengths.slice(1).every((length, index) => lengths[index] > 2 * length),
          `${lengths}`,
        );
      });
      assertEquals(talk.messages.map(({ data }) => data), [chunks.join("")]);
    },
  ),
  property(
    "no sequence of smuggling in a message that is sent with DATA makes two of it",
    fc.record({ text: hostileMessage, places: anyPlaces }),
    ({ text, places }) => {
      const message = `${text}\r\n`;
      for (const pieces of waysToRead(byData(stuff(message)), places)) {
        assertOneMessage(pieces, message, [354, 250]);
      }
    },
  ),
  property(
    "no sequence of smuggling that a client leaves as it is ends data, but for the true end",
    fc.record({ text: hostileMessage, places: anyPlaces }),
    ({ text, places }) => {
      const data = `${text}\r\n`;
      if (`\r\n${data}`.includes(END)) return false;
      for (const pieces of waysToRead(byData(`${data}.\r\n`), places)) {
        assertOneMessage(pieces, unstuff(data), [354, 250]);
      }
    },
  ),
  property(
    "no sequence of smuggling in a message that is sent with BDAT makes two of it, however it is cut",
    fc.record({ message: hostileMessage, chunkPlaces: anyPlaces, places: anyPlaces }),
    ({ message, chunkPlaces, places }) => {
      const chunks = cut(octetsOf(message), chunkPlaces).map(characters);
      for (const pieces of waysToRead(byChunks(chunks), places)) {
        assertOneMessage(pieces, message, chunks.map(() => 250));
      }
    },
  ),
];
