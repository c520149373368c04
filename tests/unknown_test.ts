/** Names in templates that mean nothing. */
import { isFaults } from "../lib/fault.ts";
import { sampleContexts } from "../lib/sample.ts";
import { parseTemplate } from "../lib/template.ts";
import { unknownNames } from "../lib/unknown.ts";
import { assert, assertEquals } from "./assert.ts";

const [rich] = sampleContexts({
  version: "1.2.3",
  hostname: () => "pigeonry",
  env: (name) => name === "HOME" ? "/home/pigeon" : undefined,
  vars: { topic: "alerts", empty: "" },
});

function unknown(text: string): readonly string[] {
  const setting = { text, label: "T" };
  const template = parseTemplate(setting);
  assert(!isFaults(template));
  return unknownNames(template, setting, rich);
}

const known = [
  ...Object.keys(rich).map((name) => `{{${name}}}{{json.${name}}}`),
  "{{json}} {{! nothing}} {{timestamp.local}} {{date.unix}} {{from.text}} {{json.client.address}}",
  "{{#recipients}}{{.}}{{first}}{{last}}{{index}}{{number}}{{subject}}{{/recipients}}",
  "{{#attachments}}{{filename}}{{json.size}}{{^first}}{{/first}}{{#from}}{{name}}{{/from}}{{/attachments}}",
  "{{recipients.0}} {{to.0.name}} {{to.1.address | upper}} {{header.x-anything}} {{json.header.b}}",
  "{{#bcc}}{{address}}{{whatever}}{{/bcc}}",
  "{{^cc}}{{subject}}{{/cc}} {{#client}}{{address}}{{tls}}{{/client}}",
  "{{var.topic}} {{env.HOME}} {{#env.NO}}{{env.NO}}{{/env.NO}} {{^var.no}}{{var.no}}{{/var.no}}",
  '{{var.no | default "x"}} {{env.NO | default var.topic}} {{var.no | upper | default "x"}}',
  "{{=<% %>=}}<%subject%>",
];
for (const text of known) {
  Deno.test(`there is nothing unknown in ${text}`, () => assertEquals(unknown(text), []));
}

const strange: [text: string, ...flaws: string[]][] = [
  ["{{subjct}}", 'no field is named "subjct", the nearest is "subject" at line 1, column 1'],
  [
    "a\n  {{{json.recipient}}}",
    'no field is named "recipient", the nearest is "recipients" at line 2, column 3',
  ],
  [
    "{{client.adress}}",
    'no field is named "client.adress", the nearest is "client.address" at line 1, column 1',
  ],
  [
    "{{timestamp.utc}}",
    'no field is named "timestamp.utc", the nearest is "timestamp.unix" at line 1, column 1',
  ],
  ["{{to.0.nam}}", 'no field is named "to.0.nam", the nearest is "to.0.name" at line 1, column 1'],
  ["{{subject.x}}", 'no field is named "subject.x" at line 1, column 1'],
  [
    "{{#attachments}}{{fileName}}{{/attachments}}",
    'no field is named "fileName", the nearest is "filename" at line 1, column 17',
  ],
  [
    "{{#attachmnts}}{{filename}}{{/attachmnts}}",
    'no field is named "attachmnts", the nearest is "attachments" at line 1, column 1',
  ],
  [
    "{{^suject}}x{{/suject}}",
    'no field is named "suject", the nearest is "subject" at line 1, column 1',
  ],
  [
    "{{subject | default sendr}}",
    'no field is named "sendr", the nearest is "sender" at line 1, column 1',
  ],
  [
    "{{constructor}}{{toString}}",
    'no field is named "constructor", the nearest is "inReplyTo" at line 1, column 1',
    'no field is named "toString", the nearest is "hostname" at line 1, column 16',
  ],
  ["{{Subject}}", 'no field is named "Subject", the nearest is "subject" at line 1, column 1'],
  ["a {{> part}}", 'there are no partials, so "part" prints nothing at line 1, column 3'],
  ["{{json.json}}", '"json.json" asks for JSON more than once at line 1, column 1'],
  ["{{var.topik}}", "nothing is set for var.topik at line 1, column 1"],
  [
    "{{env.HOM}} {{json.env.HOM}}",
    "nothing is set for env.HOM at line 1, column 1",
    "nothing is set for env.HOM at line 1, column 13",
  ],
  [
    "{{#var.a}}{{var.b}}{{/var.a}}{{var.a}}",
    "nothing is set for var.b at line 1, column 11",
    "nothing is set for var.a at line 1, column 30",
  ],
];
for (const [text, ...flaws] of strange) {
  Deno.test(`unknownNames() finds ${flaws[0]} in ${JSON.stringify(text)}`, () => {
    assertEquals(unknown(text), flaws.map((flaw) => `T: ${flaw}`));
  });
}
