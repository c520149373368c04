/** Requests: what a message can and cannot change in them, and the faults of their templates. */
import { isFaults } from "../lib/fault.ts";
import type { Setting } from "../lib/setting.ts";
import type { TemplateContext } from "../lib/context.ts";
import { type HttpRequest, type Target, target } from "../lib/request.ts";
import { sampleContexts } from "../lib/sample.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { Endpoint } from "./endpoint.ts";

const surroundings = {
  version: "1.2.3",
  hostname: () => "pigeonry",
  env: () => undefined,
  vars: { type: "text/plain; charset=utf-8" },
};
const samples = sampleContexts(surroundings);
const [rich] = samples;
const AT = new Date("2024-05-06T07:08:09.987Z");

interface Options {
  readonly url?: string | null;
  readonly headers?: readonly string[];
  readonly template?: string;
}

const flag = (name: string, text: string): Setting => ({ text, label: `--${name} "${text}"` });

function made({ url = null, headers = [], template = "{}" }: Options) {
  return target({
    url: url === null ? null : flag("url", url),
    headers: headers.map((text) => flag("header", text)),
    template: { text: template, label: "--template" },
    version: "1.2.3",
  }, samples);
}

async function sound(options: Options): Promise<Target> {
  const result = await made(options);
  if (isFaults(result)) throw new Error(result.faults.join("\n"));
  return result;
}

/** Of each the first line, which is all but an excerpt of the template. */
async function faultsOf(options: Options): Promise<readonly string[]> {
  const result = await made(options);
  return isFaults(result) ? result.faults.map((fault) => fault.split("\n    ")[0]) : [];
}

async function request(
  options: Options,
  context: Partial<TemplateContext> = {},
): Promise<HttpRequest> {
  const result = await (await sound(options)).request({ ...rich, ...context }, AT);
  if (isFaults(result)) throw new Error(result.faults.join("\n"));
  return result;
}

async function faultsOn(
  options: Options,
  context: Partial<TemplateContext>,
): Promise<readonly string[]> {
  const result = await (await sound(options)).request({ ...rich, ...context }, AT);
  return isFaults(result) ? result.faults : [];
}

const valueOf = ({ headers }: HttpRequest, name: string) =>
  headers.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);

/** A byte string as the UTF-8 that it carries. */
const decoded = (value: string) =>
  new TextDecoder().decode(Uint8Array.from(value, (char) => char.charCodeAt(0)));

Deno.test("target() names the origin alone", async () => {
  const { destination } = await sound({ url: "https://me:secret@EXAMPLE.com:443/hook?key=1#x" });
  assertEquals(destination, "https://example.com");
  assertEquals((await sound({ url: null })).destination, "standard output");
});

Deno.test("a request carries id, moment, agent and content type", async () => {
  const { method, url, headers, body } = await request({ url: "http://127.0.0.1/a" });
  assertEquals([method, url?.href, body], ["POST", "http://127.0.0.1/a", "{}"]);
  assertEquals(headers, [
    ["Content-Type", "application/json"],
    ["User-Agent", "smtp-pigeon/1.2.3"],
    ["webhook-id", rich.id],
    ["webhook-timestamp", "1714979289"],
  ]);
});

