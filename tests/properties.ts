/**
 * Everything that is said of the server for any input. `properties_test.ts` tries each sentence some
 * hundred times, `fuzz.ts` as often as there is time. Whole sessions are in `session_properties.ts`.
 */
import fc from "npm:fast-check@4.10.2";
import { formatListenAddress, parseListenAddress } from "../lib/address.ts";
import { type Command, parse } from "../lib/command.ts";
import { escapeJson, escapeMarkup, percentEncode } from "../lib/escape.ts";
import { isFaults } from "../lib/fault.ts";
import { sectionsOf } from "../lib/header.ts";
import { canonical, contains, neighbourhood, parseNetwork } from "../lib/ip.ts";
import { characters, octetsOf } from "../lib/octets.ts";
import { addressOf, type Mailbox, readForwardPath, readReversePath } from "../lib/path.ts";
import { readProxyHeader } from "../lib/proxy.ts";
import { extendedHello, format } from "../lib/reply.ts";
import { sampleContexts } from "../lib/sample.ts";
import { begin, mechanisms } from "../lib/sasl.ts";
import { parseTemplate } from "../lib/template.ts";
import type { LineEnd, Want } from "../lib/wire.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { framesOf, type PlainFrame } from "./frames.ts";
import {
  anyCharacter,
  anyOctets,
  anyPlaces,
  anyText,
  changed,
  type Property,
  property,
  textOf,
  waysToRead,
  wordOf,
} from "./property.ts";
import { sessionProperties } from "./session_properties.ts";

/** The octets of a text in UTF-8, one character an octet. */
const inUtf8 = (text: string) => characters(new TextEncoder().encode(text));

const lineEnd = fc.constantFrom<LineEnd>("CRLF", "LF");
const END: Readonly<Record<LineEnd, string>> = { CRLF: "\r\n", LF: "\n" };

/** RFC 5321 section 4.5.2 read once more, with other means: a dot at the start of a line. */
const STUFFED: Readonly<Record<LineEnd, RegExp>> = { CRLF: /(?<=^|\r\n)\./g, LF: /(?<=^|\n)\./g };

/** Texts of the octets that framing looks at, and three that it does not. */
const wireText = textOf(
  40,
  ...["\r", "\n", ".", "\r\n", "\r\n.\r\n", "\n.\n", "\0", "x", "\xff"],
);

const limits = fc.record({
  maxLineOctets: fc.integer({ min: 2, max: 40 }),
  maxMessageOctets: fc.nat({ max: 40 }),
});

const want: fc.Arbitrary<Want> = fc.oneof(
  fc.constant({ kind: "line" } as const),
  fc.record({ kind: fc.constant("data" as const), lineEnd }),
  fc.record({
    kind: fc.constant("chunk" as const),
    octets: fc.integer({ min: 1, max: 40 }),
    keep: fc.boolean(),
  }),
);

/** What a client sends to be taken as one frame. */
type Segment =
  | { readonly kind: "line" | "data"; readonly text: string; readonly lineEnd: LineEnd }
  | { readonly kind: "chunk"; readonly text: string; readonly keep: boolean };

const segment: fc.Arbitrary<Segment> = fc.oneof(
  fc.record({ kind: fc.constant("data" as const), text: wireText, lineEnd }),
  fc.record({ kind: fc.constant("chunk" as const), text: wireText, keep: fc.boolean() }),
  fc.record({ kind: fc.constant("line" as const), text: wireText, lineEnd })
    // What ends the line within, or makes its LF a CRLF, would make another line of it.
    .map(({ text, ...rest }) => ({ ...rest, text: text.replaceAll("\n", "").replace(/\r+$/, "") })),
);

