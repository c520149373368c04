/** What templates need of a message: nothing else is made of it, and nothing that they need is missing. */
import { read } from "../lib/message.ts";
import { contentOf, type Parse } from "../lib/content.ts";
import { verbatim } from "../lib/escape.ts";
import { isFaults } from "../lib/fault.ts";
import { joined, type Needs, needsOf } from "../lib/needs.ts";
import { load, parseHere } from "../lib/parser.ts";
import { sampleMail } from "../lib/sample.ts";
import { parseTemplate } from "../lib/template.ts";
import { assert, assertEquals } from "./assert.ts";

const surroundings = { version: "1", hostname: () => "h", env: () => undefined, vars: {} };
const mail = sampleMail("1", new Date(0));

function templateOf(source: string) {
  const template = parseTemplate({ text: source, label: "T" });
  assert(!isFaults(template));
  return template;
}

/** What can be in doubt of a message, and so be warned of. */
const DECODED = [
  ...["body", "text", "html", "attachments"],
  ...["from", "to", "cc", "bcc", "replyTo"],
];

const TEMPLATES: [source: string, needs: readonly string[] | null][] = [
  ["nothing", []],
  ["{{subject}} {{{body}}} {{&text}}", ["subject", "body", "text"]],
  ["{{#from}}{{name}} of {{#cc}}{{address}}{{/cc}}{{/from}}", ["from", "name", "cc", "address"]],
  ["{{^html}}{{data}}{{/html}}", ["html", "data"]],
  ["{{header.x-warnings}} {{client.address}}", ["header", "client"]],
  ["{{=<% %>=}}<% html %>{{text}}", ["html"]],
  ["{{! warnings }}{{> html}}", []],
  ["{{json.from}} {{json.client.tls}}", ["from", "client"]],
  ["{{#files}}{{filename}}{{/files}}", ["files", "attachments", "filename"]],
  ["{{json.files}}", null],
  ["{{#attachments}}{{filename}} {{json.checksum}}{{/attachments}}", [
    ...["attachments", "filename", "checksum"],
  ]],
  ["{{attachments.0.checksum}}", ["attachments", "checksum"]],
  // All of it, since it is all in there.
  ["{{json}}", null],
  ["{{json.attachments}}", null],
  ["{{json.attachments.0}}", null],
  ["{{#attachments}}{{json}}{{/attachments}}", null],
  ["{{#warnings}}{{.}}{{/warnings}}", ["warnings", ...DECODED, ""]],
  ["{{json.warnings}}", ["warnings", ...DECODED]],
];

for (const [source, needs] of TEMPLATES) {
  Deno.test(`the template ${source} needs ${needs === null ? "everything" : `[${needs}]`}`, () => {
    assertEquals(templateOf(source).needs, needs && new Set(needs));
  });
}

Deno.test("several templates need what each of them needs", () => {
  const [some, more] = [needsOf(["a.b", "b"]), needsOf(["b", "c"])];
  assertEquals(joined([some, more]), new Set(["a", "b", "c"]));
  assertEquals(joined([some, null]), null);
  assertEquals(joined([]), new Set<string>());
});

const messages = new URL("./messages/", import.meta.url);
const names = [...Deno.readDirSync(messages)].map(({ name }) => name)
  .filter((name) => name.endsWith(".eml"));

/** Each names one thing that takes a while, in one of the ways to name it. */
const SOURCES = [
  ...["{{body}}", "{{text}}", "{{html}}", "{{#body}}{{text}}{{/body}}", "{{json.body}}"],
  ...["{{subject}} {{header.to}}", "{{json.headers}}", "{{rawBody}}", "{{json.references}}"],
  ...["{{from}} {{#from}}{{name}} {{address}}{{/from}}", "{{json.to}}", "{{cc.0.address}}"],
  ...[
    "{{#bcc}}{{address}}{{/bcc}}",
    "{{replyTo}}{{#replyTo}}{{json.address}}{{/replyTo}}",
    "{{date}}",
  ],
  "{{#attachments}}{{filename}} {{contentType}} {{size}} {{contentId}}{{/attachments}}",
  "{{#attachments}}{{checksum}} {{content}} {{disposition}}{{/attachments}}",
  ...["{{json.attachments}}", "{{attachments.0.size}}", "{{#warnings}}{{.}}{{/warnings}}"],
];

for (const source of SOURCES) {
  Deno.test(`${source} is the same of a message that is read for it and of one that is read whole`, async () => {
    const template = templateOf(source);
    const rendered = new Set<string>();
    for (const name of names) {
      const message = { ...mail, data: Deno.readFileSync(new URL(name, messages)) };
      const [part, whole] = await Promise.all(
        [template.needs, null].map(async (needs) =>
          template.render(await read(message, surroundings, parseHere, needs), verbatim)
        ),
      );
      assertEquals(part, whole, name);
      rendered.add(whole);
    }
    assert(rendered.size > 1, "all messages give the same");
  });
}

/** What a message gives that is read for `needs`, and how often a parser was asked. */
async function readFor(needs: Needs) {
  let calls = 0;
  const parser = await load();
  const parse: typeof parser.parse = (...args) => {
    calls++;
    return parser.parse(...args);
  };
  const counted: Parse = (data, needs) =>
    Promise.resolve(contentOf(data, { ...parser, parse }, needs));
  return { ...await read(mail, surroundings, counted, needs), calls };
}

Deno.test("of a message that is read for its header no part is looked for", async () => {
  const { calls, subject, header, body } = await readFor(needsOf(["subject", "header.to", "size"]));
  assertEquals([calls, body], [0, ""]);
  assert(subject.startsWith("smtp-pigeon sample") && header.to.startsWith("Eli"));
});

Deno.test("of a message that is read for its text nothing else is made", async () => {
  const { calls, body, text, html, attachments, from } = await readFor(needsOf(["body"]));
  assertEquals([calls, text, html, attachments.length, from.length], [1, "", "", 0, 0]);
  assert(body.startsWith("It's a"));
});

Deno.test("of attachments a checksum is made where somebody wants it", async () => {
  const [without] = (await readFor(needsOf(["attachments.size"]))).attachments;
  const [withIt] = (await readFor(needsOf(["attachments.checksum"]))).attachments;
  assertEquals([without.size, without.checksum, withIt.checksum.length], [8, "", 64]);
});
