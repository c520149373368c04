/** Filters of templates: what they make of values, and what is wrong with them. */
import { cut, cutOctets } from "../lib/cut.ts";
import { escapeFor, verbatim } from "../lib/escape.ts";
import { isFaults } from "../lib/fault.ts";
import { sampleContexts } from "../lib/sample.ts";
import { parseTemplate } from "../lib/template.ts";
import { assert, assertEquals } from "./assert.ts";

const [rich, bare] = sampleContexts({
  version: "1.2.3",
  hostname: () => "pigeonry",
  env: () => undefined,
  vars: { key: "secret" },
});

function render(source: string, context: object = rich, contentType = "text/plain", limits = {}) {
  const template = parseTemplate({ text: source, label: "T" }, limits);
  if (isFaults(template)) throw new Error(template.faults.join());
  return template.render(context, contentType === "" ? verbatim : escapeFor(contentType));
}

const saying = (subject: string) => ({ ...rich, subject });

const tables: [filter: string, rows: [value: string, text: string][]][] = [
  ["cut 5", [
    ...[["", ""], ["abcde", "abcde"], ["abcdef", "abcd…"], ["ab cdef", "ab c…"]],
    // No blank before the mark.
    ["abc def", "abc…"],
    // Half a surrogate pair, a letter without its accent, a family without its child.
    ["abc😀de", "abc…"],
    ["abce\u0301de", "abc…"],
    ["👨‍👩‍👧‍👦x", "…"],
    ["🇩🇪🇫🇷🇮🇹", "🇩🇪…"],
  ] as [string, string][]],
  ["cut 1", [["ab", "…"], ["a", "a"], ["😀", "…"]]],
  ["cut 100", [["e" + "\u0301".repeat(200), "e" + "\u0301".repeat(98) + "…"]]],
  ["html | cut 7", [["a<b", "a&lt;b"], ["ab<<<", "ab&lt;…"], ["abc<<<", "abc…"], [
    "a&b&c",
    "a&amp;…",
  ]]],
  ["html | cut 6", [["abc<<", "abc…"], ["<<", "&lt;…"]]],
  // What is no escape is a text like any other.
  ["cut 6", [["ab&ltx cd", "ab&lt…"], ["a&b;&c;d", "a&b;&…"]]],
  ["markdown | cut 4", [["a*b*c", "a\\*…"], ["**", "\\*\\*"], ["***", "\\*…"], [
    "\\\\\\",
    "\\\\…",
  ]]],
  // Which backslash escapes which depends on the first one of them.
  ["markdown | cut 8", [["a\\\\\\\\", "a\\\\\\\\\\\\…"]]],
  // As JSON has them.
  ["bytes 10", [["\x01\x01", "\x01…"], ['""""""', '"""…'], ["\n\n\n\n\nx", "…"], [
    "a\nb\nc\nd",
    "a\nb\nc\nd",
  ]]],
  ["bytes 6", [["abcdef", "abcdef"], ["abcdefg", "abc…"], ["äöü", "äöü"], ["äöüx", "ä…"], [
    "😀😀",
    "…",
  ]]],
  ["bytes 3", [["abc", "abc"], ["abcd", "…"]]],
  ['default "none"', [["", "none"], ["x", "x"], [" \n", "none"]]],
  ["default 'it\"s'", [["", 'it"s']]],
  ["default sender", [["", "gordon@example.org"]]],
  ["default var.nothing | default 7", [["", "7"]]],
  ["replace '-' '_'", [["a-b-c", "a_b_c"], ["", ""]]],
  ["replace '.' '$&'", [["a.b", "a$&b"]]],
  ["upper", [["straße é", "STRASSE É"]]],
  ["lower", [["ÀB", "àb"]]],
  ["html", [[`a & b < c > "d" 'e' &amp;`, `a &amp; b &lt; c &gt; "d" 'e' &amp;amp;`]]],
  ["plain", [
    ["a\x1b[31;1mred\x1b[0m\x00\x07\x7f\x85b\ufffe\u{1fffe}c", "aredbc"],
    ["a\tb\n  c\n", "a b\n  c"],
    [" \n\n  a \n\n", "  a"],
    [" \n\t", ""],
    ["@all, @*x* (@ann) root@host a@b", "@\u200ball, @\u200b*x* (@\u200bann) root@host a@b"],
    ["a ```\n```\n  ~~~~ b", "a ```\n\u200b```\n\u200b  ~~~~ b"],
  ]],
  ["markdown", [
    ["*a* _b_ ~c~ `d` |e| [f](g) \\h", "\\*a\\* \\_b\\_ \\~c\\~ \\`d\\` \\|e\\| \\[f\\](g) \\\\h"],
    ["# a\n  > b\n- c\n+ d\n1. e\n2) f", "\\# a\n  \\> b\n\\- c\n\\+ d\n1\\. e\n2\\) f"],
    ["a\n===\nb\n---", "a\n\u200b===\nb\n\\---"],
    ["a # b > c - d 1. e", "a # b > c - d 1. e"],
    [
      "@channel (@here) root@host <@1> <#2> <!x> <:y:> a < b",
      "@\u200bchannel (@\u200bhere) root@host <\u200b@\u200b1> <\u200b#2> <\u200b!x> <\u200b:y:> a < b",
    ],
    ["see https://a.example/b_c*d, _x_", "see https://a.example/b_c*d, \\_x\\_"],
    ["http://a_b_ http", "http://a_b_ http"],
  ]],
  ["detail", [
    ...[["a+b@c", "b"], ["a@c", ""], ["a+b+c@d", "b+c"], ["+@c", ""], ["a+b", ""], ["", ""]],
    ['"a@+b"@c', 'b"'],
  ] as [string, string][]],
];
for (const [filter, rows] of tables) {
  for (const [value, text] of rows) {
    Deno.test(`${filter} makes ${JSON.stringify(text)} of ${JSON.stringify(value)}`, () => {
      assertEquals(render(`{{subject | ${filter}}}`, saying(value)), text);
    });
  }
}