/** What a segment is on the wire, what has to be wanted to get it, and the frame that comes of it. */
function sendSegment(
  segment: Segment,
  { maxLineOctets, maxMessageOctets }: { maxLineOctets: number; maxMessageOctets: number },
): { readonly sent: string; readonly want: Want; readonly frame: PlainFrame } {
  const { kind, text } = segment;
  if (kind === "chunk") {
    const { keep } = segment;
    return {
      sent: text,
      want: { kind, octets: text.length, keep },
      frame: [kind, keep ? text : ""],
    };
  }
  const { lineEnd } = segment;
  const end = END[lineEnd];
  if (kind === "line") {
    const isLong = text.length + end.length > maxLineOctets;
    // Nobody asks how a line ended that is too long.
    const frame: PlainFrame = isLong ? [kind, null, "LF"] : [kind, text, lineEnd];
    return { sent: text + end, want: { kind }, frame };
  }
  const message = text === "" ? "" : text + end;
  return {
    sent: `${message.replace(STUFFED[lineEnd], "..")}.${end}`,
    want: { kind, lineEnd },
    frame: [kind, message.length > maxMessageOctets ? null : message],
  };
}

const wireProperties: readonly Property[] = [
  property(
    "what a client sends as lines, data and chunks comes back as frames, however it is cut",
    fc.record({
      segments: fc.array(segment, { minLength: 1, maxLength: 6 }),
      limits,
      places: anyPlaces,
    }),
    ({ segments, limits, places }) => {
      const all = segments.map((segment) => sendSegment(segment, limits));
      // The one after the last tells that nothing is left of it. (And empty chunks alone have no end.)
      all.push(sendSegment({ kind: "line", text: "", lineEnd: "LF" }, limits));
      const octets = octetsOf(all.map(({ sent }) => sent).join(""));
      const wants = all.map(({ want }) => want);
      for (const pieces of waysToRead(octets, places)) {
        const found = framesOf(pieces, wants, limits);
        // An empty chunk at the start of the next round needs no octets.
        assertEquals(found.slice(0, all.length), all.map(({ frame }) => frame));
      }
    },
  ),
  property(
    "however any octets are cut, the frames are the same, and nothing over a limit is kept",
    fc.record({
      octets: fc.oneof(wireText, anyOctets),
      wants: fc.array(want, { minLength: 1, maxLength: 5 }),
      limits,
      places: anyPlaces,
    }),
    ({ octets, wants, limits, places }) => {
      const limitOf = (want: Want) => {
        if (want.kind === "chunk") return want.keep ? want.octets : 0;
        return want.kind === "line" ? limits.maxLineOctets : limits.maxMessageOctets;
      };
      const [whole, ...others] = waysToRead(octetsOf(octets), places).map((pieces) =>
        framesOf(pieces, wants, limits, ({ heldOctets }, want) => {
          // An array that doubles, and what may be the start of a line end.
          assert(heldOctets <= 2 * limitOf(want) + 2, `${heldOctets} octets held`);
        })
      );
      for (const other of others) assertEquals(other, whole);
      for (const [index, [kind, text]] of whole.entries()) {
        const want = wants[index % wants.length];
        assertEquals(kind, want.kind);
        assert(text === null || text.length <= limitOf(want), `${kind} of ${text?.length} octets`);
      }
      return whole.length > 0;
    },
  ),
  property(
    "a line end, a dot and the same line end ends data, and nothing else does, within the limit or not",
    fc.record({ lineEnd, text: wireText, maxMessageOctets: fc.nat({ max: 40 }) }),
    ({ lineEnd, text, maxMessageOctets }) => {
      const end = END[lineEnd];
      const expected: PlainFrame[] = [];
      for (let rest = text;;) {
        const at = (end + rest).indexOf(`${end}.${end}`);
        if (at === -1) break;
        const message = rest.slice(0, at).replace(STUFFED[lineEnd], "");
        expected.push(["data", message.length > maxMessageOctets ? null : message]);
        rest = rest.slice(at + 1 + end.length);
      }
      const found = framesOf([octetsOf(text)], [{ kind: "data", lineEnd }], {
        ...{ maxLineOctets: 1, maxMessageOctets },
      });
      assertEquals(found, expected);
      return expected.length > 0;
    },
  ),
];

// path.ts

const quotedText = fc.array(
  fc.constantFrom("a", " ", "<", ">", "@", ".", ":", "é", '\\"', "\\\\", "\\ "),
  { maxLength: 6 },
).map((characters) => `"${characters.join("")}"`);

