/** The command line as a process: what it prints, where, and with which exit code it ends. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { Client } from "../client.ts";
import { Endpoint } from "../endpoint.ts";
import { invocation, Pigeon, run } from "../pigeon.ts";
import { generate } from "../std.ts";

Deno.test("--help prints the page on standard output", async () => {
  for (const args of [["--help"], ["-h"], ["test", "--nonsense", "--help"], ["queue", "--help"]]) {
    const { code, stdout, stderr } = await run(args);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^smtp-pigeon \d+\.\d+\.\d+\S*: [^]*\nExamples:\n[^]*\n$/);
  }
});

Deno.test("--version prints name and version on standard output", async () => {
  const { code, stdout, stderr } = await run(["--version"]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^smtp-pigeon \d+\.\d+\.\d+\S*\n$/);
});

const NOWHERE = ["--url", "http://127.0.0.1:9925/"];

const usages: [args: string[], ...faults: string[]][] = [
  [[], "Cannot serve: no endpoint is set, name one with --url"],
  [["test"], "Cannot test: no endpoint is set, name one with --url"],
  [["--url"], "Cannot use --url: must have a value"],
  [
    ["--url", "my.endpoint/mail"],
    'Cannot use --url "my.endpoint/mail": must be an http or https URL, or - to print requests',
  ],
  [
    ["serve", "--prot", "25", ...NOWHERE],
    "Cannot use --prot: no such option, the nearest is --port",
  ],
  [
    ["--url", "https:///mail"],
    'Cannot use --url "https:///mail": must be an http or https URL, or - to print requests',
  ],
  [
    ["--url", "https://{{env.SMTP_PIGEON_NO_SUCH_HOST}}/hooks/abc"],
    'Cannot use --url "https://{{env.SMTP_PIGEON_NO_SUCH_HOST}}/hooks/abc": ' +
    "must be an http or https URL, or - to print requests",
  ],
  [
    [...NOWHERE, "--template", "{\n {{#json.to}}1{{/json.to}}}"],
    'Cannot use --template: section "json.to" at line 2, column 2 asks for JSON, must be "to"',
    "     {{#json.to}}1{{/json.to}}}",
    "     ^",
  ],
  [
    [...NOWHERE, "--preset", "slak"],
    'Cannot use --preset "slak": no such preset, the nearest is slack; smtp-pigeon presets lists them',
  ],
  [
    [...NOWHERE, "--preset", "slack", "--template", "{}"],
    "Cannot use --preset: --template is given too, only one can be used",
  ],
  [
    ["--preset", "telegram"],
    'Cannot use --preset "telegram": it needs --var token=VALUE, the token of the bot, from @BotFather',
    'Cannot use --preset "telegram": it needs --var chat=VALUE, the id of the chat, such as -1001234567890, or @name of a public channel',
  ],
  [
    ["--preset", "slack"],
    "Cannot serve: no endpoint is set, name one with --url, see " +
    "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
  ],
  [
    ["presets", "slak"],
    'Cannot use "slak": no such preset, the nearest is slack; smtp-pigeon presets lists them',
  ],
  [["presets", "slack", "ntfy"], 'Cannot use "ntfy": presets takes one name'],
  [
    [...NOWHERE, "--attachments", "some"],
    'Cannot use --attachments "some": must be include, metadata or drop',
  ],
  [["serve", ...NOWHERE, "mail.eml"], 'Cannot use "mail.eml": serve takes options only'],
  [["serve", ...NOWHERE, "--raw"], "Cannot use --raw: serve has no such option, see --help"],
  [["sever"], 'Cannot run "sever": no such command, the nearest is serve'],
  [["list"], 'Cannot run "list": no such command, the nearest is queue list'],
  [["queue", "list"], "Cannot queue list: no queue is set, name one with --queue"],
  [["queue"], "Cannot queue: no tool is named, must be one of list, show, retry, drop, stats"],
  [
    ["queue", "lits", "--jsn"],
    "Cannot use --jsn: no such option, the nearest is --json",
    'Cannot run "queue lits": no such command, the nearest is queue list',
  ],
  [["--json", ...NOWHERE], "Cannot use --json: serve has no such option, see --help"],
  [
    [...NOWHERE, "--concurrency", "0", "--queue", ":memory:"],
    'Cannot use --queue ":memory:": must be the path of a file, or none',
    'Cannot use --concurrency "0": must be an integer from 1 to 1000',
  ],
  [
    [...NOWHERE, "--port", "smtp"],
    'Cannot use --port "smtp": must be an integer from 0 to 65535',
  ],
  [
    [...NOWHERE, "--template", "{\n {{#a}"],
    "Cannot use --template: the tag at line 2, column 2 is not closed, must end with }}",
    "     {{#a}",
    "     ^",
  ],
  [
    [...NOWHERE, "--template", '{"a": {{body}}}'],
    "Cannot use --template: at line 1, column 7 it makes of a message what is " +
    "not JSON (invalid symbol), must be for Content-Type application/json",
    '    {"a": {{body}}}',
    "          ^",
  ],
  [
    [...NOWHERE, "--header", "Host: x"],
    'Cannot use --header "Host: x": Host follows from the request itself, must be another name',
  ],
  [
    [...NOWHERE, "--template-file", "/no/such/file"],
    'Cannot read "/no/such/file" for --template-file: no such file',
  ],
  [
    ["--_=1", "--url.x=1"],
    "Cannot use --_: no such option, the nearest is --url",
    "Cannot use --url.x: no such option, the nearest is --url",
  ],
  [
    [...NOWHERE, "--port", "x", "--header", "y", "--timeout", "0"],
    'Cannot use --timeout "0": must be a number of seconds, more than 0 and at most 3600',
    'Cannot use --port "x": must be an integer from 0 to 65535',
    'Cannot use --header "y": must be "Name: value"',
  ],
];
for (const [args, ...faults] of usages) {
  Deno.test(`${JSON.stringify(args)} is refused with exit code 2`, async () => {
    const { code, stdout, stderr } = await run(args);
    assertEquals(stderr.trimEnd().split("\n"), faults);
    assertEquals([code, stdout], [2, ""]);
  });
}

Deno.test("no fault quotes the URL and the headers of the environment", async () => {
  const { code, stdout, stderr } = await run(["--port", "x"], {
    env: {
      SMTP_PIGEON_URL: "ftp://s3cret",
      SMTP_PIGEON_HEADER: "s3cret\nAuthorization: s3cret {{",
      SMTP_PIGEON_TIMEOUT: "0",
    },
  });
  assertEquals([code, stdout], [2, ""]);
  assertEquals(stderr.trimEnd().split("\n"), [
    'Cannot use SMTP_PIGEON_TIMEOUT "0": must be a number of seconds, more than 0 and at most 3600',
    'Cannot use --port "x": must be an integer from 0 to 65535',
    "Cannot use SMTP_PIGEON_URL: must be an http or https URL, or - to print requests",
    'Cannot use SMTP_PIGEON_HEADER: must be "Name: value"',
    "Cannot use SMTP_PIGEON_HEADER: the tag at line 1, column 23 is not closed, must end with }}",
  ]);
});

Deno.test("a file without a URL is refused with exit code 2", async () => {
  const path = await Deno.makeTempFile();
  try {
    const { code, stdout, stderr } = await run([], { env: { SMTP_PIGEON_URL_FILE: path } });
    assertEquals(
      [code, stdout, stderr],
      [2, "", `Cannot use SMTP_PIGEON_URL_FILE: "${path}" is empty, must hold a value\n`],
    );
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a directory is no template file", async () => {
  const { code, stderr } = await run([...NOWHERE, "--template-file", "/"]);
  assertMatch(stderr, /^Cannot read "\/" for --template-file: [^\n]+\n$/);
  assertEquals(code, 2);
});

Deno.test("a busy port is refused with exit code 1", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, stdout, stderr } = await run([...NOWHERE, "--port", String(port)]);
  assertMatch(
    stderr,
    new RegExp(`^Cannot listen at 127\\.0\\.0\\.1:${port}: [^\n]*in use[^\n]*\n$`),
  );
  assertEquals([code, stdout], [1, ""]);
});

const MAIL =
  'From: A <a@x.example>\nTo: b@x.example\nSubject: It\'s =?utf-8?q?=C3=BC?=\n\n"body"\n';

const PAYLOAD = {
  sender: "a@x.example",
  recipients: ["b@x.example"],
  body: '"body"\n',
  subject: "It's ü",
};

const mails: [name: string, mail: string | Uint8Array<ArrayBuffer>, payload: object][] = [
  ["with CRLF", MAIL.replaceAll("\n", "\r\n"), {}],
  ["with LF", MAIL, {}],
  ["that is empty", "", { sender: "", recipients: ["postmaster"], body: "", subject: "" }],
  ["that is broken", Uint8Array.of(0, 255, 13, 10, 46), {
    sender: "",
    recipients: ["postmaster"],
    body: "\0ÿ\n.",
    subject: "",
  }],
];
for (const [name, mail, payload] of mails) {
  Deno.test(`render prints the request of a message ${name}`, async () => {
    for (
      const [args, line] of [[[], "POST -"], [NOWHERE, "POST http://127.0.0.1:9925/"]] as const
    ) {
      const { code, stdout, stderr } = await run(["render", ...args], { stdin: mail });
      assertEquals([code, stderr], [0, ""]);
      const [, head, body] = /^([^]*?)\n\n([^]*)$/.exec(stdout)!;
      assertMatch(
        head,
        new RegExp(
          `^${line}\nContent-Type: application/json\nUser-Agent: smtp-pigeon/\\S+\n` +
            "webhook-id: [0-9a-f-]{36}\nwebhook-timestamp: \\d+$",
        ),
      );
      const { id, timestamp: _, ...rest } = JSON.parse(body);
      assertStringIncludes(head, id);
      assertEquals(rest, { ...PAYLOAD, ...payload });
    }
  });
}

Deno.test("render obeys template, header, variables and the environment", async () => {
  const { code, stdout } = await run(
    [
      "render",
      "--header",
      "Content-Type: text/plain",
      "--header",
      "X: {{subject}}",
      "--var",
      "a=b",
    ],
    {
      stdin: MAIL,
      env: { SMTP_PIGEON_TEMPLATE: "{{subject}} {{var.a}} {{env.GREETING}}\n", GREETING: "hi" },
    },
  );
  assertEquals(code, 0);
  assertMatch(stdout, /^POST -\n[^]*\nContent-Type: text\/plain\nX: It's ü\n\nIt's ü b hi\n$/);
});

Deno.test("render adds headers and variables up, from the environment and from flags", async () => {
  const { code, stdout } = await run(
    [
      ...["render", "--header", "x-b: {{header.X-Priority}}", "--header", "X-D: 4"],
      ...["--var", "b=3", "--template", '{"vars": "{{var.a}}{{var.b}}"}'],
    ],
    {
      stdin: "X-PRIORITY: high\n\n",
      env: { SMTP_PIGEON_HEADER: "X-A: 1\nX-B: 2\nX-C: 3", SMTP_PIGEON_VAR: "a=1\nb=2" },
    },
  );
  assertEquals(code, 0);
  assertMatch(
    stdout,
    /^POST -\n[^]*\nX-A: 1\nX-C: 3\nx-b: high\nX-D: 4\n\n{"vars": "13"}\n$/,
  );
});

Deno.test("render of a message that breaks the template ends with exit code 1", async () => {
  const args = ["render", "--template", "{{^header.x-break}}{}{{/header.x-break}}"];
  const { code, stdout, stderr } = await run(args, { stdin: "X-Break: 1\n\n" });
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^Cannot use --template: [^\n]* not JSON \(value expected\)[^\n]*\n$/);
});

Deno.test("--url - prints each request and has the message accepted", async () => {
  await using pigeon = await Pigeon.start(["--url", "-"]);
  using client = await Client.connect(pigeon.port);
  await client.reply();
  await client.sendMail();
  assertMatch(await client.reply(), /^250 2\.0\.0 OK: printed \([0-9a-f-]{36}\)$/);
  assertMatch(await client.ask("QUIT"), /^221 /);
  client.close();
  assertEquals((await pigeon.stop()).code, 0);
  const [, body] = /^POST -\nContent-Type: application\/json\n[^]*?\n\n([^]*)$/.exec(
    pigeon.output,
  )!;
  const { sender, recipients, subject } = JSON.parse(body);
  assertEquals([sender, recipients, subject], ["a@x.example", ["b@x.example"], "x"]);
});

Deno.test("test sends the sample and prints what was answered", async () => {
  await using endpoint = new Endpoint(() =>
    new Response("thanks \x1b[31m\n", { status: 201, headers: { "x-a": "b" } })
  );
  const { code, stdout, stderr } = await run(["test", "--url", `${endpoint.origin}/mail`]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^201 Created \(\d+ ms\)\n(?:[a-z-]+: [^\n]*\n)+\nthanks \ufffd\[31m\n$/);
  assertMatch(stdout, /^x-a: b$/m);
  const { path, text } = await endpoint.request();
  assertEquals([path, JSON.parse(text).sender], ["/mail", "gordon@example.org"]);
});

Deno.test("test sends the user of a URL as Basic authentication, but for a header of that name", async () => {
  await using endpoint = new Endpoint();
  const url = endpoint.origin.replace("//", "//me:s%3Acret@");
  const [alone, beside] = [["test", "--url", url], [
    ...["test", "--url", url],
    ...["--header", "authorization: Bearer token"],
  ]];
  assertEquals((await run(alone)).code, 0);
  assertEquals((await run(beside)).code, 0);
  assertEquals(endpoint.received.map(({ headers }) => headers.get("authorization")), [
    `Basic ${btoa("me:s:cret")}`,
    "Bearer token",
  ]);
});

for (const status of [302, 400, 404, 500]) {
  Deno.test(`test of an endpoint that answers ${status} ends with exit code 1`, async () => {
    await using endpoint = new Endpoint(() => new Response("sorry", { status }));
    const { code, stdout, stderr } = await run(["test", "--url", endpoint.origin]);
    assertEquals([code, stderr], [1, ""]);
    assertMatch(stdout, new RegExp(`^${status} [^]*\n\nsorry\n$`));
  });
}

Deno.test("test of an endpoint that says nothing ends with exit code 1", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const origin = `http://127.0.0.1:${silent.addr.port}`;
  const { code, stdout, stderr } = await run([
    "test",
    "--url",
    `${origin}/s3cret`,
    "--timeout",
    "0.3",
  ]);
  assertEquals([code, stdout], [1, ""]);
  assertEquals(stderr, `Cannot reach ${origin}: endpoint gave no answer within 0.3 s\n`);
});

Deno.test("test of an endpoint that is not there ends with exit code 1", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const origin = `http://127.0.0.1:${listener.addr.port}`;
  listener.close();
  const { code, stdout, stderr } = await run(["test", "--url", `${origin}/s3cret?a=b`]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^Cannot reach http:\/\/127\.0\.0\.1:\d+: [^\n]*refused[^\n]*\n$/);
  assert(!stderr.includes("s3cret"));
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test({
    name: `${signal} lets a POST in flight finish and dismisses the idle`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      const { promise: answered, resolve: answer } = Promise.withResolvers<Response>();
      await using endpoint = new Endpoint(() => answered);
      await using pigeon = await Pigeon.start(["--url", endpoint.origin]);
      using idle = await Client.connect(pigeon.port);
      assertMatch(await idle.reply(), /^220 /);
      using busy = await Client.connect(pigeon.port);
      assertMatch(await busy.reply(), /^220 /);
      await busy.sendMail();
      await endpoint.request();
      const ended = pigeon.stop(signal);
      const stopping = await pigeon.logged(/stopping/);
      assertMatch(stopping, /^smtp-pigeon stopping, 2 connections open$/);
      assertMatch(await idle.reply(), /^421 4\.3\.2 /);
      assertEquals(await idle.reply(), "");
      // The port closes a moment after it was told to: whoever comes in it is sent away, or reset
      // where nobody had taken the connection yet.
      for (let refused = false; !refused;) {
        using late = await Client.connect(pigeon.port).catch((error) => {
          const { ConnectionRefused, ConnectionReset } = Deno.errors;
          assert(
            [ConnectionRefused, ConnectionReset].some((kind) => error instanceof kind),
            `${error}`,
          );
          return null;
        });
        refused = late === null;
        for (let reply; late !== null && (reply = await late.reply());) {
          assertMatch(reply, /^(?:220|421) /);
        }
      }
      answer(new Response("thanks"));
      assertMatch(await busy.reply(), /^250 2\.0\.0 OK: endpoint answered 200 /);
      assertMatch(await busy.reply(), /^421 4\.3\.2 /);
      assertEquals(await busy.reply(), "");
      for (const client of [idle, busy]) client.close();
      const { code, signal: killedBy } = await ended;
      assertEquals([code, killedBy], [0, null]);
    },
  });
}

/** A program whose output goes where a test sends it, ended in any case. */
class Child implements AsyncDisposable {
  readonly process: Deno.ChildProcess;

