/** Templates: what they see of a message, how it is escaped, and where they go wrong. */
// @ts-types="npm:@types/mustache@4.2.6"
import Mustache from "npm:mustache@4.2.0";
import { isFaults } from "../lib/fault.ts";
import type { TemplateContext } from "../lib/context.ts";
import { sampleContexts } from "../lib/sample.ts";
import { type Escape, escapeFor, verbatim } from "../lib/escape.ts";
import { parseTemplate } from "../lib/template.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";

const surroundings = {
  version: "1.2.3",
  hostname: () => "pigeonry",
  env: (name: string) => ({ TOKEN: "t0p", toString: "an odd name" })[name],
  vars: { topic: "alerts", constructor: "mine", ["__proto__"]: "also mine" },
};
const [rich, bare] = sampleContexts(surroundings);

function render(
  source: string,
  context: TemplateContext = rich,
  escape: Escape = verbatim,
): string {
  const template = compile(source);
  if (isFaults(template)) throw new Error(template.faults.join());
  return template.render(context, escape);
}

const compile = (text: string) => parseTemplate({ text, label: "T" });

/** The first line of a fault, which is all but an excerpt of the template. */
function faultOf(source: string): string {
  const template = compile(source);
  return isFaults(template) ? template.faults.join().replace(/^Cannot use T: |\n.*/gs, "") : "none";
}

const json = (source: string, context: TemplateContext = rich) =>
  render(source, context, escapeFor("application/json"));

/** A context in which one text is everywhere that a message can put it. */
const saying = (text: string): TemplateContext => ({
  ...rich,
  subject: text,
  recipients: [text, text],
});

/** Every character that has a meaning somewhere, and those that have none anywhere. */
const HOSTILE = `"\\ \n\r\t\u2028\u2029\0\x1b\ud800 &<>'/=%+é😀`;
const IN_JSON = "\\\"\\\\ \\n\\r\\t\u2028\u2029\\u0000\\u001b\\ud800 &<>'/=%+é😀";
const IN_MARKUP = "&#34;\\ \n\r\t\u2028\u2029\ufffd\ufffd\ufffd &#38;&#60;&#62;&#39;/=%+é😀";
const IN_FORM =
  "%22%5C%20%0A%0D%09%E2%80%A8%E2%80%A9%00%1B%EF%BF%BD%20%26%3C%3E'%2F%3D%25%2B%C3%A9%F0%9F%98%80";

const escapes: [contentType: string, expected: string][] = [
  ["application/json", IN_JSON],
  ["application/json; charset=utf-8", IN_JSON],
  ["application/json;charset=utf-8", IN_JSON],
  [" Application/JSON ", IN_JSON],
  ["text/json", IN_JSON],
  ["application/problem+json", IN_JSON],
  ["application/vnd.api+JSON; v=1", IN_JSON],
  ["text/html", IN_MARKUP],
  ["TEXT/HTML; charset=utf-8", IN_MARKUP],
  ["text/xml", IN_MARKUP],
  ["application/xml", IN_MARKUP],
  ["application/atom+xml; type=entry", IN_MARKUP],
  ["application/xhtml+xml", IN_MARKUP],
  ["application/x-www-form-urlencoded", IN_FORM],
  ["Application/X-WWW-Form-Urlencoded; charset=utf-8", IN_FORM],
  ["text/plain", HOSTILE],
  ["text/markdown; charset=utf-8", HOSTILE],
  ["text/plain; was=application/json", HOSTILE],
  ["application/jsonp", HOSTILE],
  ["application/x-json-like", HOSTILE],
  ["text/xmlish", HOSTILE],
  ["application/octet-stream", HOSTILE],
  ["", HOSTILE],
];
for (const [contentType, expected] of escapes) {
  Deno.test(`escapeFor(${JSON.stringify(contentType)}) escapes for it`, () => {
    assertEquals(render("{{subject}}", saying(HOSTILE), escapeFor(contentType)), expected);
  });
}

