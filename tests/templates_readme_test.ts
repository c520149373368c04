/** Each example of templates/README.md makes of its mail what stands below it. */
import { isFaults } from "../lib/fault.ts";
import { optionsOf, readTemplateFile } from "../lib/front_matter.ts";
import { replay } from "../lib/replay.ts";
import { type HttpRequest, target } from "../lib/request.ts";
import { sampleContexts } from "../lib/sample.ts";
import { assert, assertEquals } from "./assert.ts";

const page = Deno.readTextFileSync(new URL("../templates/README.md", import.meta.url));
const blocks = Array.from(
  page.matchAll(/^```(\w+)\n(.*?)\n```$/gms),
  ([, kind, text]) => ({ kind, text }),
);
const mail = blocks.find(({ kind }) => kind === "eml")!.text;
const examples = blocks.flatMap(({ kind, text }, at) =>
  kind === "mustache" ? [{ template: text, ...blocks[at + 1] }] : []
);

async function requestOf(text: string): Promise<HttpRequest> {
  const surroundings = { version: "1", hostname: () => "", env: () => undefined, vars: {} };
  const file = await readTemplateFile({ text, label: "example" });
  assert(!isFaults(file));
  const options = optionsOf(file, {
    ...{ url: null, isPrinted: true, headers: [], vars: {} },
    version: "1",
  });
  assert(!isFaults(options));
  const made = await target(options, sampleContexts(surroundings));
  assert(!isFaults(made), JSON.stringify(made));
  assertEquals(made.warnings, []);
  const data = new TextEncoder().encode(mail.replaceAll("\n", "\r\n"));
  const context = await replay(data, "1", new Date("2022-01-01T10:10:20Z"), surroundings);
  const request = await made.request(context, new Date(0));
  assert(!isFaults(request));
  return request;
}

/** A form as the page writes it. */
async function formTextOf({ headers, body }: HttpRequest): Promise<string> {
  const type = headers.find(([name]) => name === "Content-Type")![1];
  const form = await new Response(body, { headers: { "Content-Type": type } }).formData();
  return Array.from(
    form,
    ([name, value]) =>
      `${name}=${
        typeof value === "string" ? value : `${value.name} (${value.type}, ${value.size} bytes)`
      }`,
  ).join("\n");
}

for (const [at, { template, kind, text }] of examples.entries()) {
  Deno.test(`example ${at + 1} of templates/README.md makes what stands below it`, async () => {
    const request = await requestOf(template);
    if (text.startsWith("{")) JSON.parse(text);
    assertEquals(kind === "form" ? await formTextOf(request) : request.body, text);
  });
}

Deno.test("templates/README.md has ten examples", () => assertEquals(examples.length, 10));