const localPart = fc.oneof(wordOf(6, "aZ0.+-_!#$%&'*/=?^`{|}~é😀"), quotedText);

const domain = fc.oneof(
  fc.array(wordOf(4, "aZ0-_é"), { minLength: 1, maxLength: 3 }).map((labels) => labels.join(".")),
  fc.constantFrom("a.example.", "[192.0.2.1]", "[IPv6:2001:db8::1]", "[tag:x>y]"),
);

const mailbox = fc.record({ localPart, domain: fc.option(domain) });

/** Source routes, which are read and dropped (RFC 5321 appendix C). */
const route = fc.constantFrom("", "@r.example:", "@r.example,@s.example:");

/** Texts that come close to being paths. */
const nearPath = textOf(24, ...'aab..@@@<<>>""\\ ,:[]-_é\0\r\n\x7f\x85');

/** An address with all that is quoted in it taken out: quoted local parts, and literals. */
function unquoted(address: string): string {
  let text = "";
  let closing: string | null = null;
  for (let at = 0; at < address.length; at++) {
    const character = address[at];
    if (closing === null) {
      closing = { '"': '"', "[": "]" }[character] ?? null;
      if (closing === null) text += character;
    } else if (closing === '"' && character === "\\") {
      at++;
    } else if (character === closing) {
      closing = null;
    }
  }
  assertEquals(closing, null, "what is quoted has an end");
  return text;
}

const pathProperties: readonly Property[] = [
  property(
    "a path that a client makes by the grammar is read as it was meant",
    fc.record({ mailbox, route, rest: fc.constantFrom("", " ", " SIZE=5", " <b@c>", ">") }),
    ({ mailbox, route, rest }) => {
      const address = addressOf(mailbox);
      const expected = { path: mailbox, rest };
      assertEquals(readForwardPath(`<${route}${address}>${rest}`), expected);
      assertEquals(readReversePath(`<${route}${address}>${rest}`), expected);
      if (rest === ">") return;
      assertEquals(readForwardPath(address + rest), expected);
      assertEquals(readReversePath(address + rest), expected);
    },
  ),
  property(
    "a path that is accepted prints back to the same, and holds nothing that could end it or its line",
    fc.oneof(
      nearPath,
      fc.tuple(route, mailbox, nearPath).map(([route, mailbox, end]) =>
        `<${route}${addressOf(mailbox)}${end}>`
      ),
      nearPath.map((text) => `<${text}>`),
      anyText,
    ),
    (text) => {
      const forward = readForwardPath(text);
      const reverse = readReversePath(text);
      if (text.startsWith("<>")) {
        assertEquals([forward, reverse], [null, { path: null, rest: text.slice(2) }]);
        return true;
      }
      assertEquals(reverse, forward);
      if (forward === null) return false;
      const { path, rest } = forward;
      const address = addressOf(path);
      assert(text.endsWith(rest));
      // deno-lint-ignore no-control-regex
      assert(!/[\x00-\x1f\x7f-\x9f]/.test(address), "no control character");
      assert(!/[<> ]/.test(unquoted(address)), "nothing that ends a path");
      assertEquals(readForwardPath(`<${address}>`), { path, rest: "" });
      return true;
    },
  ),
];

// command.ts

const mechanism = fc.constantFrom("PLAIN", "LOGIN", "CRAM-MD5", "X_1");
const base64 = fc.oneof(wordOf(8, "aZ09+/="), fc.constant("="));

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    verb: fc.constantFrom("EHLO" as const, "HELO" as const, "LHLO" as const),
    hostname: fc.option(wordOf(8, 'aZ0.-[]:_é<>"\\\u00a0')),
  }),
  fc.record({
    verb: fc.constant("MAIL" as const),
    reversePath: fc.option(mailbox),
    size: fc.option(fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constant(1e20))),
    smtpUtf8: fc.boolean(),
  }),
  fc.record({ verb: fc.constant("RCPT" as const), forwardPath: mailbox }),
  fc.record({
    verb: fc.constant("BDAT" as const),
    octets: fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constant(null)),
    last: fc.boolean(),
  }),
  fc.record({
    verb: fc.constant("AUTH" as const),
    mechanism,
    initialResponse: fc.option(base64),
  }),
  fc.record({
    verb: fc.constantFrom("DATA", "RSET", "NOOP", "VRFY", "HELP", "QUIT", "HTTP", "TLS" as const),
  }) as fc.Arbitrary<Command>,
);