Deno.test("a value in a JSON string is read back as it was", () => {
  assertEquals(JSON.parse(json('["{{subject}}"]', saying(HOSTILE))), [HOSTILE]);
});

Deno.test("a value in a form is read back as it was", () => {
  const form = render("a={{subject}}&b=2", saying(HOSTILE), escapeFor(escapes[13][0]));
  assertEquals(Object.fromEntries(new URLSearchParams(form)), {
    a: HOSTILE.toWellFormed(),
    b: "2",
  });
});

Deno.test("a triple mustache and an ampersand never escape", () => {
  for (const [contentType] of escapes) {
    const escape = escapeFor(contentType);
    assertEquals(
      render("{{{subject}}}{{& subject}}", saying(HOSTILE), escape),
      HOSTILE + HOSTILE,
    );
  }
});

Deno.test("every field of a context can be written as JSON", () => {
  for (const context of [rich, bare]) {
    for (const name of Object.keys(context) as (keyof TemplateContext)[]) {
      assertEquals(json(`{{json.${name}}}`, context), JSON.stringify(context[name]), name);
    }
  }
});

Deno.test("json by itself is the whole context without the environment", () => {
  const whole = JSON.parse(json("{{json}}"));
  assertEquals(Object.keys(whole), Object.keys(rich));
  assertEquals(whole.subject, rich.subject);
  assertEquals(whole.env, {});
});

Deno.test("a JSON value is a text like any other where the content type is not JSON", () => {
  const context = saying(`a&b="<'`);
  const source = "{{json.subject}}";
  assertEquals(
    render(source, context, escapeFor("application/x-www-form-urlencoded")),
    encodeURIComponent(JSON.stringify(context.subject)),
  );
  assertEquals(
    render(source, context, escapeFor("text/html")),
    "&#34;a&#38;b=\\&#34;&#60;&#39;&#34;",
  );
  assertEquals(render(source, context, escapeFor("text/plain")), JSON.stringify(context.subject));
  assertEquals(render("{{{json.subject}}}", context, escapeFor("text/html")), `"a&b=\\"<'"`);
});

