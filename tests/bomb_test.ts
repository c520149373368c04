/** What is read of messages that are made to keep a reader busy, and who waits for that. */
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { bombs } from "./bombs.ts";
import { type Parse, unparsed } from "../lib/content.ts";
import { within } from "../lib/deadline.ts";
import { read } from "../lib/message.ts";
import { load, parseHere, parseWithin } from "../lib/parser.ts";
import { needsOf } from "../lib/needs.ts";
import { sampleMail } from "../lib/sample.ts";
import { openWorker, Thread, type ThreadOptions } from "../lib/thread.ts";

const surroundings = { version: "1", hostname: () => "h", env: () => undefined, vars: {} };
const encode = (text: string) => new TextEncoder().encode(text);

for (const [name, [message, body, ...warnings]] of Object.entries(bombs)) {
  Deno.test(`read() makes a context of ${name}`, async () => {
    const data = encode(message);
    const mail = { ...sampleMail("1", new Date(0)), data };
    const context = await read(mail, surroundings, parseHere);
    assertEquals([context.subject, context.size], ["bomb", data.length]);
    assertMatch(context.body.slice(0, 2_000), body);
    assertEquals(context.warnings.length, warnings.length, context.warnings.join("\n"));
    for (const [index, warning] of warnings.entries()) {
      assertMatch(context.warnings[index], warning);
    }
  });
}

Deno.test("read() finds 499 parts beside the message itself, and leaves those after them out", async () => {
  const part = (n: number) =>
    `--b\r\nContent-Disposition: attachment; filename=${n}\r\n\r\n${n}\r\n`;
  const head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (const [count, warnings] of [[499, 0], [500, 1], [600, 1]]) {
    const parts = Array.from({ length: count }, (_, n) => part(n + 1)).join("");
    const read = await parseHere(encode(`${head}${parts}--b--\r\n`), null);
    assertEquals([read.attachments.length, read.warnings.length], [499, warnings]);
    const { filename, size } = read.attachments[498];
    assertEquals([filename, size], ["499", 3]);
  }
});

/** What never comes is not waited for any longer, in milliseconds. */
const TIMEOUT_MS = 10_000;

const LIMITS = {
  mostHere: 10,
  maxOctetsThere: 1_000_000,
  timeoutMs: 20_000,
  maxWaitMs: 60_000,
  idleMs: 60_000,
};

/** A thread of its own that does what `source` says, or what worker.ts does where that is empty. */
function threadOf(
  source: string,
  more: Partial<ThreadOptions> = {},
  onEnd = (_: number) => {},
  onOpen = (_: Worker) => {},
) {
  const opened: Worker[] = [];
  const ended: Worker[] = [];
  const here: number[] = [];
  const thread = new Thread({
    parseWithin: async (most, data, needs) => {
      const parsed = await parseWithin(most, data, needs);
      if (parsed !== null) here.push(data.length);
      return parsed;
    },
    open: () => {
      const url = `data:application/javascript,${encodeURIComponent(source)}`;
      const worker = source === "" ? openWorker() : new Worker(url, { type: "module" });
      opened.push(worker);
      onOpen(worker);
      const terminate = worker.terminate.bind(worker);
      worker.terminate = () => {
        terminate();
        onEnd(ended.push(worker));
      };
      return worker;
    },
    ...{ ...LIMITS, ...more },
  });
  return { thread, opened, ended, here };
}

const LARGE = encode(
  "Subject: =?utf-8?Q?caf=C3=A9?=\r\nFrom: A <a@example.org>\r\n" +
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n" +
    "--b\r\nContent-Type: text/html\r\n\r\n<b>you</b>\r\n" +
    "--b\r\nContent-Type: image/gif; name=a.gif\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n" +
    "--b\r\nContent-Type: text/csv; name=a.csv\r\n\r\na,b\r\n" +
    "--b\r\nContent-Type: text/csv; name=b.csv\r\n\r\n\r\n--b--\r\n",
);

