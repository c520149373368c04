/**
 * An application that takes SendGrid's inbound parse webhook. SendGrid publishes the fields;
 * frameworks that read the form have limits of their own for how many it may have.
 */
import { assert, assertEquals } from "../assert.ts";
import type { Rules, Sent, SentFile } from "./rules.ts";

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

/** Fields of a form that are no files: Django's DATA_UPLOAD_MAX_NUMBER_FIELDS, from memory. */
const MAX_FIELDS = 1000;

/** Most octets for one of a mail: ids of attachments are in it twice, with quotes. */
const MAX_GROWTH = 8;

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
  limits({ octets, context, form }) {
    // Of mails SendGrid takes those of up to 30 MB; what it takes it sends, and so nothing is cut.
    const fields = [...form!.values()].flat().filter((value) => typeof value === "string");
    assert(fields.length <= MAX_FIELDS);
    const { size, attachments, recipients } = context;
    const most = MAX_GROWTH * size + 600 * attachments.length + 8 * recipients.join().length;
    assert(octets.length <= most + 1500, `${octets.length} octets`);
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
      const [file] = form!.get(`attachment${index + 1}`) as SentFile[];
      assertEquals(file.octets, octets());
      // Django drops files that have no name (its ticket 15879, as django-anymail says).
      assert(/^[^/\\\p{Cc}]+$/u.test(file.filename), file.filename);
    }
  },
  tells(sent) {
    const { form, context } = sent;
    assertEquals(text(sent, "subject"), lines(context.subject));
    assertEquals(text(sent, "text"), lines(context.body));
    assertEquals(form!.get("html"), context.html === "" ? undefined : [lines(context.html)]);
  },
};

function text({ form }: Sent, name: string): string {
  const [value] = form!.get(name) ?? [];
  assert(typeof value === "string", name);
  return value;
}

/** As a form says it: with CRLF between lines (RFC 7578 section 4.4). */
const lines = (text: string) => text.toWellFormed().replace(/\r\n?|\n/g, "\r\n");
