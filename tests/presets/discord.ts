/** Discord's webhooks: a message of one embed. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { assertClosed, assertSays, assertUnformatted, assertUntagged } from "./markdown.ts";
import type { Rules } from "./rules.ts";
import { assertBeginsWith } from "./wording.ts";

export const rules: Rules = {
  url: "https://discord.com/api/webhooks/000000000000000000/token",
  vars: {},
  sources: [
    "https://discord.com/developers/docs/resources/webhook#execute-webhook",
    "https://discord.com/developers/docs/resources/message#embed-object-embed-limits",
    "https://discord.com/developers/docs/resources/message#allowed-mentions-object",
    "https://discord.com/developers/docs/reference#message-formatting",
  ],
  valid({ json, headers, request }) {
    assertEquals(request.method, "POST");
    assertEquals(headers.get("content-type"), "application/json");
    // One of content, embeds, file, poll; up to 10 embeds.
    assertEquals(json.embeds.length, 1);
    const [{ author, title, description, footer, timestamp }] = json.embeds;
    // An author must have a name and a footer a text (embed-object); others may be left out. That
    // blanks around a text are taken off first, and something must be left, is from memory.
    assert(author.name.trim() !== "" && footer.text.trim() !== "");
    assertEquals([typeof title, typeof description], ["string", "string"]);
    // ISO 8601.
    assertMatch(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  },
  limits({ json }) {
    const [{ author, title, description, footer }] = json.embeds;
    // Characters; code units of UTF-16 are never fewer. More is answered with 400.
    assert(title.length <= 256, "title: 256 characters");
    assert(description.length <= 4096, "description: 4096 characters");
    assert(author.name.length <= 256, "author.name: 256 characters");
    assert(footer.text.length <= 2048, "footer.text: 2048 characters");
    const all = [title, description, author.name, footer.text].join("");
    assert(all.length <= 6000, "all embeds together: 6000 characters");
  },
  harmless({ json }) {
    // An empty list suppresses all mentions, those in "content" too.
    assertEquals(json.allowed_mentions, { parse: [] });
    assertEquals(Object.keys(json).join(), "embeds,allowed_mentions");
    const [{ title, description, ...others }] = json.embeds;
    for (const text of [title, description]) {
      assertUnformatted(text);
      assertUntagged(text);
      assertClosed(text);
    }
    // Not formatted (from memory), and nothing in it is a link.
    assertEquals(Object.keys(others.author).join(), "name");
    assertEquals(Object.keys(others.footer).join(), "text");
    assertEquals(Object.keys(others).join(), "author,footer,timestamp");
  },
  tells({ json, context }) {
    const [{ author, title, description }] = json.embeds;
    assertSays(title, context.subject, "(no subject)");
    assertSays(description, context.body, "(no text)");
    assertBeginsWith(author.name, context.from.text || context.sender, "<>");
  },
};
