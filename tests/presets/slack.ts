/** Slack's incoming webhooks: a message of blocks (Block Kit). */
import { assert, assertEquals } from "../assert.ts";
import type { Rules, Sent } from "./rules.ts";
import { assertBeginsWith, assertNoMarkup, unescaped } from "./wording.ts";

/** A text object; its text is at least 1 and at most 3000 characters (text-object). */
interface Text {
  readonly type: string;
  readonly text: string;
}

function textsOf({ json }: Sent): [header: Text, section: Text, context: Text] {
  const [header, section, context] = json.blocks;
  return [header.text, section.text, context.elements[0]];
}

export const rules: Rules = {
  url: "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
  vars: {},
  sources: [
    "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
    "https://docs.slack.dev/reference/block-kit/composition-objects/text-object",
    "https://docs.slack.dev/reference/block-kit/blocks/header-block",
    "https://docs.slack.dev/reference/block-kit/blocks/section-block",
    "https://docs.slack.dev/reference/block-kit/blocks/context-block",
    "https://docs.slack.dev/messaging/formatting-message-text",
    "https://api.slack.com/changelog/2018-04-truncating-really-long-messages",
    "https://github.com/slackapi/bolt-js/issues/2509",
  ],
  valid(sent) {
    const { json, headers, request } = sent;
    assertEquals(request.method, "POST");
    assertEquals(headers.get("content-type"), "application/json");
    assertEquals(
      json.blocks.map(({ type }: { type: string }) => type),
      ["header", "section", "context"],
    );
    for (const { text } of [...textsOf(sent), { text: json.text }]) {
      // At least 1 character (text-object); that blanks alone are none to Slack is from memory.
      assert(typeof text === "string" && text.trim() !== "", "a text is empty");
    }
  },
  limits(sent) {
    const { json } = sent;
    const [header, section, context] = textsOf(sent);
    // Characters ("must be less than 3001 characters"); code units of UTF-16 are never fewer.
    assert(header.text.length <= 150, "header-block: 150 characters");
    assert(section.text.length <= 3000, "section-block: 3000 characters");
    assert(context.text.length <= 3000, "text-object: 3000 characters");
    // More is cut, with a warning (changelog of 2018-04).
    assert(json.text.length <= 40_000);
    // Not in the reference: all blocks together are refused from about 13,200 characters (bolt-js
    // 2509), which three of these texts cannot reach.
  },
  harmless(sent) {
    const { json } = sent;
    // Only mrkdwn is parsed, for mentions, links and forms.
    for (const { type } of textsOf(sent)) assertEquals(type, "plain_text");
    assertNoMarkup(json.text);
    // Slack fetches what links lead to unless it is told not to.
    assertEquals([json.unfurl_links, json.unfurl_media], [false, false]);
    assertEquals(
      Object.keys(json).join(),
      "text,unfurl_links,unfurl_media,blocks",
      "nothing sets a channel, a name, or how text is parsed",
    );
  },
  tells(sent) {
    const { json, context } = sent;
    const [header, section, line] = textsOf(sent);
    assertBeginsWith(header.text, context.subject, "(no subject)");
    assertBeginsWith(unescaped(json.text), context.subject, "(no subject)");
    assertBeginsWith(section.text, context.body, "(no text)");
    assertBeginsWith(line.text, context.from.text || context.sender, "<>");
  },
};
