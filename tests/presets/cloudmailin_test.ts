/** What applications read of CloudMailin's JSON, of mails made for it. */
import { assertEquals } from "../assert.ts";
import { largeLetters } from "./hostile.ts";
import { assertRight, renderer } from "./rules.ts";
import { rules } from "./cloudmailin.ts";

const render = await renderer("cloudmailin", rules);

Deno.test("cloudmailin: a field that comes several times is a list, others are texts", async () => {
  const { json } = await render({
    data: "Received: by a\nSubject: Hi\nRECEIVED: by b\nMessage-ID: <1@x>\nX-Spam-Level: 2\n\n",
  });
  assertEquals(json.headers, {
    received: ["by a", "by b"],
    subject: "Hi",
    message_id: "<1@x>",
    x_spam_level: "2",
  });
});

Deno.test("cloudmailin: names of fields that JavaScript knows are names like others", async () => {
  const sent = await render({
    data: "__proto__: a\nConstructor: b\nconstructor: c\ntoString: d\nSubject: Hi\n\nx\n",
  });
  assertRight(rules, sent);
  assertEquals(Object.entries(sent.json.headers), [
    ["__proto__", "a"],
    ["constructor", ["b", "c"]],
    ["tostring", "d"],
    ["subject", "Hi"],
  ]);
});

Deno.test("cloudmailin: an empty mail is one, and a bounce is from nobody", async () => {
  const sent = await render({ data: "", sender: "" });
  assertRight(rules, sent);
  assertEquals(sent.json, {
    headers: {},
    envelope: {
      to: "root@example.net",
      recipients: ["root@example.net"],
      from: "",
      helo_domain: "lamp",
      remote_ip: "192.0.2.1",
      spf: { result: "none", domain: "lamp" },
      tls: false,
    },
    plain: "",
    html: "",
    reply_plain: "",
    attachments: [],
  });
});

Deno.test("cloudmailin: attachments need not say so, inline images keep their ids", async () => {
  const part = (fields: string) => `--b\n${fields}\n\nx\n`;
  const sent = await render({
    data: "Content-Type: multipart/mixed; boundary=b\n\n" +
      part('Content-Type: application/pdf; name="a.pdf"') +
      part(
        'Content-Type: image/png; name="b.png"\nContent-Disposition: inline\nContent-ID: <i@x>',
      ) +
      "--b--\n",
  });
  assertRight(rules, sent);
  assertEquals(
    sent.json.attachments.map((
      { file_name, disposition, content_id }: Record<string, string>,
    ) => [file_name, disposition, content_id]),
    [["a.pdf", "attachment", ""], ["b.png", "inline", "i@x"]],
  );
});

Deno.test("cloudmailin: what a mail says stays a text, as JSON or not", async () => {
  const evil = `"}, "envelope": {"from": "forged"}, "x": "\\`;
  const sent = await render({ data: `Subject: ${evil}\nX-Evil: ${evil}\n\n${evil}\u2028\u0000\n` });
  assertRight(rules, sent);
  assertEquals(sent.json.headers, { subject: evil, x_evil: evil });
});

Deno.test("cloudmailin: a hundred recipients and megabytes of body are whole", async () => {
  for (const letter of largeLetters()) assertRight(rules, await render(letter));
});