const values = [
  ...["", "a", "../", "../../admin", "/..", "/../", "a/../b", "@evil.example", "//evil.example/"],
  ...["?admin=1", "#x", "&admin=1", ":8080", ":80@evil.example", "\\\\evil.example", ";x", "a b"],
  ...["\r\nHost: evil.example", "\r\n\r\nGET / HTTP/1.1", "%0d%0a", "%2e%2e%2f", "%", "\0", "\t"],
  ...[
    "http://evil.example/",
    "javascript:x",
    "ü😀",
    "\ud800",
    "\u2028",
    "x".repeat(3000),
    "'\"<>`{}|^",
  ],
];
const urls = [
  "http://good.example:8080/in/{{subject}}/out?k=v#f",
  "http://good.example:8080/{{subject}}",
  "http://good.example:8080/in?k={{subject}}&j=1",
  "http://good.example:8080/in?{{subject}}",
  "http://good.example:8080/in#{{subject}}",
];
for (const url of urls) {
  Deno.test(`a message changes nothing but its own place in ${url}`, async () => {
    const pigeon = await sound({ url });
    for (const subject of values) {
      const result = await pigeon.request({ ...rich, subject }, AT);
      assert(!isFaults(result) && result.url !== null, JSON.stringify(subject));
      const expected = new URL(url.replace("{{subject}}", "MARK"));
      const mark = encodeURIComponent(subject.toWellFormed());
      for (const part of ["origin", "username", "password"] as const) {
        assertEquals(result.url[part], expected[part], JSON.stringify(subject));
      }
      const parts = ["pathname", "search", "hash"] as const;
      // The parser of URLs encodes an apostrophe in a query, which means the same.
      const apostrophes = (text: string) => text.replaceAll("%27", "'");
      for (const part of parts) {
        // An empty query or fragment is none.
        const wanted = expected[part].replace("MARK", mark).replace(/^[?#]$/, "");
        assertEquals(apostrophes(result.url[part]), wanted, JSON.stringify(subject));
      }
    }
  });
}

Deno.test("a message is no step in the path", async () => {
  const options = { url: "http://good.example/a/{{subject}}/b?c={{subject}}" };
  for (const subject of [".", ".."]) {
    assertEquals(await faultsOn(options, { subject }), [
      "Cannot use --url: a message is a step in its path, must be a name",
    ]);
  }
  assertEquals((await request(options, { subject: "..." })).url?.pathname, "/a/.../b");
  const query = await request({ url: "http://good.example/a?b=/{{subject}}" }, { subject: ".." });
  assertEquals(query.url?.search, "?b=/..");
  const operator = await request({ url: "http://good.example/a/../{{subject}}" }, { subject: "x" });
  assertEquals(operator.url?.pathname, "/x");
});

const takeovers: [url: string, subject: string][] = [
  ["{{{subject}}}", "http://evil.example/"],
  ["http://good.example{{{subject}}}", ".evil.example/"],
  ["http://good.example{{{subject}}}", "@evil.example/"],
  ["http://good.example{{{subject}}}", ":81/"],
  ["http://{{{subject}}}", "evil.example"],
  ["http{{{subject}}}://good.example/", "s"],
  ["http://good.example:{{{subject}}}/", "x"],
  ["http://good.example:{{{subject}}}/", "81"],
  ["http://{{subject}}.example/", "evil"],
  ["http://{{subject}}/", "evil%2eexample"],
  ["http://{{subject}}/", ""],
];
for (const [url, subject] of takeovers) {
  Deno.test(`"${subject}" does not take over ${url}`, async () => {
    // The samples are made to agree, so that it starts at all.
    const start = url.includes("}://")
      ? ""
      : /:\{/.test(url)
      ? "80"
      : /^\{/.test(url)
      ? "http://good.example/"
      : /example\{/.test(url)
      ? "/"
      : /\}\.example/.test(url)
      ? "good"
      : "good.example";
    const [first, second] = samples;
    const pigeon = await target({
      url: flag("url", url),
      headers: [],
      template: { text: "{}", label: "--template" },
      version: "1.2.3",
    }, [{ ...first, subject: start }, { ...second, subject: start }]);
    assert(!isFaults(pigeon));
    assertEquals(await pigeon.request({ ...rich, subject }, AT), {
      faults: ["Cannot use --url: a message changes the server in it, must leave it alone"],
    });
  });
}

Deno.test("the environment may name the server, if it does", async () => {
  const [url, template] = ["https://{{env.HOST}}/hooks/abc", { text: "{}", label: "--template" }];
  const [sample] = sampleContexts({ ...surroundings, env: () => "b.example" });
  const setting = { url: flag("url", url), headers: [], template, version: "1" };
  const pigeon = await target(setting, [sample]);
  assert(!isFaults(pigeon));
  assertEquals(pigeon.destination, "https://b.example");
  // It is not looked at again: what was started for one server goes to no other.
  const { env } = sampleContexts(surroundings)[0];
  assertEquals(await pigeon.request({ ...sample, env }, AT), {
    faults: ["Cannot use --url: a message changes the server in it, must leave it alone"],
  });
});

Deno.test("a URL whose server depends on the message does not start", async () => {
  assertEquals(await faultsOf({ url: "http://{{client.hostname}}x.example/" }), [
    "Cannot use --url: a message changes the server in it, must leave it alone",
  ]);
});

const noUrls = [
  ...[
    "my.endpoint/mail",
    "/mail",
    "ftp://a.example/",
    "file:///etc/passwd",
    "http://",
    "//a.example/",
  ],
  ...["https:///path", "https:////a.example/", "https://?a.example", "https://#a.example"],
  ...["https:/a.example/", "https:a.example", "https:\\\\a.example", "https://\\a.example/"],
  ...["https://{{env.HOST}}/hooks/abc", "https://{{{env.HOST}}}/hooks/abc"],
  ...["https://{{header.x-missing}}{{env.HOST}}?a=b", "{{env.SCHEME}}://a.example/"],
  ...["http:// a", "http://a:99999/", "javascript:alert(1)", "{{subject}}", "mailto:a@b.example"],
];
for (const url of noUrls) {
  Deno.test(`target() refuses the URL ${url}`, async () => {
    assertEquals(await faultsOf({ url }), [
      `Cannot use --url "${url}": must be an http or https URL, or - to print requests`,
    ]);
  });
}

const fieldValues: [subject: string, value: string][] = [
  ["plain", "plain"],
  ["  a\t b ", "a  b"],
  ["a\r\nX-Evil: 1", "a  X-Evil: 1"],
  ["a\rb\nc\0d", "a b c d"],
  ["\r\n\r\nbody", "body"],
  ["a\x01b\x1bc\x7fd\x80e\x85f\x9fg", "a b c d e f g"],
  ["üñ 漢字 😀 à", "üñ 漢字 😀 à"],
  ["à", "à"],
  ["\u00a0a\u00a0", "a"],
  ["\u2028a\u2029b", "a\u2029b"],
  ["\ud800", "\ufffd"],
  ['"\\;,', '"\\;,'],
  ["%0d%0a{{sender}}", "%0d%0a{{sender}}"],
  ["x".repeat(5000), "x".repeat(5000)],
];
for (const [subject, value] of fieldValues) {
  Deno.test(`a header value cannot end its field: ${JSON.stringify(subject).slice(0, 40)}`, async () => {
    const { headers } = await request({ headers: ["X-Subject: {{subject}}"] }, { subject });
    assertEquals(headers.length, 5);
    assertEquals(decoded(headers[4][1]), value);
  });
}

Deno.test("a header field of nothing is not sent, nor is the default whose place it takes", async () => {
  const headers = [
    "X-A: {{subject}}",
    "User-Agent:",
    "webhook-id: {{#html}}{{/html}}",
    "X-B: {{size}}",
  ];
  const made = await request({ headers }, { subject: " \r\n " });
  assertEquals(made.headers.map(([name]) => name), ["Content-Type", "webhook-timestamp", "X-B"]);
  const typeless = await request({ headers: ["Content-Type: {{subject}}"] }, { subject: "" });
  assertEquals(valueOf(typeless, "content-type"), ["application/json"]);
});

Deno.test("header values arrive as UTF-8 octets, in order, repeats kept", async () => {
  await using endpoint = new Endpoint();
  const { url, headers, body } = await request(
    { url: endpoint.origin, headers: ["X-A: {{subject}}", "x-b: 2", "X-A: ß"] },
    { subject: "漢字 😀 à\r\nEvil: 1" },
  );
  const fields = headers.map(([name, value]): [string, string] => [name, value]);
  await (await fetch(url!, { method: "POST", headers: fields, body })).body?.cancel();
  const received = (await endpoint.request()).headers;
  assertEquals(decoded(received.get("x-a")!), "漢字 😀 à  Evil: 1, ß");
  assertEquals([received.get("x-b"), received.get("evil")], ["2", null]);
});

Deno.test("a header value loses the blanks around it, also those of the operator", async () => {
  const { headers } = await request({
    headers: ["X-A:  \t b  c \r\n", "X-B:x", "X-C:", "X-D: a\nb"],
  });
  assertEquals(headers.slice(4), [["X-A", "b  c"], ["X-B", "x"], ["X-D", "a b"]]);
});

for (const name of ["Content-Type", "content-type", "CONTENT-TYPE", "cOnTeNt-TyPe"]) {
  Deno.test(`--header "${name}: …" replaces the content type and decides the escaping`, async () => {
    const { headers, body } = await request(
      { headers: [`${name}: text/html`], template: "{{subject}}" },
      { subject: '<"' },
    );
    assertEquals(headers.filter(([name]) => name.toLowerCase() === "content-type"), [
      [name, "text/html"],
    ]);
    assertEquals(body, "&#60;&#34;");
  });
}

Deno.test("of several content types the last one counts, and only it is sent", async () => {
  const made = await request({
    headers: ["Content-Type: text/html", "X-A: 1", "content-type: text/plain"],
    template: "{{subject}}",
  }, { subject: "<" });
  assertEquals(valueOf(made, "content-type"), ["text/plain"]);
  assertEquals(made.body, "<");
});

Deno.test("a templated content type decides the escaping of each message", async () => {
  const constant = await request(
    { headers: ["Content-Type: {{var.type}}"], template: "{{subject}}" },
    { subject: '"' },
  );
  assertEquals([valueOf(constant, "content-type")[0], constant.body], [
    surroundings.vars.type,
    '"',
  ]);
  const options = {
    headers: ["Content-Type: {{#html}}text/html{{/html}}{{^html}}application/json{{/html}}"],
    template: '{"a":"{{subject}}"}',
  };
  const asHtml = await request(options, { subject: '"<', html: "x" });
  assertEquals(asHtml.body, '{"a":"&#34;&#60;"}');
  const asJson = await request(options, { subject: '"<', html: "" });
  assertEquals(JSON.parse(asJson.body as string), { a: '"<' });
});

Deno.test("an operator's header replaces a default of the same name in any case", async () => {
  const made = await request({ headers: ["user-agent: me", "Webhook-ID: {{size}}"] });
  assertEquals(valueOf(made, "user-agent"), ["me"]);
  assertEquals(valueOf(made, "webhook-id"), [String(rich.size)]);
});

const users: [user: string, credentials: string | null][] = [
  ["", null],
  ["@", null],
  [":@", null],
  ["me@", "me:"],
  ["me:pass@", "me:pass"],
  [":pass@", ":pass"],
  ["m%40e:p%3A%25ss@", "m@e:p:%ss"],
  ["%C3%BC:ü@", "ü:ü"],
  ["%zz:%@", "%zz:%"],
];
for (const [user, credentials] of users) {
  Deno.test(`the user of http://${user}a.example/ becomes Authorization`, async () => {
    const made = await request({ url: `http://${user}a.example/b` });
    assertEquals(made.url?.href, "http://a.example/b");
    const sent = valueOf(made, "authorization").map((value) => decoded(atob(value.slice(6))));
    assertEquals(sent, credentials === null ? [] : [credentials]);
    const given = await request({
      url: `http://${user}a.example/b`,
      headers: ["AUTHORIZATION: Bearer x"],
    });
    assertEquals(valueOf(given, "authorization"), ["Bearer x"]);
  });
}

const noHeaders: [text: string, fault: string][] = [
  ...["X-A", "", ": a", "X A: b", "X-Ä: b", "X\r\nY: b", "{{subject}}: b", " X-A: b", "X-A : b"]
    .map(
      (text): [string, string] => [text, 'must be "Name: value"'],
    ),
  ...[
    "Host",
    "content-length",
    "Transfer-Encoding",
    "CONNECTION",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Upgrade",
  ]
    .map((name): [string, string] => [
      `${name}: x`,
      `${name} follows from the request itself, must be another name`,
    ]),
];
for (const [text, fault] of noHeaders) {
  Deno.test(`target() refuses the header ${JSON.stringify(text)}`, async () => {
    assertEquals(await faultsOf({ headers: [text] }), [`Cannot use --header "${text}": ${fault}`]);
  });
}

const broken: [options: Options, ...faults: string[]][] = [
  [
    { template: '{\n  "a": {{subject}}\n}' },
    "Cannot use --template: at line 2, column 8 it makes of a message what is not JSON (invalid symbol), must be for Content-Type application/json",
  ],
  [
    { template: "{{body}}" },
    "Cannot use --template: at line 1, column 1 it makes of a message what is not JSON (invalid symbol), must be for Content-Type application/json",
  ],
  [
    { template: '{"date": {{json.date.unix}}}' },
    "Cannot use --template: at line 1, column 10 it makes of a message what is not JSON (value expected), must be for Content-Type application/json",
  ],
  [
    { template: "", headers: ["content-type: application/problem+json"] },
    "Cannot use --template: at line 1, column 1 it makes of a message what is not JSON (value expected), must be for Content-Type application/problem+json",
  ],
  [
    { template: "a\n {{#b}}" },
    'Cannot use --template: section "b" at line 2, column 2 is not closed, must end with a tag of its own',
  ],
  [
    {
      url: "http://a.example/{{#json.id}}x{{/json.id}}",
      headers: ["X-A: {{^json.to}}x{{/json.to}}"],
      template: '{\n  {{#json.date}}"a": 1{{/json.date}}\n}',
    },
    'Cannot use --url "http://a.example/{{#json.id}}x{{/json.id}}": section "json.id" at line 1, column 18 asks for JSON, must be "id"',
    'Cannot use --header "X-A: {{^json.to}}x{{/json.to}}": section "json.to" at line 1, column 6 asks for JSON, must be "to"',
    'Cannot use --template: section "json.date" at line 2, column 3 asks for JSON, must be "date"',
  ],
  [
    { headers: ["X-A: {{b"] },
    'Cannot use --header "X-A: {{b": the tag at line 1, column 6 is not closed, must end with }}',
  ],
  [
    { url: "http://a.example/{{b" },
    'Cannot use --url "http://a.example/{{b": the tag at line 1, column 18 is not closed, must end with }}',
  ],
  [
    { url: "{{/x}}", headers: ["A", "B: c", "C: {{{d}}"], template: "{{" },
    'Cannot use --url "{{/x}}": section "x" ends at line 1, column 1, must begin before it',
    'Cannot use --header "A": must be "Name: value"',
    'Cannot use --header "C: {{{d}}": the tag at line 1, column 4 is not closed, must end with }}}',
    "Cannot use --template: the tag at line 1, column 1 is not closed, must end with }}",
  ],
];
for (const [options, ...faults] of broken) {
  Deno.test(`target() says what is wrong with ${JSON.stringify(options)}`, async () => {
    assertEquals(await faultsOf(options), faults);
  });
}

const shown: [options: Options, excerpt: string][] = [
  [{ template: "a\n {{#b}} c\nd" }, "\n     {{#b}} c\n     ^"],
  [{ headers: ["X-A: b{{c"] }, "\n    X-A: b{{c\n          ^"],
  [{ url: "http://a.example/{{b" }, "\n    http://a.example/{{b\n                     ^"],
  // What the rich sample makes of the template before has two lines.
  [
    { template: '{"body": "{{body}}",\n  "size": {{size}},\n "id": {{id}}}' },
    '\n     "id": {{id}}}\n           ^',
  ],
  [{ template: '[{{#to}}"{{name}}" {{/to}}]' }, '\n    [{{#to}}"{{name}}" {{/to}}]\n            ^'],
];
for (const [options, excerpt] of shown) {
  Deno.test(`target() shows the place in ${JSON.stringify(options)}`, async () => {
    const result = await made(options);
    assert(isFaults(result));
    assertEquals(result.faults.map((fault) => fault.slice(fault.indexOf("\n    "))), [excerpt]);
  });
}

Deno.test("no fault repeats a secret that the label of its setting hides", async () => {
  const hidden = (text: string): Setting => ({ text, label: "IT", isSecret: true });
  const template = hidden("{}");
  const bad = [
    ...["s3cret", "ftp://s3cret", "http://s3cret:99999", "http:///s3cret", "http://s3cret/{{#a}}"],
    ...["http://s3cret.{{client.hostname}}.example/", "http://s3cret{{"],
  ];
  for (const text of bad) {
    const made = await target({ url: hidden(text), headers: [], template, version: "1" }, samples);
    assert(isFaults(made), text);
    assertMatch(made.faults.join("\n"), /^Cannot use IT: (?!.*s3cret).+$/);
  }
  for (const text of ["s3cret", "A s3cret: b", "Host: s3cret", "A: s3cret {{#a}}", "A: s3cret{{"]) {
    const made = await target(
      { url: null, headers: [hidden(text)], template, version: "1" },
      samples,
    );
    assert(isFaults(made), text);
    assertMatch(made.faults.join("\n"), /^Cannot use IT: (?!.*s3cret).+$/);
  }
});

Deno.test("JSON that a message breaks is not sent", async () => {
  const options = { template: '{"a":"{{{subject}}}"}' };
  // The rich sample would break it at start.
  const [, bare] = samples;
  const pigeon = await target(
    {
      url: null,
      headers: [],
      template: { text: options.template, label: "--template" },
      version: "1",
    },
    [bare],
  );
  assert(!isFaults(pigeon));
  assertEquals(await pigeon.request({ ...bare, subject: 'a"b' }, AT), {
    faults: [
      "Cannot use --template: at line 1, column 7 it makes of a message what is not JSON (invalid symbol), must be for Content-Type application/json",
    ],
  });
  assert(!isFaults(await pigeon.request({ ...bare, subject: "ab" }, AT)));
});

Deno.test("a fault on a message does not repeat the URL", async () => {
  const [fault] = await faultsOn(
    { url: "http://me:s3cret@good.example/t0ken/{{subject}}?k=s3cret" },
    { subject: ".." },
  );
  assert(!/s3cret|t0ken|good/.test(fault), fault);
});

Deno.test("target() refuses a host that is made of what differs from message to message", async () => {
  for (const field of ["id", "timestamp.unix", "sender", "client.hostname"]) {
    const made = await target(
      {
        url: { text: `http://x{{${field}}}.example/`, label: "--url" },
        headers: [],
        template: { text: "{}", label: "--template" },
        version: "1",
      },
      sampleContexts({ version: "1", hostname: () => "h", env: () => undefined, vars: {} }),
    );
    assert("faults" in made, field);
  }
});

Deno.test("a comma too many at the end of a list or an object is left out of JSON", async () => {
  const template = '{"to": [{{#to}}"{{name}}", {{/to}}], "subject": "{{subject}}",}';
  const { body } = await request({ template }, { subject: ",] ,}" });
  assertEquals(JSON.parse(body as string), {
    to: ["Eli Vance", "Isaac Kleiner"],
    subject: ",] ,}",
  });
  assertEquals(await faultsOf({ template: "[1,,]" }), [
    "Cannot use --template: at line 1, column 4 it makes of a message what is not JSON (value expected), must be for Content-Type application/json",
  ]);
});
