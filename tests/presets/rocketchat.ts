/** Rocket.Chat's incoming integrations: a message of one attachment with one field. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { assertClosed, assertSays, assertUnformatted, assertUntagged } from "./markdown.ts";
import type { Rules } from "./rules.ts";
import { assertBeginsWith } from "./wording.ts";

export const rules: Rules = {
  url: "https://rocketchat.example.com/hooks/integration/token",
  vars: {},
  sources: [
    "https://docs.rocket.chat/docs/integrations",
    "https://github.com/RocketChat/docs-old/blob/master/guides/api-guides/rest-api/chat/postmessage.md",
    "https://github.com/RocketChat/Rocket.Chat/tree/develop/apps/meteor/",
    "there: app/lib/server/functions/sendMessage.ts, app/lib/server/functions/processWebhookMessage.ts",
    "there: app/mentions/server/Mentions.ts, client/components/MarkdownText.tsx",
    "there: client/components/message/content/attachments/DefaultAttachment.tsx",
  ],
  valid({ json, headers, request }) {
    assertEquals(request.method, "POST");
    assertEquals(headers.get("content-type"), "application/json");
    // "text" may be missing because of the attachments.
    assertEquals(json.attachments.length, 1);
    const [{ title, ts, fields }] = json.attachments;
    assertEquals(typeof title, "string");
    assertMatch(ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    // validateAttachmentsFields: both are required and must not be empty.
    assertEquals(fields.length, 1);
    assert(fields[0].title !== "" && fields[0].value !== "", "a field is empty");
  },
  limits({ json }) {
    const [{ title, fields: [field] }] = json.attachments;
    // Message_MaxAllowedSize, 5000 characters unless an administrator says otherwise (from memory).
    // For webhooks it is not checked (sendMessage.ts leaves it to its callers); kept all the same.
    assert((title + field.title + field.value).length <= 5000, "a message: 5000 characters");
  },
  harmless({ json }) {
    // Mentions.ts looks for them in the text of a message and in the "description" of attachments.
    // Another name needs a permission, a channel is refused by most integrations.
    assertEquals(Object.keys(json).join(), "attachments");
    const [{ fields: [field], ...attachment }] = json.attachments;
    // No link, image or action; the title is not formatted (DefaultAttachment.tsx).
    assertEquals(Object.keys(attachment).join(), "title,ts");
    // Fields are CommonMark (MarkdownText.tsx), of which only what stands in lines.
    for (const text of [field.title, field.value]) {
      assertUnformatted(text);
      assertUntagged(text);
      assertClosed(text);
    }
  },
  tells({ json, context }) {
    const [{ title, fields: [field] }] = json.attachments;
    assertBeginsWith(title, context.subject, "(no subject)");
    assertSays(field.title, context.from.text || context.sender, "<>");
    assertSays(field.value, context.body, "(no text)");
  },
};
