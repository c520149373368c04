/** What dialogues cannot see of a session: when it says what, what it counts, what it knows. */
import type { Outcome } from "../lib/mail.ts";
import { format } from "../lib/reply.ts";
import { connect, finish, receive } from "../lib/session.ts";
import {
  heldOctets,
  isInFlight,
  isOpen,
  type Policy,
  type Session,
  type SessionIn,
  type Turn,
  wanted,
} from "../lib/state.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";

const POLICY: Policy = {
  protocol: "SMTP",
  domain: "localhost",
  maxMessageOctets: 30,
  maxRecipients: 2,
  maxErrors: 5,
  maxCommands: 50,
  maxMessages: 50,
};

const octets = (text: string) => new TextEncoder().encode(text);

/** A session that is fed lines, and what it said to each. */
class Talk {
  readonly #policy: Policy;
  session: Session;

  constructor(policy: Partial<Policy> = {}) {
    this.#policy = { ...POLICY, ...policy };
    this.session = connect(this.#policy).session;
  }

  /** Says lines; gives what is said to the last of them, null where that is nothing yet. */
  say(...lines: readonly string[]): string | null {
    return lines.map((line) => {
      const frame = { kind: "line", octets: octets(line), lineEnd: "CRLF" } as const;
      return this.#take(receive(this.session, frame, this.#policy));
    }).at(-1)!;
  }

  /** Sends what a chunk or the data holds. */
  send(kind: "chunk" | "data", text: string | null): string | null {
    const frame = kind === "chunk"
      ? { kind, octets: octets(text!) } as const
      : { kind, octets: text === null ? null : octets(text) } as const;
    return this.#take(receive(this.session, frame, this.#policy));
  }

  /** Sends a chunk with its command. */
  chunk(text: string, last = ""): string | null {
    assertEquals(this.say(`BDAT ${text.length}${last}`), null);
    return this.send("chunk", text);
  }

  finish(outcome: Outcome): string | null {
    const session = this.session as SessionIn<"delivering">;
    return this.#take(finish(session, "ID", outcome, this.#policy));
  }

  /** Sends a whole message. */
  deliver(outcome: Outcome = { kind: "accepted", note: "held" }): string | null {
    this.say("MAIL FROM:<a>", "RCPT TO:<b>", "DATA");
    this.send("data", "hi");
    return this.finish(outcome);
  }

  #take({ session, replies }: Turn): string | null {
    this.session = session;
    return replies.length === 0 ? null : replies.map(format).join("");
  }
}

const OPEN = ["EHLO x", "MAIL FROM:<a>", "RCPT TO:<b>"];

Deno.test("connect() greets and waits for a line", () => {
  const { session, replies } = connect(POLICY);
  assertEquals(replies.map(format), ["220 localhost ESMTP smtp-pigeon ready\r\n"]);
  assertEquals(wanted(session), { kind: "line" });
});

Deno.test("connect() says which protocol it speaks", () => {
  const { replies } = connect({ ...POLICY, protocol: "LMTP" });
  assertEquals(replies.map(format), ["220 localhost LMTP smtp-pigeon ready\r\n"]);
});

const hellos: readonly (readonly [
  protocol: Policy["protocol"],
  line: string,
  reply: RegExp,
  state: Session["state"],
])[] = [
  ["SMTP", "EHLO x", /^250-localhost\r\n250-PIPELINING\r\n/, "ready"],
  ["SMTP", "HELO x", /^250 localhost\r\n$/, "ready"],
  ["SMTP", "LHLO x", /^502 5\.5\.1 /, "connected"],
  // RFC 2033 section 4.1.
  ["LMTP", "LHLO x", /^250-localhost\r\n250-PIPELINING\r\n/, "ready"],
  ["LMTP", "lhlo", /^250-localhost\r\n/, "ready"],
  ["LMTP", "EHLO x", /^500 5\.5\.2 This is LMTP, use LHLO\r\n$/, "connected"],
  ["LMTP", "HELO x", /^500 5\.5\.2 This is LMTP, use LHLO\r\n$/, "connected"],
];
for (const [protocol, line, reply, state] of hellos) {
  Deno.test(`in ${protocol} "${line}" is answered with ${reply.source.slice(1, 4)}`, () => {
    const talk = new Talk({ protocol });
    assertMatch(talk.say(line)!, reply);
    assertEquals(talk.session.state, state);
  });
}

