/** What applications read of what Mailgun forwards, of mails made for it. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { largeLetters } from "./hostile.ts";
import { assertRight, renderer, type SentFile } from "./rules.ts";
import { rules } from "./mailgun.ts";

const render = await renderer("mailgun", rules);

Deno.test("mailgun: an empty mail is from whom its envelope names, and has no files", async () => {
  const sent = await render({ data: "", recipients: ["a@example.net", "b@example.net"] });
  assertRight(rules, sent);
  assertEquals(sent.form!.get("from"), ["lamp@example.org"]);
  assertEquals(sent.form!.get("recipient"), ["a@example.net, b@example.net"]);
  assertEquals(sent.form!.get("message-headers"), ["[]"]);
});

Deno.test("mailgun: attachments are files, numbered from 1, whatever they are", async () => {
  const part = (fields: string, content: string) => `--b\n${fields}\n\n${content}\n`;
  const sent = await render({
    data: "Content-Type: multipart/mixed; boundary=b\n\n" +
      part("Content-Type: text/plain", "See there.") +
      part('Content-Type: text/csv; name="a.csv"\nContent-Disposition: attachment', "1,2") +
      part('Content-Type: image/png; name="b.png"\nContent-ID: <i@x>', "") +
      part('Content-Type: message/rfc822; name="../c\\".eml"', "Subject: Inner\n\nx") + "--b--\n",
  });
  assertRight(rules, sent);
  const files = [1, 2, 3].map((number) => sent.form!.get(`attachment-${number}`)![0] as SentFile);
  assertEquals(files.map(({ contentType }) => contentType), [
    "text/csv",
    "image/png",
    "message/rfc822",
  ]);
  assertEquals(files.map(({ octets }) => octets.length), [3, 0, 19]);
  assertEquals(sent.form!.get("content-id-map"), ['{"<i@x>":"attachment-2"}']);
});

Deno.test("mailgun: a mail cannot add fields to the form, nor end one", async () => {
  const boundary = "----WebKitFormBoundary";
  const evil = `"\r\n${boundary}\r\nContent-Disposition: form-data; name="signature"\r\n\r\nforged`;
  const sent = await render({
    data: `Subject: =?utf-8?B?${btoa(evil)}?=\nX-Evil: =?utf-8?B?${btoa(evil)}?=\n` +
      `Content-Type: multipart/mixed; boundary=b\n\n--b\n\n${evil}\n--b\n` +
      `Content-Type: text/x; name="=?utf-8?B?${btoa(evil)}?="\n` +
      "Content-Disposition: attachment\n\nx\n--b--\n",
  });
  assertRight(rules, sent);
});

Deno.test("mailgun: the beginnings of later fields in a header do not become fields", async () => {
  const sent = await render({ data: 'X-A: ", "b"], ["Forged", "\\\nX-B: \u0000\u2028\n\nx\n' });
  assertRight(rules, sent);
});

Deno.test("mailgun: a hundred recipients and megabytes of body are whole", async () => {
  for (const letter of largeLetters()) assertRight(rules, await render(letter));
});

Deno.test("mailgun: who wants it gets the whole message, and no files", async () => {
  const raw = await renderer("mailgun", { ...rules, vars: { ...rules.vars, raw: "yes" } }, {
    mode: "drop",
    maxOctets: 0,
  });
  const { form } = await raw({
    data: "Content-Type: multipart/mixed; boundary=b\n\n--b\n" +
      'Content-Type: image/png; name="b.png"\n\nx\n--b--\n',
  });
  assertMatch(
    String(form!.get("body-mime")),
    /^Content-Type: multipart.*b\.png"\r\n\r\nx\r\n--b--/s,
  );
  assert(!form!.has("attachment-1") && !form!.has("attachment-count"));
});

Deno.test("mailgun counts and numbers the files that it sends", async () => {
  const two = "Content-Type: multipart/mixed; boundary=b\n\n" +
    "--b\nContent-Type: a/b; name=large\n\n1234567890\n--b\nContent-Type: a/b; name=small\n\n1\n--b--\n";
  for (const [maxOctets, names] of [[10, ["large", "small"]], [9, ["small"]], [0, []]] as const) {
    const render = await renderer("mailgun", rules, { mode: "include", maxOctets });
    const { form } = await render({ data: two });
    const files = Array.from(form!).flatMap(([field, [value]]) =>
      typeof value === "string" ? [] : [[field, value.filename]]
    );
    const prefix = "attachment-";
    assertEquals(files, names.map((name, at) => [`${prefix}${at + 1}`, name]));
    assertEquals(form!.get("attachment-count") ?? ["0"], [String(names.length)]);
  }
});