const samples: [source: string, ofRich: string, ofBare: string][] = [
  // Fields.
  ["{{id}}", rich.id, bare.id],
  ["{{timestamp}}", "2022-01-01T10:10:20Z", "2022-01-01T10:10:24Z"],
  ["{{timestamp.unix}}", "1641031820", "1641031824"],
  ["{{date}}|{{date.unix}}", "2022-01-01T10:10:19Z|1641031819", "|"],
  ["{{sender}}", "gordon@example.org", ""],
  ["{{recipients}}", "eli@example.net, isaac@example.net", "root"],
  [
    "{{client.address}}:{{client.port}} {{client.tls}}",
    "127.0.0.1:49152 false",
    "127.0.0.1:49152 false",
  ],
  ["{{client}}{{header}}{{attachments}}{{headers}}{{env}}{{var}}", "", ""],
  ["{{hostname}} {{version}}", "pigeonry 1.2.3", "pigeonry 1.2.3"],
  ["{{warnings}}", "", ""],
  ["{{size}}", String(rich.size), "0"],
  ["{{missing}}{{missing.too}}{{from.missing}}{{client.missing.too}}", "", ""],
  ["{{}}{{ }}{{..}}{{a..b}}{{.a}}{{a.}}", "", ""],
  // Lists.
  [
    "{{from}}|{{cc}}|{{bcc}}",
    '"Gordon Freeman" <gordon@example.org>|barney@example.com|',
    "||",
  ],
  ["{{to.text}}", "Eli Vance <eli@example.net>, Isaac Kleiner <isaac@example.net>", ""],
  ["{{references}}", "<earliest@example.org>, <earlier@example.org>", ""],
  ["{{to.0.name}} {{to.1.address}}{{to.2.address}}", "Eli Vance isaac@example.net", " "],
  ["{{recipients.0}} {{recipients.length}}", "eli@example.net 2", "root 1"],
  [
    "{{#recipients}}{{index}}={{.}}{{^last}};{{/last}}{{/recipients}}",
    "0=eli@example.net;1=isaac@example.net",
    "0=root",
  ],
  [
    "{{#recipients}}{{#first}}<{{/first}}{{last}}{{#last}}>{{/last}}{{/recipients}}",
    "<falsetrue>",
    "<true>",
  ],
  [
    "{{#to}}{{index}} {{name}} {{address}} {{first}} {{last}}\n{{/to}}",
    "0 Eli Vance eli@example.net true false\n1 Isaac Kleiner isaac@example.net false true\n",
    "",
  ],
  ["{{#from}}{{subject}}{{/from}}", rich.subject, ""],
  ["{{#to}}{{#recipients}}{{index}}{{/recipients}}{{index}} {{/to}}", "010 011 ", ""],
  ["{{^bcc}}none{{/bcc}}{{#bcc}}some{{/bcc}}", "none", "none"],
  ["{{#from}}some{{/from}}{{^from}}none{{/from}}", "some", "none"],
  ["{{#html}}HTML{{/html}}{{^html}}none{{/html}}", "HTML", "none"],
  [
    "{{#client}}{{address}} {{json.port}} {{sender}}{{/client}}",
    "127.0.0.1 49152 gordon@example.org",
    "127.0.0.1 49152 ",
  ],
  ["{{#date}}{{unix}} {{.}}{{/date}}", "1641031819 2022-01-01T10:10:19Z", ""],
  // JSON within.
  ["{{json.client.port}}", "49152", "49152"],
  ["{{json.from.text}}", JSON.stringify('"Gordon Freeman" <gordon@example.org>'), '""'],
  [
    "{{json.timestamp}} {{json.timestamp.unix}}",
    '"2022-01-01T10:10:20Z" 1641031820',
    '"2022-01-01T10:10:24Z" 1641031824',
  ],
  ["{{json.header.x-missing}} {{json.env.MISSING}} {{json.var.missing}}", '"" "" ""', '"" "" ""'],
  ["{{json.header.Reply-To}}", '"Gordon <reply@example.org>"', '""'],
  ["{{json.header.reply-to}}", '"Gordon <reply@example.org>"', '""'],
  ["{{json.date.unix}}", "1641031819", ""],
  ["{{json.to.1.name}}", '"Isaac Kleiner"', ""],
  [
    "[{{#attachments}}{{json.filename}}{{^last}},{{/last}}{{/attachments}}]",
    '["report.csv","dot.gif"]',
    "[]",
  ],
  [
    "[{{#recipients}}{{json}}{{^last}},{{/last}}{{/recipients}}]",
    '["eli@example.net","isaac@example.net"]',
    '["root"]',
  ],
  ["{{#cc}}{{json}}{{/cc}}", '{"name":"","address":"barney@example.com"}', ""],
  ["{{#cc}}{{json.sender}}{{/cc}}", '"gordon@example.org"', ""],
  // Dictionaries.
  ["{{header.subject}}", rich.subject, ""],
  [
    "{{header.Reply-To}} {{header.REPLY-TO}}",
    Array(2).fill("Gordon <reply@example.org>").join(" "),
    " ",
  ],
  ["{{#header}}{{Reply-To}}{{/header}}", "Gordon <reply@example.org>", ""],
  [
    "{{#header.In-Reply-To}}an answer{{/header.In-Reply-To}}{{^header.In-Reply-To}}none{{/header.In-Reply-To}}",
    "an answer",
    "none",
  ],
  ["{{var.Topic}}{{env.token}}", "", ""],
  ["{{header.x-missing}}{{env.MISSING}}{{var.missing}}", "", ""],
  ["{{env.TOKEN}} {{var.topic}}", "t0p alerts", "t0p alerts"],
  [
    "{{var.constructor}} {{var.__proto__}} {{env.toString}}",
    "mine also mine an odd name",
    "mine also mine an odd name",
  ],
  [
    "{{#headers}}{{#first}}{{name}}: {{value}}{{/first}}{{/headers}}",
    'From: "Gordon Freeman" <gordon@example.org>',
    "",
  ],
];
for (const [source, ofRich, ofBare] of samples) {
  Deno.test(`render() makes of ${source.replaceAll("\n", "\\n")} what it says`, () => {
    assertEquals(render(source, rich), ofRich, "rich");
    assertEquals(render(source, bare), ofBare, "bare");
  });
}