Deno.test("EHLO and LHLO offer the same, limits among it", () => {
  const limits = { maxMessageOctets: 1_000, maxRecipients: 7, maxMessages: 999_999 };
  const offered = new Talk(limits).say("EHLO x")!;
  assertEquals(new Talk({ ...limits, protocol: "LMTP" }).say("LHLO x"), offered);
  assertEquals(offered.split("\r\n").slice(1, -1).map((line) => line.slice(4)), [
    "PIPELINING",
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
    "CHUNKING",
    "HELP",
    "AUTH PLAIN LOGIN",
    "LIMITS MAILMAX=999999 RCPTMAX=7",
    "SIZE 1000",
  ]);
});

for (const [protocol, verbs] of [["SMTP", "EHLO HELO MAIL"], ["LMTP", "LHLO MAIL"]] as const) {
  const [hello] = verbs.split(" ");
  Deno.test(`in ${protocol} HELP names ${hello}, and so does what wants it first`, () => {
    const talk = new Talk({ protocol });
    assertMatch(talk.say("HELP")!, new RegExp(`^214 2\\.0\\.0 ${verbs} RCPT `, "m"));
    for (const line of ["MAIL FROM:<a>", "AUTH PLAIN"]) {
      assertEquals(
        talk.say(line),
        `503 5.5.1 Bad sequence of commands: send ${hello} first\r\n`,
      );
    }
  });
}

for (const protocol of ["HTTP", "TLS"] as const) {
  Deno.test(`what begins as ${protocol} does is told that this is SMTP, and nothing more`, () => {
    const talk = new Talk();
    const line = protocol === "TLS" ? "\x16" : "GET / HTTP/1.1";
    assertMatch(talk.say(line)!, new RegExp(`^421 4\\.7\\.0 .* not ${protocol}, [^\r]*\r\n$`));
    assertEquals(talk.session.state, "closed");
  });
}

Deno.test("wanted() follows the line end of DATA", () => {
  for (const lineEnd of ["CRLF", "LF"] as const) {
    const talk = new Talk();
    talk.say(...OPEN);
    const { session } = receive(
      talk.session,
      { kind: "line", octets: octets("DATA"), lineEnd },
      POLICY,
    );
    assertEquals(wanted(session), { kind: "data", lineEnd });
  }
});

Deno.test("wanted() wants nothing while a message is delivered, or after the end", () => {
  const talk = new Talk();
  talk.say(...OPEN, "DATA");
  assertEquals(talk.send("data", "hi"), null);
  assertEquals(wanted(talk.session), null);
  assertMatch(
    talk.finish({ kind: "accepted", note: "held" })!,
    /^250 2\.0\.0 OK: held \(ID\)\r\n$/,
  );
  assertEquals(wanted(talk.session), { kind: "line" });
  talk.say("QUIT");
  assertEquals(wanted(talk.session), null);
});

// RFC 3030 section 2: the octets of a failed BDAT are accepted and discarded before the reply.
for (
  const [what, before, bdat, reply] of [
    ["out of order", ["EHLO x"], "BDAT 3", /^503 /],
    ["before EHLO", [], "BDAT 3 LAST", /^503 /],
    ["without recipients", ["EHLO x", "MAIL FROM:<a>"], "BDAT 3 LAST", /^503 /],
    ["over the limit", OPEN, "BDAT 31 LAST", /^552 /],
    ["over the limit", OPEN, "BDAT 9007199254740991", /^552 /],
  ] as const
) {
  Deno.test(`${bdat} ${what} is refused only when its octets have come`, () => {
    const talk = new Talk();
    if (before.length > 0) talk.say(...before);
    assertEquals(talk.say(bdat), null);
    assertEquals(wanted(talk.session), {
      kind: "chunk",
      octets: Number(bdat.split(" ")[1]),
      keep: false,
    });
    assertMatch(talk.send("chunk", "")!, reply);
    assertEquals(wanted(talk.session), { kind: "line" });
  });
}

