/** The PROXY protocol as a proxy that people use speaks it: haproxy in front of the server. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { Client } from "../client.ts";
import { Endpoint } from "../endpoint.ts";
import { Pigeon } from "../pigeon.ts";
import { TextLineStream } from "../std.ts";
import { type Run, testWith } from "./program.ts";

/** Whence the proxy comes to the server, and whence clients come to the proxy. */
const proxyAddress = "127.0.0.2";
const clientAddress = "127.0.0.5";

/** The loopback address that Client comes from. */
const directAddress = "127.0.0.1";

/** How it is set up. */
interface Setup {
  /** What it says of connections, such as `send-proxy`; nothing where this is empty. */
  readonly says: string;
  /** Where the server is, such as `127.0.0.1:1025`. */
  readonly server: string;
  /** A file with a certificate and its key, to speak TLS with clients. */
  readonly certificate?: string;
  /** Further lines of its configuration. */
  readonly lines?: readonly string[];
}

/** haproxy, until it is disposed of. */
class Haproxy implements AsyncDisposable {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  /** What it has said. */
  readonly log: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #folder: string;
  readonly #end: Promise<unknown>;
  #waiting: (() => void)[] = [];

  private constructor(process: Deno.ChildProcess, port: number, folder: string) {
    this.#process = process;
    this.port = port;
    this.#folder = folder;
    this.#end = Promise.all([this.#read(process.stdout), this.#read(process.stderr)]);
  }

  static async start(setup: Setup): Promise<Haproxy> {
    for (let attempt = 1;; attempt++) {
      const haproxy = await Haproxy.#spawn(setup);
      try {
        await haproxy.logged(/^ready$/);
        return haproxy;
      } catch (error) {
        await haproxy[Symbol.asyncDispose]();
        // It cannot choose a port by itself, and one that was free may be taken by now.
        if (attempt === 5) throw error;
      }
    }
  }