Deno.test("a thread makes of a message what is made of it here, again and again", async () => {
  const { thread, opened, here } = threadOf("");
  using _ = thread;
  const expected = await parseHere(LARGE, null);
  assertEquals(expected.attachments.map(({ size }) => size), [3, 3, 0]);
  assertEquals([expected.body, expected.text], ["hello\nyou", "hello"]);
  for (const _ of [1, 2]) assertEquals(await thread.parse(LARGE, null), expected);
  const alone = encode(`Content-Type: text/csv; name=a.csv\r\n\r\n${"a,b\r\n".repeat(30)}`);
  assertEquals(await thread.parse(alone, null), await parseHere(alone, null));
  assertEquals(await Promise.all([LARGE, LARGE].map((data) => thread.parse(data, null))), [
    expected,
    expected,
  ]);
  assertEquals([opened.length, here], [1, []]);
});

Deno.test("a message that is small is parsed here, also while a large one waits", async () => {
  const { thread, opened, here } = threadOf("postMessage('ready')", { timeoutMs: 300 });
  using _ = thread;
  const large = thread.parse(LARGE, null);
  assertEquals((await thread.parse(encode("Subject: x\r\n\r\ny\r\n"), null)).body, "y\n");
  assertEquals([opened.length, here], [1, [17]]);
  await large;
});

/** A text, and an attachment of so many lines. */
const attached = (lines: number) =>
  encode(
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n" +
      `--b\r\nContent-Type: a/b; name=c\r\n\r\n${"x".repeat(1_000)}\r\n` +
      `${"y\r\n".repeat(lines)}--b--\r\n`,
  );

const PLACES: [what: string, lines: number, needs: readonly string[], isHere: boolean][] = [
  ["whose attachment nobody needs", 10, ["body"], true],
  ["whose header alone is needed", 1_000, ["subject", "header"], true],
  ["whose attachment somebody needs", 10, ["attachments"], false],
  ["that has too many lines to look at", 1_000, ["body"], false],
];

for (const [what, lines, names, isHere] of PLACES) {
  Deno.test(`a large message ${what} is parsed ${isHere ? "here" : "in the thread"}`, async () => {
    const { thread, opened, here } = threadOf("", { mostHere: 500 });
    using _ = thread;
    const [data, needs] = [attached(lines), needsOf(names)];
    assertEquals(await thread.parse(data, needs), await parseHere(data, needs));
    assertEquals([here, opened.length], isHere ? [[data.length], 0] : [[], 1]);
  });
}

const LINES = "line\r\n".repeat(2_000);

const TEXTS: [what: string, header: string, body: string, isHere: boolean][] = [
  ["text that says nothing of itself", "", LINES, true],
  ["text in UTF-8", "Content-Type: text/plain; charset=utf-8\r\n", LINES, true],
  ["text in ISO-8859-1", "Content-Type: text/plain; charset=iso-8859-1\r\n", LINES, true],
  ["text that is longer than that", "", LINES.repeat(10), false],
  ["HTML", "Content-Type: text/html\r\n", LINES, false],
  ["text in UTF-16", "Content-Type: text/plain; charset=utf-16\r\n", LINES, false],
  ["text in a rare character set", "Content-Type: text/plain; charset=cp437\r\n", LINES, false],
  ["text with flowing lines", "Content-Type: text/plain; format=flowed\r\n", LINES, false],
  ["text in quoted-printable", "Content-Transfer-Encoding: quoted-printable\r\n", LINES, false],
];

for (const [what, header, body, isHere] of TEXTS) {
  Deno.test(`a large ${what} is parsed ${isHere ? "here" : "in the thread"}`, async () => {
    const { thread, opened, here } = threadOf("", { mostHere: 500 });
    using _ = thread;
    const data = encode(`Subject: x\r\n${header}\r\n${body}`);
    const needs = needsOf(["body", "subject"]);
    assertEquals(await thread.parse(data, needs), await parseHere(data, needs));
    assertEquals([here, opened.length], isHere ? [[data.length], 0] : [[], 1]);
  });
}

Deno.test("a large text of which the new part is asked for is parsed in the thread", async () => {
  const { thread, opened, here } = threadOf("", { mostHere: 500 });
  using _ = thread;
  const needs = needsOf(["replyText"]);
  const data = encode(`Subject: x\r\n\r\n${LINES}`);
  assertEquals(await thread.parse(data, needs), await parseHere(data, needs));
  assertEquals([here, opened.length], [[], 1]);
});

