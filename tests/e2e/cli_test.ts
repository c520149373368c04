/** The command line as a process: what it prints, where, and with which exit code it ends. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { Client } from "../client.ts";
import { Endpoint } from "../endpoint.ts";
import { invocation, Pigeon, run } from "../pigeon.ts";

Deno.test("--help prints the page on standard output", async () => {
  for (const args of [["--help"], ["-h"], ["test", "--nonsense", "--help"]]) {
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
  [["sever"], 'Cannot run "sever": no such command, the nearest is serve'],
  [
    [...NOWHERE, "--port", "smtp"],
    'Cannot use --port "smtp": must be an integer from 0 to 65535',
  ],
  [
    [...NOWHERE, "--template", "{\n {{#a}"],
    "Cannot use --template: the tag at line 2, column 2 is not closed, must end with }}",
  ],
  [
    [...NOWHERE, "--template", '{"a": {{body}}}'],
    "Cannot use --template: what it makes of a message is not JSON at line 1, column 7: " +
    "invalid symbol, must be for Content-Type application/json",
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
    "Cannot serve: no endpoint is set, name one with --url",
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

Deno.test("render of a message that breaks the template ends with exit code 1", async () => {
  const args = ["render", "--template", "{{^header.x-break}}{}{{/header.x-break}}"];
  const { code, stdout, stderr } = await run(args, { stdin: "X-Break: 1\n\n" });
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^Cannot use --template: [^\n]* not JSON at line 1, column 1[^\n]*\n$/);
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
      const refused = await Client.connect(pigeon.port).then(() => null, (error) => error);
      assert(refused instanceof Deno.errors.ConnectionRefused);
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

for (const stream of ["stdout", "stderr"] as const) {
  Deno.test(`a server whose ${stream} nobody reads any more goes on`, async () => {
    const [command, ...before] = invocation;
    const child = new Deno.Command(command, {
      args: [...before, "--url", "-", "--port", "0"],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    try {
      // Reads the log up to the port; then the pipe is broken.
      const log = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      while (!/listening at .*:\d+\n/.test(text)) text += (await log.read()).value ?? "";
      const port = Number(/:(\d+)\n/.exec(text)![1]);
      if (stream === "stderr") await log.cancel();
      else await child.stdout.cancel();
      for (const _ of [1, 2]) {
        using client = await Client.connect(port);
        assertMatch(await client.reply(), /^220 /);
        await client.sendMail();
        assertMatch(await client.reply(), /^250 /);
        assertMatch(await client.ask("QUIT"), /^221 /);
      }
      child.kill("SIGTERM");
      if (stream === "stderr") await child.stdout.cancel();
      else await log.cancel();
      assertEquals((await child.status).code, 0);
    } finally {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
      await child.status;
    }
  });
}
