/**
 * An application that takes Postmark's inbound webhook. Postmark publishes what it sends, as an
 * example and as types of its library; what it takes of a mail has a limit, what it sends has none.
 */
import { assert, assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";

/** The members of a request, as postmark.js has them; `Tag` and `RawEmail` may be missing. */
const TEXTS = [
  ...["FromName", "MessageStream", "From", "To", "Cc", "Bcc", "OriginalRecipient", "Subject"],
  ...["MessageID", "ReplyTo", "MailboxHash", "Date", "TextBody", "HtmlBody", "StrippedTextReply"],
  "Tag",
];

/** Its lists, and the members of an item. */
const LISTS = {
  ToFull: ["Email", "Name", "MailboxHash"],
  CcFull: ["Email", "Name", "MailboxHash"],
  BccFull: ["Email", "Name", "MailboxHash"],
  Headers: ["Name", "Value"],
  Attachments: ["Name", "Content", "ContentType", "ContentLength", "ContentID"],
};

/** Postmark says that a date is in the form of RFC 822, today RFC 5322 section 3.3. */
const DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}$/;

/** Most octets for one of a mail: a control character has six in JSON, in text and in reply. */
const MAX_GROWTH = 12;

export const rules: Rules = {
  url: "https://user:password@my.application.com/inbound",
  vars: {},
  sources: [
    "https://postmarkapp.com/developer/webhooks/inbound-webhook",
    "https://github.com/ActiveCampaign/postmark.js, InboundWebhook.ts",
    "https://postmarkapp.com/support/article/1056-what-are-the-attachment-and-email-size-limits",
  ],
  valid({ json, headers }) {
    assertEquals(headers.get("content-type"), "application/json");
    // Basic authentication is how applications tell Postmark from others.
    assertEquals(headers.get("authorization"), `Basic ${btoa("user:password")}`);
    for (const name of TEXTS) assertEquals(typeof json[name], "string", name);
    assertEquals(Object.keys(json.FromFull), LISTS.ToFull);
    for (const [name, members] of Object.entries(LISTS)) {
      assert(Array.isArray(json[name]), name);
      for (const item of json[name]) assertEquals(Object.keys(item), members);
    }
    for (const { Content, ContentLength } of json.Attachments) {
      assertEquals(atob(Content).length, ContentLength);
    }
    assert(DATE.test(json.Date), json.Date);
    // Applications look for whom it is: neither may be missing where a mail does not name them.
    assert(json.ToFull.length > 0 && json.OriginalRecipient !== "");
  },
  limits({ octets, context: { size, attachments, recipients } }) {
    // Of a mail Postmark takes 35 MB of attachments; what it takes it sends, and so nothing is cut.
    const most = MAX_GROWTH * size + 600 * attachments.length + 8 * recipients.join().length;
    assert(octets.length <= most + 1000, `${octets.length} octets`);
  },
  harmless({ json, context }) {
    const members = [...TEXTS, "FromFull", ...Object.keys(LISTS)];
    assertEquals(Object.keys(json).sort(), members.sort());
    // What Postmark itself says is not what a mail says.
    assertEquals([json.MessageStream, json.MessageID, json.Tag], ["inbound", context.id, ""]);
    assertEquals(json.OriginalRecipient, context.recipients.join(", "));
    for (const { Name } of json.Attachments) assert(!/[/\\\p{Cc}]/u.test(Name), Name);
  },
  tells({ json, context }) {
    assertEquals([json.Subject, json.TextBody], [context.subject, context.body]);
    assertEquals([json.HtmlBody, json.StrippedTextReply], [context.html, context.replyText]);
    assertEquals(json.Headers.length, context.headers.length);
    assertEquals(json.Attachments.length, context.attachments.length);
  },
};