/** How a client writes what it means. */
type Manner = {
  readonly lowerCase: boolean;
  /** After the colon, and between words. */
  readonly blanks: string;
  /** At the end of the line. */
  readonly tail: string;
  readonly brackets: boolean;
};

const manner: fc.Arbitrary<Manner> = fc.record({
  lowerCase: fc.boolean(),
  blanks: fc.constantFrom("", " ", "   "),
  tail: fc.constantFrom("", " ", "\t", " \t "),
  brackets: fc.boolean(),
});

const STRICT: Manner = { lowerCase: false, blanks: "", tail: "", brackets: true };

/** What RFC 1870 section 3 has for the largest size: twenty digits. */
const MOST_OCTETS = 99_999_999_999_999_999_999n;

/** A command as a client writes it, by RFC 5321 section 4.1.1 and those of the extensions. */
function lineOf(command: Command, { lowerCase, blanks, tail, brackets }: Manner): string {
  const word = (text: string) => lowerCase ? text.toLowerCase() : text;
  const pathOf = (path: Mailbox | null) =>
    path !== null && !brackets ? addressOf(path) : `<${path === null ? "" : addressOf(path)}>`;
  const words = ((): string[] => {
    switch (command.verb) {
      case "MAIL": {
        const { reversePath, size, smtpUtf8 } = command;
        const octets = BigInt(size ?? 0);
        return [
          word("MAIL"),
          `${word("FROM:")}${blanks}${pathOf(reversePath)}`,
          ...(size === null
            ? []
            : [`${word("SIZE")}=${octets < MOST_OCTETS ? octets : MOST_OCTETS}`]),
          ...(smtpUtf8 ? [word("SMTPUTF8")] : []),
        ];
      }
      case "RCPT":
        return [word("RCPT"), `${word("TO:")}${blanks}${pathOf(command.forwardPath)}`];
      case "BDAT": {
        const { octets, last } = command;
        // Too many to be counted.
        return [word("BDAT"), `${octets ?? MOST_OCTETS}`, ...(last ? [word("LAST")] : [])];
      }
      case "AUTH": {
        const { mechanism, initialResponse } = command;
        return [word("AUTH"), word(mechanism), ...(initialResponse ? [initialResponse] : [])];
      }
      case "VRFY":
        return [word("VRFY"), "x"];
      case "HTTP":
        return ["GET", "/", "HTTP/1.1"];
      case "DATA":
      case "RSET":
      case "NOOP":
      case "HELP":
      case "QUIT":
        return [word(command.verb)];
      case "TLS":
        // All that wire.ts makes a line of.
        return ["\x16"];
      case "EHLO":
      case "HELO":
      case "LHLO":
        return command.hostname === null
          ? [word(command.verb)]
          : [word(command.verb), command.hostname];
    }
  })();
  return words.join(` ${blanks}`) + tail;
}

/** Command lines that are nearly right. */
const nearLine = changed(
  command.chain((command) => manner.map((manner) => lineOf(command, manner))),
  ...[...'<>@"\\= :.,[]a5\0\té\r\n', " SIZE=5", " BODY=8BITMIME", " X"],
);