Deno.test("a chunk within the limit is kept, and answered only when it has come", () => {
  const talk = new Talk();
  talk.say(...OPEN);
  assertEquals(talk.say("BDAT 3"), null);
  assertEquals(wanted(talk.session), { kind: "chunk", octets: 3, keep: true });
  assertMatch(talk.send("chunk", "abc")!, /^250 2\.0\.0 3 octets/);
});

/** A message in chunks of these sizes; `look` sees the session before each. */
function inChunks(
  sizes: readonly number[],
  look: (session: SessionIn<"chunk">) => void,
): { readonly sent: Uint8Array; readonly received: Uint8Array } {
  const sent = Uint8Array.from(
    { length: sizes.reduce((sum, size) => sum + size, 0) },
    (_, at) => at,
  );
  const policy = { ...POLICY, maxMessageOctets: sent.length, maxCommands: Infinity };
  let session: Session = connect(policy).session;
  const say = (line: string) => {
    const frame = { kind: "line", octets: octets(line), lineEnd: "CRLF" } as const;
    session = receive(session, frame, policy).session;
  };
  OPEN.forEach(say);
  let at = 0;
  for (const [index, size] of sizes.entries()) {
    say(`BDAT ${size}${index === sizes.length - 1 ? " LAST" : ""}`);
    look(session as SessionIn<"chunk">);
    const chunk = sent.slice(at, at += size);
    session = receive(session, { kind: "chunk", octets: chunk }, policy).session;
  }
  return { sent, received: (session as SessionIn<"delivering">).data };
}

/** Where each part is longer than two of the next, not even the longest of messages has more. */
const MAX_PARTS = 64;

const manyChunks: [name: string, sizes: readonly number[]][] = [
  ["of no octet", Array.from({ length: 40_000 }, () => 0)],
  ["of one octet", Array.from({ length: 40_000 }, () => 1)],
  ["of no and one octet in turn", Array.from({ length: 40_000 }, (_, index) => index % 2)],
  ["each shorter than the one before", Array.from({ length: 1_000 }, (_, index) => 1_000 - index)],
];
for (const [name, sizes] of manyChunks) {
  Deno.test(`of ${sizes.length} chunks ${name} few parts are kept, and the message is whole`, () => {
    let most = 0;
    const { sent, received } = inChunks(sizes, ({ chunks }) => {
      most = Math.max(most, chunks.length);
    });
    assert(most <= MAX_PARTS, `${most} parts`);
    // One by one, as a difference would otherwise be printed octet by octet.
    assert(received.length === sent.length && received.every((octet, at) => octet === sent[at]));
  });
}

Deno.test("a chunk too many leaves nothing of those before it to the session", () => {
  const talk = new Talk();
  talk.say(...OPEN);
  talk.chunk("x".repeat(30));
  assertMatch(talk.chunk("y")!, /^552 /);
  assertEquals(Object.keys(talk.session).toSorted(), ["forwardPaths", "peer", "state"]);
  assertMatch(talk.chunk("z", " LAST")!, /^503 /);
  assertEquals(Object.keys(talk.session).toSorted(), ["peer", "state"]);
  assertEquals(talk.session.state, "ready");
});

Deno.test("a refused chunk counts as one error, when it is refused", () => {
  const talk = new Talk();
  for (let errors = 1; errors < POLICY.maxErrors; errors++) {
    talk.say("BDAT 1");
    assertMatch(talk.send("chunk", "")!, /^503 /);
  }
  assertEquals(talk.say("BDAT 1"), null);
  assertMatch(talk.send("chunk", "")!, /^421 4\.7\.0 /);
  assertEquals(talk.session.state, "closed");
});

Deno.test("errors are counted over transactions, and nothing takes them back", () => {
  const talk = new Talk();
  const wrong = "BOO";
  talk.say("EHLO x", wrong, "MAIL FROM:<a>", wrong, "RSET", wrong, "EHLO x", wrong);
  assertMatch(talk.say("NOOP")!, /^250 /);
  assertMatch(talk.say(wrong)!, /^421 4\.7\.0 /);
});

