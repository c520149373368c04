/** What Telegram takes of a bot, by sendMessage. */
import { assert, assertEquals } from "../assert.ts";
import type { Rules, Sent } from "./rules.ts";
import { assertBeginsWith, assertNoMarkup, octetsIn, unescaped } from "./wording.ts";

/**
 * "1-4096 characters after entities parsing": sendMessage. Counted in UTF-16 code units here, as
 * lengths of entities are there (MessageEntity); there are never fewer of them than of code points.
 */
const MAX_CHARACTERS = 4096;

/** Octets of any text: `LENGTH_LIMIT` in td/telegram/misc.cpp of TDLib, "server-side limit". */
const MAX_OCTETS = 35_000;

/** The text in its two parts: what is in bold, and the rest. */
function partsOf({ json }: Sent): [subject: string, rest: string] {
  const [, subject, rest] = /^<b>(.*?)<\/b>\n(.*)$/s.exec(json.text) ?? [];
  assert(rest !== undefined, json.text.slice(0, 200));
  return [subject, rest];
}

export const rules: Rules = {
  vars: { token: "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11", chat: "-1001234567890", thread: "7" },
  sources: [
    "https://core.telegram.org/bots/api#sendmessage",
    "https://core.telegram.org/bots/api#html-style",
    "https://core.telegram.org/bots/api#messageentity",
    "https://github.com/tdlib/td/blob/master/td/telegram/misc.cpp",
  ],
  valid({ request, headers, json }) {
    assertEquals(request.method, "POST");
    assertEquals(headers.get("content-type"), "application/json");
    assertEquals(
      request.url!.href,
      "https://api.telegram.org/bot123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11/sendMessage",
    );
    assertEquals([json.chat_id, json.message_thread_id], ["-1001234567890", 7]);
    assertEquals(json.parse_mode, "HTML");
    assert(json.text.trim() !== "");
  },
  limits(sent) {
    const text = partsOf(sent).map(unescaped).join("\n");
    assert(text.length <= MAX_CHARACTERS, `${text.length} characters`);
    assert(octetsIn(text) <= MAX_OCTETS);
  },
  harmless(sent) {
    const keys = ["chat_id", "message_thread_id", "parse_mode", "link_preview_options", "text"];
    assertEquals(Object.keys(sent.json), keys);
    assertEquals(sent.json.link_preview_options, { is_disabled: true });
    for (const part of partsOf(sent)) {
      // "All <, > and & symbols that are not a part of a tag or an HTML entity must be replaced",
      // and no named entities are known but four: else there is a 400.
      assertNoMarkup(part);
      // A mention (MessageEntity) needs its name right behind the @.
      assert(!/(?<![\w.+-])@\w/.test(unescaped(part)), part);
    }
  },
  tells(sent) {
    const [subject, rest] = partsOf(sent).map(unescaped);
    assertBeginsWith(subject, sent.context.subject, "(no subject)");
    assertBeginsWith(rest.slice(rest.indexOf("\n\n")), sent.context.body, "(no text)");
  },
};