Deno.test("hmac signs a value and what is behind it, as RFC 4231 has it", () => {
  // Test case 2 of RFC 4231 section 4.3.
  const signed = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  const [head, rest] = ["what do ya want ", "for nothing?"];
  assertEquals(render("{{subject | hmac 'Jefe'}}", saying(head + rest)), signed);
  assertEquals(
    render("{{subject | hmac 'Jefe' sender}}", { ...saying(head), sender: rest }),
    signed,
  );
});

Deno.test("date writes a moment in another form and zone", () => {
  // It is 2022-01-01T10:10:20Z.
  const at = (form: string, zone = "") => render(`{{timestamp | date "${form}"${zone}}}`);
  assertEquals(at("%Y-%m-%d %H:%M:%S"), "2022-01-01 10:10:20");
  assertEquals(at("%F %T %z %Z", ' "Europe/Berlin"'), "2022-01-01 11:10:20 +0100 GMT+1");
  assertEquals(at("%d.%m.%y %e %j %s %%", ' "Pacific/Auckland"'), "01.01.22  1 001 1641031820 %");
  assertEquals(at("%a %A %b %B %I %p", ' "Asia/Tokyo"'), "Sat Saturday Jan January 07 PM");
  assertEquals(at("%I%p", ' "America/Los_Angeles"'), "02AM");
  assertEquals(at("%F %I%p %z", ' "Asia/Kolkata"'), "2022-01-01 03PM +0530");
  // A leap year, and noon.
  const leap = { ...rich, header: { date: "Sun, 31 Dec 2024 12:00:00 +0000" } };
  assertEquals(render('{{header.date | date "%j %I %p %Z"}}', leap), "366 12 PM UTC");
});

Deno.test("date leaves alone what is no date", () => {
  assertEquals(render('{{subject | date "%Y"}}', saying("backup 5 of 7")), "backup 5 of 7");
  assertEquals(render('{{date | date "%Y" | default "?"}}', bare), "?");
});

Deno.test("a filter works on lists, on items and on what is not there", () => {
  assertEquals(render("{{recipients | upper}}"), "ELI@EXAMPLE.NET, ISAAC@EXAMPLE.NET");
  assertEquals(render("{{#recipients}}{{. | cut 4}}{{/recipients}}"), "eli…isa…");
  assertEquals(render("{{#to}}{{name | upper}} {{/to}}"), "ELI VANCE ISAAC KLEINER ");
  assertEquals(render('{{nothing.at.all | default "-"}}{{nothing | upper}}'), "-");
  assertEquals(
    render('{{#subject | default "x"}}{{.}}{{/subject | default "x"}}', saying("")),
    "x",
  );
  assertEquals(render("{{{subject | upper}}}{{& subject|upper}}", saying("a<")), "A<A<");
});

Deno.test("what filters make is escaped for its place", () => {
  const hostile = saying(`"<é\n`);
  assertEquals(render('"{{subject | upper}}"', hostile, "application/json"), '"\\"<É\\n"');
  assertEquals(render("{{subject | upper}}", hostile, "text/html"), "&#34;&#60;É\n");
  assertEquals(render("{{json.subject | cut 3}}", hostile, "application/json"), '"\\"<…"');
  assertEquals(render('{{json.date | default "never"}}', bare, "application/json"), '"never"');
  assertEquals(render("{{subject | html}}", hostile, "application/json"), '\\"&lt;é\\n');
});

