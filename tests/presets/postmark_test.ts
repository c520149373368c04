/** What applications read of Postmark's webhook, of mails made for it. */
import { assertEquals, assertMatch } from "../assert.ts";
import { largeLetters } from "./hostile.ts";
import { assertRight, renderer } from "./rules.ts";
import { rules } from "./postmark.ts";

const render = await renderer("postmark", rules);

Deno.test("postmark: the part of an address behind its + is the hash of its mailbox", async () => {
  const { json } = await render({
    data: "From: Ann <ann+x@example.org>\nTo: <in+sale@example.net>, b@example.net\n" +
      "Cc: in+cc@example.net\n\nHi\n",
    recipients: ["in+42@example.net", "b@example.net"],
  });
  assertEquals(json.MailboxHash, "42");
  assertEquals(json.FromFull, { Email: "ann+x@example.org", Name: "Ann", MailboxHash: "x" });
  assertEquals(json.ToFull, [
    { Email: "in+sale@example.net", Name: "", MailboxHash: "sale" },
    { Email: "b@example.net", Name: "", MailboxHash: "" },
  ]);
  assertEquals(json.CcFull, [{ Email: "in+cc@example.net", Name: "", MailboxHash: "cc" }]);
});

Deno.test("postmark: a mail without a header is from and to whom its envelope names", async () => {
  const sent = await render({ data: "\n", recipients: ["root+1@example.net", "b@example.net"] });
  assertRight(rules, sent);
  const { json } = sent;
  assertEquals(json.FromFull, { Email: "lamp@example.org", Name: "", MailboxHash: "" });
  assertEquals(json.To, "root+1@example.net, b@example.net");
  assertEquals(json.ToFull, [
    { Email: "root+1@example.net", Name: "", MailboxHash: "1" },
    { Email: "b@example.net", Name: "", MailboxHash: "" },
  ]);
  assertEquals(json.Date, "Sat, 01 Jan 2022 10:10:20 +0000");
});

Deno.test("postmark: a date is told in UTC, and none is the time of receipt", async () => {
  const date = async (value: string) => (await render({ data: `Date: ${value}\n\n` })).json.Date;
  assertEquals(await date("Mon, 16 Jan 2012 09:00:07 -0800"), "Mon, 16 Jan 2012 17:00:07 +0000");
  assertEquals(await date("yesterday"), "Sat, 01 Jan 2022 10:10:20 +0000");
});

Deno.test("postmark: what a mail says stays a text, whatever JSON would make of it", async () => {
  const evil = `"}], "MessageID": "forged", "x": "\\`;
  const sent = await render({
    data: `From: "${evil.replace(/["\\]/g, "\\$&")}" <a@example.org>\nSubject: ${evil}\n` +
      `X-Evil: ${evil}\n\n${evil}\n\u2028\u0000`,
  });
  assertRight(rules, sent);
  assertEquals(sent.json.FromName, evil);
  assertEquals(sent.json.Headers.at(-1), { Name: "X-Evil", Value: evil });
});

Deno.test("postmark: a hundred recipients and megabytes of body are whole", async () => {
  for (const { data, recipients } of largeLetters()) {
    const to = `To: ${recipients.join(",\n ")}\n`;
    const sent = await render({ data: to + data, recipients });
    assertRight(rules, sent);
    assertEquals(sent.json.ToFull.length, 100);
  }
});

Deno.test("postmark: who wants it gets the whole message", async () => {
  const raw = await renderer("postmark", { ...rules, vars: { raw: "yes" } }, {
    mode: "drop",
    maxOctets: 0,
  });
  const { json } = await raw({ data: 'Subject: Hi\nMessage-ID: <1@x>\n\nDear "Bob"\n' });
  assertMatch(json.RawEmail, /^Subject: Hi\r\nMessage-ID: <1@x>\r\n\r\nDear "Bob"\r\n$/);
  assertEquals([json.TextBody, json.Attachments], ['Dear "Bob"\n', []]);
});
