/**
 * What templates see of messages. `messages/NAME.eml` is a message as it would arrive, octet for octet,
 * and `messages/NAME.json` beside it what must become of it:
 *
 * - `subject`, `body`, `text`, `html`, `warnings`, `attachments`, `from` and `to` are always there;
 *   any other field of the context may be, and is compared if it is.
 * - Of `header` the names that are given are compared, and of each attachment the properties that are
 *   given; all attachments must be given.
 * - A timestamp is compared as text.
 */
import { assert, assertEquals } from "./assert.ts";
import { read } from "../lib/message.ts";
import type { AttachmentPolicy, Surroundings, TemplateContext } from "../lib/context.ts";
import type { Mail } from "../lib/mail.ts";
import { contentOf } from "../lib/content.ts";
import { load } from "../lib/parser.ts";

const directory = new URL("./messages/", import.meta.url);
const names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
const ALWAYS = ["subject", "body", "text", "html", "warnings", "attachments", "from", "to"];

const surroundings: Surroundings = {
  version: "1.2.3",
  hostname: () => "pigeon.example",
  env: (name) => name === "HOME" ? "/home/pigeon" : undefined,
  vars: { room: "cellar" },
};

function mailOf(data: Uint8Array | string): Mail {
  return {
    id: "017e1506-9120-7000-8000-000000000000",
    receivedAt: new Date("2022-01-01T10:10:20.999Z"),
    client: { address: "192.0.2.1", port: 40000, hostname: "lamp", tls: false, user: null },
    envelope: {
      reversePath: { localPart: "lamp", domain: "example.org" },
      forwardPaths: [{ localPart: "root", domain: null }, {
        localPart: "b",
        domain: "example.net",
      }],
    },
    data: typeof data === "string" ? new TextEncoder().encode(data) : data,
  };
}

const contextOf = (data: Uint8Array | string) => read(mailOf(data), surroundings);

type Json = Record<string, unknown>;

function picked(from: Json, like: Json): Json {
  return Object.fromEntries(Object.keys(like).map((name) => [name, from[name]]));
}

/** The fields of a context that `expected` names, as JSON would hold them. */
function seen(context: TemplateContext, expected: Json): Json {
  const fields = picked(context as unknown as Json, expected);
  fields.attachments = context.attachments.map((attachment, index) =>
    picked(
      attachment as unknown as Json,
      (expected.attachments as Json[])[index] ?? { filename: "" },
    )
  );
  if ("header" in expected) fields.header = picked(context.header, expected.header as Json);
  return JSON.parse(JSON.stringify(fields));
}

for (const name of names.filter((name) => name.endsWith(".eml"))) {
  Deno.test(`read() makes of messages/${name} what is written beside it`, async () => {
    const data = Deno.readFileSync(new URL(name, directory));
    const expected = JSON.parse(
      Deno.readTextFileSync(new URL(name.replace(/eml$/, "json"), directory)),
    );
    assertEquals(ALWAYS.filter((field) => !(field in expected)), []);
    assertEquals(seen(await contextOf(data), expected), expected);
  });
}

Deno.test("each message has its expectation beside it, and each expectation its message", () => {
  assert(names.length >= 2 * 45);
  const bases = names.map((name) => name.replace(/\.(eml|json)$/, ""));
  assertEquals(bases.filter((base) => bases.filter((other) => other === base).length !== 2), []);
});

Deno.test("read() tells the envelope, the client and the surroundings", async () => {
  const data = "Subject: x\r\n\r\nline\r\n";
  const context = await contextOf(data);
  assertEquals(context.id, "017e1506-9120-7000-8000-000000000000");
  assertEquals(String(context.timestamp), "2022-01-01T10:10:20Z");
  assertEquals(context.sender, "lamp@example.org");
  assertEquals(context.recipients, ["root", "b@example.net"]);
  assertEquals(context.client, {
    ...{ address: "192.0.2.1", port: 40000, hostname: "lamp", tls: false, user: "" },
  });
  assertEquals([String(context.data), String(context.rawBody), context.size], [
    data,
    "line\r\n",
    data.length,
  ]);
  assertEquals([context.hostname, context.version], ["pigeon.example", "1.2.3"]);
  assertEquals([context.env.HOME, context.env.NOWHERE], ["/home/pigeon", ""]);
  assertEquals([context.var.room, context.var.toString], ["cellar", ""]);
});

