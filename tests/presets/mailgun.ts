/**
 * An application that takes what Mailgun's routes forward, "fully parsed". Mailgun publishes the
 * fields.
 */
import { createHmac } from "node:crypto";
import { assert, assertEquals } from "../assert.ts";
import { assertFile, assertLimits, lines, text } from "./inbound.ts";
import type { Rules } from "./rules.ts";

const KEY = "key-0123456789abcdef";

/** "The base set of fields we send", but for `body-html`, which is there where there is HTML. */
const BASE = [
  ...["timestamp", "token", "signature", "recipient", "sender", "from", "subject", "body-plain"],
  "message-headers",
];

/** What may be there beside them, the last two where there are attachments. */
const OTHERS = ["stripped-text", "body-html", "attachment-count", "content-id-map"];

export const rules: Rules = {
  url: "https://my.application.com/messages",
  vars: { key: KEY },
  sources: [
    "https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http",
    "https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
    "https://github.com/anymail/django-anymail, tests/test_mailgun_inbound.py",
    "https://github.com/rails/rails, action_mailbox/ingresses/mailgun",
  ],
  valid(sent) {
    const { form, headers, context } = sent;
    assert(headers.get("content-type")!.startsWith("multipart/form-data; boundary="));
    for (const name of BASE) text(sent, name);
    // HMAC-SHA256 of timestamp and token, nothing between, in hexadecimal. A token of Mailgun has
    // 50 characters; no receiver was found that counts them, and an id does not come twice either.
    const [timestamp, token] = [text(sent, "timestamp"), text(sent, "token")];
    assert(/^\d{10}$/.test(timestamp) && token === context.id);
    assertEquals(
      text(sent, "signature"),
      createHmac("sha256", KEY).update(timestamp + token).digest("hex"),
    );
    const fields: unknown[] = JSON.parse(text(sent, "message-headers"));
    for (const field of fields) {
      assert(Array.isArray(field) && field.length === 2, JSON.stringify(field));
      assert(field.every((part) => typeof part === "string"));
    }
    // Files are attachment-1 and so on, as many as attachment-count says.
    const files = [...form!.keys()].filter((name) => /^attachment-\d+$/.test(name));
    assertEquals(files, context.attachments.map((_, index) => `attachment-${index + 1}`));
    const count = context.attachments.length;
    assertEquals(form!.get("attachment-count"), count === 0 ? undefined : [`${count}`]);
    // "content-id-map" names the file of each id; those of no id are no inline images.
    const ids = context.attachments.flatMap(({ contentId }, index) =>
      contentId === "" ? [] : [[`<${contentId}>`, `attachment-${index + 1}`]]
    );
    const map = count === 0 ? {} : JSON.parse(text(sent, "content-id-map"));
    assertEquals(map, Object.fromEntries(ids));
  },
  limits(sent) {
    // Of mails Mailgun takes those of up to 25 MB (from memory); nothing is cut.
    assertLimits(sent);
  },
  harmless(sent) {
    const { form, context } = sent;
    for (const [name, values] of form!) {
      assert([...BASE, ...OTHERS].includes(name) || /^attachment-\d+$/.test(name), name);
      assertEquals(values.length, 1, name);
    }
    assertEquals(text(sent, "sender"), context.sender);
    assertEquals(text(sent, "recipient"), context.recipients.join(", "));
    for (const [index, { octets }] of context.attachments.entries()) {
      assertFile(sent, `attachment-${index + 1}`, octets());
    }
  },
  tells(sent) {
    const { form, context } = sent;
    assertEquals(text(sent, "subject"), lines(context.subject));
    assertEquals(text(sent, "body-plain"), lines(context.body));
    assertEquals(text(sent, "stripped-text"), lines(context.replyText));
    assertEquals(form!.get("body-html"), context.html === "" ? undefined : [lines(context.html)]);
    const fields = JSON.parse(text(sent, "message-headers"));
    assertEquals(fields, context.headers.map(({ name, value }) => [name, value.toWellFormed()]));
  },
};
