import { begin, type Exchange, mechanisms } from "../lib/sasl.ts";
import { assert, assertEquals } from "./assert.ts";

const base64 = (text: string) => new TextEncoder().encode(text).toBase64();

/** Plays an exchange: what is sent, and what comes of it; challenges in between are noted. */
function play(mechanism: string, [initial, ...responses]: readonly (string | null)[]) {
  let exchange = begin(mechanism, initial);
  const challenges: string[] = [];
  for (const response of responses) {
    assert(exchange?.kind === "challenge" && response !== null);
    challenges.push(exchange.base64);
    exchange = exchange.answer(response);
  }
  return { exchange, challenges };
}

const taken = (user: string, password: string): Exchange => ({
  kind: "credentials",
  credentials: { user, password },
});
const unreadable: Exchange = { kind: "unreadable" };

/** Exchanges from the initial response on; null where there is none. */
const rows: readonly (readonly [
  mechanism: string,
  responses: readonly (string | null)[],
  challenges: readonly string[],
  result: Exchange,
])[] = [
  // RFC 4616 section 2: message = [authzid] NUL authcid NUL passwd.
  ["PLAIN", [base64("\0alice\0sesame")], [], taken("alice", "sesame")],
  ["PLAIN", [null, base64("\0alice\0sesame")], [""], taken("alice", "sesame")],
  ["PLAIN", [base64("bob\0alice\0sesame")], [], taken("alice", "sesame")],
  ["PLAIN", [base64("\0zöë\0sésame")], [], taken("zöë", "sésame")],
  ["PLAIN", [base64("\0alice\0")], [], taken("alice", "")],
  ["PLAIN", [base64("\0a\0b").replaceAll("=", "")], [], taken("a", "b")],
  ["PLAIN", [base64("\0\0sesame")], [], unreadable],
  ["PLAIN", [base64("alice\0sesame")], [], unreadable],
  ["PLAIN", [base64("\0alice\0sesame\0")], [], unreadable],
  ["PLAIN", [base64("alice")], [], unreadable],
  ["PLAIN", ["="], [], unreadable],
  ["PLAIN", [null, ""], [""], unreadable],
  ["PLAIN", ["A"], [], unreadable],
  // RFC 4648 section 3.3: white space is no part of base64, wherever it stands.
  ...[" ", "\t", "\n", "\r", "\f", "\v", "\u00a0"].flatMap((space) =>
    [`${space}AGFsaWNlAA==`, `AGFs${space}aWNlAA==`, `AGFsaWNlAA==${space}`, space].map((
      response,
    ) => ["PLAIN", [response], [], unreadable] as const)
  ),
  ["PLAIN", ["AGFsaWNl=AA="], [], unreadable],
  ["PLAIN", ["AGFsaWNlAA==="], [], unreadable],
  ["PLAIN", ["AGFsaWNlAA="], [], unreadable],
  ["PLAIN", ["AGFsaWNl*HNlc2FtZQ=="], [], unreadable],
  ["PLAIN", ["AGFsaWNl-HNlc2FtZQ_="], [], unreadable],
  ["PLAIN", [Uint8Array.of(0, 0xff, 0, 0x61).toBase64()], [], unreadable],
  // draft-murchison-sasl-login
  [
    "LOGIN",
    [null, base64("alice"), base64("sesame")],
    ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"],
    taken("alice", "sesame"),
  ],
  ["LOGIN", [base64("alice"), base64("sesame")], ["UGFzc3dvcmQ6"], taken("alice", "sesame")],
  ["LOGIN", [base64("zöë"), "="], ["UGFzc3dvcmQ6"], taken("zöë", "")],
  ["LOGIN", [base64("alice"), ""], ["UGFzc3dvcmQ6"], taken("alice", "")],
  ["LOGIN", [null, "YWxp Y2U="], ["VXNlcm5hbWU6"], unreadable],
  ["LOGIN", ["YWxpY2U=", "c2Vz YW1l"], ["UGFzc3dvcmQ6"], unreadable],
  ["LOGIN", [null, "alice!"], ["VXNlcm5hbWU6"], unreadable],
  ["LOGIN", ["alice!"], [], unreadable],
  ["LOGIN", [base64("alice"), "sesame!"], ["UGFzc3dvcmQ6"], unreadable],
  ["LOGIN", [Uint8Array.of(0xff).toBase64()], [], unreadable],
];

for (const [mechanism, responses, challenges, result] of rows) {
  const sent = responses.map((response) => JSON.stringify(response)).join(", ");
  Deno.test(`begin() takes ${mechanism} ${sent} to ${result.kind}`, () => {
    assertEquals(play(mechanism, responses), { exchange: result, challenges: [...challenges] });
  });
}

for (const mechanism of ["CRAM-MD5", "XOAUTH2", "plain", ""]) {
  Deno.test(`begin() knows no mechanism "${mechanism}"`, () => {
    assertEquals(begin(mechanism, null), null);
    assertEquals(begin(mechanism, "AGEAYg=="), null);
  });
}

Deno.test("begin() knows every mechanism that EHLO offers", () => {
  for (const mechanism of mechanisms) assertEquals(begin(mechanism, null)?.kind, "challenge");
});

Deno.test("the challenges of LOGIN are the words that clients compare", () => {
  const words = play("LOGIN", [null, base64("a"), base64("b")]).challenges.map(atob);
  assertEquals(words, ["Username:", "Password:"]);
});