const RARE: [charset: string, octets: number[], text: string, isKnown: boolean][] = [
  ["cp850", [0x84], "ä", true],
  ["viscii", [0xd5], "ạ", true],
  ["utf-7", [0x2b, 0x41, 0x4f, 0x51, 0x2d], "ä", true],
  ["unicode-1-1-utf-7", [0x2b, 0x41, 0x4f, 0x51, 0x2d], "ä", true],
  // Names of codecs, not of character sets.
  ["hex", [0x34, 0x31], "41", false],
  ["base64", [0x34, 0x31], "41", false],
  ["b-a-s-e-6-4", [0x34, 0x31], "41", false],
  ["u-t-f-7", [0x2b, 0x41, 0x4f, 0x51, 0x2d], "+AOQ-", false],
];

for (const [charset, octets, text, isKnown] of RARE) {
  Deno.test(`read() makes ${text} of octets in ${charset}, in the header as in the body`, async () => {
    const words = octets.map((octet) => `=${octet.toString(16)}`).join("");
    const start =
      `Subject: =?${charset}?Q?${words}?=\r\nContent-Type: text/plain; charset=${charset}`;
    const { subject, body, warnings } = await contextOf(
      Uint8Array.from([...new TextEncoder().encode(`${start}\r\n\r\n`), ...octets]),
    );
    assertEquals([subject, body], [text, text]);
    assertEquals(
      warnings,
      isKnown ? [] : [
        `The header has words in the unknown character set "${charset}", read as windows-1252`,
        `The text is in the unknown character set "${charset}", read as UTF-8`,
      ],
    );
  });
}

Deno.test("read() reads 64 KiB of UTF-7 of a message, and no more", async () => {
  const text = (octets: number) => `+AOQ-${"a".repeat(octets - 5)}`;
  for (const [octets, start] of [[64 * 1024, "ä"], [64 * 1024 + 1, "+AOQ-"]] as const) {
    const { body, warnings } = await contextOf(
      `Content-Type: text/plain; charset=utf-7\r\n\r\n${text(octets)}`,
    );
    assertEquals([body.slice(0, start.length), warnings.length], [start, start === "ä" ? 0 : 1]);
  }
});

Deno.test("read() makes an empty text of the null sender", async () => {
  const mail = mailOf("Subject: x\r\n\r\n");
  const bounce = { ...mail, envelope: { ...mail.envelope, reversePath: null } };
  assertEquals((await read(bounce, surroundings)).sender, "");
});

Deno.test("read() gives data that is not UTF-8 a character an octet", async () => {
  const octets = Uint8Array.of(0x41, 0x3a, 0x0d, 0x0a, 0x0d, 0x0a, 0xe9, 0x93);
  const { data, rawBody } = await contextOf(octets);
  assertEquals([String(data), String(rawBody)], ["A:\r\n\r\n\u00e9\u0093", "\u00e9\u0093"]);
});

Deno.test("read() gives the addresses of a field with the field as written", async () => {
  const { to } = await contextOf(
    "To: =?utf-8?Q?J=C3=B6rg?= <j@example.org>, b@example.org\r\n\r\n",
  );
  assertEquals(to.text, "Jörg <j@example.org>, b@example.org");
  assertEquals([...to].map(({ address }) => address), ["j@example.org", "b@example.org"]);
});

Deno.test("read() takes the first of two From fields everywhere, and of two Reply-To fields", async () => {
  const { from, replyTo, header } = await contextOf(
    "From: First <first@example.org>\r\nfrom: Second <second@example.org>\r\n" +
      "Reply-To: third@example.org\r\nREPLY-TO: fourth@example.org\r\n\r\n",
  );
  assertEquals([...from], [{ name: "First", address: "first@example.org" }]);
  assertEquals([from.text, header.From], Array(2).fill("First <first@example.org>"));
  assertEquals([...replyTo], [{ name: "", address: "third@example.org" }]);
  assertEquals([replyTo.text, header["Reply-To"]], Array(2).fill("third@example.org"));
});

