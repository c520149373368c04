/** What dialogues cannot see of a session: when it says what, and that it holds for every dialogue. */
import type { Outcome } from "../lib/mail.ts";
import { format } from "../lib/reply.ts";
import { connect, finish, receive } from "../lib/session.ts";
import { type Policy, type Session, type SessionIn, wanted } from "../lib/state.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";

const POLICY: Policy = {
  domain: "localhost",
  maxMessageOctets: 30,
  maxRecipients: 2,
  maxErrors: 5,
};

const octets = (text: string) => new TextEncoder().encode(text);

/** A session that is fed lines, and what it said to each. */
class Talk {
  session: Session = connect(POLICY).session;

  /** Says lines; gives the reply to the last of them, null where there is none yet. */
  say(...lines: readonly string[]): string | null {
    return lines.map((line) => {
      const frame = { kind: "line", octets: octets(line), lineEnd: "CRLF" } as const;
      return this.#take(receive(this.session, frame, POLICY));
    }).at(-1)!;
  }

  /** Sends what a chunk or the data holds. */
  send(kind: "chunk" | "data", text: string | null): string | null {
    const frame = kind === "chunk"
      ? { kind, octets: octets(text!) } as const
      : { kind, octets: text === null ? null : octets(text) } as const;
    return this.#take(receive(this.session, frame, POLICY));
  }

  finish(outcome: Outcome): string | null {
    return this.#take(finish(this.session as SessionIn<"delivering">, "ID", outcome));
  }

  #take({ session, reply }: ReturnType<typeof receive>): string | null {
    this.session = session;
    return reply === null ? null : format(reply);
  }
}

const OPEN = ["EHLO x", "MAIL FROM:<a>", "RCPT TO:<b>"];

Deno.test("connect() greets and waits for a line", () => {
  const { session, reply } = connect(POLICY);
  assertEquals(reply?.code, 220);
  assertEquals(wanted(session), { kind: "line" });
});

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
  const policy = { ...POLICY, maxMessageOctets: sent.length };
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
  talk.say(...OPEN, "BDAT 30");
  talk.send("chunk", "x".repeat(30));
  talk.say("BDAT 1 LAST");
  assertMatch(talk.send("chunk", "")!, /^552 /);
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
    talk.say("MAIL FROM:<a>", "RCPT TO:<b>", "DATA");
    talk.send("data", "hi");
    assertMatch(talk.finish({ kind: "rejected", reason: "no" })!, /^554 /);
  }
  assertMatch(talk.say("NOOP")!, /^250 /);
});

Deno.test("the name of the client outlives its transactions, and the last one counts", () => {
  const talk = new Talk();
  talk.say("EHLO one", "AUTH PLAIN AGFsaWNlAHNlc2FtZQ==", "EHLO two", "RSET", ...OPEN.slice(1));
  talk.say("BDAT 1 LAST");
  talk.send("chunk", "x");
  assertEquals((talk.session as SessionIn<"delivering">).peer, {
    ...{ hostname: "two", user: "alice", errors: 0 },
  });
});
