/** What Opsgenie's Alert API takes as an alert. */
import { assert, assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";
import { assertBeginsWith, assertNoMarkup, unescaped } from "./wording.ts";

/** Characters of each field (docs.opsgenie.com, alerts and alert fields; Atlassian's own table of them). */
const MOST = { message: 130, alias: 512, description: 15_000, source: 100 };

/** Characters of all details together. */
const MAX_DETAILS = 8_000;

export const rules: Rules = {
  vars: { key: "eb243592-faa2-4ba2-a551q-1afdf565c889" },
  sources: [
    "https://docs.opsgenie.com/docs/alert-api",
    "https://docs.opsgenie.com/v1.0/docs/alerts-and-alert-fields",
    "https://metainf.atlassian.net/wiki/pages/diffpages.action?originalId=2495480226&pageId=2510815273",
    "https://schemas.apis.io/schemas/opsgenie/opsgenie-createalertrequest/",
  ],
  valid({ request, headers, json }) {
    assertEquals([request.method, request.url!.href], [
      "POST",
      "https://api.opsgenie.com/v2/alerts",
    ]);
    assertEquals(headers.get("authorization"), `GenieKey ${rules.vars.key}`);
    assertEquals(headers.get("content-type"), "application/json");
    // The only field that is required.
    assert(json.message.trim() !== "");
    assert(["P1", "P2", "P3", "P4", "P5"].includes(json.priority));
    for (const value of Object.values(json.details)) assertEquals(typeof value, "string");
  },
  limits({ json }) {
    for (const [name, most] of Object.entries(MOST)) assert(json[name].length <= most, name);
    assert(JSON.stringify(json.details).length <= MAX_DETAILS);
  },
  harmless({ json }) {
    // Messages and descriptions may be HTML.
    for (const html of [json.message, json.description, json.details.from, json.details.to]) {
      assertNoMarkup(html);
    }
    assertEquals(
      Object.keys(json).join(),
      "message,alias,description,source,priority,details",
    );
  },
  tells({ json, context }) {
    assertBeginsWith(unescaped(json.message), context.subject, "(no subject)");
    assertBeginsWith(unescaped(json.description), context.body, "(no text)");
  },
};