const commandProperties: readonly Property[] = [
  property(
    "a command that a client writes in any manner it may is read as it was meant",
    fc.record({ command, manner }) as fc.Arbitrary<never>,
    ({ command, manner }: { command: Command; manner: Manner }) => {
      assertEquals(parse(octetsOf(inUtf8(lineOf(command, manner)))), command);
    },
  ),
  property(
    "a command line that is accepted prints back to the same, and a refusal is one",
    fc.oneof(
      { weight: 3, arbitrary: nearLine.map(inUtf8) },
      textOf(
        20,
        ...["MAIL", "RCPT", "FROM:", "TO:", "<", ">", "a@b", "BDAT", "AUTH", "PLAIN", "SIZE=", "5"],
        ...[" ", " ", "=", '"', "\\", "é", "\0", "LAST", "EHLO", "VRFY", "SMTPUTF8"],
      ).map(inUtf8),
      anyOctets,
    ),
    (octets) => {
      const command = parse(octetsOf(octets));
      if (command.verb === null) {
        assert(command.reply.code >= 500);
        return false;
      }
      assertEquals(parse(octetsOf(inUtf8(lineOf(command, STRICT)))), command);
      const line = new TextDecoder("utf-8", { fatal: true }).decode(octetsOf(octets));
      assert(command.verb === "TLS" || !/\p{Cc}/u.test(line.replace(/[ \t]+$/, "")));
      return true;
    },
  ),
];

// sasl.ts

const toBase64 = (text: string) => new TextEncoder().encode(text).toBase64();
const wellFormed = fc.string({ unit: anyCharacter, maxLength: 12 });
const withoutNul = wellFormed.map((text) => text.replaceAll("\0", ""));

const saslProperties: readonly Property[] = [
  property(
    "whatever a client answers, an exchange comes to an end, and says so in base64",
    fc.record({
      mechanism: fc.oneof(mechanism, anyText),
      initial: fc.option(fc.oneof(base64, anyText, anyText.map(toBase64))),
      response: fc.oneof(base64, anyText, anyText.map(toBase64)),
    }),
    ({ mechanism, initial, response }) => {
      let exchange = begin(mechanism, initial);
      assertEquals(exchange !== null, mechanisms.some((name) => name === mechanism));
      for (let challenges = 0; exchange?.kind === "challenge"; challenges++) {
        assert(challenges < 2, "neither mechanism has more");
        assertMatch(exchange.base64, /^[A-Za-z0-9+/]*={0,2}$/);
        exchange = exchange.answer(response);
      }
      return exchange !== null;
    },
  ),
  property(
    "the name and password that a client encodes are those that are read",
    fc.record({
      mechanism: fc.constantFrom(...mechanisms),
      authorization: withoutNul,
      user: withoutNul.map((user) => `u${user}`),
      password: withoutNul,
      isInline: fc.boolean(),
    }),
    ({ mechanism, authorization, user, password, isInline }) => {
      const responses = mechanism === "PLAIN"
        ? [toBase64(`${authorization}\0${user}\0${password}`)]
        : [toBase64(user), toBase64(password)];
      let exchange = begin(mechanism, isInline ? responses.shift()! : null);
      for (const response of responses) {
        assert(exchange?.kind === "challenge");
        exchange = exchange.answer(response);
      }
      assertEquals(exchange, { kind: "credentials", credentials: { user, password } });
    },
  ),
];

// reply.ts

const replyProperties: readonly Property[] = [
  property(
    "a reply is printable ASCII in lines of at most 512 octets, whatever is put in it",
    fc.record({
      domain: anyText,
      extension: fc.oneof(anyText, fc.integer({ min: 480, max: 520 }).map((n) => "x".repeat(n))),
    }),
    ({ domain, extension }) => {
      const said = format(extendedHello(domain, [extension]));
      assertMatch(said, /^250-[\x20-\x7e]*\r\n250 [\x20-\x7e]*\r\n$/);
      assert(said.split("\r\n").every((line) => line.length <= 510));
    },
  ),
];

// header.ts

const nearMessage = textOf(
  30,
  ...["Subject:", "From ", "a@b Sat Jan  1 10:10:19 2022", "X", ":", " ", "\t", "\r\n", "\r\n"],
  ...["\n", "\r", "=?utf-8?q?a?=", "=?", "?=", "?b?", "=?x-odd?Q?", "\xe9", "\xc3\xa9", "\0", "a"],
);

