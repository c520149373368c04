/** What the webhook trigger of Home Assistant takes, and what is fit for a notification. */
import { assert, assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";
import { assertBeginsWith, octetsIn } from "./wording.ts";

/** Octets of a request to its server (homeassistant/components/http, MAX_CLIENT_SIZE; from memory). */
const MAX_OCTETS = 16 * 1024 * 1024;

/** Characters that a notification on a phone shows of a title; its companion app cuts more (from memory). */
const MAX_TITLE = 250;

export const rules: Rules = {
  vars: { server: "http://homeassistant.local:8123", webhook: "mail-2qDFuSEB" },
  sources: [
    "https://www.home-assistant.io/docs/automation/trigger/#webhook-trigger",
    "https://github.com/home-assistant/core/pull/17246",
  ],
  valid({ request, headers, json }) {
    // POST and PUT are allowed where the trigger says nothing else.
    assertEquals([request.method, request.url!.href], [
      "POST",
      "http://homeassistant.local:8123/api/webhook/mail-2qDFuSEB",
    ]);
    // Only then it is trigger.json, and not trigger.data.
    assertEquals(headers.get("content-type"), "application/json");
    // Nobody is notified of a message of nothing.
    assert(json.title.trim() !== "" && json.message.trim() !== "");
  },
  limits({ json, octets }) {
    assert(json.title.length <= MAX_TITLE && octetsIn(json.message) <= 3500);
    assert(octets.length <= MAX_OCTETS);
  },
  harmless({ json }) {
    // The apps take a message that is a word such as `clear_notification` for a command (from memory).
    assert(/\n\n— \S/.test(json.message), json.message.slice(-200));
    // Templates of an automation are rendered once: what a mail says in them is a value, and a text.
    assertEquals(Object.keys(json).join(), "title,message,subject,text,from,to,timestamp,files");
    for (
      const value of [json.title, json.message, json.subject, json.from, ...json.to, ...json.files]
    ) {
      assertEquals(typeof value, "string");
    }
  },
  tells({ json, context }) {
    assertBeginsWith(json.title, context.subject, "(no subject)");
    assertBeginsWith(json.message, context.body, "(no text)");
    assertEquals(json.to, context.recipients);
    assertEquals(json.files.length, context.attachments.length);
  },
};
