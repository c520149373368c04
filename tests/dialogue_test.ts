/** The SMTP dialogues of `dialogues/`, in memory and over a socket; and that their players can say no. */
import { assertEquals, assertRejects } from "./assert.ts";
import { parseDialogue, readDialogues } from "./dialogue.ts";
import { playInMemory, playOverSocket } from "./player.ts";

for (const dialogue of await readDialogues()) {
  Deno.test(`${dialogue.name}: ${dialogue.title}`, async (t) => {
    await t.step("in memory, whole", () => playInMemory(dialogue, "whole"));
    await t.step("in memory, one octet at a time", () => playInMemory(dialogue, "octets"));
    await t.step("over a socket, in turns", () => playOverSocket(dialogue));
  });
}

const DELIVERY = `# A message
S: 220 *
C: HELO x
C: MAIL FROM:<a>
C: RCPT TO:<b>
C: DATA
C: .
S: 250 localhost
S: 250 *
S: 250 *
S: 354 *
S: 250 2.0.0 *
`;

const request = {
  method: "POST",
  path: "/mail",
  headers: { "webhook-id": "<id>" },
  body: {
    id: "<id>",
    timestamp: "<time>",
    sender: "a",
    recipients: ["b"],
    data: "",
    client: { hostname: "x", user: "" },
  },
};

/** What the server does not do, and what a player says to it. */
const lies: readonly (readonly [what: string, text: string, requests: typeof request[]])[] = [
  ["another reply", "# x\nS: 220 localhost\n", []],
  ["a reply that a wildcard does not cover", "# x\nS: 221 *\n", []],
  ["a reply too many", "# x\nS: 220 *\nC: NOOP\n", []],
  ["a reply too few", "# x\nS: 220 *\nC: QUIT\nS: 221 *\nS: 250 *\nS.\n", []],
  ["a request that nobody expects", DELIVERY, []],
  ["no request", "# x\nS: 220 *\n", [request]],
  ["one request of two", DELIVERY, [request, request]],
  ["a request with another path", DELIVERY, [{ ...request, path: "/" }]],
  ["a request with another header", DELIVERY, [{
    ...request,
    headers: { "webhook-id": "1" },
  }]],
  ["a request with another body", DELIVERY, [{
    ...request,
    body: { ...request.body, data: "\r\n" },
  }]],
];

for (const [what, text, requests] of lies) {
  Deno.test(`a player notices ${what}`, async () => {
    const dialogue = parseDialogue("lie", text, requests);
    await assertRejects(() => playInMemory(dialogue, "whole"));
    await assertRejects(() => playInMemory(dialogue, "octets"));
    await assertRejects(() => playOverSocket(dialogue));
  });
}

Deno.test("a player in memory notices who ends the connection", async () => {
  const lazy = parseDialogue("lie", "# x\nS: 220 *\nS.\n");
  await assertRejects(() => playInMemory(lazy, "whole"));
  const hasty = parseDialogue("lie", "# x\nC: QUIT\nS: 220 *\nS: 221 *\n");
  await assertRejects(() => playInMemory(hasty, "whole"));
});

Deno.test("parseDialogue() reads every kind of line", () => {
  const { flags, answers, turns, title } = parseDialogue(
    "x",
    '# One\n# title.\n--max-size 5\n--template\nE: 503\nE: silence\n\nC: é\nC!  ["\\u00e9", ["ab", 2]]\n' +
      "C:\nS: a *\nS: b\n# not the title\nC.\nS.\n",
  );
  assertEquals(title, "One title.");
  assertEquals(flags, ["--max-size", "5", "--template"]);
  assertEquals(answers, [503, "silence"]);
  assertEquals(turns, [
    {
      kind: "client",
      octets: Uint8Array.of(0xc3, 0xa9, 13, 10, 0xe9, 0x61, 0x62, 0x61, 0x62, 13, 10),
    },
    { kind: "server", lines: ["a *", "b"] },
    { kind: "client closes" },
    { kind: "server closes" },
  ]);
});

for (
  const [what, text] of [
    ["a line of no kind", "# x\nS: 220 *\nX: y\n"],
    ["a mark without its blank", "# x\nS: 220 *\nC:NOOP\n"],
    ["a text that is no JSON", "# x\nS: 220 *\nC! NOOP\n"],
    ["a character that is no octet", '# x\nS: 220 *\nC! "\u20ac"\n'],
    ["an answer that is no status", "# x\nE: 99\nS: 220 *\n"],
    ["a dialogue without a title", "S: 220 *\n"],
    ["a dialogue that expects nothing", "# x\nC: NOOP\n"],
  ]
) {
  Deno.test(`parseDialogue() refuses ${what}`, async () => {
    await assertRejects(() => Promise.try(() => parseDialogue("x", text)));
  });
}
