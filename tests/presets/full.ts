/** All there is, for an application of one's own (README, Templates). */
import { assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";

/** Fields of a context that are not there: other forms of what is, and what is no part of a message. */
const LEFT_OUT = [
  "data",
  "rawHeader",
  "rawBody",
  "header",
  "headerFields",
  "files",
  "env",
  "var",
  "now",
];

export const rules: Rules = {
  url: "https://my.application.com/mail",
  vars: {},
  sources: ["README.md, Templates"],
  valid({ headers, json, context }) {
    assertEquals(headers.get("content-type"), "application/json");
    const { envelope, ...fields } = json;
    assertEquals(
      [...Object.keys(fields), ...Object.keys(envelope)].sort(),
      Object.keys(context).filter((name) => !LEFT_OUT.includes(name)).sort(),
    );
  },
  // An application of one's own has those that its owner gives it.
  limits() {},
  harmless({ json, text }) {
    assertEquals(JSON.parse(text), json);
  },
  tells({ json: { envelope, ...fields }, context }) {
    const told = { ...fields, ...envelope };
    for (const name of Object.keys(told) as (keyof typeof context)[]) {
      assertEquals(told[name], JSON.parse(JSON.stringify(context[name])), name);
    }
  },
};
