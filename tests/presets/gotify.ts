/** What a server of Gotify takes as a message of an application. */
import { assert, assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";
import { assertBeginsWith, octetsIn } from "./wording.ts";

/**
 * Octets of title and message each. Gotify has no limit of its own; it stores them as `text`
 * (model/message.go), which in MySQL has 65,535 (from memory).
 */
const MAX_OCTETS = 65_535;

export const rules: Rules = {
  vars: { server: "https://gotify.example.org", token: "AqW3.eRtY", priority: "8" },
  sources: [
    "https://gotify.net/docs/pushmsg",
    "https://gotify.net/docs/msgextras",
    "https://gotify.net/api-docs",
    "https://github.com/gotify/server/blob/master/model/message.go",
  ],
  valid({ request, headers, json }) {
    assertEquals([request.method, request.url!.href], [
      "POST",
      "https://gotify.example.org/message",
    ]);
    assertEquals(headers.get("x-gotify-key"), "AqW3.eRtY");
    // Extras are taken from JSON only.
    assertEquals(headers.get("content-type"), "application/json");
    // `message` is required; an empty title becomes the name of the application.
    assert(json.message.trim() !== "" && json.title.trim() !== "");
    assertEquals(json.priority, 8);
    // PostgreSQL, in which it can be stored too, has no U+0000 (from memory).
    assert(!`${json.title}${json.message}`.includes("\0"));
  },
  limits({ json }) {
    assert(octetsIn(json.message) <= MAX_OCTETS && octetsIn(json.title) <= MAX_OCTETS);
  },
  harmless({ json }) {
    // Markdown would load images, so that who wrote the mail sees when it is read (msgextras).
    assertEquals(json.extras, { "client::display": { contentType: "text/plain" } });
    assertEquals(Object.keys(json), ["title", "priority", "message", "extras"]);
  },
  tells({ json, context }) {
    assertBeginsWith(json.title, context.subject, "(no subject)");
    assertBeginsWith(json.message, context.body, "(no text)");
  },
};
