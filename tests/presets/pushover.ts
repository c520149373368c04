/** What Pushover takes as a message. */
import { assert, assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";
import { assertBeginsWith } from "./wording.ts";

/**
 * Characters of a message, "1024 4-byte UTF-8 characters", and of its title: "Limitations". Counted
 * in UTF-16 code units here, of which there are never fewer.
 */
const [MAX_MESSAGE, MAX_TITLE] = [1024, 250];

export const rules: Rules = {
  vars: {
    ...{ token: "azGDORePK8gMaC0QOYAMyEEuzJnyUi", user: "uQiRzpo4DXghDmr9QzzfQu27cmVRsG" },
    priority: "-1",
  },
  sources: [
    "https://pushover.net/api",
    "https://pushover.net/api#limits",
    "https://pushover.net/api#html",
  ],
  valid({ request, headers, json, context }) {
    assertEquals(request.method, "POST");
    assertEquals(request.url!.href, "https://api.pushover.net/1/messages.json");
    // "the standard percent-encoding …, and JSON with a Content-Type of application/json"
    assertEquals(headers.get("content-type"), "application/json");
    assertEquals([json.token.length, json.user.length], [30, 30]);
    assertEquals([json.priority, json.timestamp], [-1, context.timestamp.unix]);
    assert(Number.isInteger(json.timestamp));
    assert(json.message.trim() !== "" && json.title.trim() !== "");
  },
  limits({ json }) {
    assert(json.message.length <= MAX_MESSAGE, `${json.message.length} characters`);
    assert(json.title.length <= MAX_TITLE);
  },
  harmless({ json }) {
    // With `html` a message would be formatted, and its links could show another address.
    const keys = ["token", "user", "priority", "timestamp", "title", "message"];
    assertEquals(Object.keys(json), keys);
  },
  tells({ json, context }) {
    assertBeginsWith(json.title, context.subject, "(no subject)");
    assertBeginsWith(json.message, context.body, "(no text)");
  },
};
