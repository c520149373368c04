/** Forms with files, and messages sent octet for octet. */
import { isFaults } from "../lib/fault.ts";
import type { AttachmentPolicy } from "../lib/context.ts";
import type { Mail } from "../lib/mail.ts";
import { read } from "../lib/message.ts";
import { type HttpRequest, type RequestOptions, target } from "../lib/request.ts";
import { sampleContexts, sampleMail } from "../lib/sample.ts";
import { assert, assertEquals } from "./assert.ts";

const surroundings = {
  version: "1",
  hostname: () => "pigeonry",
  env: () => undefined,
  vars: {},
};
const samples = sampleContexts(surroundings);

interface Options extends Pick<RequestOptions, "method"> {
  readonly type?: string;
  readonly files?: string;
}

async function made(text: string, { type = "multipart/form-data", files, method }: Options = {}) {
  return await target({
    url: null,
    headers: [{ text: `Content-Type: ${type}`, label: "--header" }],
    template: { text, label: "--template" },
    version: "1",
    files: files === undefined ? undefined : { text: files, label: "files" },
    method,
  }, samples);
}

async function requestOf(
  text: string,
  options: Options = {},
  mail: Mail = sampleMail("1", new Date(0)),
  attachments?: AttachmentPolicy,
): Promise<HttpRequest> {
  const target = await made(text, options);
  if (isFaults(target)) throw new Error(target.faults.join("\n"));
  const context = await read(mail, { ...surroundings, attachments }, undefined, target.needs);
  const request = await target.request(context, new Date(0));
  if (isFaults(request)) throw new Error(request.faults.join("\n"));
  return request;
}

/** What a server reads. */
async function formOf(
  { headers, body }: HttpRequest,
): Promise<[string, string | [string, string, string]][]> {
  const [type] = headers.filter(([name]) => name === "Content-Type");
  const response = new Response(body, { headers: { "Content-Type": type[1] } });
  const entries = Array.from(await response.formData());
  return await Promise.all(
    entries.map(async ([name, value]) =>
      typeof value === "string"
        ? [name, value] as [string, string]
        : [name, [value.name, value.type, await value.text()]] as [string, [string, string, string]]
    ),
  );
}

Deno.test("a form has a field for each member of the object that its template makes", async () => {
  const text = `{"subject": "{{subject}}", "n": {{size}}, "ok": true, "none": null, "empty": "",
    "to": {{json.recipients}}, "envelope": {"from": {{json.sender}}}}`;
  const request = await requestOf(text);
  assertEquals(await formOf(request), [
    ["subject", samples[0].subject],
    ["n", String(samples[0].size)],
    ["ok", "true"],
    ["empty", ""],
    ["to", '["eli@example.net","isaac@example.net"]'],
    ["envelope", '{"from":"gordon@example.org"}'],
  ]);
  assertEquals(request.headers.filter(([name]) => /content-type/i.test(name)).length, 1);
});

Deno.test("a message cannot leave its field of a form", async () => {
  const data = new TextEncoder().encode(
    'Subject: x\r\n\r\n--a\r\nContent-Disposition: form-data; name="evil"\r\n\r\ny\r\n--a--\r\n',
  );
  const request = await requestOf(`{"body": {{json.body}}, "last": "1"}`, {}, {
    ...sampleMail("1", new Date(0)),
    data,
  });
  const fields = await formOf(request);
  assertEquals(fields.map(([name]) => name), ["body", "last"]);
});

Deno.test("attachments are files of a form, each in the field that a template names", async () => {
  const fields = await formOf(await requestOf("{}", { files: "attachment-{{number}}" }));
  assertEquals(fields.map(([name]) => name), ["attachment-1", "attachment-2"]);
  assertEquals(fields[0][1], ["report.csv", "text/csv", "a,b\r\n1,2"]);
  assertEquals((fields[1][1] as string[]).slice(0, 2), ["dot.gif", "image/gif"]);
});

Deno.test("an attachment whose field has no name is not sent", async () => {
  const request = await requestOf("{}", { files: "{{#contentId}}inline{{/contentId}}" });
  assertEquals((await formOf(request)).map(([name]) => name), ["inline"]);
  assert(!new TextDecoder().decode(request.body as Uint8Array).includes("report.csv"));
});

Deno.test("an attachment whose content is left out is no file, and has no number among them", async () => {
  const files = async (policy: AttachmentPolicy) => {
    const text = '{"count": {{json.files.length}}}';
    const request = await requestOf(text, { files: "f{{number}}" }, undefined, policy);
    return (await formOf(request)).map(([name, value]) => name === "count" ? value : name);
  };
  assertEquals(await files({ mode: "include", maxOctets: 42 }), ["2", "f1", "f2"]);
  assertEquals(await files({ mode: "include", maxOctets: 41 }), ["1", "f1"]);
  assertEquals(await files({ mode: "include", maxOctets: 7 }), ["0"]);
  assertEquals(await files({ mode: "metadata", maxOctets: Infinity }), ["0"]);
  assertEquals(await files({ mode: "drop", maxOctets: Infinity }), ["0"]);
});

