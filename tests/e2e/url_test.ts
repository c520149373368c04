/**
 * The program run from a URL, with no more than the permission to listen and to reach the endpoint: no
 * file, no environment, no name of the machine.
 */
import nodemailer from "npm:nodemailer@10.0.12";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { Endpoint } from "../endpoint.ts";
import { listening } from "./program.ts";

const root = new URL("../../", import.meta.url);

/** Serves the files of this checkout that the program consists of. */
class Host implements AsyncDisposable {
  readonly served: string[] = [];
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const path = new URL(request.url).pathname.slice(1);
      if (!/^(main\.ts|deno\.json|(lib|templates)\/[\w/.-]+)$/.test(path)) {
        return new Response("", { status: 404 });
      }
      this.served.push(path);
      const type = path.endsWith(".ts") ? "application/typescript" : "application/octet-stream";
      return new Response(await Deno.readFile(new URL(path, root)), {
        headers: { "content-type": type },
      });
    },
  );

  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Where the Deno that runs this keeps npm packages. */
async function packages(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).npmCache;
}

/** Runs the program from a URL, sends it a message, and gives its log. */
async function deliver(endpoint: Endpoint, options: readonly string[]): Promise<string[]> {
  await using host = new Host();
  const directory = await Deno.makeTempDir();
  try {
    // A cache of its own: nothing stays behind, and nothing is there already but npm's packages.
    await Deno.mkdir(`${directory}/cache`);
    await Deno.mkdir(`${directory}/cwd`);
    await Deno.symlink(await packages(), `${directory}/cache/npm`);
    const net = `--allow-net=127.0.0.1:0,${new URL(endpoint.origin).host}`;
    const server = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", net, `${host.origin}/main.ts`],
        ...["--url", `${endpoint.origin}/mail`, "--port", "0", ...options],
      ],
      cwd: `${directory}/cwd`,
      // It is there, and must not be seen.
      env: { DENO_DIR: `${directory}/cache`, SMTP_PIGEON_DOMAIN: "not a name" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const log = await listening(server, async (port) => {
      const client = nodemailer.createTransport({ host: "127.0.0.1", port });
      const message = { from: "a@example.org", to: "b@example.org", subject: "Grüße" };
      await client.sendMail({ ...message, html: "<p>It's <b>grün</b></p>" }).finally(() => {
        client.close();
        server.kill("SIGTERM");
      });
    });
    assertEquals((await server.status).code, 0, log.join("\n"));
    assert(host.served.includes("main.ts") && host.served.includes("templates/json.mustache"));
    return log;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("the program runs from a URL with permission for two addresses", async () => {
  await using endpoint = new Endpoint();
  const log = await deliver(endpoint, []);
  const { id, timestamp, ...rest } = JSON.parse((await endpoint.request()).text);
  assertEquals(rest, {
    sender: "a@example.org",
    recipients: ["b@example.org"],
    body: "It's grün",
    subject: "Grüße",
  });
  assertMatch(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assertMatch(log.join("\n"), new RegExp(`^${id}: POST returned status: 200 `, "m"));
});

Deno.test("what a program run from a URL may not read is empty in templates", async () => {
  await using endpoint = new Endpoint();
  const template = "{{subject}}, host: {{hostname}}, path: {{env.PATH}}, {{version}}";
  await deliver(endpoint, ["--template", template, "--header", "Content-Type: text/plain"]);
  const { version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  assertEquals((await endpoint.request()).text, `Grüße, host: , path: , ${version}`);
});
