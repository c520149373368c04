/** The tools of the queue as a process: while a server runs, in pipes, and on a terminal. */
import { SqliteStore } from "../../lib/store/sqlite.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { Endpoint } from "../endpoint.ts";
import { inFolder, testInFolder } from "../machine.ts";
import { invocation, Pigeon, run } from "../pigeon.ts";
import { generate } from "../std.ts";
import { arrive, enqueue, letter, listed, tool, until } from "./office.ts";
import { testWith } from "./program.ts";

/** An endpoint that is never there. */
const NOWHERE = "http://127.0.0.1:1/";

const start = (queue: string, url = NOWHERE) => Pigeon.start(["--url", url, "--queue", queue]);

const DAY_MS = 86_400_000;

/** Makes a queue of so many messages, which no server has yet seen. */
async function fill(queue: string, messages: number): Promise<string[]> {
  const nowMs = Date.now();
  const times = { nowMs, expiresMs: nowMs + 5 * DAY_MS };
  const limits = { maxOctets: 2 ** 30, longestDelayMs: DAY_MS, lifetimeMs: 5 * DAY_MS };
  const store = SqliteStore.open(queue, { nowMs, ...limits });
  const ids = Array.from({ length: messages }, () => generate()).toSorted();
  const mailbox = { localPart: "a", domain: "x.example" };
  await Promise.all(ids.map((id) =>
    store.put(
      {
        id,
        receivedAt: new Date(nowMs),
        client: { address: "127.0.0.1", port: 1, hostname: null, tls: false, user: null },
        envelope: { reversePath: mailbox, forwardPaths: [mailbox] },
        data: new Uint8Array(1),
      },
      [{ name: "default", label: "http://127.0.0.1:1" }],
      times,
    )
  ));
  await store.close();
  return ids;
}

testInFolder("the tools show what a running server has not delivered yet", async (folder) => {
  const queue = `${folder}/q`;
  await using pigeon = await start(queue);
  using client = await arrive(pigeon);
  const ids = [await enqueue(client, letter("one")), await enqueue(client, letter("two"))];
  await pigeon.logged(/Deferred/);

  const [headings, ...lines] = (await tool(queue, "list")).trimEnd().split("\n");
  // Both have failed, perhaps, and so the endpoint is down.
  const rows = lines.filter((line) => !/^http:\S+ is down for /.test(line));
  assertMatch(headings, /^ID +AGE +SENDER +RECIPIENTS +DESTINATION +TRIES +NEXT +LAST ANSWER$/);
  assertEquals(rows.map((row) => row.split(" ")[0]), ids);
  for (const row of rows) assertMatch(row, / a@x\.example +b@x\.example +127\.0\.0\.1:1 /);
  assertEquals((await listed(queue)).map(({ id }) => id), ids);

  const text = await tool(queue, "show", ids[0]);
  assertMatch(text, /^Sender {6}a@x\.example\nRecipients {2}b@x\.example\n/m);
  assertMatch(text, /^To http:\/\/127\.0\.0\.1:1: /m);
  assert(text.endsWith("\n\nSubject: one\n\n"), text);

  const { messages, size } = JSON.parse(await tool(queue, "stats", "--json"));
  assertEquals([messages, size], [2, 2 * "Subject: one\r\n\r\n".length]);
  assertMatch(await tool(queue, "stats"), /^2 messages of 32, the oldest \d+s ago; [^]*WAITING/);
});

testInFolder("show --raw gives the octets as they came", async (folder) => {
  const queue = `${folder}/q`;
  const every = String.fromCharCode(...Array.from({ length: 256 }, (_, at) => at));
  const data = `Subject: ü\r\n\r\n.\r\n${every}\r\n`;
  await using pigeon = await start(queue);
  using client = await arrive(pigeon);
  const id = await enqueue(client, data.replaceAll("\r\n.", "\r\n.."));
  const [command, ...before] = invocation;
  const args = [...before, "queue", "show", id.slice(0, 18), "--raw", "--queue", queue];
  const { code, stdout } = await new Deno.Command(command, { args }).output();
  assertEquals([code, stdout], [0, new TextEncoder().encode(data)]);
});