const headerProperties: readonly Property[] = [
  property(
    "any octets are taken apart into fields and a body, which is the end of them",
    fc.oneof(nearMessage, nearMessage.map((rest) => `X: ${rest}`), anyOctets),
    (message) => {
      const { fields, body } = sectionsOf(octetsOf(message));
      assert(message.endsWith(characters(body)));
      for (const { name, value } of fields) {
        assertMatch(name, /^[!-9;-~]+$/);
        assert(!value.includes("\n"));
      }
      return fields.length > 0;
    },
  ),
  property(
    "the fields that a client writes are those that are read, and the body is what comes after",
    fc.record({
      fields: fc.array(
        fc.record({ name: wordOf(6, "Xy-1"), value: wordOf(12, 'aé😀 ,;:<>"') }),
        { minLength: 1, maxLength: 4 },
      ),
      fold: fc.boolean(),
      lineEnd,
      body: wireText,
    }),
    ({ fields, fold, lineEnd, body }) => {
      const end = END[lineEnd];
      const lines = fields.map(({ name, value }) => {
        const text = fold ? value.replaceAll(",", `,${end} `) : value;
        return `${name}: ${text}${end}`;
      });
      const sections = sectionsOf(octetsOf(inUtf8(lines.join("")) + end + body));
      const expected = fields.map(({ name, value }) => {
        return { name, value: (fold ? value.replaceAll(",", ", ") : value).trim() };
      });
      assertEquals(sections.fields, expected);
      assertEquals(characters(sections.body), body);
      assertEquals(sections.warnings, []);
    },
  ),
];

// escape.ts and template.ts

const [sample] = sampleContexts({
  ...{ version: "1.2.3", hostname: () => "h.example", env: () => undefined, vars: {} },
});

const JSON_TEMPLATE = `{
  "subject": "{{subject}}", "again": {{json.subject}}, "list": {{json.recipients}},
  "items": [{{#recipients}}"{{.}}"{{^last}},{{/last}}{{/recipients}}]
}`;

/** A template as text of a context in which one text is everywhere. */
function rendered(source: string, text: string): string | null {
  const template = parseTemplate({ text: source, label: "T" });
  return isFaults(template)
    ? null
    : template.render({ ...sample, subject: text, recipients: [text, text] }, escapeJson);
}

const hostileText = fc.oneof(
  anyText,
  textOf(12, ..."\"\\/{}[]<>&'\n\r\t\0\x1b\x7f\u2028\u2029\ud800\udc00%+é😀"),
);

