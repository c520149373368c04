/** Templates that make JSON of every message: what is proven holds, and the default payload is proven. */
import fc from "npm:fast-check@4.10.2";
import { escapeJson } from "../lib/escape.ts";
import { isFaults } from "../lib/fault.ts";
import { startOf } from "../lib/front_matter.ts";
import { isJson } from "../lib/json.ts";
import { alwaysMakesJson } from "../lib/proof.ts";
import { sampleContexts } from "../lib/sample.ts";
import { parseTemplate } from "../lib/template.ts";
import json from "../templates/json.mustache" with { type: "text" };
import { assert, assertEquals } from "./assert.ts";

const surroundings = { version: "1", hostname: () => "h", env: () => undefined, vars: {} };
const [rich, bare] = sampleContexts(surroundings);

function templateOf(text: string) {
  const template = parseTemplate({ text, label: "T" });
  assert(!isFaults(template));
  return template;
}

const rows: [source: string, isProven: boolean][] = [
  [json.slice(startOf(json)), true],
  ['"{{subject}}"', true],
  ['{"a {{subject}} b": ["{{header.x}} {{nothing}}", {{json.client}}]}', true],
  ['{{! a comment }}{"a": {{json.subject | cut 10}}}', true],
  ["1", true],
  // Outside of a string a value is not at home, whatever it is on the samples.
  ['{"size": {{size}}}', false],
  ['{"size": 1{{size}}}', false],
  ['{"size": 1e{{size}}}', false],
  ['{"is": tr{{var.rest}}', false],
  ["{{subject}}", false],
  // Behind a backslash, or within an escape, another letter is none.
  ['"\\{{subject}}"', false],
  ['"\\u{{subject}}"', false],
  ['"\\u00a{{subject}}"', false],
  // What brings quotes of its own is not at home in a string.
  ['"{{json.subject}}"', false],
  ['"{{json.recipients}}"', false],
  ['{"a": 1{{json.subject}}}', false],
  ["{ {{json.subject}}: 1 }", false],
  ["[{{json.subject}}{{json.sender}}]", false],
  // What may not be there prints as nothing.
  ["{{json.attachments.0}}", false],
  ["{{json.nothing}}", false],
  ["{{json.constructor}}", false],
  ["{{json}}", false],
  // Of these it is not known how often, or whether at all, they put out something.
  ['"{{{subject}}}"', false],
  ['"{{&subject}}"', false],
  ['[{{#recipients}}"{{.}}"{{^last}},{{/last}}{{/recipients}}]', false],
  ['"{{^subject}}none{{/subject}}"', false],
  ['"{{> partial}}"', false],
  ['"{{=<% %>=}}<% subject %>"', false],
];

for (const [source, isProven] of rows) {
  Deno.test(`it ${isProven ? "is" : "is not"} proven that ${JSON.stringify(source)} makes JSON`, () => {
    assertEquals(alwaysMakesJson(templateOf(source), rich), isProven);
  });
}

/** Pieces of templates, sound and broken ones. */
const piece = fc.constantFrom(
  ...['"', '"', "{", "}", "[", "]", ",", ":", "\\", "\\u00", "1", "e", "tru", "null", " "],
  ...["{{subject}}", "{{json.subject}}", "{{json.recipients}}", "{{size}}", "{{json.timestamp}}"],
  ...["{{json.attachments.0}}", "{{{subject}}}", "{{nothing}}", "{{subject | cut 2}}"],
  ...['"{{subject}}"', '{"{{subject}}":', "[{{json.size}},", '"a":'],
);

Deno.test("what is proven to make JSON makes it of whatever a message says", () => {
  let proven = 0;
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 6 }),
      fc.string({ unit: "binary" }),
      (pieces, text) => {
        const template = parseTemplate({ text: pieces.join(""), label: "T" });
        if (isFaults(template) || !alwaysMakesJson(template, rich)) return;
        proven++;
        for (const context of [rich, bare, { ...rich, subject: text, recipients: [text] }]) {
          const made = template.render(context, escapeJson);
          assert(isJson(made), `${pieces.join("")} makes ${made}`);
        }
      },
    ),
    { numRuns: 20_000 },
  );
  assert(proven > 200, `only ${proven} were proven`);
});
