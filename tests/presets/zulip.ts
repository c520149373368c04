/** What Zulip takes of a bot, by its REST API. */
import { assert, assertEquals } from "../assert.ts";
import type { Rules, Sent } from "./rules.ts";
import { assertBeginsWith } from "./wording.ts";

/**
 * Code points of a topic: `max_topic_length` of register-queue, `MAX_TOPIC_NAME_LENGTH` in the
 * source. What is over it is cut there.
 */
const MAX_TOPIC = 60;

/** Code points of a message: `max_message_length` of register-queue. It is cut there as well. */
const MAX_CONTENT = 10_000;

/** What no topic may hold, 400: `check_string_is_printable` in zerver/lib/string_validation.py. */
const UNPRINTABLE = /\p{Cc}|\p{Cs}|\p{Noncharacter_Code_Point}/u;

const BLOCK = /^~~~text\n(.*)\n~~~\n?$/s;

function fieldOf({ form }: Sent, name: string): string {
  const [value, ...others] = form!.get(name) ?? [];
  assert(typeof value === "string" && others.length === 0, name);
  return value as string;
}

/** What is in the block of code. */
function linesOf(sent: Sent): string {
  const [, lines] = BLOCK.exec(fieldOf(sent, "content")) ?? [];
  assert(lines !== undefined, fieldOf(sent, "content").slice(0, 200));
  return lines;
}

export const rules: Rules = {
  vars: {
    ...{ server: "example.zulipchat.com", channel: "mail & more" },
    ...{ bot: "mail-bot@example.zulipchat.com", key: "KEY" },
  },
  sources: [
    "https://zulip.com/api/send-message",
    "https://zulip.com/api/register-queue",
    "https://github.com/zulip/zulip/blob/main/zerver/lib/message.py",
    "https://github.com/zulip/zulip/blob/main/zerver/lib/string_validation.py",
    "https://github.com/zulip/zulip/blob/main/zerver/lib/markdown/__init__.py",
    "https://github.com/zulip/zulip/blob/main/zerver/lib/markdown/fenced_code.py",
  ],
  valid(sent) {
    const { request, headers } = sent;
    assertEquals(request.method, "POST");
    assertEquals(request.url!.href, "https://example.zulipchat.com/api/v1/messages");
    // The API takes forms, no JSON.
    assertEquals(headers.get("content-type"), "application/x-www-form-urlencoded");
    const user = atob(headers.get("authorization")!.replace("Basic ", ""));
    assertEquals(user, "mail-bot@example.zulipchat.com:KEY");
    // "stream" is what servers before 9.0 call a channel, and later ones still take.
    assertEquals([fieldOf(sent, "type"), fieldOf(sent, "to")], ["stream", "mail & more"]);
    const topic = fieldOf(sent, "topic");
    assert(topic.trim() !== "" && !UNPRINTABLE.test(topic), JSON.stringify(topic));
    // "Message must not contain null bytes": normalize_body in zerver/lib/message.py, 400.
    assert(!fieldOf(sent, "content").includes("\0"));
  },
  limits(sent) {
    assert([...fieldOf(sent, "topic")].length <= MAX_TOPIC);
    assert([...fieldOf(sent, "content")].length <= MAX_CONTENT);
  },
  harmless(sent) {
    assertEquals([...sent.form!.keys()], ["type", "to", "topic", "content"]);
    // A backslash escapes nothing in Zulip ("escape - probably will re-add at some point"), so that
    // all is in a block of code. One ends at a line that is its fence (`handle_line`).
    const ends = linesOf(sent).split("\n").filter((line) => /^[ \t]*(~{3}|`{3})/.test(line));
    assertEquals(ends, []);
  },
  tells(sent) {
    const lines = linesOf(sent);
    assertBeginsWith(fieldOf(sent, "topic"), sent.context.subject, "(no subject)");
    assertBeginsWith(lines.slice(lines.indexOf("\n\n")), sent.context.body, "(no text)");
  },
};