const inherited = [
  ...["constructor", "__proto__", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf"],
  ...["toJSON", "toLocaleString", "propertyIsEnumerable", "__defineGetter__", "__lookupSetter__"],
  ...["prototype", "join", "map", "at", "call", "then", "name", "caller", "arguments"],
];
const owners = [
  ...["", "client.", "header.", "env.", "recipients.", "from.", "from.0.", "subject.", "size."],
  ...["timestamp.", "date.", "constructor.", "__proto__.", "json.", "json.recipients."],
  ...["json.header.", "json.subject.", "client.constructor."],
];
for (const owner of owners) {
  Deno.test(`render() shows nothing that JavaScript puts behind {{${owner}…}}`, () => {
    for (const name of inherited) {
      const path = owner + name;
      // "from.0.name" is a field, "env.toString" is set above, and "json.header.x" is a text.
      const expected = path === "from.0.name"
        ? "Gordon Freeman"
        : path === "env.toString"
        ? "an odd name"
        : owner === "json.header."
        ? '""'
        : "";
      assertEquals(json(`{{${path}}}`), expected, path);
      assertEquals(json(`{{{${path}}}}`), expected, path);
    }
  });
  Deno.test(`render() enters no section of what JavaScript puts behind {{#${owner}…}}`, () => {
    for (const name of ["constructor", "__proto__", "hasOwnProperty", "join", "valueOf"]) {
      const path = owner + name;
      const source = `{{#${path}}}in{{/${path}}}{{^${path}}}out{{/${path}}}`;
      if (!owner.startsWith("json.")) assertEquals(json(source), "out", path);
      else {assertMatch(
          faultOf(source),
          /^section ".*" at line 1, column 1 asks for JSON, must be /,
        );}
    }
  });
}

Deno.test("render() survives a template that names hasOwnProperty before anything else", () => {
  assertEquals(json("{{hasOwnProperty}}{{__proto__}}{{sender}}"), "gordon@example.org");
});

Deno.test("render() does not render a value again", () => {
  const context = saying("{{sender}} {{{id}}} {{#recipients}}x{{/recipients}} {{=<% %>=}} {{/a}}");
  assertEquals(render("{{subject}}", context), context.subject);
  assertEquals(render("{{{subject}}}", context), context.subject);
  assertEquals(render("{{#recipients}}{{.}}{{/recipients}}", context), context.subject.repeat(2));
  assertEquals(render("{{#subject}}{{.}}{{/subject}}", context), context.subject);
});

Deno.test("render() gives the same again, and for one message nothing of another", () => {
  const template = compile("{{subject}}{{#recipients}}{{.}}{{/recipients}}");
  assert(!isFaults(template));
  const texts = ["one", "two", "one"].map((text) => template.render(saying(text), verbatim));
  assertEquals(texts, ["oneoneone", "twotwotwo", "oneoneone"]);
});

Deno.test("render() leaves Mustache's own escaping to others", () => {
  const { escape } = Mustache;
  json("{{subject}}{{json.subject}}");
  assert(Mustache.escape === escape);
  assertEquals(Mustache.render("{{a}}", { a: "<" }), "&lt;");
});

Deno.test("render() takes other delimiters, comments and tags that stand alone in a line", () => {
  assertEquals(
    render("{{=<% %>=}}<% sender %> {{sender}}<%={{ }}=%> {{version}}"),
    "gordon@example.org {{sender}} 1.2.3",
  );
  assertEquals(render("a{{! a comment\nof two lines }}b"), "ab");
  assertEquals(render("{{#to}}\n- {{name}}\n{{/to}}\n"), "- Eli Vance\n- Isaac Kleiner\n");
  assertEquals(render(""), "");
});

Deno.test("json.header lists names in lower case", () => {
  const names = Object.keys(JSON.parse(json("{{json.header}}")));
  assertEquals(names.slice(0, 4), ["from", "to", "cc", "reply-to"]);
  assertEquals(names.filter((name) => name !== name.toLowerCase()), []);
});

const broken: [source: string, fault: string][] = [
  [
    "{{#json.subject}}x{{/json.subject}}",
    'section "json.subject" at line 1, column 1 asks for JSON, must be "subject"',
  ],
  [
    "é\n {{^ json.client.user }}x{{/ json.client.user }}",
    'section "json.client.user" at line 2, column 2 asks for JSON, must be "client.user"',
  ],
  [
    "{{#to}}{{#json.name}}x{{/json.name}}{{/to}}{{#json.b}}{{/json.b}}",
    'section "json.name" at line 1, column 8 asks for JSON, must be "name"',
  ],
  [
    "{{=<% %>=}}\n<%#json.to%>x<%/json.to%>",
    'section "json.to" at line 2, column 1 asks for JSON, must be "to"',
  ],
  ["{{subject", "the tag at line 1, column 1 is not closed, must end with }}"],
  ["{{subject}", "the tag at line 1, column 1 is not closed, must end with }}"],
  ["é😀 {{a}}\n {{b", "the tag at line 2, column 2 is not closed, must end with }}"],
  ["{{{a}} b", "the tag at line 1, column 1 is not closed, must end with }}}"],
  ["{{a}}\n\n{{! never", "the tag at line 3, column 1 is not closed, must end with }}"],
  ["{{a}}{{=<% %>=}}\n<% b", "the tag at line 2, column 1 is not closed, must end with %>"],
  ["{{=<% %>=}}<%{b%>", "the tag at line 1, column 12 is not closed, must end with }%>"],
  ["{{=<% %>", "the tag at line 1, column 1 is not closed, must end with =}}"],
  ["{{=x=}}", "the tag at line 1, column 1 sets delimiters, must name two of them"],
  [
    "a\n{{#to}}\n{{name}}",
    'section "to" at line 2, column 1 is not closed, must end with a tag of its own',
  ],
  [
    "{{#a}}{{#b}}{{/b}}",
    'section "a" at line 1, column 1 is not closed, must end with a tag of its own',
  ],
  ["{{^ a }}x", 'section "a" at line 1, column 1 is not closed, must end with a tag of its own'],
  ["x\n  {{/to}}", 'section "to" ends at line 2, column 3, must begin before it'],
  ["{{#a}}{{/a}}{{/a}}", 'section "a" ends at line 1, column 13, must begin before it'],
  [
    "{{#a}}\n{{#b}}{{/a}}{{/b}}",
    'section "a" ends at line 2, column 7, must be "b", which is open',
  ],
];
for (const [source, fault] of broken) {
  Deno.test(`parseTemplate() says where ${JSON.stringify(source)} goes wrong`, () => {
    assertEquals(faultOf(source), fault);
  });
}

Deno.test("parseTemplate() finds no fault in what only looks like one", () => {
  for (
    const source of [
      "{ {",
      "}}",
      "{{a}}}",
      "{ {a}}",
      "{{#a}}{{/ a }}",
      "{{=| |=}}|a|{{b",
      "{{!{{}}",
      "{{json.to}}{{{json.to}}}{{&json.to}}",
      "{{#to}}{{json}}{{json.name}}{{/to}}",
      "{{! {{#json.to}}",
      "{{=<% %>=}}{{#json.to}}",
      "{{#jsonld.to}}{{/jsonld.to}}{{#var.json.a}}{{/var.json.a}}",
    ]
  ) {
    assertEquals(faultOf(source), "none", source);
  }
});
