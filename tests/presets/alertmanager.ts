/** What Alertmanager takes as alerts, by its API version 2. */
import { assert, assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";
import { assertBeginsWith } from "./wording.ts";

/**
 * Characters of labels and annotations together. Alertmanager has no limit of its own; what it tells others
 * of an alert is kept small all the same, since it holds all of them in memory.
 */
const MAX_LENGTH = 15_000;

/** Names of labels (Prometheus data model), which Alertmanager takes everywhere. */
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export const rules: Rules = {
  vars: { server: "http://localhost:9093" },
  sources: [
    "https://prometheus.io/docs/alerting/latest/alerts_api/",
    "https://github.com/prometheus/alertmanager/blob/master/api/v2/openapi.yaml",
    "https://prometheus.io/docs/concepts/data_model/",
  ],
  valid({ request, headers, json, octets }) {
    assertEquals([request.method, request.url!.href], [
      "POST",
      "http://localhost:9093/api/v2/alerts",
    ]);
    assertEquals(headers.get("content-type"), "application/json");
    // `postableAlerts` is a list; an alert has labels, and maybe annotations and times.
    assertEquals(json.length, 1);
    const [{ labels, annotations, startsAt, ...rest }] = json;
    assertEquals(rest, {});
    assert(!Number.isNaN(Date.parse(startsAt)));
    for (const [name, value] of Object.entries({ ...labels, ...annotations })) {
      assert(LABEL.test(name) && typeof value === "string", name);
    }
    // Labels of nothing are taken away, and an alert without labels is refused.
    for (const value of Object.values(labels)) assert((value as string).trim() !== "");
    // Values have to be UTF-8.
    new TextDecoder("utf-8", { fatal: true }).decode(octets);
    assert(JSON.stringify(json).isWellFormed());
  },
  limits({ json: [{ labels, annotations }] }) {
    assert(Object.values<string>({ ...labels, ...annotations }).join("").length <= MAX_LENGTH);
  },
  harmless({ json: [{ labels, annotations }] }) {
    // What a mail says is in values: it makes no label, and changes not by which others routes are chosen.
    assertEquals(Object.keys(labels), ["alertname", "severity", "from", "subject"]);
    assertEquals([labels.alertname, labels.severity], ["Mail", "warning"]);
    assertEquals(Object.keys(annotations), ["summary", "description"]);
    // Receivers such as Slack are given these as they are, and take `<!channel>` for a call.
    for (const text of [labels.subject, ...Object.values<string>(annotations)]) {
      assert(!/<[^ …]/.test(text), text.slice(0, 200));
    }
  },
  tells({ json: [{ annotations, labels }], context }) {
    assertBeginsWith(annotations.summary, context.subject, "(no subject)");
    assertBeginsWith(labels.subject, context.subject, "(no subject)");
    assertBeginsWith(annotations.description, context.body, "(no text)");
  },
};