const FAILURES: [what: string, source: string, warning: RegExp][] = [
  [
    "throws",
    "onmessage = () => { throw new Error('out of luck') }; postMessage('ready')",
    /could not be parsed: .*out of luck$/,
  ],
  [
    "rejects",
    "onmessage = () => { Promise.reject(new Error('out of luck')) }; postMessage('ready')",
    /could not be parsed: .*out of luck$/,
  ],
];

for (const [what, source, warning] of FAILURES) {
  Deno.test(`a thread that ${what} is ended, the message is left as received, the next one gets a new thread`, async () => {
    const { thread, opened } = threadOf(source, { timeoutMs: 300 });
    using _ = thread;
    const mail = { ...sampleMail("1", new Date(0)), data: LARGE };
    for (const count of [1, 2]) {
      const context = await read(mail, surroundings, thread.parse);
      assertMatch(context.warnings.join("\n"), warning);
      assertEquals([context.subject, context.attachments.length], ["café", 0]);
      assert(context.body.startsWith("--b\n\nhello\n"), context.body);
      assertEquals(opened.length, count);
    }
  });
}

const CANNOT_START: [what: string, source: string][] = [
  ["throws", "throw new Error('no')"],
  ["cannot be loaded", "import 'data:application/javascript,(';"],
  ["never is ready", "await new Promise(() => {})"],
];

for (const [what, source] of CANNOT_START) {
  Deno.test(`where a thread ${what} when it starts, messages are parsed here`, async () => {
    const { thread, here } = threadOf(source, { timeoutMs: 300 });
    using _ = thread;
    const { warnings, attachments } = await thread.parse(LARGE, null);
    assertEquals([warnings, attachments.length, here], [[], 3, [LARGE.length]]);
  });
}

/** What a thread does that is given up, and whether it is busy even so. */
const GIVEN_UP: [what: string, source: string, isBusy: boolean][] = [
  ["is busy forever", "onmessage = () => { for (;;); }; postMessage('ready')", true],
  ["never says anything", "postMessage('ready')", true],
  [
    "never ends with that message alone",
    `onmessage = ({ data: { data } }) => {
      if (data.length === 0) postMessage({ bodySize: 0 });
    };
    postMessage('ready')`,
    false,
  ],
];

for (const [what, source, isBusy] of GIVEN_UP) {
  Deno.test(`a thread that ${what} is given up, and ${isBusy ? "no other" : "another"} is started`, async () => {
    const end = Promise.withResolvers<void>();
    const { thread, opened, ended } = threadOf(source, { timeoutMs: 300 }, () => end.resolve());
    using _ = thread;
    const mail = { ...sampleMail("1", new Date(0)), data: LARGE };
    const contexts = [await read(mail, surroundings, thread.parse)];
    if (!isBusy) await within(TIMEOUT_MS, end.promise);
    assertEquals(ended.length, isBusy ? 0 : 1);
    contexts.push(await read(mail, surroundings, thread.parse));
    for (const { subject, body, attachments } of contexts) {
      assertEquals([subject, attachments.length], ["café", 0]);
      assert(body.startsWith("--b\n\nhello\n"), body);
    }
    const late = "The message could not be parsed: it took longer than 0.3 s";
    const busy = "The message could not be parsed: the parser is busy with another message";
    assertEquals(contexts.map(({ warnings }) => warnings), [[late], [isBusy ? busy : late]]);
    assertEquals(opened.length, isBusy ? 1 : 2);
  });
}

const LATE: [what: string, end: string][] = [
  ["answers", "postMessage({ bodySize: data.data.length })"],
  ["fails", "throw new Error('out of luck')"],
];