  constructor(command: readonly string[], stdin: "piped" | "null" = "null") {
    const [name, ...args] = command;
    this.process = new Deno.Command(name, { args, stdin, stdout: "piped", stderr: "piped" })
      .spawn();
  }

  /** Reads the log up to the port. */
  async port(log: ReadableStreamDefaultReader<string>): Promise<number> {
    for (let text = "";;) {
      const [, port] = /listening at .*:(\d+)\n/.exec(text) ?? [];
      if (port !== undefined) return Number(port);
      const { value, done } = await log.read();
      if (done) throw new Error(`the server ended:\n${text}`);
      text += value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.process.status;
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (!stream.locked) await stream.cancel();
    }
  }
}

/** Delivers two messages, one a connection, and gives the replies. */
async function deliverTwo(port: number): Promise<string[]> {
  const replies = [];
  for (const _ of [1, 2]) {
    using client = await Client.connect(port);
    assertMatch(await client.reply(), /^220 /);
    await client.sendMail();
    replies.push(await client.reply());
    assertMatch(await client.ask("QUIT"), /^221 /);
  }
  return replies;
}

const UNPRINTED =
  /^451 4\.3\.0 Not delivered, try again later: standard output takes no more \([0-9a-f-]{36}\)$/;

Deno.test("--url - accepts nothing that nobody reads any more", async () => {
  await using child = new Child([...invocation, "--url", "-", "--port", "0"]);
  const log = child.process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  const port = await child.port(log);
  await child.process.stdout.cancel();
  for (const reply of await deliverTwo(port)) assertMatch(reply, UNPRINTED);
  child.process.kill("SIGTERM");
  while (!(await log.read()).done);
  assertEquals((await child.process.status).code, 0);
});

