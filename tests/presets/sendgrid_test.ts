/** What applications read of SendGrid's inbound parse webhook, of mails made for it. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { largeLetters } from "./hostile.ts";
import { assertRight, renderer } from "./rules.ts";
import { rules } from "./sendgrid.ts";

const render = await renderer("sendgrid", rules);

Deno.test("sendgrid: an empty mail is from and to whom its envelope names", async () => {
  const sent = await render({ data: "", recipients: ["a@example.net", "b@example.net"] });
  assertRight(rules, sent);
  const { form } = sent;
  assertEquals([form!.get("from"), form!.get("to")], [
    ["lamp@example.org"],
    ["a@example.net, b@example.net"],
  ]);
  assertEquals([form!.get("headers"), form!.get("attachments")], [[""], ["0"]]);
  assert(!form!.has("attachment-info") && !form!.has("html") && !form!.has("cc"));
});

Deno.test("sendgrid: the raw header says what the mail's says, decoded", async () => {
  const sent = await render({
    data:
      "Received: by a;\n Mon, 1 Jan 2022\nReceived: by b\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n" +
      "Cc: Bob <bob@example.org>\n\nx\n",
  });
  assertRight(rules, sent);
  assertEquals(sent.form!.get("headers"), [
    "Received: by a; Mon, 1 Jan 2022\r\nReceived: by b\r\nSubject: Grüße\r\n" +
    "Cc: Bob <bob@example.org>\r\n",
  ]);
  assertEquals(sent.form!.get("cc"), ["Bob <bob@example.org>"]);
});

Deno.test("sendgrid: an encoded line break in a field begins no other field", async () => {
  for (const end of ["\r\n", "\n", "\r"]) {
    const evil = btoa(`x${end}From: root@example.org${end}${end}forged`);
    const sent = await render({
      data: `Subject: =?utf-8?B?${evil}?=\nX-Evil: =?utf-8?B?${evil}?=\n` +
        `From: =?utf-8?B?${evil}?= <a@example.org>\n\nx\n`,
    });
    assertRight(rules, sent);
  }
});

Deno.test("sendgrid: attachments are files, and inline images keep their ids", async () => {
  const part = (fields: string) => `--b\n${fields}\n\nx\n`;
  const sent = await render({
    data: "Content-Type: multipart/mixed; boundary=b\n\n" +
      part('Content-Type: application/pdf; name="a\\"b.pdf"') +
      part('Content-Type: image/png; name="b.png"\nContent-ID: <"}@x>') + "--b--\n",
  });
  assertRight(rules, sent);
  const info = JSON.parse(String(sent.form!.get("attachment-info")));
  assertEquals(info.attachment2, {
    filename: "b.png",
    name: "b.png",
    "content-id": '"}@x',
    type: "image/png",
  });
  assert(!("content-id" in info.attachment1));
  assertEquals(sent.form!.get("content-ids"), ['{"\\"}@x":"attachment2"}']);
});

Deno.test("sendgrid: a hundred recipients and megabytes of body are whole", async () => {
  for (const letter of largeLetters()) assertRight(rules, await render(letter));
});

Deno.test("sendgrid: who wants it gets the whole message, and no files", async () => {
  const raw = await renderer("sendgrid", { ...rules, vars: { raw: "yes" } }, {
    mode: "drop",
    maxOctets: 0,
  });
  const { form } = await raw({
    data: "Content-Type: multipart/mixed; boundary=b\n\n--b\n" +
      'Content-Type: image/png; name="b.png"\n\nx\n--b--\n',
  });
  assertMatch(String(form!.get("email")), /^Content-Type: multipart.*b\.png"\r\n\r\nx\r\n--b--/s);
  assertEquals(form!.get("attachments"), ["0"]);
});

Deno.test("sendgrid counts and numbers the files that it sends", async () => {
  const two = "Content-Type: multipart/mixed; boundary=b\n\n" +
    "--b\nContent-Type: a/b; name=large\n\n1234567890\n--b\nContent-Type: a/b; name=small\n\n1\n--b--\n";
  for (const [maxOctets, names] of [[10, ["large", "small"]], [9, ["small"]], [0, []]] as const) {
    const render = await renderer("sendgrid", rules, { mode: "include", maxOctets });
    const { form } = await render({ data: two });
    const files = Array.from(form!).flatMap(([field, [value]]) =>
      typeof value === "string" ? [] : [[field, value.filename]]
    );
    const prefix = "attachment";
    assertEquals(files, names.map((name, at) => [`${prefix}${at + 1}`, name]));
    assertEquals(form!.get("attachments") ?? ["0"], [String(names.length)]);
  }
});