Deno.test("a 4xx is no error of the client", () => {
  const talk = new Talk();
  talk.say(...OPEN, "RCPT TO:<b>");
  for (let count = 0; count < 10; count++) assertMatch(talk.say("RCPT TO:<c>")!, /^452 /);
  assertMatch(talk.say("DATA")!, /^354 /);
});

Deno.test("a message that was not delivered is no error of the client", () => {
  const talk = new Talk();
  talk.say("EHLO x");
  for (let count = 0; count < 10; count++) {
    assertMatch(talk.deliver({ kind: "rejected", reason: "no" })!, /^554 /);
  }
  assertMatch(talk.say("NOOP")!, /^250 /);
});

Deno.test("the name of the client outlives its transactions, and the last one counts", () => {
  const talk = new Talk();
  talk.say("EHLO one", "AUTH PLAIN AGFsaWNlAHNlc2FtZQ==", "EHLO two", "RSET", ...OPEN.slice(1));
  talk.say("BDAT 1 LAST");
  talk.send("chunk", "x");
  assertEquals((talk.session as SessionIn<"delivering">).peer, {
    ...{ hostname: "two", user: "alice", errors: 0, commands: 4, transactions: 1 },
  });
});

const TOO_MANY_COMMANDS =
  "421 4.7.0 localhost too many commands without a message, closing connection\r\n";

/** Each is said in a session that has had EHLO; what is refused is counted as what is not. */
const counted: readonly (readonly [line: string, code: number])[] = [
  ["EHLO x", 250],
  ["HELO x", 250],
  ["LHLO x", 502],
  ["NOOP", 250],
  ["RSET", 250],
  ["VRFY x", 252],
  ["HELP", 214],
  ["AUTH CRAM-MD5", 504],
  ["EXPN x", 502],
  ["BOO", 500],
  ["MAIL FROM", 501],
  ["RCPT TO:<>", 501],
  ["DATA x", 501],
];
for (const [line, code] of counted) {
  Deno.test(`"${line}" counts as a command without a message`, () => {
    const talk = new Talk({ maxCommands: 3, maxErrors: 100 });
    talk.say("EHLO x");
    for (const _ of [2, 3]) assertEquals(Number(talk.say(line)!.slice(0, 3)), code);
    assertEquals(talk.say(line), TOO_MANY_COMMANDS);
    assertEquals(talk.session.state, "closed");
  });
}

Deno.test("what brings a message is no command without one, nor is a response of AUTH", () => {
  const talk = new Talk({ maxCommands: 2, maxErrors: 100, maxRecipients: 1 });
  talk.say("EHLO x", "AUTH LOGIN");
  assertMatch(talk.say("YQ==", "YQ==")!, /^235 /);
  for (const line of ["DATA", "RCPT TO:<b>", "MAIL FROM:<a>", "MAIL FROM:<a>", "RCPT TO:<b>"]) {
    assertMatch(talk.say(line)!, /^(?:250|503) /);
  }
  for (let count = 0; count < 10; count++) assertMatch(talk.say("RCPT TO:<c>")!, /^452 /);
  for (let count = 0; count < 10; count++) assertMatch(talk.chunk("x")!, /^250 /);
  assertEquals(talk.say("NOOP"), TOO_MANY_COMMANDS);
});

Deno.test("a chunk of nothing is a command without a message, unless it is the last", () => {
  const talk = new Talk({ maxCommands: 2 });
  talk.say(...OPEN);
  assertMatch(talk.chunk("")!, /^250 /);
  assertEquals(talk.say("BDAT 0"), TOO_MANY_COMMANDS);
  const other = new Talk({ maxCommands: 1 });
  other.say(...OPEN);
  assertEquals(other.chunk("", " LAST"), null);
  assertEquals(other.session.state, "delivering");
});

Deno.test("a thousand recipients too many are told so, and one more ends the session", () => {
  const talk = new Talk({ maxRecipients: 1 });
  talk.say(...OPEN);
  for (let count = 0; count < 1_000; count++) assertMatch(talk.say("RCPT TO:<c>")!, /^452 /);
  assertMatch(talk.say("RCPT TO:<c>")!, /^421 4\.7\.0 /);
  assertEquals(talk.session.state, "closed");
});

