/**
 * `deno task demo`: the whole way of a message, to look at. It starts smtp-pigeon and an HTTP endpoint,
 * sends a real mail through, and prints what went in and what came out. With `--once` it ends there;
 * else it goes on taking mail until Ctrl-C.
 *
 * @module
 */
// @ts-types="npm:@types/nodemailer@8.0.2"
import nodemailer from "npm:nodemailer@10.0.12";

const once = Deno.args.includes("--once");

const { promise: posted, resolve } = Promise.withResolvers<void>();
const endpoint = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
  const fields = Array.from(request.headers, ([name, value]) => `${name}: ${value}`);
  heading("The POST that came out");
  console.log([`POST ${request.url}`, ...fields, "", await request.text()].join("\n"));
  resolve();
  return new Response("thank you\n");
});
const url = `http://127.0.0.1:${endpoint.addr.port}/mail`;

const args = ["--url", url, "--port", "0"];
heading("The server, and what it logs");
console.log(`smtp-pigeon ${args.join(" ")}`);
const server = new Deno.Command(Deno.execPath(), {
  args: [
    ...["run", "--quiet", "--allow-net", "--allow-env", "--allow-read", "--allow-sys=hostname"],
    new URL("main.ts", import.meta.url).href,
    ...args,
  ],
  stderr: "piped",
}).spawn();
const { promise: listening, resolve: listen, reject } = Promise.withResolvers<number>();
const logged = showLog(server.stderr);

const mail = await compose();
const port = await listening;
heading("The mail that goes in");
console.log(mail.replaceAll("\r\n", "\n"));
const client = nodemailer.createTransport({ host: "127.0.0.1", port });
const { response } = await client.sendMail({
  envelope: { from: "gordon@example.org", to: ["eli@example.net", "isaac@example.net"] },
  raw: mail,
});
client.close();
await posted;
heading("The reply to the client, once the endpoint had answered");
console.log(response);

if (once) {
  server.kill();
} else {
  heading("Your turn, in another terminal");
  console.log(
    `printf 'Subject: hello\\n\\nfrom my shell\\n' | curl smtp://127.0.0.1:${port} \\\n` +
      "  --mail-from me@example.org --mail-rcpt you@example.net --upload-file -\n\n" +
      "Or point it at an endpoint of yours:\n\n" +
      "deno task start --url https://my.endpoint.com/mail\n\n" +
      "This goes on until Ctrl-C.",
  );
  // Ctrl-C reaches the server too: it says goodbye, and so do we.
  Deno.addSignalListener("SIGINT", () => {});
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => server.kill());
}
await logged;
const { code } = await server.status;
await endpoint.shutdown();
Deno.exit(code);

function heading(text: string): void {
  console.log(`\n--- ${text} ${"-".repeat(Math.max(0, 74 - text.length))}\n`);
}

/** Shows the log of the server, and finds in it where the server listens. */
async function showLog(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
  for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
    console.log(text.trimEnd());
    const port = /listening at .*:(\d+)$/m.exec(text)?.[1];
    if (port !== undefined) listen(Number(port));
  }
  reject(new Error("the server ended before it listened"));
}

/** A mail with all that makes mail hard: two forms of its text, more than ASCII, an attachment. */
async function compose(): Promise<string> {
  const composer = nodemailer.createTransport({ streamTransport: true, buffer: true });
  const { message } = await composer.sendMail({
    from: '"Gordon Freeman" <gordon@example.org>',
    to: "Eli Vance <eli@example.net>, Isaac Kleiner <isaac@example.net>",
    subject: 'Über den Wolken – “it\'s "quoted"” 🐦',
    text: 'hey guys running l8 2day\non the tram now, it\'s "sunny" ☀\ncu soon\n',
    html:
      "<p>hey guys running l8 2day<br>on the tram now, it's &quot;sunny&quot; ☀<br>cu soon</p>\n",
    attachments: [{ filename: "ticket.csv", content: "from,to\nLambda,Anomalous Materials\n" }],
  });
  return message.toString();
}
