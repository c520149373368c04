/** A message from a file: its header stands for the envelope that it came without. */
import { replay } from "../lib/replay.ts";
import { assertEquals } from "./assert.ts";

const surroundings = { version: "1", hostname: () => "", env: () => undefined, vars: {} };

const replayed = (text: string) =>
  replay(new TextEncoder().encode(text), "an id", new Date(1_000), surroundings);

const envelopes: [header: string, sender: string, recipients: string[]][] = [
  ["From: A <a@x.example>\nTo: b@x.example\n", "a@x.example", ["b@x.example"]],
  [
    "From: a@x.example, b@x.example\nTo: c@x.example, D <d@x.example>\nCc: e@x.example\nBcc: f@x.example\n",
    "a@x.example",
    ["c@x.example", "d@x.example", "e@x.example", "f@x.example"],
  ],
  ["To: Friends: a@x.example, B <b@x.example>;\n", "", ["a@x.example", "b@x.example"]],
  ["To: undisclosed-recipients:;\n", "", ["postmaster"]],
  ["From: nobody\nTo: \n", "", ["postmaster"]],
  ["Subject: none\n", "", ["postmaster"]],
  ["Sender: s@x.example\nReturn-Path: <r@x.example>\n", "", ["postmaster"]],
];
for (const [header, sender, recipients] of envelopes) {
  Deno.test(`replay() reads an envelope off ${JSON.stringify(header)}`, async () => {
    const context = await replayed(`${header}\nbody\n`);
    assertEquals([context.sender, context.recipients], [sender, recipients]);
    assertEquals(context.body, "body\n");
  });
}

Deno.test("replay() knows as much of its client as there is to know", async () => {
  const { id, timestamp, client, size } = await replayed("Subject: x\r\n\r\nbody\r\n");
  assertEquals([id, timestamp.unix, size], ["an id", 1, 20]);
  assertEquals(client, { address: "127.0.0.1", port: 0, hostname: "", tls: false, user: "" });
});

for (const text of ["", "\n", "\0\xff", "no header at all", "Content-Type: multipart/mixed\n\nx"]) {
  Deno.test(`replay() makes something of ${JSON.stringify(text)}`, async () => {
    const { sender, recipients, data } = await replayed(text);
    assertEquals([sender, recipients, String(data)], ["", ["postmaster"], text]);
  });
}
