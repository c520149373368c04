/** The hand-written contexts of sample.ts, against what the parser makes of the same message. */
import type { Surroundings, TemplateContext } from "../lib/context.ts";
import { read } from "../lib/message.ts";
import { sampleContexts, sampleMail } from "../lib/sample.ts";
import { assertEquals } from "./assert.ts";

const surroundings: Surroundings = {
  version: "1.2.3",
  hostname: () => "pigeon.example",
  env: () => undefined,
  vars: { room: "cellar" },
};

/** All fields, with what is computed when it is read. */
function plain(context: TemplateContext): Record<string, unknown> {
  const lists = ["from", "to", "cc", "bcc", "replyTo"] as const;
  const texts = lists.map((name) => [`${name}.text`, context[name].text]);
  return { ...JSON.parse(JSON.stringify(context)), ...Object.fromEntries(texts) };
}

Deno.test("the rich sample is what read() makes of the sample message", async () => {
  const [sample] = sampleContexts(surroundings);
  const mail = sampleMail(sample.id, new Date("2022-01-01T10:10:20Z"));
  const context = await read(mail, surroundings);
  assertEquals(plain(sample), plain(context));
  assertEquals(Object.keys(sample).sort(), Object.keys(context).sort());
  assertEquals(sample.attachments.map(({ content }) => atob(content).length), [8, 42]);
});

Deno.test("the bare sample is what read() makes of an empty message", async () => {
  const [, sample] = sampleContexts(surroundings);
  const mail = sampleMail(sample.id, new Date("2022-01-01T10:10:24Z"));
  const context = await read({
    ...mail,
    client: { ...mail.client, hostname: null },
    envelope: { reversePath: null, forwardPaths: [{ localPart: "root", domain: null }] },
    data: new Uint8Array(0),
  }, surroundings);
  assertEquals(plain(sample), plain(context));
});
