/** What ntfy takes as a message: a text, and headers on how to show it. */
import { assert, assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";
import { assertBeginsWith, octetsIn } from "./wording.ts";

/**
 * Octets of a message, above which it becomes a file, or is refused where there are none:
 * `DefaultMessageSizeLimit` in server/config.go, "Limitations" of the documentation. One that is as
 * long counts as longer (`LimitReached` in util/peek.go).
 */
const MAX_MESSAGE_OCTETS = 4096 - 1;

/**
 * Octets of a title. ntfy has no limit; what Firebase or Apple take has about 4 KB with the message
 * (server/config.go), so that this is for what is seen of it.
 */
const MAX_TITLE_OCTETS = 250;

/** Header fields of a request of this program, and the three that are the preset's. */
const FIELDS = [
  ...["content-type", "user-agent", "webhook-id", "webhook-timestamp"],
  ...["title", "tags", "priority"],
];

export const rules: Rules = {
  url: "https://ntfy.sh/my-topic",
  vars: { tags: "envelope,host", priority: "high" },
  sources: [
    "https://docs.ntfy.sh/publish/",
    "https://docs.ntfy.sh/publish/#limitations",
    "https://github.com/binwiederhier/ntfy/blob/main/server/server.go",
    "https://github.com/binwiederhier/ntfy/blob/main/server/config.go",
    "https://github.com/binwiederhier/ntfy/blob/main/util/peek.go",
  ],
  valid({ request, headers, text }) {
    assertEquals([request.method, request.url!.href], ["POST", "https://ntfy.sh/my-topic"]);
    // text/markdown would be formatted.
    assertEquals(headers.get("content-type"), "text/plain; charset=utf-8");
    assertEquals([headers.get("tags"), headers.get("priority")], ["envelope,host", "high"]);
    // An empty message would become "triggered".
    assert(headers.get("title") !== "" && text.trim() !== "");
    // ntfy takes UTF-8 in headers; fetch takes octets.
    const [, title] = request.headers.find(([name]) => name === "Title")!;
    assert(/^[\x20-\x7e\x80-\xff]+$/.test(title), title);
  },
  limits({ octets, headers }) {
    assert(octets.length <= MAX_MESSAGE_OCTETS, `${octets.length} octets`);
    assert(octetsIn(headers.get("title")!) <= MAX_TITLE_OCTETS);
  },
  harmless({ request, headers }) {
    // Others, such as Actions, Attach, Click, Email or Call, would do something.
    assertEquals([...headers.keys()].sort(), [...FIELDS].sort());
    assertEquals(request.url!.search, "");
  },
  tells({ headers, text, context }) {
    assertBeginsWith(headers.get("title")!, context.subject, "(no subject)");
    assertBeginsWith(text, context.body, "(no text)");
  },
};
