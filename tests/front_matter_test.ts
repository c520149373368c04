/** Templates with front matter: what it says, what is wrong with it, and what an operator adds. */
import { isFaults } from "../lib/fault.ts";
import { type Additions, optionsOf, readTemplateFile, startOf } from "../lib/front_matter.ts";
import type { Setting } from "../lib/setting.ts";
import json from "../templates/json.mustache" with { type: "text" };
import { assert, assertEquals } from "./assert.ts";

async function fileOf(text: string) {
  const file = await readTemplateFile({ text, label: "T" });
  if (isFaults(file)) throw new Error(file.faults.join("\n"));
  return file;
}

const FULL = `---
description: A service
docs: https://a.example/docs
url: "https://{{var.host}}/hook"
method: PUT
content-type: text/plain
headers:
  X-Title: "{{subject}}"
  x-Other: "1"
limits:
  body: 100
  client.address: 5
vars:
  host: the name of a server
  token: what it wants
files: "file{{number}}"
---
one
two`;

Deno.test("readTemplateFile() reads all that may stand before a template", async () => {
  const { headers, template, url, files, ...plain } = await fileOf(FULL);
  assertEquals(plain, {
    description: "A service",
    docs: "https://a.example/docs",
    method: "PUT",
    limits: { body: 100, "client.address": 5 },
    vars: { host: "the name of a server", token: "what it wants" },
  });
  const texts = (...settings: (Setting | null)[]) => settings.map((setting) => setting?.text);
  assertEquals(texts(...headers), [
    "Content-Type: text/plain",
    "X-Title: {{subject}}",
    "x-Other: 1",
  ]);
  assertEquals(texts(url, files), ["https://{{var.host}}/hook", "file{{number}}"]);
  assertEquals(template, { text: "one\ntwo", label: "T", line: 18 });
});

for (
  const text of ["", "{}", "a\n---\nb: c\n---\n", "--- a\nb\n---\n", "---"]
) {
  Deno.test(`readTemplateFile() takes ${JSON.stringify(text)} for a template alone`, async () => {
    const { template, method, headers, url } = await fileOf(text);
    assertEquals(template, { text, label: "T" });
    assertEquals([method, headers, url], ["POST", [], null]);
    assertEquals(startOf(text), 0);
  });
}

const split: [text: string, template: string, line: number][] = [
  ["---\n---\nx", "x", 3],
  ["---\ndescription: a\n---\n\nx", "\nx", 4],
  ["---\r\ndescription: a\r\n---\r\nx\r\n", "x\r\n", 4],
  ["--- \ndescription: a\n---\t\nx\n---\ny", "x\n---\ny", 4],
  ["---\ndescription: a\n---", "", 4],
];
for (const [text, template, line] of split) {
  Deno.test(`readTemplateFile() finds the template in ${JSON.stringify(text)}`, async () => {
    assertEquals((await fileOf(text)).template, { text: template, label: "T", line });
    assertEquals(text.slice(startOf(text)), template);
  });
}

const flawed: [front: string, ...faults: string[]][] = [
  ["a", "must name values"],
  ["- a", "must name values"],
  ["desription: a", 'has no "desription", the nearest is description'],
  ["constructor: a", 'has no "constructor", the nearest is description'],
  ["description: 1", "must have a text for description"],
  ["method: GET", "must have POST or PUT or PATCH for method"],
  ["headers: X", "must have names and their values for headers"],
  ["vars: [a]", "must have names and their values for vars"],
  ["headers:\n  X: 1\n  Y: a", "must have a text in quotes for headers: X"],
  ["limits:\n  a: 0", "must have a number of characters for limits: a"],
  [
    "limits:\n  a: 1.5\n  b: c\nvars:\n  d: {{e}}",
    "must have a number of characters for limits: a",
    "must have a number of characters for limits: b",
    "must have a text in quotes for vars: d",
  ],
];
for (const [front, ...faults] of flawed) {
  Deno.test(`readTemplateFile() refuses ${JSON.stringify(front)}`, async () => {
    const file = await readTemplateFile({ text: `---\n${front}\n---\nx`, label: "T" });
    assert(isFaults(file));
    assertEquals(file.faults, faults.map((fault) => `Cannot use T: its front matter ${fault}`));
  });
}