for (const [what, end] of LATE) {
  Deno.test(`a thread that ${what} after it was given up is ended, and the next message gets a new one`, async () => {
    // It is held until the test has seen what becomes of another message.
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const source = `let gate;
      onmessage = ({ data }) => {
        if (data instanceof Int32Array) {
          gate = data;
          return postMessage("ready");
        }
        Atomics.wait(gate, 0, 0);
        ${end};
      }`;
    const over = Promise.withResolvers<void>();
    const { thread, opened, ended } = threadOf(
      source,
      { timeoutMs: 300 },
      () => over.resolve(),
      (worker) => worker.postMessage(gate),
    );
    using _ = thread;
    const reasonOf = async () => (await thread.parse(LARGE, null)).warnings.join();
    assertMatch(await reasonOf(), /longer than 0.3 s$/);
    assertMatch(await reasonOf(), /busy with another message$/);
    assertEquals([opened.length, ended.length], [1, 0]);
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await within(TIMEOUT_MS, over.promise);
    const { bodySize, warnings } = await thread.parse(LARGE, null);
    assertEquals([opened.length, ended.length], [2, what === "fails" ? 2 : 1]);
    if (what === "answers") assertEquals([bodySize, warnings], [LARGE.length, undefined]);
  });
}

Deno.test("a message that has waited too long for its turn is left as received", async () => {
  const source = `onmessage = ({ data: { data } }) => {
    const end = Date.now() + 200;
    while (Date.now() < end);
    postMessage({ bodySize: data.length, warnings: [] });
  };
  postMessage('ready')`;
  const { thread } = threadOf(source, { maxWaitMs: 100 });
  using _ = thread;
  const answers = await Promise.all(Array(3).fill(LARGE).map((data) => thread.parse(data, null)));
  const waited = ["The message could not be parsed: it waited longer than 0.1 s for the parser"];
  assertEquals(answers.map(({ warnings }) => warnings), [[], waited, waited]);
  // Nobody waits now.
  assertEquals((await thread.parse(LARGE, null)).warnings, []);
});

Deno.test("where no thread can be made, messages are parsed here", async () => {
  const open = () => {
    throw new Deno.errors.NotCapable("no");
  };
  using thread = new Thread({ parseWithin, open, ...LIMITS });
  assertEquals((await thread.parse(LARGE, null)).attachments.length, 3);
});

Deno.test("a message waits for its turn longer than it may take itself", async () => {
  const source = `onmessage = ({ data: { data } }) => {
    const end = Date.now() + 200;
    while (Date.now() < end);
    postMessage({ bodySize: data.length });
  };
  postMessage('ready')`;
  const { thread, opened } = threadOf(source, { timeoutMs: 600 });
  using _ = thread;
  const answers = await Promise.all(Array(4).fill(LARGE).map((data) => thread.parse(data, null)));
  assertEquals(answers.map(({ bodySize }) => bodySize), Array(4).fill(LARGE.length));
  assertEquals(opened.length, 1);
});

Deno.test("a thread without work is ended, and the next message gets a new one", async () => {
  const ends = [1, 2].map(() => Promise.withResolvers<void>());
  const { thread, opened, ended } = threadOf(
    "",
    { idleMs: 1 },
    (count) => ends[count - 1].resolve(),
  );
  using _ = thread;
  for (const { promise } of ends) {
    assertEquals((await thread.parse(LARGE, null)).attachments.length, 3);
    await promise;
  }
  assertEquals([opened.length, ended.length], [2, 2]);
});

Deno.test("a thread that has read as much as it may is ended, and the next message gets a new one", async () => {
  const { thread, opened, ended } = threadOf("", { maxOctetsThere: 2 * LARGE.length });
  using _ = thread;
  const counts = [];
  for (const _ of [1, 2, 3, 4]) {
    await thread.parse(LARGE, null);
    counts.push([opened.length, ended.length]);
  }
  assertEquals(counts, [[1, 0], [1, 1], [2, 1], [2, 2]]);
});

Deno.test("a message is left as received where there is a reason", async () => {
  const parse: Parse = async (data) => unparsed(data, await load(), "it is Sunday");
  const { body, text, html, warnings } = await parse(encode("A: b\r\n\r\n--b\r\rx\r\n"), null);
  assertEquals([body, text, html], ["--b\n\nx\n", "--b\n\nx\n", ""]);
  assertEquals(warnings, ["The message could not be parsed: it is Sunday"]);
});