const refused: [text: string, fault: string][] = [
  ["[]", "must make a JSON object for Content-Type multipart/form-data"],
  ['"x"', "must make a JSON object for Content-Type multipart/form-data"],
  ["null", "must make a JSON object for Content-Type multipart/form-data"],
  [
    "a=b",
    "at line 1, column 1 it makes of a message what is not JSON (invalid symbol), must be for Content-Type multipart/form-data\n    a=b\n    ^",
  ],
];
for (const [text, fault] of refused) {
  Deno.test(`a form is refused that is ${text}`, async () => {
    const result = await made(text);
    assert(isFaults(result));
    assertEquals(result.faults, [`Cannot use --template: ${fault}`]);
  });
}

/** Octets that no character set has. */
const OCTETS = Uint8Array.from({ length: 300 }, (_, at) => at < 20 ? 65 : at);

for (const text of ["{{data}}", "{{{data}}}", "{{& data}}", "{{! as it came }}\n{{data}}\n"]) {
  Deno.test(`the template ${JSON.stringify(text)} sends a message octet for octet`, async () => {
    const mail = { ...sampleMail("1", new Date(0)), data: OCTETS };
    const { body } = await requestOf(text, { type: "message/rfc822" }, mail);
    assertEquals(body, OCTETS);
  });
}

Deno.test("{{rawBody}} alone sends the octets behind the header, if there are any", async () => {
  const of = async (data: string) => {
    const octets = Uint8Array.from(data, (char) => char.charCodeAt(0));
    const mail = { ...sampleMail("1", new Date(0)), data: octets };
    return (await requestOf("{{rawBody}}", { type: "application/octet-stream" }, mail)).body;
  };
  assertEquals(await of("A: b\r\n\r\n\xff\xfe"), Uint8Array.of(0xff, 0xfe));
  assertEquals(await of("A: b\r\n"), new Uint8Array(0));
});

for (
  const [text, type] of [["{{data}} ", "application/json"], ["{{data}}.", "text/plain"], [
    "{{data | upper}}",
    "text/plain",
  ]]
) {
  Deno.test(`${JSON.stringify(text)} as ${type} is a text`, async () => {
    const target = await made(text, { type });
    if (isFaults(target)) return assertEquals(type, "application/json");
    const request = await requestOf(text, { type });
    assertEquals(typeof request.body, "string");
  });
}

Deno.test("a request is sent by the method of its template", async () => {
  assertEquals((await requestOf("{}", { method: "PUT" })).method, "PUT");
  assertEquals((await requestOf("{}")).method, "POST");
});

Deno.test("a target tells what its templates name and there is not", async () => {
  const result = await made('{"a": "{{subjct}}"}', { files: "{{numbr}}{{filename}}" });
  assert(!isFaults(result));
  assertEquals(result.warnings, [
    '--template: no field is named "subjct", the nearest is "subject" at line 1, column 8',
    'files: no field is named "numbr", the nearest is "number" at line 1, column 1',
  ]);
});

Deno.test("a message alone has a media type of its own where nothing else is said", async () => {
  const of = async (text: string) => {
    const template = { text, label: "--template" };
    const made = await target({ url: null, headers: [], template, version: "1" }, samples);
    assert(!isFaults(made));
    const request = await made.request(samples[0], new Date(0));
    assert(!isFaults(request));
    return request.headers.find(([name]) => name === "Content-Type")?.[1];
  };
  assertEquals(await of("{{data}}"), "message/rfc822");
  assertEquals(await of("{{rawBody}}"), "application/octet-stream");
  assertEquals(await of("{{json.data}}"), "application/json");
});

Deno.test("a target tells of limits that nothing has, and of names beside broken JSON", async () => {
  const options = { url: null, headers: [], version: "1", limits: { subjct: 1, "to.text": 2 } };
  const sound = { text: "[{{json.subject}}, {{json.to.text}}]", label: "T" };
  const result = await target({ ...options, template: sound }, samples);
  assert(!isFaults(result));
  assertEquals(result.warnings, ['T: there is a limit for "subjct", which no tag names']);
  const broken = { text: '{"a": {{json.subjct}}}', label: "T" };
  const refused = await target({ ...options, limits: {}, template: broken }, samples);
  assert(isFaults(refused));
  assertEquals(refused.faults.map((fault) => fault.split("\n")[0]), [
    'T: no field is named "subjct", the nearest is "subject" at line 1, column 7',
    "Cannot use T: at line 1, column 7 it makes of a message what is not JSON (value expected), must be for Content-Type application/json",
  ]);
});