Deno.test("a server whose log nobody reads any more goes on delivering", async () => {
  await using endpoint = new Endpoint();
  await using child = new Child([...invocation, "--url", endpoint.origin, "--port", "0"]);
  const log = child.process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  const port = await child.port(log);
  await log.cancel();
  for (const reply of await deliverTwo(port)) {
    assertMatch(reply, /^250 2\.0\.0 OK: endpoint answered 200 /);
  }
  assertEquals(endpoint.received.map(({ text }) => JSON.parse(text).subject), ["x", "x"]);
  child.process.kill("SIGTERM");
  assertEquals((await child.process.status).code, 0);
});

/** The program as a shell runs it, with redirections. */
const redirected = (redirection: string, args: readonly string[]) => [
  ...["sh", "-c", `exec "$@" ${redirection}`, "sh"],
  ...invocation,
  ...args,
];

/** Defines a test that wants the device that is always full; elsewhere it is ignored. */
function testFull(name: string, fn: () => Promise<void>): void {
  const isThere = Deno.build.os === "linux" && Deno.statSync("/dev").isDirectory &&
    Array.from(Deno.readDirSync("/dev")).some(({ name }) => name === "full");
  Deno.test({ name: isThere ? name : `${name} (/dev/full is missing)`, ignore: !isThere, fn });
}

