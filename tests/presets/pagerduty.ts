/** What PagerDuty's Events API v2 takes as an alert. */
import { assert, assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";
import { assertBeginsWith } from "./wording.ts";

/** Characters of a summary: what is longer is cut by PagerDuty, or refused (kestra, io.kestra.plugin.pagerduty). */
const MAX_SUMMARY = 1024;

/** Characters of the key by which events are one alert (influxdata, pagerduty.sendEvent). */
const MAX_DEDUP_KEY = 255;

/** Octets of an event (Alertmanager, notify/pagerduty/pagerduty.go). */
const MAX_OCTETS = 512_000;

export const rules: Rules = {
  vars: { key: "0123456789abcdef0123456789abcdef" },
  sources: [
    "https://developer.pagerduty.com/docs/events-api-v2/trigger-events/",
    "https://raw.githubusercontent.com/PagerDuty/api-schema/main/reference/events-v2/openapiv3.json",
    "https://docs.influxdata.com/flux/v0/stdlib/pagerduty/sendevent/",
    "https://kestra.io/plugins/plugin-pagerduty/io.kestra.plugin.pagerduty.pagerdutyexecution",
  ],
  valid({ request, headers, json }) {
    assertEquals([request.method, request.url!.href], [
      "POST",
      "https://events.pagerduty.com/v2/enqueue",
    ]);
    assertEquals(headers.get("content-type"), "application/json");
    // "Length of 'routing_key' is incorrect (should be 32 characters)" (v2.developer.pagerduty.com).
    assertEquals(json.routing_key.length, 32);
    assertEquals(json.event_action, "trigger");
    // Required: summary, source and severity, which is one of four.
    for (const name of ["summary", "source"]) assert(json.payload[name].trim() !== "", name);
    assert(["critical", "error", "warning", "info"].includes(json.payload.severity));
    assert(!Number.isNaN(Date.parse(json.payload.timestamp)));
    assert(json.dedup_key.trim() !== "");
  },
  limits({ json, octets }) {
    assert(json.payload.summary.length <= MAX_SUMMARY);
    assert(json.dedup_key.length <= MAX_DEDUP_KEY);
    assert(octets.length <= MAX_OCTETS);
  },
  harmless({ json }) {
    // Whatever a mail says, it triggers, of this service, and is shown as text.
    assertEquals(Object.keys(json), ["routing_key", "event_action", "dedup_key", "payload"]);
    for (const value of Object.values(json.payload.custom_details)) {
      assertEquals(typeof value, "string");
    }
  },
  tells({ json, context }) {
    assertBeginsWith(json.payload.summary, context.subject, "(no subject)");
    assertBeginsWith(json.payload.custom_details.body, context.body, "");
    const key = context.subject.trim() || context.messageId.trim() || context.id;
    assertBeginsWith(json.dedup_key, key, context.messageId.trim() || context.id);
  },
};