Deno.test("readTemplateFile() refuses front matter that is not closed", async () => {
  for (const text of ["---\nnever closed", "---\nurl: a\n ---\n{}"]) {
    const file = await readTemplateFile({ text, label: "T" });
    assert(isFaults(file));
    assertEquals(file.faults, [
      "Cannot use T: its front matter is not closed, must end with a line of ---",
    ]);
  }
});

Deno.test("readTemplateFile() says in which line of the file YAML goes wrong", async () => {
  const file = await readTemplateFile({ text: "---\nurl: a\nb: {{c}}: d\n---\nx", label: "T" });
  assert(isFaults(file));
  const [first] = file.faults[0].split("\n");
  assert(/^Cannot use T: its front matter is not YAML: .*line 3, column \d+/.test(first), first);
});

const nothing: Additions = { url: null, isPrinted: false, headers: [], vars: {}, version: "1" };
const vars = { host: "b.example", token: "t" };
const setting = (text: string): Setting => ({ text, label: "--it" });

async function options(text: string, added: Partial<Additions>) {
  const made = optionsOf(await fileOf(text), { ...nothing, ...added });
  if (isFaults(made)) throw new Error(made.faults.join("\n"));
  return made;
}

Deno.test("optionsOf() puts what an operator says in the place of what the file says", async () => {
  const of = async (added: Partial<Additions>) => await options(FULL, { vars, ...added });
  assertEquals((await of({})).url?.text, "https://{{var.host}}/hook");
  assertEquals((await of({ url: setting("http://c") })).url, setting("http://c"));
  assertEquals((await of({ isPrinted: true })).url, null);
  const headers = [setting("X-OTHER: 2"), setting("content-type: text/html"), setting("Y: 3")];
  assertEquals((await of({ headers })).headers.map(({ text }) => text), [
    ...["X-Title: {{subject}}", "X-OTHER: 2", "content-type: text/html", "Y: 3"],
  ]);
});

Deno.test("optionsOf() wants the variables that are used, and says what each is", async () => {
  const faultsOf = async (text: string, added: Partial<Additions>) => {
    const made = optionsOf(await fileOf(text), { ...nothing, ...added });
    return isFaults(made) ? made.faults : [];
  };
  const used = FULL.replace("{{subject}}", "{{var.token}}");
  assertEquals(await faultsOf(used, {}), [
    "Cannot use T: it needs --var host=VALUE, the name of a server",
    "Cannot use T: it needs --var token=VALUE, what it wants",
  ]);
  assertEquals(await faultsOf(used, { vars: { host: "" } }), [
    "Cannot use T: it needs --var token=VALUE, what it wants",
  ]);
  // Whoever names a URL needs none of its parts.
  assertEquals(await faultsOf(FULL, { url: setting("http://c") }), []);
  // A longer name is another one.
  const longer = FULL.replace("{{subject}}", "{{var.token-2}}{{var.tokens}}");
  assertEquals(await faultsOf(longer, { vars: { host: "a" } }), []);
  assertEquals(await faultsOf(used, { vars: { host: "a", tokens: "b" } }), [
    "Cannot use T: it needs --var token=VALUE, what it wants",
  ]);
});

Deno.test("optionsOf() takes names of variables as they are", async () => {
  const file = await fileOf('---\nvars:\n  "a(": one\n  "b.c": two\n---\n{{var.a(}} {{var.bxc}}');
  assertEquals(optionsOf(file, nothing), {
    faults: ["Cannot use T: it needs --var a(=VALUE, one"],
  });
});

Deno.test("the default payload needs nothing of what stands before it", async () => {
  // The program leaves it out, as to read it takes a while.
  const file = await fileOf(json);
  const { description, docs, template, ...rest } = file;
  assert(description !== "" && docs !== "");
  const { description: _, docs: __, template: bare, ...none } = await fileOf(
    json.slice(startOf(json)),
  );
  assertEquals(rest, none);
  assertEquals(template.text, bare.text);
});