Deno.test("QUIT is answered even after the last command", () => {
  const talk = new Talk({ maxCommands: 1 });
  talk.say("EHLO x");
  assertMatch(talk.say("QUIT")!, /^221 /);
});

const outcomes: readonly Outcome[] = [
  { kind: "accepted", note: "held" },
  { kind: "deferred", reason: "later" },
  { kind: "deferred", reason: "full", isUnkept: true },
  { kind: "rejected", reason: "never" },
];

const nameOf = (outcome: Outcome) => "isUnkept" in outcome ? "not stored" : outcome.kind;

Deno.test("a message is answered by what became of it", () => {
  const codes = outcomes.map((outcome) => {
    const talk = new Talk({});
    talk.say("EHLO x");
    return talk.deliver(outcome)!.slice(0, 9);
  });
  assertEquals(codes, ["250 2.0.0", "451 4.3.0", "452 4.3.1", "554 5.6.0"]);
});

for (const outcome of outcomes) {
  Deno.test(`a message that was ${nameOf(outcome)} begins the count of commands anew`, () => {
    const talk = new Talk({ maxCommands: 2 });
    talk.say("EHLO x", "NOOP");
    for (let count = 0; count < 3; count++) {
      talk.deliver(outcome);
      assertMatch(talk.say("NOOP", "NOOP")!, /^250 /);
    }
    assertEquals(talk.say("NOOP"), TOO_MANY_COMMANDS);
  });
}

Deno.test("a message that never came begins no count of commands anew", () => {
  const talk = new Talk({ maxCommands: 3 });
  talk.say("EHLO x", "MAIL FROM:<a>", "RCPT TO:<b>", "DATA");
  assertMatch(talk.send("data", null)!, /^552 /);
  talk.say("MAIL FROM:<a>", "RCPT TO:<b>");
  assertMatch(talk.chunk("x".repeat(31), " LAST")!, /^552 /);
  talk.say("MAIL FROM:<a>", "RSET");
  assertMatch(talk.say("NOOP")!, /^250 /);
  assertEquals(talk.say("NOOP"), TOO_MANY_COMMANDS);
});

Deno.test("MAIL counts where it opens a transaction, and nothing takes that back", () => {
  const talk = new Talk({ maxMessages: 3 });
  talk.say("EHLO x");
  // These open none: not readable, in need of SMTPUTF8, too big, within another.
  assertMatch(talk.say("MAIL FROM:<a")!, /^501 /);
  assertMatch(talk.say("MAIL FROM:<ä>")!, /^550 /);
  assertMatch(talk.say("MAIL FROM:<a> SIZE=31")!, /^552 /);
  assertMatch(talk.say("MAIL FROM:<a>")!, /^250 /);
  assertMatch(talk.say("MAIL FROM:<a>")!, /^503 /);
  talk.say("RSET");
  assertMatch(talk.deliver()!, /^250 /);
  talk.say("EHLO x");
  assertMatch(talk.say("MAIL FROM:<a>")!, /^250 /);
  talk.say("EHLO x");
  assertEquals(
    talk.say("MAIL FROM:<a>"),
    "421 4.7.0 localhost too many messages, go on in another connection\r\n",
  );
  assertEquals(talk.session.state, "closed");
});

/** A session of LMTP, with two recipients of a message of at most 30 octets. */
function lmtp(): Talk {
  const talk = new Talk({ protocol: "LMTP" });
  talk.say("LHLO x", "MAIL FROM:<a>", "RCPT TO:<b>", "RCPT TO:<>", "RCPT TO:<b>", "RCPT TO:<c>");
  return talk;
}

/** Codes of replies, one each. */
const codesOf = (said: string | null) => said?.match(/^\d{3}(?= )/gm)?.map(Number) ?? [];