for (const name of ["to", "cc", "bcc"] as const) {
  Deno.test(`read() puts all ${name} fields of a message together, in the list and as text`, async () => {
    const context = await contextOf(
      `${name}: =?utf-8?Q?J=C3=B6rg?= <j@example.org>,\r\n a@example.org\r\n` +
        `Subject: x\r\n${name.toUpperCase()}: b@example.org\r\n\r\n`,
    );
    assertEquals([...context[name]], [
      { name: "Jörg", address: "j@example.org" },
      { name: "", address: "a@example.org" },
      { name: "", address: "b@example.org" },
    ]);
    assertEquals(context[name].text, "Jörg <j@example.org>, a@example.org, b@example.org");
    // A header field by its name is the first of them.
    assertEquals(context.header[name], "Jörg <j@example.org>, a@example.org");
  });
}

Deno.test("read() lists header fields by lower-case names, and finds them in any case", async () => {
  const { header, headers } = await contextOf("X-Priority: 1\r\nSubject: x\r\n\r\n");
  assertEquals([header["X-Priority"], header["x-priority"], header["X-PRIORITY"]], ["1", "1", "1"]);
  assertEquals(JSON.stringify(header), '{"x-priority":"1","subject":"x"}');
  assertEquals(headers.map(({ name }) => name), ["X-Priority", "Subject"]);
});

/** Messages that take a parser long, or that make it give up. */
const HARD: Record<string, string> = {
  "1,500 multiparts within each other": Array.from(
    { length: 1500 },
    (_, depth) => `Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n--b${depth}\r\n`,
  ).join(""),
  "5,000 parts": "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
    "--b\r\n\r\nx\r\n".repeat(5000),
  "900 multiparts with the same boundary":
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".repeat(900),
  "a field of 4 MB": `Subject: ${"long ".repeat(800_000)}\r\n\r\nx`,
  "a million fields": `${"a:\r\n".repeat(1_000_000)}\r\nx`,
  "an address field of colons": `To: ${":".repeat(500_000)}\r\n\r\nx`,
  "address fields of colons in each part": "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
    `--b\r\nTo: ${":".repeat(300_000)}\r\n\r\nx\r\n`.repeat(3),
  "a character set of quotes in a word of the header": `Subject: =?a${
    "'".repeat(120_000)
  }x?q?a?=\r\n\r\nx`,
  "a character set of quotes of the text": `Content-Type: text/plain; charset=a${
    "'".repeat(120_000)
  }x\r\n\r\nx`,
  "a file name of dots": `Content-Type: a/b\r\n` +
    `Content-Disposition: attachment; filename="${".".repeat(120_000)}x"\r\n\r\nx`,
  "a field of blanks": `X: a${" ".repeat(500_000)}b\r\n\r\nx`,
  "a Date field of comments": `Date: ${"(".repeat(200_000)}${")".repeat(200_000)}\r\n\r\nx`,
  "a million tags within each other": `Content-Type: text/html\r\n\r\n${"<b>".repeat(1_000_000)}x`,
  "quotes within quotes": `Content-Type: text/html\r\n\r\n${"<blockquote>".repeat(400)}${
    "<br>x".repeat(100_000)
  }`,
  "many tags that never end": `Content-Type: text/html\r\n\r\n${"<".repeat(1_000_000)}`,
};

for (const [name, data] of Object.entries(HARD)) {
  Deno.test(`read() makes a context of ${name} within seconds`, async () => {
    const start = performance.now();
    const context = await contextOf(data);
    const elapsedMs = performance.now() - start;
    assertEquals(context.size, data.length);
    assertEquals(typeof context.body, "string");
    assert(elapsedMs < 15_000, `it took ${elapsedMs} ms`);
  });
}

Deno.test("read() leaves address fields of more than 64 KiB unread, and says so", async () => {
  const many = "a@example.org, ".repeat(5000);
  const { to, cc, header, warnings } = await contextOf(
    `To: ${many}b@example.org\r\nCc: c@example.org\r\n\r\nx`,
  );
  assertEquals([to.length, cc.length], [0, 1]);
  assertEquals([to.text, header.to], [`${many}b@example.org`, `${many}b@example.org`]);
  assertEquals(warnings, ['The field "to" is too long to be read']);
});

