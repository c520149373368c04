/**
 * The program as one file, run from a URL with no more than the permission to listen and to reach the
 * endpoint: it finds no package, and asks for no other file.
 */
import nodemailer from "npm:nodemailer@10.0.12";
import { assert, assertEquals } from "../assert.ts";
import { Endpoint } from "../endpoint.ts";
import { listening } from "./program.ts";
import { hasThread } from "./thread.ts";

const bundler = new URL("../../packaging/bundle.ts", import.meta.url).pathname;

async function bundle(file: string): Promise<void> {
  const args = ["run", "--quiet", "-A", bundler, file];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert(success, new TextDecoder().decode(stderr));
}

Deno.test("the program is one file that runs from a URL", async (t) => {
  const directory = await Deno.makeTempDir();
  const asked: string[] = [];
  try {
    await bundle(`${directory}/smtp-pigeon.js`);
    const script = await Deno.readTextFile(`${directory}/smtp-pigeon.js`);
    await using endpoint = new Endpoint();
    await using host = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      asked.push(new URL(request.url).pathname);
      return new Response(script, { headers: { "content-type": "text/javascript" } });
    });
    const net = `--allow-net=127.0.0.1:0,${new URL(endpoint.origin).host}`;
    const server = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-npm", net],
        `http://127.0.0.1:${host.addr.port}/smtp-pigeon.js`,
        ...["--url", endpoint.origin, "--port", "0"],
      ],
      cwd: directory,
      env: { DENO_DIR: `${directory}/cache` },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();

    const send = async (port: number) => {
      const client = nodemailer.createTransport({ host: "127.0.0.1", port });
      const envelope = { from: "a@example.org", to: "b@example.org" };
      await t.step("a multipart", async () => {
        const attachments = [{ filename: "a.txt", content: "attached" }];
        const html = "<p>It's <b>grün</b></p>";
        await client.sendMail({ ...envelope, subject: "Grüße", html, attachments });
        const { subject, body } = JSON.parse((await endpoint.request()).text);
        assertEquals([subject, body], ["Grüße", "It's grün"]);
      });
      await t.step("a message that takes long, in a thread of its own", async () => {
        const text = "0123456789\n".repeat(20_000);
        await client.sendMail({ ...envelope, text, textEncoding: "quoted-printable" });
        assertEquals(JSON.parse((await endpoint.request(2)).text).body, text);
        if (Deno.build.os === "linux") assert(hasThread(server.pid));
      });
      client.close();
    };
    const log = await listening(server, (port) => send(port).finally(() => server.kill("SIGTERM")));
    assertEquals((await server.status).code, 0, log.join("\n"));
    assertEquals(new Set(asked), new Set(["/smtp-pigeon.js"]));

    await t.step("its licences, in ASCII", () => {
      // Else a runtime holds all of it in two octets a character.
      assert(/^\p{ASCII}*$/u.test(script));
      const notice = script.slice(script.lastIndexOf("\n/*\n"));
      for (const name of ["iconv-lite", "he", "mailparser", "mustache"]) {
        assert(new RegExp(`^${name} [\\d.]+\n\n[^]*?Copyright`, "m").test(notice), name);
      }
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
