/** The default payload, for an application of one's own: PRODUCT has its shape (README, The request). */
import { assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";

export const rules: Rules = {
  url: "https://my.endpoint.com/mail",
  vars: {},
  sources: ["README.md, The request"],
  valid({ json, headers }) {
    assertEquals(headers.get("content-type"), "application/json");
    assertEquals(
      Object.keys(json).join(),
      "id,timestamp,sender,recipients,body,subject",
    );
  },
  // An application of one's own has those that its owner gives it.
  limits() {},
  harmless({ text, json }) {
    // Nothing that a message says is more than a text.
    assertEquals(JSON.parse(text), json);
    for (
      const value of [
        json.id,
        json.timestamp,
        json.sender,
        json.body,
        json.subject,
        ...json.recipients,
      ]
    ) {
      assertEquals(typeof value, "string");
    }
  },
  tells({ json, context }) {
    assertEquals([json.subject, json.body], [context.subject, context.body]);
    assertEquals([json.sender, json.recipients], [context.sender, context.recipients]);
  },
};