Deno.test("read() gives the body as received when the parser throws", async () => {
  const parse = () => {
    throw new Error("out of luck");
  };
  const { subject, body, text, html, attachments, from, warnings } = await read(
    mailOf("Subject: =?utf-8?Q?caf=C3=A9?=\r\n\r\none\r\ntwo\r\n"),
    surroundings,
    async (data, needs) => contentOf(data, { ...await load(), parse }, needs),
  );
  assertEquals([subject, body, text, html], ["café", "one\ntwo\n", "one\ntwo\n", ""]);
  assertEquals([attachments.length, from.length], [0, 0]);
  assertEquals(warnings, ["The message could not be parsed: out of luck"]);
});

const WITH_FILES = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n" +
  '--b\r\nContent-Type: text/csv; name="a.csv"\r\n\r\n1,2\r\n' +
  '--b\r\nContent-Type: image/gif; name="b.gif"\r\nContent-ID: <b@x>\r\n\r\n123456\r\n--b--\r\n';

const policies: [AttachmentPolicy | undefined, contents: string[] | null][] = [
  [undefined, ["MSwy", "MTIzNDU2"]],
  [{ mode: "include", maxOctets: 6 }, ["MSwy", "MTIzNDU2"]],
  [{ mode: "include", maxOctets: 5 }, ["MSwy", ""]],
  [{ mode: "include", maxOctets: 1 }, ["", ""]],
  [{ mode: "metadata", maxOctets: 6 }, ["", ""]],
  [{ mode: "drop", maxOctets: 6 }, null],
];
for (const [policy, contents] of policies) {
  Deno.test(`read() gives attachments as ${JSON.stringify(policy)} says`, async () => {
    const { attachments } = await read(mailOf(WITH_FILES), {
      ...surroundings,
      attachments: policy,
    });
    assertEquals(attachments.map(({ content }) => content), contents ?? []);
    assertEquals(
      attachments.map(({ isIncluded }) => isIncluded),
      (contents ?? []).map((content) => content !== ""),
    );
    // All else is told of those whose content is left out.
    assertEquals(
      attachments.map(({ filename, size, contentId }) => [filename, size, contentId]),
      contents === null ? [] : [["a.csv", 3, ""], ["b.gif", 6, "b@x"]],
    );
    assertEquals(
      attachments.map(({ octets }) => new TextDecoder().decode(octets())),
      contents?.map((content) => atob(content)) ?? [],
    );
  });
}

const lists: [field: string, text: string][] = [
  ["To: A <a@x>, b@x", "A <a@x>, b@x"],
  ['To: "Doe, John" <j@x>', '"Doe, John" <j@x>'],
  ["To: =?utf-8?Q?M=C3=BCller=2C_J=C3=BCrgen?= <j@x>, b@x", '"Müller, Jürgen" <j@x>, b@x'],
  ["To: =?utf-8?Q?a=22b=40c?= <j@x>", '"a\\"b@c" <j@x>'],
  ["To: =?utf-8?Q?J=C3=B6rg?= <j@x> (home)", "Jörg <j@x> (home)"],
  ["To: undisclosed-recipients:;", "undisclosed-recipients:;"],
  ["To: not an address", "not an address"],
];
for (const [field, text] of lists) {
  Deno.test(`read() makes a list of addresses of ${field} that says the same as text`, async () => {
    assertEquals((await contextOf(`${field}\r\n\r\n`)).to.text, text);
  });
}

const rawHeaders: [data: string, header: string][] = [
  ["A: b\r\nC:\r\n d\r\n\r\nbody\r\n", "A: b\r\nC:\r\n d\r\n"],
  ["A: b\n\nbody", "A: b\n"],
  ["A: b\r\n", "A: b\r\n"],
  ["A: b", "A: b"],
  ["\r\nbody", ""],
  ["", ""],
];
for (const [data, header] of rawHeaders) {
  Deno.test(`read() gives the header of ${JSON.stringify(data)} as received`, async () => {
    assertEquals(String((await contextOf(data)).rawHeader), header);
  });
}

Deno.test("read() takes a disposition that nobody knows for an attachment", async () => {
  const { attachments } = await contextOf(
    "Content-Type: a/b\r\nContent-Disposition: evil; filename=x\r\n\r\nx",
  );
  assertEquals(attachments.map(({ disposition }) => disposition), ["attachment"]);
});