for (const [index, code] of [250, 451, 452, 554].entries()) {
  const outcome = outcomes[index];
  Deno.test(`in LMTP a message that was ${nameOf(outcome)} is answered for each recipient`, () => {
    const byData = lmtp();
    byData.say("DATA");
    byData.send("data", "hi");
    const said = byData.finish(outcome)!;
    // The repeated recipient counts as often as it was taken, the refused ones do not.
    assertEquals(codesOf(said), [code, code]);
    const [one, other] = said.split("\r\n");
    assertEquals(one, other);
    assertEquals(byData.session.state, "ready");

    const byChunks = lmtp();
    assertEquals(codesOf(byChunks.chunk("hi")), [250]);
    assertEquals(byChunks.chunk("ho", " LAST"), null);
    assertEquals(byChunks.finish(outcome), said);
  });
}

const tooBig: readonly (readonly [what: string, send: (talk: Talk) => string | null])[] = [
  ["data", (talk) => {
    talk.say("DATA");
    return talk.send("data", null);
  }],
  ["a chunk that is the last", (talk) => talk.chunk("x".repeat(31), " LAST")],
  ["a last chunk after others", (talk) => {
    talk.chunk("x".repeat(30));
    return talk.chunk("x", " LAST");
  }],
];
for (const [what, send] of tooBig) {
  Deno.test(`in LMTP ${what} too big is answered for each recipient, and is one error`, () => {
    const talk = lmtp();
    assertEquals(codesOf(send(talk)), [552, 552]);
    assertEquals(talk.session.state, "ready");
    // RCPT TO:<> was one.
    assertEquals((talk.session as SessionIn<"ready">).peer.errors, 2);
  });
}

// RFC 2033 section 4.3: as many replies to the last chunk as recipients, whatever came before it.
for (const [protocol, codes] of [["LMTP", [503, 503]], ["SMTP", [503]]] as const) {
  Deno.test(`in ${protocol} the chunks after one too big go its way, up to the last`, () => {
    const talk = new Talk({ protocol });
    talk.say(`${protocol === "LMTP" ? "L" : "E"}HLO x`, "MAIL FROM:<a>");
    talk.say("RCPT TO:<b>", "RCPT TO:<c>");
    assertEquals(codesOf(talk.chunk("x".repeat(31))), [552]);
    assertEquals(talk.session.state, "spoiled");
    assertEquals(talk.say("BDAT 1"), null);
    assertEquals(wanted(talk.session), { kind: "chunk", octets: 1, keep: false });
    assertEquals(codesOf(talk.send("chunk", "")), [503]);
    assertEquals(talk.session.state, "spoiled");
    assertEquals<readonly number[]>(codesOf(talk.chunk("", " LAST")), codes);
    assertEquals(talk.session.state, "ready");
    assertEquals(codesOf(talk.chunk("", " LAST")), [503]);
  });
}

/** What may come after a chunk too big, and where it leads. */
const afterSpoiled: readonly (readonly [line: string, code: number, state: Session["state"]])[] = [
  ["MAIL FROM:<a>", 250, "transaction"],
  ["RSET", 250, "ready"],
  ["EHLO x", 250, "ready"],
  ["NOOP", 250, "spoiled"],
  ["BOO", 500, "spoiled"],
  ["RCPT TO:<b>", 503, "spoiled"],
  ["DATA", 503, "spoiled"],
  ["AUTH PLAIN", 334, "authenticating"],
  ["QUIT", 221, "closed"],
];
for (const [line, code, state] of afterSpoiled) {
  Deno.test(`"${line}" after a chunk too big is answered with ${code}`, () => {
    const talk = new Talk();
    talk.say(...OPEN);
    talk.chunk("x".repeat(31));
    assertEquals(codesOf(talk.say(line)), [code]);
    assertEquals(talk.session.state, state);
  });
}

Deno.test("of a message after a chunk too big nothing is left of the one before", () => {
  const talk = lmtp();
  talk.chunk("x".repeat(31));
  talk.say("MAIL FROM:<a>", "RCPT TO:<d>");
  assertEquals(talk.chunk("hi", " LAST"), null);
  const { envelope, data } = talk.session as SessionIn<"delivering">;
  assertEquals(envelope.forwardPaths, [{ localPart: "d", domain: null }]);
  assertEquals(new TextDecoder().decode(data), "hi");
});