Deno.test("a limit cuts what a name gives, after its filters, wherever it is printed", () => {
  const limits = { subject: 4, "client.address": 5, name: 3, constructor: 1 };
  const limited = (source: string, text = "abcdef", type = "text/plain") =>
    render(source, saying(text), type, limits);
  assertEquals(limited("{{subject}} {{{subject}}} {{subject|upper}}"), "abc… abc… ABC…");
  assertEquals(limited("{{json.subject}}", "abcdef", "application/json"), '"abc…"');
  assertEquals(limited("{{subject | html}}", "<<"), "…");
  assertEquals(limited("{{client.address}} {{#to}}{{name}}{{/to}}"), "127.… El…Is…");
  // A section is about the whole.
  assertEquals(limited("{{#subject}}{{.}}{{/subject}}"), "abcdef");
  assertEquals(limited("{{json.to}}", "", "application/json"), JSON.stringify(rich.to));
  assertEquals(render("{{recipients}}", rich, "text/plain", { recipients: 9 }), "eli@exam…");
  assertEquals(render("{{json.data}}", rich, "application/json", { data: 5 }), '"From…"');
});

const flawed: [source: string, fault: string][] = [
  ["{{subject | ctu 3}}", 'the tag at line 1, column 1 has no filter "ctu", the nearest is cut'],
  [
    "a\n {{#to}}{{name | constructor}}{{/to}}",
    'the tag at line 2, column 9 has no filter "constructor", the nearest is cut',
  ],
  [
    "{{subject |}}",
    "the tag at line 1, column 1 has no filter behind a |, must be one of cut, bytes, default, replace, upper, lower, date, html, plain, markdown, detail, hmac",
  ],
  ["{{subject | cut}}", "the tag at line 1, column 1 must give cut a number of characters"],
  ["{{subject | cut x}}", "the tag at line 1, column 1 must give cut a number of characters"],
  ["{{subject | cut 0}}", "the tag at line 1, column 1 must give cut a number of characters"],
  ["{{subject | cut 3 4}}", "the tag at line 1, column 1 must give cut a number of characters"],
  [
    "{{subject | bytes 2}}",
    "the tag at line 1, column 1 must give bytes a number of bytes, at least 3",
  ],
  [
    "{{subject | default}}",
    "the tag at line 1, column 1 must give default a text in quotes or the name of a field",
  ],
  ['{{subject | default "x}}', "the tag at line 1, column 1 has a quote that is not closed"],
  [
    "{{subject | replace 'a'}}",
    "the tag at line 1, column 1 must give replace two texts in quotes, the first of them not empty",
  ],
  [
    "{{subject | replace '' 'a'}}",
    "the tag at line 1, column 1 must give replace two texts in quotes, the first of them not empty",
  ],
  ["{{subject | upper 1}}", "the tag at line 1, column 1 must give upper nothing"],
  [
    "{{subject | hmac}}",
    "the tag at line 1, column 1 must give hmac a key, and what is signed behind the value",
  ],
];
for (const [source, expected] of flawed) {
  Deno.test(`parseTemplate() refuses the filter in ${JSON.stringify(source)}`, () => {
    const made = parseTemplate({ text: source, label: "T" });
    assert(isFaults(made));
    assertEquals(made.faults.map((fault) => fault.split("\n")[0]), [`Cannot use T: ${expected}`]);
  });
}

for (const args of ["", '"%Q"', '"%"', '"%Y" "Mars/Base"', '"%Y" UTC', "%Y", '"%Y" "UTC" "UTC"']) {
  Deno.test(`parseTemplate() refuses the filter date with ${args || "nothing"}`, () => {
    const made = parseTemplate({ text: `{{date | date ${args}}}`, label: "T" });
    assert(isFaults(made) && made.faults[0].includes("must give date a form with % before"));
  });
}

Deno.test("of a long text only the start is looked at, where only that matters", () => {
  const long = `a <b>\x00${"@".repeat(10_000_000)}`;
  assertEquals(render("{{subject | plain | html | cut 9}}", saying(long)), "a &lt;b…");
  assertEquals(
    render("{{subject | markdown | cut 12}}", saying(long)),
    "a <\u200bb>\x00@\u200b@\u200b…",
  );
  const below = saying(`${"\n".repeat(50_000)}real text`);
  assertEquals(render("{{subject | plain | default 'none' | cut 99}}", below), "real text");
  const whole = render("{{subject | hmac 'k'}}", saying(long));
  assertEquals(render("{{subject | hmac 'k' | cut 20}}", saying(long)), `${whole.slice(0, 19)}…`);
  const limits = { subject: 5 };
  assertEquals(render("{{subject | upper}}", saying(long), "text/plain", limits), "A <B…");
  const ends = { ...rich, subject: `${"x".repeat(200_000)}end` };
  assertEquals(render("{{subject | upper}}", ends).slice(-4), "XEND");
});

Deno.test("cut() and cutOctets() obey every length, and break nothing", () => {
  const text = "a😀e\u0301\u0301<&lt;\\*👨‍👩‍👧🇩🇪ä大\r\n x".repeat(3);
  for (let most = 3; most <= text.length + 3; most++) {
    for (const shown of [cut(text, most), cutOctets(text, most)]) {
      assert(shown.isWellFormed() && (shown === text || shown.endsWith("…")), shown);
      assert(text.startsWith(shown.slice(0, -1).trimEnd()));
    }
    assert(cut(text, most).length <= most);
    assert(new TextEncoder().encode(cutOctets(text, most)).length <= most);
  }
});