for (const args of [["--help"], ["--version"], ["render"]]) {
  testFull(`${args[0]} says that standard output is full, and ends with exit code 1`, async () => {
    await using child = new Child(redirected("> /dev/full", args));
    const { code, stderr } = await child.process.output();
    const text = new TextDecoder().decode(stderr);
    assertMatch(text, /^Cannot write to standard output: [^\n]*[Nn]o space left[^\n]*\n$/);
    assertEquals(code, 1);
  });
}

testFull("--url - accepts nothing that a full disk does not take", async () => {
  await using child = new Child(redirected("> /dev/full", ["--url", "-", "--port", "0"]));
  const log = child.process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  for (const reply of await deliverTwo(await child.port(log))) assertMatch(reply, UNPRINTED);
  child.process.kill("SIGTERM");
  while (!(await log.read()).done);
  assertEquals((await child.process.status).code, 0);
});

/** Starts a server that cannot say where it listens, and gives its port. */
async function startSilently(start: (port: number, domain: string) => Child) {
  for (let attempts = 0; attempts < 5; attempts++) {
    // Free a moment ago. Whoever else takes it meanwhile has another name.
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const domain = `${generate()}.example`;
    const child = start(port, domain);
    let hasEnded = false;
    child.process.status.then(() => hasEnded = true);
    while (!hasEnded) {
      try {
        using client = await Client.connect(port);
        if ((await client.reply()).includes(domain)) return { child, port };
      } catch {
        // It does not listen yet.
      }
    }
    await child[Symbol.asyncDispose]();
  }
  throw new Error("the server ends by itself");
}

testFull("a server whose log goes to a full disk goes on delivering", async () => {
  await using endpoint = new Endpoint();
  const started = await startSilently((port, domain) => {
    const args = ["--url", endpoint.origin, "--port", String(port), "--domain", domain];
    return new Child(redirected("2> /dev/full", args));
  });
  await using child = started.child;
  for (const reply of await deliverTwo(started.port)) {
    assertMatch(reply, /^250 2\.0\.0 OK: endpoint answered 200 /);
  }
  assertEquals(endpoint.received.map(({ text }) => JSON.parse(text).subject), ["x", "x"]);
  child.process.kill("SIGTERM");
  assertEquals((await child.process.status).code, 0);
});

Deno.test("render is quiet where its reader has seen enough", async () => {
  await using child = new Child([...invocation, "render"], "piped");
  await child.process.stdout.cancel();
  const writer = child.process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(MAIL));
  await writer.close();
  let text = "";
  for await (const part of child.process.stderr.pipeThrough(new TextDecoderStream())) text += part;
  assertEquals([(await child.process.status).code, text], [0, ""]);
});