Deno.test("in SMTP chunks without recipients are refused, and leave the transaction open", () => {
  const talk = new Talk();
  talk.say("EHLO x", "MAIL FROM:<a>", "RCPT TO:<>");
  assertEquals(codesOf(talk.chunk("hi")), [503]);
  assertEquals(codesOf(talk.chunk("hi", " LAST")), [503]);
  assertMatch(talk.say("RCPT TO:<b>")!, /^250 /);
});

Deno.test("in LMTP the last chunk without recipients ends the transaction unanswered", () => {
  const talk = new Talk({ protocol: "LMTP" });
  talk.say("LHLO x", "MAIL FROM:<a>", "RCPT TO:<>");
  assertEquals(codesOf(talk.chunk("hi")), [503]);
  assertEquals(talk.session.state, "transaction");
  assertEquals(talk.say("BDAT 2 LAST"), null);
  assertEquals(wanted(talk.session), { kind: "chunk", octets: 2, keep: false });
  assertEquals(talk.send("chunk", ""), null);
  assertEquals(talk.session.state, "ready");
});

Deno.test("in LMTP DATA without recipients is answered once", () => {
  const talk = new Talk({ protocol: "LMTP" });
  assertEquals(codesOf(talk.say("LHLO x", "MAIL FROM:<a>", "DATA")), [503]);
});

/** What leads to each state, and what can be read off it. */
const states: readonly (readonly [
  state: Session["state"],
  lead: (talk: Talk) => void,
  known: { open: boolean; inFlight: boolean; held: number },
])[] = [
  ["connected", () => {}, { open: false, inFlight: false, held: 0 }],
  ["ready", (talk) => talk.say("EHLO x"), { open: false, inFlight: false, held: 0 }],
  ["authenticating", (talk) => talk.say("EHLO x", "AUTH LOGIN"), {
    ...{ open: false, inFlight: false, held: 0 },
  }],
  ["transaction", (talk) => talk.say(...OPEN), { open: true, inFlight: false, held: 0 }],
  ["data", (talk) => talk.say(...OPEN, "DATA"), { open: true, inFlight: true, held: 0 }],
  ["chunk", (talk) => talk.say(...OPEN, "BDAT 9"), { open: true, inFlight: true, held: 0 }],
  ["chunk", (talk) => {
    talk.say(...OPEN);
    for (const text of ["abcdefgh", "", "ij"]) talk.chunk(text);
    talk.say("BDAT 9 LAST");
  }, { open: true, inFlight: true, held: 10 }],
  ["chunked", (talk) => {
    talk.say(...OPEN);
    for (const text of ["abcdefgh", "", "ij"]) talk.chunk(text);
  }, { open: true, inFlight: true, held: 10 }],
  ["discarding", (talk) => {
    talk.say(...OPEN);
    talk.chunk("abcde");
    talk.say("BDAT 26");
  }, { open: true, inFlight: false, held: 0 }],
  ["discarding", (talk) => talk.say("EHLO x", "BDAT 26"), {
    ...{ open: false, inFlight: false, held: 0 },
  }],
  ["spoiled", (talk) => {
    talk.say(...OPEN);
    talk.chunk("x".repeat(31));
  }, { open: false, inFlight: false, held: 0 }],
  ["delivering", (talk) => {
    talk.say(...OPEN);
    talk.chunk("abcde", " LAST");
  }, { open: true, inFlight: true, held: 0 }],
  ["closed", (talk) => talk.say("QUIT"), { open: false, inFlight: false, held: 0 }],
];
for (const [state, lead, known] of states) {
  const { open, inFlight, held } = known;
  const words = `${open ? "open" : "not open"}, ${inFlight ? "in flight" : "not in flight"}`;
  Deno.test(`a session that is ${state} is ${words}, and holds ${held} octets`, () => {
    const talk = new Talk();
    lead(talk);
    const { session } = talk;
    assertEquals(session.state, state);
    assertEquals(
      { open: isOpen(session), inFlight: isInFlight(session), held: heldOctets(session) },
      known,
    );
  });
}
