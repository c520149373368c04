/** Mattermost's incoming webhooks: one post in Markdown. */
import { assert, assertEquals } from "../assert.ts";
import { assertClosed, assertSays, assertUnformatted, assertUntagged } from "./markdown.ts";
import type { Rules } from "./rules.ts";

/**
 * Who is called, as the server finds it (mention_parser_standard.go): words are parted by all but
 * letters, numbers and `:.-_@`; of these the first four are taken off before a word, and part it
 * again.
 */
export function calledBy(text: string): string[] {
  // What it makes links of is not looked at.
  const words = text.replace(/https?:\/\/[a-z0-9-]+(\.[a-z0-9-]+)*[^\s<]*/gi, "x")
    .split(/[^:.\-_@\p{L}\p{N}]+/u);
  return words.flatMap((word) => [word, ...word.split(/[.:-]/)])
    .map((word) => word.replace(/^[:.\-_]+/, ""))
    .filter((word) => /^@./.test(word));
}

export const rules: Rules = {
  url: "https://mattermost.example.com/hooks/xxx-generatedkey-xxx",
  vars: {},
  sources: [
    "https://developers.mattermost.com/integrate/webhooks/incoming/",
    "https://docs.mattermost.com/upgrade/important-upgrade-notes.html",
    "https://github.com/mattermost/mattermost/blob/master/server/channels/app/webhook.go",
    "https://github.com/mattermost/mattermost/blob/master/server/channels/app/slack.go",
    "https://github.com/mattermost/mattermost/blob/master/server/channels/app/mention_parser_standard.go",
  ],
  valid({ json, headers, request }) {
    assertEquals(request.method, "POST");
    assertEquals(headers.get("content-type"), "application/json");
    // Required where there are no attachments.
    assert(typeof json.text === "string" && json.text.trim() !== "");
  },
  limits({ json }) {
    // Runes, from 5.0: four octets each are the 65,532 that fit into its column. What is longer
    // comes as several posts, one behind the other.
    assert([...json.text].length <= 16_383, "a post: 16383 characters");
  },
  harmless({ json }) {
    assertEquals(Object.keys(json).join(), "text", "nothing sets a channel, a name or a type");
    const { text } = json;
    assertEquals(calledBy(text), []);
    // `<!channel>` and `<@id>` become calls, and `<url|text>` a link, before Markdown is looked at.
    assertUntagged(text);
    // The heading is the preset's own.
    assert(text.startsWith("#### "));
    assertUnformatted(text.slice("#### ".length));
    for (const line of text.split("\n")) assertClosed(line);
  },
  tells({ json, context }) {
    const [heading, line] = json.text.split("\n");
    const body = json.text.slice(json.text.indexOf("\n\n") + 2);
    assertSays(heading.slice("#### ".length), context.subject, "(no subject)");
    assertSays(line, context.from.text || context.sender, "<>");
    assertSays(body, context.body, "(no text)");
  },
};
