/**
 * An application that takes CloudMailin's JSON (normalised). CloudMailin publishes what it sends;
 * how large that may be follows from an account, and is no rule of the form.
 */
import { assert, assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";

/** The members of a request, of its envelope, and of an attachment that is no URL. */
const MEMBERS = ["headers", "envelope", "plain", "html", "reply_plain", "attachments"];
const ENVELOPE = ["to", "recipients", "from", "helo_domain", "remote_ip", "spf", "tls"];
const ATTACHMENT = ["content", "file_name", "content_type", "size", "disposition", "content_id"];

/** Most octets for one of a mail: a control character has six in JSON, in text and in reply. */
const MAX_GROWTH = 12;

export const rules: Rules = {
  url: "https://user:password@my.application.com/incoming_mails",
  vars: {},
  sources: [
    "https://docs.cloudmailin.com/http_post_formats/json_normalized/",
    "https://docs.cloudmailin.com/receiving_email/multiple_recipients/",
    "https://github.com/cloudmailin/cloudmailin-js, src/models/IncomingMail.ts",
  ],
  valid({ json, headers }) {
    assertEquals(headers.get("content-type"), "application/json");
    assertEquals(headers.get("authorization"), `Basic ${btoa("user:password")}`);
    assertEquals(Object.keys(json), MEMBERS);
    const { envelope, attachments } = json;
    assertEquals(Object.keys(envelope), ENVELOPE);
    assertEquals(Object.keys(envelope.spf), ["result", "domain"]);
    assertEquals([typeof envelope.tls, envelope.to], ["boolean", envelope.recipients[0]]);
    // Names are in lower case, with underscores; a field that comes several times is a list, one
    // that comes once a text.
    for (const [name, value] of Object.entries(json.headers)) {
      assert(!/[A-Z-]/.test(name), name);
      assert(typeof value === "string" || (Array.isArray(value) && value.length > 1), name);
    }
    // "If there are no attachments then an empty array will always be passed"
    for (const attachment of attachments) {
      assertEquals(Object.keys(attachment), ATTACHMENT);
      assertEquals(atob(attachment.content).length, attachment.size);
      assert(["attachment", "inline"].includes(attachment.disposition), attachment.disposition);
    }
  },
  limits({ octets, context: { size, attachments, recipients } }) {
    const most = MAX_GROWTH * size + 600 * attachments.length + 8 * recipients.join().length;
    assert(octets.length <= most + 1000, `${octets.length} octets`);
  },
  harmless({ json, context }) {
    // What the envelope says, the header of a mail cannot say.
    assertEquals(json.envelope.from, context.sender);
    assertEquals(json.envelope.recipients, context.recipients);
    // A check that nobody made has no result (RFC 7208 section 2.6.1).
    assertEquals(json.envelope.spf.result, "none");
    for (const { file_name } of json.attachments) assert(!/[/\\\p{Cc}]/u.test(file_name));
  },
  tells({ json, context }) {
    assertEquals([json.plain, json.html], [context.body, context.html]);
    assertEquals([json.reply_plain, json.attachments.length], [
      context.replyText,
      context.attachments.length,
    ]);
    const { subject = "" } = json.headers;
    assertEquals([subject].flat()[0], context.subject);
  },
};
