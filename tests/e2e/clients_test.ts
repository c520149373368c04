/** Mail clients that people use, each with what is its own way of speaking SMTP. */
import nodemailer from "npm:nodemailer@10.0.12";
import { assertEquals, assertMatch } from "../assert.ts";
import { Endpoint, type Handler } from "../endpoint.ts";
import { Pigeon } from "../pigeon.ts";
import { testWith } from "./program.ts";

/** Never to be seen in a log. */
const password = "swordfish";

/** A server and its endpoint, for as long as they are used. */
async function between(
  use: (port: number, endpoint: Endpoint) => Promise<void>,
  { options = [], handler }: { options?: readonly string[]; handler?: Handler } = {},
): Promise<void> {
  await using endpoint = new Endpoint(handler);
  await using pigeon = await Pigeon.start(["--url", `${endpoint.origin}/mail`, ...options]);
  await use(pigeon.port, endpoint);
  assertEquals((await pigeon.stop()).code, 0);
  assertEquals(pigeon.log.filter((line) => line.includes(password)), []);
}

/** The default payloads that came, without what is new each time: id and timestamp. */
function payloads({ received }: Endpoint): Record<string, unknown>[] {
  return received.map(({ text }) => {
    const { id, timestamp, ...rest } = JSON.parse(text);
    assertMatch(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assertMatch(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    return rest;
  });
}

/** A template for what the default payload leaves out. */
const wide = `{
  "user": {{json.client.user}}, "hostname": {{json.client.hostname}},
  "text": {{json.text}}, "html": {{json.html}}, "from": {{json.from}},
  "attachments": [{{#attachments}}
    [{{json.filename}}, {{json.contentType}}, {{size}}, {{json.content}}]{{^last}},{{/last}}
  {{/attachments}}]
}`;

/** A message with line feeds, as files on Unix have it. */
const message = `From: Añil <a@example.org>
To: b@example.org
Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

It's "gr\u00fcn" \\ \u65e5\u672c
.leading dot
.
end
`;
const messagePayload = {
  sender: "a@example.org",
  recipients: ["b@example.org"],
  body: 'It\'s "grün" \\ 日本\n.leading dot\n.\nend\n',
  subject: "Grüße",
};

testWith(["swaks"], "swaks delivers to several recipients, pipelined", async (run) => {
  await between(async (port, endpoint) => {
    const { code, stdout } = await run("swaks", [
      ...["--server", "127.0.0.1", "--port", `${port}`, "--helo", "client.example", "--pipeline"],
      ...["--from", "a@example.org", "--to", "b@example.org,c@example.org"],
      ...["--header", "Subject: UPS on battery", "--body", 'say "42%"\n.\ndone'],
    ]);
    assertEquals(code, 0, stdout);
    assertEquals(payloads(endpoint), [{
      sender: "a@example.org",
      recipients: ["b@example.org", "c@example.org"],
      // It ends its messages with two empty lines.
      body: 'say "42%"\n.\ndone\n\n\n',
      subject: "UPS on battery",
    }]);
  });
});

for (const mechanism of ["PLAIN", "LOGIN"]) {
  testWith(["swaks"], `swaks delivers after AUTH ${mechanism}, with an attachment`, async (run) => {
    await between(async (port, endpoint) => {
      const { code, stdout } = await run("swaks", [
        ...["--server", "127.0.0.1", "--port", `${port}`, "--helo", "client.example"],
        ...["--auth", mechanism, "--auth-user", "jim", "--auth-password", password],
        ...["--from", "a@example.org", "--to", "b@example.org", "--body", "see there"],
        ...["--attach-type", "text/csv", "--attach-name", "rows.csv", "--attach", "1;2\n3;4"],
      ]);
      assertEquals(code, 0, stdout);
      assertEquals(endpoint.received.map(({ text }) => JSON.parse(text)), [{
        user: "jim",
        hostname: "client.example",
        text: "see there",
        html: "",
        from: [{ name: "", address: "a@example.org" }],
        attachments: [["rows.csv", "text/csv", 7, btoa("1;2\n3;4")]],
      }]);
    }, { options: ["--template", wide] });
  });
}

testWith(["swaks"], "swaks delivers with the null sender", async (run) => {
  await between(async (port, endpoint) => {
    const { code, stdout } = await run("swaks", [
      ...["--server", "127.0.0.1", "--port", `${port}`, "--helo", "client.example"],
      ...["--from", "<>", "--to", "b@example.org", "--data", "Subject: bounce\\n\\nx\\n"],
    ]);
    assertEquals(code, 0, stdout);
    assertEquals(payloads(endpoint), [
      { sender: "", recipients: ["b@example.org"], body: "x\n\n", subject: "bounce" },
    ]);
  });
});

testWith(["msmtp"], "msmtp delivers a message with recipients of its header", async (run) => {
  await between(async (port, endpoint) => {
    const { code, stderr } = await run("msmtp", [
      ...["--host=127.0.0.1", `--port=${port}`, "--tls=off", "--auth=off"],
      ...["--from=a@example.org", "--read-recipients"],
    ], message);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertEquals(payloads(endpoint), [messagePayload]);
  });
});

testWith(["msmtp"], "msmtp reports a message that the endpoint did not take", async (run) => {
  await between(
    async (port, endpoint) => {
      const { code, stderr } = await run("msmtp", [
        ...["--host=127.0.0.1", `--port=${port}`, "--tls=off", "--auth=off"],
        ...["--from=a@example.org", "b@example.org"],
      ], message);
      // sysexits.h: EX_TEMPFAIL for 451 would be 75, but msmtp says EX_UNAVAILABLE for all.
      assertEquals(code, 69);
      assertMatch(stderr, /451 4\.\d\.\d .*503/);
      assertEquals(payloads(endpoint), [messagePayload]);
    },
    { handler: () => new Response("busy", { status: 503 }) },
  );
});

testWith(["mailx", "msmtp"], "mailx delivers by msmtp, as cron and people do", async (run) => {
  await between(async (port, endpoint) => {
    const directory = await Deno.makeTempDir();
    try {
      const options = `--host=127.0.0.1 --port=${port} --tls=off --auth=off --from=a@example.org`;
      await Deno.writeTextFile(`${directory}/sendmail`, `#!/bin/sh\nexec msmtp ${options} "$@"\n`, {
        mode: 0o755,
      });
      await Deno.writeTextFile(`${directory}/rc`, `set sendmail=${directory}/sendmail\n`);
      const args = ["-n", "-s", "Disk full", "b@example.org", "c@example.org"];
      const { code, stderr } = await run("mailx", args, "99 %\n", { MAILRC: `${directory}/rc` });
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      await endpoint.request();
      assertEquals(payloads(endpoint), [{
        sender: "a@example.org",
        recipients: ["b@example.org", "c@example.org"],
        body: "99 %\n",
        subject: "Disk full",
      }]);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
});

for (
  const { how, options, end } of [
    // It adds a line end of SMTP's own, since it finds none.
    { how: "as they are", options: [], end: "\n" },
    { how: "as CRLF", options: ["--crlf"], end: "" },
  ]
) {
  testWith(["curl"], `curl delivers a file, its line ends ${how}`, async (run) => {
    await between(async (port, endpoint) => {
      const { code, stderr } = await run("curl", [
        ...["--silent", "--show-error", `smtp://127.0.0.1:${port}/client.example`, ...options],
        ...["--mail-from", "a@example.org", "--mail-rcpt", "b@example.org", "--upload-file", "-"],
      ], message);
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      assertEquals(payloads(endpoint), [{ ...messagePayload, body: messagePayload.body + end }]);
    });
  });
}

testWith(["curl"], "curl delivers a MIME form after AUTH", async (run) => {
  await between(async (port, endpoint) => {
    const { code, stderr } = await run("curl", [
      ...["--silent", "--show-error", `smtp://127.0.0.1:${port}/client.example`],
      ...["--user", `jim:${password}`, "--mail-from", "a@example.org", "--mail-rcpt"],
      ...["b@example.org", "--header", "From: A <a@example.org>", "--form", "=see there"],
      ...["--form", "=@-;filename=a.bin;type=application/octet-stream;encoder=base64"],
    ], new Uint8Array([0, 255, 13, 10, 46, 13, 10]));
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertEquals(endpoint.received.map(({ text }) => JSON.parse(text)), [{
      user: "jim",
      hostname: "client.example",
      text: "see there",
      html: "",
      from: [{ name: "A", address: "a@example.org" }],
      attachments: [["a.bin", "application/octet-stream", 7, "AP8NCi4NCg=="]],
    }]);
  }, { options: ["--template", wide] });
});

testWith(["curl"], "curl is told before the data that a message is too large", async (run) => {
  await between(async (port, endpoint) => {
    const directory = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${directory}/mail`, `${message}${"x".repeat(2000)}\n`);
      const { code, stderr } = await run("curl", [
        ...["--silent", "--show-error", `smtp://127.0.0.1:${port}`, "--mail-from"],
        ...["a@example.org", "--mail-rcpt", "b@example.org", "--upload-file", `${directory}/mail`],
      ]);
      // CURLE_SEND_ERROR is how curl names a refused MAIL.
      assertEquals([code, stderr], [55, "curl: (55) MAIL failed: 552\n"]);
      assertEquals(payloads(endpoint), []);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }, { options: ["--max-size", "2000"] });
});

/** Runs a script of Python with `smtp` connected. */
function python(port: number, script: string): [string, string[], string] {
  const head = `
import smtplib, sys
smtp = smtplib.SMTP("127.0.0.1", ${port}, local_hostname="client.example")
`;
  return ["python3", ["-"], `${head}${script}\nsmtp.quit()\n`];
}

testWith(["python3"], "smtplib delivers with SMTPUTF8", async (run) => {
  await between(async (port, endpoint) => {
    const { code, stderr } = await run(...python(
      port,
      String.raw`
from email.message import EmailMessage
message = EmailMessage()
message["From"] = "j\u00fcrgen@ex\u00e4mple.org"
message["To"] = "\u65e5\u672c@example.org"
message["Subject"] = "Gr\u00fc\u00dfe"
message.set_content("sch\u00f6n\n")
smtp.send_message(message)
assert b"SMTPUTF8" in smtp.ehlo_resp and smtp.noop()[0] == 250`,
    ));
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertEquals(payloads(endpoint), [{
      sender: "jürgen@exämple.org",
      recipients: ["日本@example.org"],
      body: "schön\n",
      subject: "Grüße",
    }]);
  });
});

testWith(["python3"], "smtplib delivers 8-bit data in ISO-8859-1", async (run) => {
  await between(async (port, endpoint) => {
    const { code, stderr } = await run(...python(
      port,
      String.raw`
smtp.sendmail("a@example.org", ["b@example.org"], b"Subject: x\r\n"
  b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
  b"gr\xfcn\r\n.\r\n", mail_options=["BODY=8BITMIME"])`,
    ));
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertEquals(payloads(endpoint), [
      { sender: "a@example.org", recipients: ["b@example.org"], body: "grün\n.\n", subject: "x" },
    ]);
  });
});

testWith(
  ["python3"],
  "smtplib delivers several messages in one session, one large",
  async (run) => {
    await between(async (port, endpoint) => {
      const { code, stderr } = await run(...python(
        port,
        String.raw`
for number, count in enumerate([1, 60000, 2]):
    body = ".23456789 123456789 123456789 123456789 123456789 123456789 123456789 12345678\r\n" * count
    smtp.sendmail("a@example.org", ["b@example.org"], f"Subject: {number}\r\n\r\n{body}")
    smtp.rset()`,
      ));
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      const line = `.${"23456789 1".repeat(8).slice(0, 77)}\n`;
      assertEquals(
        payloads(endpoint),
        [1, 60_000, 2].map((count, number) => ({
          sender: "a@example.org",
          recipients: ["b@example.org"],
          body: line.repeat(count),
          subject: String(number),
        })),
      );
      assertEquals(
        new Set(endpoint.received.map(({ headers }) => headers.get("webhook-id"))).size,
        3,
      );
    });
  },
);

testWith(["python3"], "smtplib is told what the endpoint thinks, and goes on", async (run) => {
  const statuses = [500, 422, 200];
  await between(
    async (port, endpoint) => {
      const { code, stdout, stderr } = await run(...python(
        port,
        String.raw`
smtp.login("jim", "${password}")
for number in range(3):
    try:
        smtp.sendmail("a@example.org", ["b@example.org"], f"Subject: {number}\r\n\r\nx\r\n")
        print("taken")
    except smtplib.SMTPDataError as error:
        print(error.smtp_code)`,
      ));
      assertEquals({ code, stdout, stderr }, { code: 0, stdout: "451\n554\ntaken\n", stderr: "" });
      assertEquals(
        payloads(endpoint),
        ["0", "1", "2"].map((subject) => ({
          sender: "a@example.org",
          recipients: ["b@example.org"],
          body: "x\n",
          subject,
        })),
      );
    },
    { handler: () => new Response("", { status: statuses.shift() }) },
  );
});

testWith(
  ["smtp-source"],
  "smtp-source delivers 60 messages in 10 sessions at once",
  async (run) => {
    await between(async (port, endpoint) => {
      const { code, stderr } = await run("smtp-source", [
        ...["-s", "10", "-m", "60", "-l", "4000", "-r", "3", "-S", "load"],
        ...["-f", "a@example.org", "-t", "b@example.org", `127.0.0.1:${port}`],
      ]);
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      const [first, ...others] = payloads(endpoint);
      assertEquals(first, {
        sender: "a@example.org",
        recipients: ["3b@example.org", "2b@example.org", "b@example.org"],
        body: first.body,
        subject: "load",
      });
      assertMatch(String(first.body), /^(\dX{77,78}\n){40,}X*\n$/);
      assertEquals(others, Array.from({ length: 59 }, () => first));
      assertEquals(
        new Set(endpoint.received.map(({ headers }) => headers.get("webhook-id"))).size,
        60,
      );
    });
  },
);

Deno.test("nodemailer delivers both texts, an inline image and an attachment", async () => {
  await between(async (port, endpoint) => {
    const client = nodemailer.createTransport({
      host: "127.0.0.1",
      port,
      name: "client.example",
      auth: { user: "jim", pass: password },
    });
    const { accepted, response } = await client.sendMail({
      from: { name: 'Ärger, "Jim"', address: "a@example.org" },
      to: "b@example.org",
      subject: "Grüße 🕊 ".repeat(12),
      text: "It's grün\n",
      html: '<p>It&apos;s <b>grün</b> <img src="cid:dot"></p>',
      attachments: [
        { filename: "punkt.gif", cid: "dot", content: "GIF89a", contentType: "image/gif" },
        { filename: "Übersicht – “neu”.txt", content: "日本\n", contentType: "text/plain" },
      ],
    });
    client.close();
    assertEquals(accepted, ["b@example.org"]);
    assertMatch(response, /^250 /);
    assertEquals(endpoint.received.map(({ text }) => JSON.parse(text)), [{
      user: "jim",
      hostname: "client.example",
      text: "It's grün\n",
      html: '<p>It&apos;s <b>grün</b> <img src="cid:dot"></p>',
      from: [{ name: 'Ärger, "Jim"', address: "a@example.org" }],
      attachments: [
        ["punkt.gif", "image/gif", 6, btoa("GIF89a")],
        ["Übersicht – “neu”.txt", "text/plain", 7, "5pel5pysCg=="],
      ],
    }]);
  }, { options: ["--template", wide] });
});