  static async #spawn({ says, server, certificate, lines = [] }: Setup): Promise<Haproxy> {
    const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = free.addr;
    free.close();
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(
      `${folder}/ready.lua`,
      'core.register_task(function() io.stdout:write("ready\\n") io.stdout:flush() end)',
    );
    const tls = certificate === undefined ? "" : ` ssl crt ${certificate}`;
    const source = server.startsWith("unix@") ? "" : ` source ${proxyAddress}`;
    const configuration = [
      "global",
      `  lua-load ${folder}/ready.lua`,
      "  log stdout format raw local0 notice",
      "listen smtp",
      "  mode tcp",
      "  log global",
      "  timeout connect 20s",
      "  timeout client 20s",
      "  timeout server 20s",
      ...lines.map((line) => `  ${line}`),
      `  bind 127.0.0.1:${port}${tls}`,
      `  server pigeon ${server}${source} ${says}`,
    ];
    await Deno.writeTextFile(`${folder}/haproxy.cfg`, configuration.join("\n") + "\n");
    const process = new Deno.Command("haproxy", {
      args: ["-db", "-f", `${folder}/haproxy.cfg`],
      // Debian has it where not everyone's PATH leads.
      env: { PATH: `${Deno.env.get("PATH")}:/usr/sbin` },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new Haproxy(process, port, folder);
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const lines = stream.pipeThrough(new TextDecoderStream());
    for await (const line of lines.pipeThrough(new TextLineStream())) {
      this.log.push(line);
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }

  /** Waits for a line of the log, and gives it; throws if haproxy ends without one. */
  async logged(pattern: RegExp): Promise<string> {
    for (;;) {
      const line = this.log.find((line) => pattern.test(line));
      if (line !== undefined) return line;
      const more = new Promise<"more">((resolve) => this.#waiting.push(() => resolve("more")));
      if (await Promise.race([more, this.#end]) !== "more") {
        throw new Error(`haproxy ended without ${pattern}:\n${this.log.join("\n")}`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#end;
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** A server and its endpoint. */
async function between(
  use: (pigeon: Pigeon, endpoint: Endpoint) => Promise<void>,
  options: readonly string[] = ["--proxy-from", proxyAddress],
): Promise<void> {
  await using endpoint = new Endpoint();
  const template = '{"address": {{json.client.address}}, "tls": {{json.client.tls}}}';
  await using pigeon = await Pigeon.start([
    ...["--url", endpoint.origin, "--template", template],
    ...options,
  ]);
  await use(pigeon, endpoint);
  assertEquals((await pigeon.stop()).code, 0, pigeon.log.join("\n"));
}

/** Sends a message with curl, from an address of the loopback interface. */
async function send(run: Run, url: string, more: readonly string[] = []): Promise<void> {
  const { code, stderr } = await run("curl", [
    ...["--silent", "--show-error", "--max-time", "60", "--interface", clientAddress],
    ...["--mail-from", "a@example.org", "--mail-rcpt", "b@example.org", "--upload-file", "-"],
    ...more,
    `${url}/client.example`,
  ], "Subject: x\r\n\r\nbody\r\n");
  assertEquals(code, 0, stderr);
}

async function assertClient(endpoint: Endpoint, address: string, tls: boolean): Promise<void> {
  assertEquals(JSON.parse((await endpoint.request()).text), { address, tls });
}

for (
  const says of [
    "send-proxy",
    "send-proxy-v2",
    "send-proxy-v2 proxy-v2-options crc32c,unique-id,authority",
    "send-proxy-v2-ssl",
  ]
) {
  testWith(
    ["haproxy", "curl"],
    `a client of haproxy keeps its address, by ${says}`,
    async (run) => {
      await between(async (pigeon, endpoint) => {
        await using haproxy = await Haproxy.start({ says, server: `127.0.0.1:${pigeon.port}` });
        await send(run, `smtp://127.0.0.1:${haproxy.port}`);
        await assertClient(endpoint, clientAddress, false);
        assertMatch(pigeon.log.join("\n"), /New session from 127\.0\.0\.5$/m);
        assertEquals(pigeon.log.filter((line) => line.includes(proxyAddress)), []);
      });
    },
  );
}

for (
  const [says, tls] of [
    // Version 1 has no word for it.
    ["send-proxy", false],
    ["send-proxy-v2-ssl", true],
    ["send-proxy-v2-ssl-cn proxy-v2-options crc32c,cert-key,cert-sig,ssl-cipher", true],
  ] as const
) {
  const name = `with TLS to haproxy, {{client.tls}} is ${tls} by ${says}`;
  testWith(["haproxy", "curl", "openssl"], name, async (run) => {
    const folder = await Deno.makeTempDir();
    try {
      const [certificate, key] = [`${folder}/x.pem`, `${folder}/x.pem.key`];
      const made = await run("openssl", [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-subj", "/CN=mail.example", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"],
        ...["-keyout", key, "-out", certificate],
      ]);
      assertEquals(made.code, 0, made.stderr);
      await between(async (pigeon, endpoint) => {
        const server = `127.0.0.1:${pigeon.port}`;
        await using haproxy = await Haproxy.start({ says, server, certificate });
        await send(run, `smtps://127.0.0.1:${haproxy.port}`, ["--cacert", certificate]);
        await assertClient(endpoint, clientAddress, tls);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

testWith(["haproxy"], "the checks of haproxy find the server well", async () => {
  for (const version of ["", "-v2"]) {
    await between(async (pigeon) => {
      await using haproxy = await Haproxy.start({
        says: `send-proxy${version} check check-send-proxy inter 5s fall 1`,
        server: `127.0.0.1:${pigeon.port}`,
        lines: [
          "option smtpchk EHLO proxy.example",
          "timeout check 20s",
          "option log-health-checks",
        ],
      });
      assertMatch(
        await haproxy.logged(/Health check for server|is DOWN/),
        /Health check for server smtp\/pigeon succeeded/,
      );
      // It speaks for itself, so its own address counts.
      await pigeon.logged(/New session from 127\.0\.0\.[12]$/);
    });
  }
});

/** Holds that a header that a client says itself is refused, and its message delivered as its own. */
async function assertNotBelieved(client: Client, endpoint: Endpoint): Promise<void> {
  assertMatch(await client.reply(), /^220 /);
  assertMatch(
    await client.ask("PROXY TCP4 192.0.2.1 192.0.2.2 1 2"),
    /^500 5\.5\.2 PROXY header from an address that is not in --proxy-from$/,
  );
  await client.sendMail();
  assertMatch(await client.reply(), /^250 /);
  await assertClient(endpoint, directAddress, false);
  assertMatch(await client.ask("QUIT"), /^221 /);
}

testWith(["haproxy"], "what a client says behind the header is its own", async () => {
  await between(async (pigeon, endpoint) => {
    const server = `127.0.0.1:${pigeon.port}`;
    await using haproxy = await Haproxy.start({ says: "send-proxy", server });
    using client = await Client.connect(haproxy.port);
    await assertNotBelieved(client, endpoint);
  });
});

Deno.test("a client that is no proxy is served as itself, and cannot send a header", async () => {
  await between(async (pigeon, endpoint) => {
    using client = await Client.connect(pigeon.port);
    await assertNotBelieved(client, endpoint);
  });
});

testWith(["haproxy"], "a connection of the proxy without a header is ended unserved", async () => {
  await between(async (pigeon, endpoint) => {
    const server = `127.0.0.1:${pigeon.port}`;
    await using haproxy = await Haproxy.start({ says: "", server });
    using client = await Client.connect(haproxy.port);
    const reply = await client.ask("EHLO client.example");
    assert(!/^2/.test(reply), reply);
    assertEquals(await client.reply(), "");
    assertMatch(await pigeon.logged(/127\.0\.0\.2/), /PROXY/);
    assertEquals(endpoint.received.length, 0);
  });
});

testWith(
  ["haproxy", "curl"],
  "a proxy on a Unix socket is believed where it may be",
  async (run) => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/smtp.sock`;
      await between(async (_, endpoint) => {
        await using haproxy = await Haproxy.start({
          says: "send-proxy-v2",
          server: `unix@${path}`,
        });
        await send(run, `smtp://127.0.0.1:${haproxy.port}`);
        await assertClient(endpoint, clientAddress, false);
      }, ["--listen", `smtp+unix:${path}`, "--proxy-from", "unix"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