testInFolder("what is dropped is not delivered by a server that runs", async (folder) => {
  const queue = `${folder}/q`;
  let status = 503;
  const accepted: string[] = [];
  await using endpoint = new Endpoint(({ text }) => {
    if (status === 200) accepted.push(JSON.parse(text).id);
    return new Response("", { status });
  });
  await using pigeon = await start(queue, endpoint.origin);
  using client = await arrive(pigeon);
  const ids: string[] = [];
  for (const subject of ["one", "two", "three"]) ids.push(await enqueue(client, letter(subject)));
  await pigeon.logged(/Deferred/);
  assertEquals(await tool(queue, "drop", "--yes", ids[1]), "Dropped 1 delivery\n");
  status = 200;
  await tool(queue, "retry", "--all");
  await until(async () => (await listed(queue)).length === 0, () => pigeon.log.join("\n"));
  assertEquals(accepted.toSorted(), [ids[0], ids[2]]);
});

testInFolder("an empty queue says so, and is no failure", async (folder) => {
  const queue = `${folder}/q`;
  await fill(queue, 0);
  assertEquals(await tool(queue, "list"), "The queue is empty\n");
  assertEquals(await tool(queue, "list", "--dead"), "No message is dead\n");
  assertEquals(await tool(queue, "list", "--json"), "");
  assertEquals(await tool(queue, "retry", "--all"), "The queue is empty\n");
  assertEquals(await tool(queue, "drop", "--all", "--yes"), "The queue is empty\n");
  assertEquals(await tool(queue, "stats"), "The queue is empty\n");
  assertEquals(JSON.parse(await tool(queue, "stats", "--json")).messages, 0);
});

testInFolder("exit codes tell scripts what came of it", async (folder) => {
  const queue = `${folder}/q`;
  const [id] = await fill(queue, 2);
  const unknown = "no such message in the queue";
  const cases: [args: string[], code: number, stdout: string, stderr: string][] = [
    [["show", "nothing"], 1, "", `Cannot show "nothing": ${unknown}\n`],
    [["retry", "nothing"], 1, "", `Cannot retry "nothing": ${unknown}\n`],
    [["retry", id, "no"], 1, "Made 1 delivery due now\n", `Cannot retry "no": ${unknown}\n`],
    [["retry", id, "--dead"], 1, "Made 0 deliveries due now\n", ""],
    [["retry", id], 0, "Made 1 delivery due now\n", ""],
    [["drop", id], 2, "", "Cannot queue drop: nobody can be asked, confirm with --yes\n"],
    [["drop", "--all", "--dead", "--yes"], 0, "No message is dead\n", ""],
    [["drop", ""], 2, "", 'Cannot use "": must be an ID or its beginning\n'],
    [["drop", id, "--yes"], 0, "Dropped 1 delivery\n", ""],
    [["drop", id, "--yes"], 1, "", `Cannot drop "${id}": ${unknown}\n`],
    [["drop", "--all", "--yes"], 0, "Dropped 1 delivery\n", ""],
  ];
  for (const [args, ...result] of cases) {
    const { code, stdout, stderr } = await run(["queue", ...args, "--queue", queue]);
    assertEquals([code, stdout, stderr], result, args.join(" "));
  }
});

testInFolder("the tools make no queue, and take nothing else for one", async (folder) => {
  await Deno.writeTextFile(
    `${folder}/text`,
    "some text, longer than the header of a database\n".repeat(9),
  );
  for (const [name, what] of [["missing", "is not there"], ["text", "is no database"]]) {
    const before = Array.from(Deno.readDirSync(folder), ({ name }) => name);
    const { code, stdout, stderr } = await run(["queue", "list", "--queue", `${folder}/${name}`]);
    assertEquals([code, stdout], [1, ""]);
    assertEquals(
      stderr,
      `Cannot use the queue "${folder}/${name}": ${what}, must be a queue of smtp-pigeon\n`,
    );
    assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name), before);
  }
});

testInFolder(
  "the tools find the queue of a service, whatever else is wrong there",
  async (folder) => {
    const [id] = await fill(`${folder}/queue.db`, 1);
    const env = {
      STATE_DIRECTORY: folder,
      SMTP_PIGEON_URL_FILE: "/no/such/file",
      SMTP_PIGEON_TEMPLATE: "{{#broken}}",
      SMTP_PIGEON_PORT: "smtp",
    };
    const { code, stdout, stderr } = await run(["queue", "list", "--json"], { env });
    assertEquals([code, stderr, JSON.parse(stdout).id], [0, "", id]);
  },
);

