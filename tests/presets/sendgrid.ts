/** An application that takes SendGrid's inbound parse webhook. SendGrid publishes the fields. */
import { assert, assertEquals } from "../assert.ts";
import { assertFile, assertLimits, lines, text } from "./inbound.ts";
import type { Rules } from "./rules.ts";

/** What is in every form. */
const BASE = [
  ...[
    "headers",
    "from",
    "to",
    "subject",
    "text",
    "envelope",
    "sender_ip",
    "SPF",
    "dkim",
    "charsets",
  ],
  "attachments",
];

/** What is there where a mail has it. */
const OTHERS = ["cc", "html", "attachment-info", "content-ids"];

export const rules: Rules = {
  url: "https://user:password@my.application.com/parse",
  vars: {},
  sources: [
    "https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook",
    "https://github.com/sendgrid/docs, content/docs/for-developers/parsing-email/inbound-email.md",
    "https://github.com/anymail/django-anymail, tests/test_sendgrid_inbound.py",
    "https://github.com/rails/rails, action_mailbox/ingresses/sendgrid",
  ],
  valid(sent) {
    const { form, headers, context } = sent;
    assert(headers.get("content-type")!.startsWith("multipart/form-data; boundary="));
    for (const name of BASE) text(sent, name);
    // "JSON string containing the SMTP envelope"; Rails wants `to` to be a list of texts.
    assertEquals(Object.keys(JSON.parse(text(sent, "envelope"))), ["to", "from"]);
    const charsets = JSON.parse(text(sent, "charsets"));
    for (const name of ["to", "cc", "from", "subject", "text", "html"]) {
      assert(!form!.has(name) || charsets[name] === "UTF-8", name);
    }
    // Files are attachment1 and so on, and attachment-info has a member for each.
    const count = context.attachments.length;
    const names = context.attachments.map((_, index) => `attachment${index + 1}`);
    assertEquals([...form!.keys()].filter((name) => /^attachment\d+$/.test(name)), names);
    assertEquals(text(sent, "attachments"), `${count}`);
    const info = count === 0 ? {} : JSON.parse(text(sent, "attachment-info"));
    assertEquals(Object.keys(info), names);
    const ids = count === 0 ? {} : JSON.parse(text(sent, "content-ids"));
    for (const name of Object.values(ids)) assert(names.includes(`${name}`), `${name}`);
    for (const [index, { contentId, contentType }] of context.attachments.entries()) {
      assert(contentId === "" || Object.hasOwn(ids, contentId), contentId);
      const { filename, type, "content-id": id } = info[names[index]];
      assertEquals([typeof filename, type, id ?? ""], ["string", contentType, contentId]);
    }
  },
  limits(sent) {
    // Of mails SendGrid takes those of up to 30 MB; what it takes it sends, and so nothing is cut.
    assertLimits(sent);
  },
  harmless(sent) {
    const { form, context } = sent;
    for (const [name, values] of form!) {
      assert([...BASE, ...OTHERS].includes(name) || /^attachment\d+$/.test(name), name);
      assertEquals(values.length, 1, name);
    }
    // The raw header has a line for each field: none can say two, nor end the header.
    const lines = text(sent, "headers").split("\r\n");
    assertEquals([lines.length - 1, lines.at(-1)], [context.headers.length, ""]);
    for (const [index, { name }] of context.headers.entries()) {
      assert(lines[index].startsWith(`${name}: `), lines[index]);
    }
    // What nobody checked has not passed.
    assertEquals([text(sent, "SPF"), text(sent, "dkim")], ["none", "none"]);
    assertEquals(JSON.parse(text(sent, "envelope")), {
      to: context.recipients,
      from: context.sender,
    });
    for (const [index, { octets }] of context.attachments.entries()) {
      assertFile(sent, `attachment${index + 1}`, octets());
    }
  },
  tells(sent) {
    const { form, context } = sent;
    assertEquals(text(sent, "subject"), lines(context.subject));
    assertEquals(text(sent, "text"), lines(context.body));
    assertEquals(form!.get("html"), context.html === "" ? undefined : [lines(context.html)]);
  },
};