const templateProperties: readonly Property[] = [
  property(
    "any text that a JSON template puts in is read back from valid JSON",
    hostileText,
    (text) => {
      assertEquals(JSON.parse(rendered(JSON_TEMPLATE, text)!), {
        ...{ subject: text, again: text, list: [text, text], items: [text, text] },
      });
      assertEquals(JSON.parse(`"${escapeJson(text)}"`), text);
    },
  ),
  property(
    "any text that is put in a form or a URL is read back, but for half characters",
    hostileText,
    (text) => {
      const escaped = percentEncode(text);
      assertEquals(decodeURIComponent(escaped), text.toWellFormed());
      assertMatch(escaped, /^[A-Za-z0-9\-_.!~*'()%]*$/);
    },
  ),
  property(
    "any text that is put in markup is text there, and what markup can hold of it is read back",
    hostileText,
    (text) => {
      const escaped = escapeMarkup(text);
      assertMatch(escaped, /^[^<>"']*$/);
      assert(!/&(?!#\d+;)/.test(escaped));
      const back = escaped.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
      // XML 1.0 section 2.2: Char.
      const XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
      assertEquals(back, text.replace(XML, "\ufffd"));
    },
  ),
  property(
    "a template is refused with a reason, or renders, and never throws",
    textOf(
      12,
      ...["{{", "}}", "{{{", "}}}", "{{#", "{{/", "{{^", "{{!", "{{>", "{{=", "=}}", "{{&", "<%"],
      ...[
        "%>",
        "subject",
        "recipients",
        "recipients}}",
        "subject}}",
        "json.",
        "json}}",
        "attachments",
      ],
      ...[
        "header.x",
        "hasOwnProperty",
        "__proto__",
        ".",
        "first",
        " ",
        "\n",
        "x",
        "date",
        "client",
      ],
    ),
    (source) => {
      const template = parseTemplate({ text: source, label: "T" });
      if (isFaults(template)) {
        assert(template.faults.length > 0 && template.faults.every((fault) => fault !== ""));
      } else {
        template.render(sample, escapeJson);
      }
      return source.includes("{{");
    },
  ),
];

// ip.ts, address.ts and proxy.ts

const octet = fc.nat({ max: 255 });
const version4 = fc.tuple(octet, octet, octet, octet);
const group = fc.oneof(fc.constant(0), fc.nat({ max: 0xffff }));
const version6 = fc.array(group, { minLength: 8, maxLength: 8 });

/** An IPv6 address with all its zeros, and with as many of the first ones left out as can be. */
function formsOf(groups: readonly number[]): readonly string[] {
  const short = groups.map((group) => group.toString(16));
  const full = short.map((group) => group.padStart(4, "0").toUpperCase());
  const zeros = /(?:^|:)0(?::0)+(?=:|$)/.exec(short.join(":"));
  if (zeros === null) return [short.join(":"), full.join(":")];
  const text = short.join(":");
  const end = zeros.index + zeros[0].length;
  return [text, full.join(":"), `${text.slice(0, zeros.index)}::${text.slice(end + 1)}`];
}

/** An IPv4 address, and as IPv6 has it (RFC 4291 section 2.5.5.2). */
function mappedForms(octets: readonly number[]): readonly string[] {
  const [a, b, c, d] = octets;
  const groups = [0, 0, 0, 0, 0, 0xffff, a << 8 | b, c << 8 | d];
  return [octets.join("."), `::FFFF:${octets.join(".")}`, ...formsOf(groups)];
}

const nearAddress = changed(
  fc.oneof(
    version4.map((octets) => octets.join(".")),
    version6.chain((groups) => fc.constantFrom(...formsOf(groups))),
  ),
  ...[..."0012589af:::..%/[]", "::ffff:", "127.0.0.1", "fe80::", "/64", "0x", "1e"],
);

const port = fc.nat({ max: 65_535 });

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const twoOctets = (number: number) => [number >> 8, number & 0xff];

/** Version 2 of the PROXY protocol, with the same address at both ends and no TLVs. */
function binaryHeader(address: readonly number[], sourcePort: number): string {
  const octets = [...address, ...address, ...twoOctets(sourcePort), 0, 25];
  const family = address.length === 4 ? 0x11 : 0x21;
  return SIGNATURE + String.fromCharCode(0x21, family, ...twoOctets(octets.length), ...octets);
}

const addressProperties: readonly Property[] = [
  property(
    "all ways to write an IP address are one, and it is in its own network",
    fc.oneof(version6, version4),
    (numbers) => {
      const forms = numbers.length === 8 ? formsOf(numbers) : mappedForms(numbers);
      const [text, ...others] = forms.map(canonical);
      assert(text !== null);
      for (const other of others) assertEquals(other, text);
      assertEquals(canonical(text), text);
      for (const form of forms) assert(contains([parseNetwork(form)!], text));
      assert(contains([parseNetwork("::/0")!, parseNetwork("0.0.0.0/0")!], text));
      // Whoever has an IPv6 address has the 64 bits behind its network (RFC 6177).
      const neighbour = text.includes(":") ? formsOf([...numbers.slice(0, 4), 1, 2, 3, 4]) : [];
      assertEquals(new Set([...forms, ...neighbour].map(neighbourhood)).size, 1);
    },
  ),
  property(
    "a text is no IP address, or has one way to write it, and no network throws at it",
    fc.oneof(nearAddress, anyText),
    (text) => {
      const address = canonical(text);
      const network = parseNetwork(text);
      neighbourhood(text);
      assertEquals(
        contains([parseNetwork("::/0")!, parseNetwork("0.0.0.0/0")!], text),
        address !== null,
      );
      if (address !== null) assertEquals(canonical(address), address);
      return address !== null || network !== null;
    },
  ),
  property(
    "an address to listen at that is accepted prints back to the same",
    fc.oneof(
      changed(
        fc.oneof(
          fc.tuple(
            fc.constantFrom("smtp", "LMTP"),
            fc.oneof(
              version4.map((octets) => octets.join(".")),
              fc.constantFrom("localhost", "[::1]"),
            ),
            port,
          ).map(([scheme, host, port]) => `${scheme}://${host}:${port}`),
          fc.constantFrom("smtp+unix:/run/x", "lmtp+unix:///run/x", "LMTP+UNIX:/a b/é"),
        ),
        ..."s:/[]@.09x- \0é",
      ),
      anyText,
    ),
    (text) => {
      const address = parseListenAddress(text);
      if ("wanted" in address) return false;
      const shown = formatListenAddress(address);
      const written = shown.includes("unix:") || shown.includes("://") ? shown : `smtp://${shown}`;
      assertEquals(parseListenAddress(written), address);
      return true;
    },
  ),
  property(
    "a PROXY header that a proxy makes is read as it was meant, and is incomplete until it is there",
    fc.record({
      source: fc.oneof(version4, version6),
      isBinary: fc.boolean(),
      sourcePort: port,
      rest: textOf(6, "EHLO x\r\n", "\r\n", "PROXY ", "\0", "\r", "\xff"),
    }),
    ({ source, isBinary, sourcePort, rest }) => {
      const isVersion6 = source.length === 8;
      const text = isVersion6 ? formsOf(source)[0] : source.join(".");
      const header = isBinary
        ? binaryHeader(isVersion6 ? source.flatMap(twoOctets) : source, sourcePort)
        : `PROXY TCP${isVersion6 ? 6 : 4} ${text} ${text} ${sourcePort} 25\r\n`;
      assertEquals(readProxyHeader(octetsOf(header + rest)), {
        kind: "complete",
        length: header.length,
        source: { address: canonical(text)!, port: sourcePort, tls: false },
      });
      for (let length = 0; length < header.length; length++) {
        assertEquals(readProxyHeader(octetsOf(header.slice(0, length))).kind, "incomplete");
      }
    },
  ),
  property(
    "what octets make of a PROXY header once it is decided, no further octets change",
    fc.oneof(
      anyOctets,
      fc.tuple(
        fc.constantFrom("PROXY ", "PROXY TCP4 ", "PROXY TCP6 ", "PROXY UNKNOWN", SIGNATURE),
        fc.oneof(
          textOf(
            12,
            " ",
            "1",
            "::",
            ".",
            "127.0.0.1",
            "1 2\r\n",
            "\r\n",
            "\r",
            "\n",
            "x",
            "\x21\x11\0\x0c",
          ),
          anyOctets.map((octets) => `!\x21\x11\0${octets}`),
          fc.tuple(fc.constantFrom("\x20", "!"), fc.constantFrom("\0", "\x11", "!", "1"), anyOctets)
            .map(([command, family, rest]) => `${command}${family}\0\x28${rest}`),
        ),
      ).map((parts) => parts.join("")),
    ),
    (text) => {
      const octets = octetsOf(text);
      const whole = readProxyHeader(octets);
      let isDecided = false;
      for (let length = 0; length <= octets.length; length++) {
        const found = readProxyHeader(octets.subarray(0, length));
        assert(found.kind !== "complete" || found.length <= length);
        if (isDecided || found.kind !== "incomplete") assertEquals(found, whole);
        isDecided ||= found.kind !== "incomplete";
      }
      return text.startsWith("PROXY ") || text.startsWith(SIGNATURE);
    },
  ),
];

/** All of them. */
export const properties: readonly Property[] = [
  ...wireProperties,
  ...pathProperties,
  ...commandProperties,
  ...saslProperties,
  ...replyProperties,
  ...sessionProperties,
  ...headerProperties,
  ...templateProperties,
  ...addressProperties,
];
