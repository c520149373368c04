/** Presets and templates in files, as a process has them: listed, printed, rendered, tried and served. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { Client } from "../client.ts";
import { Endpoint } from "../endpoint.ts";
import { Pigeon, run } from "../pigeon.ts";

const names = [...Deno.readDirSync(new URL("../../templates/", import.meta.url))]
  .flatMap(({ name }) => name.endsWith(".mustache") ? name.slice(0, -".mustache".length) : [])
  .sort();

Deno.test("presets lists each with what it is, what it needs and where it is documented", async () => {
  const { code, stdout, stderr } = await run(["presets"]);
  assertEquals([code, stderr], [0, ""]);
  const entries = stdout.trimEnd().split(/\n(?=\S)/);
  assertEquals(entries.map((entry) => entry.split(" ")[0]), names);
  for (const entry of entries) {
    assertMatch(entry, /^\S+ +\S.*\n(?: {16}.*\n)*? {16}(https:|README)/);
  }
  assertMatch(
    stdout,
    /^telegram [^]*\n {16}--var token=VALUE {2}\S[^]*\n {16}--var chat=VALUE {2}\S/m,
  );
  assertMatch(stdout, /^slack .*\n {16}--url URL\n/m);
});

Deno.test("presets NAME prints the file, octet for octet", async () => {
  for (const name of ["slack", "json", "home-assistant"]) {
    const { code, stdout } = await run(["presets", name]);
    const text = await Deno.readTextFile(
      new URL(`../../templates/${name}.mustache`, import.meta.url),
    );
    assertEquals([code, stdout], [0, text]);
  }
});

const MAIL = 'From: Lamp <lamp@example.org>\nTo: root@example.net\nSubject: "Dark"\n\nIt is.\n';

/** Runs something with files of these names and texts, and gives their paths. */
async function withFiles(
  texts: Readonly<Record<string, string>>,
  use: (paths: string[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const paths = Object.keys(texts).map((name) => `${folder}/${name}`);
    for (const [at, text] of Object.values(texts).entries()) {
      await Deno.writeTextFile(paths[at], text);
    }
    await use(paths);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("render reads files of one message and of many, and says which it cannot read", async () => {
  const mbox = `From a Sat Jan  1 10:10:20 2022\n${MAIL}\nFrom b Sat Jan  1 10:10:20 2022\n${MAIL}`;
  await withFiles({ "a.eml": MAIL, "b.mbox": mbox }, async ([one, many]) => {
    const args = ["render", "--header", "Content-Type: text/plain", "--template", "{{subject}}"];
    const { code, stdout, stderr } = await run([...args, one, `${one}.not`, many]);
    assertEquals([code, stderr], [1, `Cannot read "${one}.not": no such file\n`]);
    assertEquals(stdout.match(/^"Dark"$/gm)?.length, 3);
  });
});

Deno.test("render --raw prints a request exactly, without a line end of its own", async () => {
  const args = ["render", "--header", "Content-Type: text/plain", "--template", "{{subject}}"];
  assertMatch((await run([...args, "--raw"], { stdin: MAIL })).stdout, /\n\n"Dark"$/);
  assertMatch((await run(args, { stdin: MAIL })).stdout, /\n\n"Dark"\n$/);
});

Deno.test("render uses presets and files with front matter as a server does", async () => {
  const preset = await run([
    "render",
    "--preset",
    "pushover",
    "--var",
    "token=t",
    "--var",
    "user=u",
  ], {
    stdin: MAIL,
  });
  assertMatch(preset.stdout, /^POST https:\/\/api\.pushover\.net\/1\/messages\.json\n/);
  assertStringIncludes(preset.stdout, "It is.");
  const text =
    "---\nmethod: PATCH\nurl: http://a.example/{{var.x}}\ncontent-type: text/plain\n---\n{{subject}}\n";
  await withFiles({ "t.mustache": text }, async ([path]) => {
    const { code, stdout } = await run(["render", "--template-file", path, "--var", "x=y"], {
      stdin: MAIL,
    });
    assertEquals(code, 0);
    assertMatch(
      stdout,
      /^PATCH http:\/\/a\.example\/y\n[^]*\nContent-Type: text\/plain\n\n"Dark"\n$/,
    );
  });
});

Deno.test("faults and warnings name the file, the line and the place", async () => {
  const texts = {
    "bad.mustache": "---\nmethod: PUT\n---\n{\n  {{#to}}\n}\n",
    "odd.mustache": '{"a": "{{subjct}}"}',
  };
  await withFiles(texts, async ([bad, odd]) => {
    const refused = await run(["render", "--template-file", bad], { stdin: MAIL });
    assertEquals([refused.code, refused.stdout], [2, ""]);
    assertEquals(
      refused.stderr,
      `Cannot use --template-file "${bad}": section "to" at line 5, column 3 is not closed, ` +
        "must end with a tag of its own\n      {{#to}}\n      ^\n",
    );
    const warned = await run(["render", "--template-file", odd], { stdin: MAIL });
    assertEquals(
      [warned.code, warned.stderr],
      [
        0,
        `Warning: --template-file "${odd}": no field is named "subjct", the nearest is "subject" ` +
        "at line 1, column 8\n",
      ],
    );
  });
});

/** Octets that are no text in any character set, with a NUL and every kind of line end. */
const OCTETS = Uint8Array.from(
  { length: 600 },
  (_, at) => [at % 256, 13, 10, 0][at % 7 === 0 ? at % 4 : 0],
);

async function deliver(port: number, data: Uint8Array): Promise<void> {
  using client = await Client.connect(port);
  await client.reply();
  for (
    const line of [
      "EHLO x",
      "MAIL FROM:<a+b@example.org>",
      "RCPT TO:<c@example.net>",
      `BDAT ${data.length} LAST`,
    ]
  ) {
    await client.send(`${line}\r\n`);
    if (line.startsWith("BDAT")) await client.send(data);
    assertMatch(await client.reply(), /^[^]*250 /);
  }
}

Deno.test("the preset raw delivers the octets of a message, and its envelope in header fields", async () => {
  await using endpoint = new Endpoint();
  await using pigeon = await Pigeon.start(["--preset", "raw", "--url", endpoint.origin]);
  await deliver(pigeon.port, OCTETS);
  const { body, headers } = await endpoint.request();
  assertEquals(body, OCTETS);
  assertEquals(headers.get("content-type"), "message/rfc822");
  assertEquals(headers.get("x-envelope-from"), "<a+b@example.org>");
  assertEquals(headers.get("x-envelope-to"), "c@example.net");
});

const WITH_FILE = new TextEncoder().encode(
  "Subject: Report\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee.\r\n" +
    "--b\r\nContent-Type: text/csv; name=a.csv\r\n\r\n1,2\r\n--b--\r\n",
);

const FILES: [args: string[], files: string[]][] = [
  [[], ["a.csv"]],
  [["--attachments", "drop"], []],
  [["--attachment-max-size", "2"], []],
];
for (const [args, files] of FILES) {
  Deno.test(`the preset mailgun delivers a form with ${files.length} files with ${args.join(" ") || "nothing else"}`, async () => {
    await using endpoint = new Endpoint();
    await using pigeon = await Pigeon.start([
      ...["--preset", "mailgun", "--var", "key=k", "--url", endpoint.origin],
      ...args,
    ]);
    await deliver(pigeon.port, WITH_FILE);
    const { body, headers } = await endpoint.request();
    const form = await new Response(body as BodyInit, { headers }).formData();
    assertEquals([form.get("subject"), form.get("recipient")], ["Report", "c@example.net"]);
    const sent = Array.from(form.values()).filter((value) => typeof value !== "string");
    assertEquals(sent.map(({ name }) => name), files);
  });
}

Deno.test("test sends the sample by a preset, and a method of its own", async () => {
  await using endpoint = new Endpoint();
  const vars = ["--var", `server=${endpoint.origin}`, "--var", "room=!a:b", "--var", "token=t"];
  const { code, stdout } = await run(["test", "--preset", "matrix", ...vars]);
  assertEquals(code, 0);
  assertMatch(stdout, /^200 OK/);
  const { method, path, headers, text } = await endpoint.request();
  assertEquals(method, "PUT");
  assertMatch(
    path,
    /^\/_matrix\/client\/v3\/rooms\/!a%3Ab\/send\/m\.room\.message\/[0-9a-f-]{36}$/,
  );
  assertEquals(headers.get("authorization"), "Bearer t");
  assert(JSON.parse(text).body.includes("smtp-pigeon sample"));
});
