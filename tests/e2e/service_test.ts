/**
 * The systemd unit. No systemd runs where tests do, so its own tools judge the file, and strace stands in
 * for the kernel's system call filter: it makes each call outside the filter fail as the unit says.
 */
import nodemailer from "npm:nodemailer@10.0.12";
import { fixed } from "../../lib/config.ts";
import { GOODBYE_MS } from "../../lib/smtp.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { Endpoint } from "../endpoint.ts";
import { invocation } from "../pigeon.ts";
import { listening, type Run, testWith } from "./program.ts";

const unit = Deno.readTextFileSync(
  new URL("../../packaging/smtp-pigeon.service", import.meta.url),
);

/** The values of a setting of the unit, in order. */
function settings(name: string): string[] {
  return unit.split("\n").filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1));
}

/** A directory that is there as long as it is used. */
async function temporary(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Writes the unit with an executable that is there. */
async function writeUnit(directory: string): Promise<string> {
  const path = `${directory}/smtp-pigeon.service`;
  const [command] = settings("ExecStart")[0].split(" ");
  await Deno.writeTextFile(`${directory}/smtp-pigeon`, "#!/bin/sh\n", { mode: 0o755 });
  await Deno.writeTextFile(
    path,
    unit.replace(`\nExecStart=${command}`, `\nExecStart=${directory}/smtp-pigeon`),
  );
  return path;
}

testWith(["systemd-analyze"], "systemd finds nothing wrong with the unit", async (run) => {
  await temporary(async (directory) => {
    const path = await writeUnit(directory);
    // A setting that systemd does not know is a line of output and no failure.
    assertEquals(await run("systemd-analyze", ["--man=no", "verify", path]), {
      code: 0,
      stdout: "",
      stderr: "",
    });
  });
});

testWith(["systemd-analyze"], "the unit is exposed by at most 1.5 of 10", async (run) => {
  await temporary(async (directory) => {
    const path = await writeUnit(directory);
    const { stdout } = await run("systemd-analyze", ["security", "--offline=true", path]);
    const exposure = /Overall exposure level for \S+: (\d+\.\d)/.exec(stdout)?.[1];
    assert(exposure !== undefined && Number(exposure) <= 1.5, `${exposure} in:\n${stdout}`);
  });
});

Deno.test("the unit waits longer for the end than the program lets mail finish", () => {
  const [seconds] = settings("TimeoutStopSec").map((text) => Number(/^(\d+)s$/.exec(text)?.[1]));
  assert(seconds * 1_000 > fixed.graceMs + GOODBYE_MS, `${seconds} s`);
});

testWith(
  ["systemd-analyze", "strace"],
  "the program does all its work within the unit's system calls and addresses",
  async (run) => {
    const calls = await allowedCalls(run);
    await temporary(async (directory) => {
      await Deno.mkdir(`${directory}/credentials`);
      await Deno.mkdir(`${directory}/state`);
      const program = { calls, directory, traces: [] };
      await deliver(program);
      await failToReach(program);
      await render(program);
      const trace = (await Promise.all(program.traces.map((path) => Deno.readTextFile(path)))).join(
        "",
      );
      const seen = new Set(trace.match(/(?<=^\d+ +)\w+(?=\()/gm));
      // Were nothing traced, nothing would have been found.
      for (const call of ["execve", "listen", "sendto", "futex"]) assert(seen.has(call), call);
      assert(trace.includes("wanted.mustache"));
      // What strace has no name for could not be made to fail.
      assertEquals([...seen].filter((call) => call.startsWith("syscall_")), []);
      const families = new Set(trace.match(/(?<=socket\()AF_\w+/g));
      const allowed = settings("RestrictAddressFamilies").join(" ").split(" ");
      // Netlink tells the resolver which addresses this machine has; it does without.
      assertEquals([...families].filter((name) => ![...allowed, "AF_NETLINK"].includes(name)), []);
      // `deno run` keeps caches besides, and shrugs off what it may not do for them.
      if (invocation.length > 1) return;
      // SQLite gives its files to the owner of the database where root calls; the unit's user is another.
      const refusable = Deno.uid() === 0 ? [...calls, "fchown"] : calls;
      assertEquals([...seen].filter((call) => !refusable.includes(call)), []);
      // ProtectSystem leaves it nothing to write to but its state, and it wants nothing else.
      const created = trace.match(/.*O_CREAT.*/g) ?? [];
      assertEquals(created.filter((line) => !line.includes(`"${directory}/state/`)), []);
      assert(created.some((line) => line.includes("queue.db-wal")));
    });
  },
);

/** The calls that the unit's SystemCallFilter lets through, as the manual of systemd.exec reads it. */
async function allowedCalls(run: Run): Promise<string[]> {
  const calls = new Set<string>();
  for (const [at, setting] of settings("SystemCallFilter").entries()) {
    const takes = setting.startsWith("~");
    assertEquals(takes, at > 0, "the first line allows, the others take away");
    for (const name of setting.replace("~", "").split(" ")) {
      for (const call of await membersOf(name, run)) {
        takes ? calls.delete(call) : calls.add(call);
      }
    }
  }
  assertEquals(settings("SystemCallErrorNumber"), ["EPERM"]);
  return [...calls];
}

async function membersOf(name: string, run: Run): Promise<string[]> {
  if (!name.startsWith("@")) return [name];
  const { code, stdout } = await run("systemd-analyze", ["syscall-filter", name]);
  assertEquals(code, 0);
  const members = stdout.split("\n").filter((line) => /^\s+[@\w]/.test(line));
  return (await Promise.all(members.map((line) => membersOf(line.trim(), run)))).flat();
}

interface Program {
  readonly calls: readonly string[];
  readonly directory: string;
  /** Files that strace has written. */
  readonly traces: string[];
}

/** Starts the program as the unit does, with its environment and with credentials in place. */
function start(
  { calls, directory, traces }: Program,
  args: readonly string[],
  credentials: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
): Deno.ChildProcess {
  for (const [name, text] of Object.entries(credentials)) {
    Deno.writeTextFileSync(`${directory}/credentials/${name}`, text);
  }
  const variables = settings("Environment").map((setting) =>
    setting.replace("%d", `${directory}/credentials`).split(/=(.*)/s).slice(0, 2)
  );
  // strace says names that this processor does not have by ?.
  const filter = `inject=!${calls.map((call) => `?${call}`).join(",")}:error=EPERM`;
  const trace = `${directory}/${traces.length}.trace`;
  traces.push(trace);
  const home = Deno.env.get("HOME");
  return new Deno.Command("strace", {
    args: ["-f", "-qq", "-o", trace, "-e", filter, ...invocation, ...args],
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      // The executable has no home; `deno run` keeps its packages there.
      ...(invocation.length > 1 && home !== undefined ? { HOME: home } : {}),
      ...Object.fromEntries(variables),
      STATE_DIRECTORY: `${directory}/state`,
      ...env,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Serves with the arguments of the unit while clients are there, then ends by SIGTERM. */
async function serve(
  program: Program,
  url: string,
  env: Readonly<Record<string, string>>,
  clients: (port: number) => Promise<void>,
): Promise<string[]> {
  const [, ...args] = settings("ExecStart")[0].split(" ");
  const credentials = { url: `${url}\n`, header: "Authorization: Bearer of news\n" };
  const child = start(program, args, credentials, { ...env, SMTP_PIGEON_PORT: "0" });
  await child.stdin.close();
  const log = await listening(child, async (port) => {
    await clients(port);
    // strace itself lets signals pass by; the program is its only child.
    const children = await Deno.readTextFile(`/proc/${child.pid}/task/${child.pid}/children`);
    Deno.kill(Number(children.split(" ")[0]), "SIGTERM");
  });
  await child.stdout.cancel();
  assertEquals((await child.status).code, 0, log.join("\n"));
  return log;
}

async function deliver(program: Program): Promise<void> {
  await using endpoint = new Endpoint();
  const template = `${program.directory}/wanted.mustache`;
  await Deno.writeTextFile(
    template,
    '{"s": {{json.subject}}, "n": [{{#attachments}}{{size}}{{/attachments}}]}',
  );
  await serve(
    program,
    `${endpoint.origin}/mail`,
    { SMTP_PIGEON_TEMPLATE_FILE: template },
    async (port) => {
      const client = nodemailer.createTransport({ host: "127.0.0.1", port, pool: true });
      for (const n of [1, 200_000, 3]) {
        await client.sendMail({
          from: "a@example.org",
          to: "b@example.org",
          subject: "Größe",
          text: "see there",
          attachments: [{ filename: "a.bin", content: "x".repeat(n) }],
        });
      }
      client.close();
      await endpoint.request(3);
    },
  );
  assertEquals(
    endpoint.received.map(({ text, headers }) => [
      text,
      headers.get("authorization"),
    ]).toSorted(),
    [
      ['{"s": "Größe", "n": [1]}', "Bearer of news"],
      ['{"s": "Größe", "n": [200000]}', "Bearer of news"],
      ['{"s": "Größe", "n": [3]}', "Bearer of news"],
    ],
  );
}

/** TLS to an endpoint that speaks none, by a name that resolves; and a name that does not. */
async function failToReach(program: Program): Promise<void> {
  await using endpoint = new Endpoint();
  const { port } = new URL(endpoint.origin);
  for (const url of [`https://localhost:${port}/`, "https://smtp-pigeon.invalid/"]) {
    const queue = { SMTP_PIGEON_QUEUE: "none" };
    const log = await serve(program, url, queue, async (port) => {
      const client = nodemailer.createTransport({ host: "127.0.0.1", port });
      const message = { from: "a@example.org", to: "b@example.org", text: "x" };
      const error = await client.sendMail(message).then(() => null, (error) => error);
      assertEquals(error?.responseCode, 451);
      client.close();
    });
    assertMatch(log.join("\n"), /POST failed: /);
  }
  assertEquals(endpoint.received, []);
}

async function render(program: Program): Promise<void> {
  const child = start(program, ["render"], { url: "http://localhost/" }, {});
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("Subject: hello\r\n\r\nworld\r\n"));
  await writer.close();
  const { code, stdout } = await child.output();
  assertEquals(code, 0);
  assertMatch(new TextDecoder().decode(stdout), /^POST http:\/\/localhost\/\n.*"hello"/s);
}