testInFolder("list stops quietly when its reader has seen enough", async (folder) => {
  const queue = `${folder}/q`;
  await fill(queue, 2000);
  const [command, ...before] = invocation;
  for (const more of [[], ["--json"]]) {
    await using child = new Deno.Command(command, {
      args: [...before, "queue", "list", "--queue", queue, ...more],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    assert((await reader.read()).value!.length > 0);
    await reader.cancel();
    let fault = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) fault += text;
    assertEquals([(await child.status).code, fault], [0, ""]);
  }
});

/** Runs the tools on a terminal of so many columns, with what is typed there. */
type RunThere = (columns: number, args: readonly string[], typed?: string) => Promise<There>;

/** What came of it. */
interface There {
  readonly code: number;
  /** All that was printed, in order. */
  readonly text: string;
  /** What stands on the terminal in the end: a carriage return begins a line anew. */
  readonly lines: readonly string[];
}

/** Gives a command a terminal, passes on what is typed and printed, and ends with its exit code. */
const PTY = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/** Defines a test that wants a terminal, and a queue of so many messages. */
function testOnTerminal(
  name: string,
  messages: number,
  test: (run: RunThere, queue: string, ids: readonly string[]) => Promise<void>,
): void {
  testWith(["python3", "stty"], name, (run) =>
    inFolder(async (folder) => {
      const queue = `${folder}/q`;
      const ids = await fill(queue, messages);
      const runThere: RunThere = async (columns, args, typed = "") => {
        const shell = ["sh", "-c", `stty cols ${columns}; exec "$@"`, "sh"];
        const program = [...invocation, "queue", ...args, "--queue", queue];
        const { code, stdout } = await run("python3", ["-c", PTY, ...shell, ...program], typed);
        const text = stdout.replaceAll("\r\n", "\n");
        const lines = text.split("\n").map((line) => line.split("\r").at(-1)!);
        return { code, text, lines: lines.map((line) => line.replace("\x1b[K", "")) };
      };
      await test(runThere, queue, ids);
    }));
}

testOnTerminal("a list is as wide as the terminal, if need be", 700, async (run, _, ids) => {
  for (const columns of [80, 100, 200]) {
    const { code, lines } = await run(columns, ["list"]);
    assertEquals([code, lines.length], [0, 702]);
    for (const line of lines) assert(line.length <= columns, line);
    const shown = columns === 200 ? 36 : 18;
    assertEquals(lines[700].slice(0, shown), ids[699].slice(0, shown));
  }
  // A terminal that does not say how wide it is.
  assertEquals((await run(0, ["list"])).lines[0], (await run(80, ["list"])).lines[0]);
});

testOnTerminal("drop asks, and takes only yes for yes", 2, async (run, queue, [id]) => {
  for (const typed of ["\n", "n\n", "no\n", "yesterday\n", "\x04"]) {
    const { code, text } = await run(80, ["drop", id], typed);
    assertEquals(code, 1, typed);
    assertMatch(text, /Drop 1 message\? \[y\/N\] /);
    assertEquals((await listed(queue)).length, 2);
  }
  const { code, text } = await run(80, ["drop", id], "y\n");
  assertEquals(code, 0);
  // What is typed is shown as soon as it is, here before the question.
  assertMatch(text, /Drop 1 message\? \[y\/N\] (?:y\n)?Dropped 1 delivery\n$/);
  assertEquals((await run(80, ["drop", "--all"], "YES\n")).code, 0);
  assertEquals(await listed(queue), []);
});

testOnTerminal("long work shows how far it is, in one line", 1000, async (run) => {
  const { code, text, lines } = await run(80, ["retry", "--all"]);
  const progress = Array.from({ length: 10 }, (_, at) => `\rRetrying: ${at * 100} of 1000\x1b[K`);
  assertEquals(text, [...progress, "\r\x1b[KMade 1000 deliveries due now\n"].join(""));
  assertEquals([code, lines], [0, ["Made 1000 deliveries due now", ""]]);
});
