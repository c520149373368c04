/**
 * The server with a queue, as a process: what it keeps whatever ends it, what it says where it
 * cannot keep anything, and what it gives back.
 */
import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import type { Client } from "../client.ts";
import { Endpoint } from "../endpoint.ts";
import { inFolder, testInFolder } from "../machine.ts";
import { Pigeon } from "../pigeon.ts";
import {
  arrive,
  end,
  enqueue,
  enqueueAll,
  failToStart,
  letter,
  listed,
  numbered,
  part,
  submit,
  told,
  toldOf,
  tool,
  until,
} from "./office.ts";

/** An endpoint that keeps requests waiting for an answer until it is told to let them go. */
class Counter implements AsyncDisposable {
  readonly endpoint: Endpoint;
  /** Requests that wait. */
  readonly #held: ((response: Response) => void)[] = [];

  constructor() {
    this.endpoint = new Endpoint(() => new Promise((resolve) => this.#held.push(resolve)));
  }

  /** How many wait. */
  get held(): number {
    return this.#held.length;
  }

  /** Answers those that wait. */
  release(status = 200): void {
    for (const answer of this.#held.splice(0)) answer(new Response("so be it", { status }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endpoint[Symbol.asyncDispose]();
  }
}

const start = (url: string, queue: string, ...args: string[]) =>
  Pigeon.start(["--url", url, "--queue", queue, ...args]);

/** The requests of an endpoint, by the ids of their messages. */
const idsAt = (endpoint: Endpoint) =>
  endpoint.received.map(({ headers }) => headers.get("webhook-id")!);

// What ends a server.

testInFolder(
  "what was being tried when a server was killed is tried at once by the next",
  async (folder) => {
    const queue = `${folder}/queue.db`;
    await using counter = new Counter();
    const { endpoint } = counter;
    // Were it not taken up, it would be left alone for as long as the endpoint may take.
    const args = ["--timeout", "3600"];
    await using killed = await start(endpoint.origin, queue, ...args);
    using client = await arrive(killed);
    const ids = await enqueueAll(client, numbered("mail", 6));
    await until(() => counter.held === 4, () => `${counter.held} are tried`);
    await killed.stop("SIGKILL");
    counter.release();

    await using heir = await start(endpoint.origin, queue, ...args);
    await told(heir, /^smtp-pigeon queue at .*\/queue\.db: 6 waiting, 0 dead$/);
    await until(() => counter.held === 4, () => `${counter.held} are tried again`);
    counter.release();
    await until(() => counter.held === 2, () => `${counter.held} are tried after them`);
    counter.release();
    for (const id of ids) await toldOf(heir, id, /POST returned status: 200/);
    assertEquals(idsAt(endpoint).slice(4).toSorted(), ids);
    assertEquals(await listed(queue), []);
  },
);

testInFolder(
  "SIGTERM lets an attempt end, and leaves the backlog to the next server",
  async (folder) => {
    const queue = `${folder}/queue.db`;
    await using counter = new Counter();
    const { endpoint } = counter;
    await using first = await start(endpoint.origin, queue, "--concurrency", "1");
    using client = await arrive(first);
    const ids = await enqueueAll(client, numbered("mail", 20));
    await endpoint.request(1);
    const ended = end(first);
    await told(first, /^smtp-pigeon stopping/);
    counter.release();
    await ended;
    const left = await listed(queue);
    assertEquals(left.map(({ id, state, attempts }) => [id, state, attempts]), [
      ...ids.slice(1).map((id) => [id, "waiting", 0]),
    ]);

    await using next = await start(endpoint.origin, queue, "--concurrency", "20");
    await told(next, /^smtp-pigeon queue at .*: 19 waiting, 0 dead$/);
    await until(() => counter.held === 19, () => `${counter.held} are tried`);
    counter.release();
    for (const id of ids.slice(1)) await toldOf(next, id, /POST returned status: 200/);
    assertEquals(idsAt(endpoint).toSorted(), ids);
    assertEquals(await listed(queue), []);
  },
);

testInFolder(
  "SIGTERM gives back an attempt that does not end, and it does not count",
  async (folder) => {
    const queue = `${folder}/queue.db`;
    await using counter = new Counter();
    const { endpoint } = counter;
    await using first = await start(endpoint.origin, queue, "--timeout", "3600");
    using client = await arrive(first);
    const id = await enqueue(client, letter("mail"));
    await endpoint.request(1);
    await part(client, first);
    const [entry, ...others] = await listed(queue);
    assertEquals([entry.id, entry.state, entry.attempts, others.length], [id, "waiting", 0, 0]);
    assert(Date.parse(entry.next!) <= Date.now(), entry.next!);

    counter.release();
    await using next = await start(endpoint.origin, queue, "--timeout", "3600");
    await endpoint.request(2);
    counter.release();
    await toldOf(next, id, /POST returned status: 200/);
  },
);

// What cannot be a queue.

/** A file that a server must not take, made at a path, and what is said of it. */
interface Refusal {
  readonly name: string;
  /** Where, in a folder. */
  readonly at?: string;
  readonly make: (path: string) => void | Promise<void>;
  readonly code: 1 | 2;
  readonly says: RegExp;
}

const refusals: readonly Refusal[] = [
  {
    name: "a file that is no database",
    make: (path) => Deno.writeTextFile(path, "Dear diary,\n".repeat(1_000)),
    code: 1,
    says: /is no database, must be a queue of smtp-pigeon$/,
  },
  {
    name: "a short text",
    make: (path) => Deno.writeTextFile(path, "Dear diary\n"),
    code: 1,
    says: /is no database, must be a queue of smtp-pigeon$/,
  },
  {
    name: "a database of another program",
    make: (path) => {
      using db = new DatabaseSync(path);
      db.exec(
        "CREATE TABLE diary (page INTEGER PRIMARY KEY, text TEXT);" +
          "INSERT INTO diary VALUES (1, 'Dear diary')",
      );
    },
    code: 1,
    says: /is a database of another program, must be a queue of smtp-pigeon$/,
  },
  {
    name: "a queue of a newer smtp-pigeon",
    make: async (path) => {
      await makeQueue(path);
      using db = new DatabaseSync(path);
      db.exec("PRAGMA user_version = 9999");
    },
    code: 1,
    says: /was made by a newer smtp-pigeon .*9999.*, must be /,
  },
  {
    name: "a queue that is cut off",
    make: async (path) => {
      await makeQueue(path);
      await Deno.truncate(path, 5_000);
    },
    code: 1,
    says: /is damaged, must be /,
  },
  {
    name: "a folder",
    make: (path) => Deno.mkdir(path),
    code: 1,
    says: /, must be a file/,
  },
  {
    name: "a file in a folder that is not there",
    at: "no/such/queue.db",
    make: () => {},
    code: 1,
    says: /cannot be made/,
  },
];

/** A queue with a message in it. */
async function makeQueue(path: string): Promise<void> {
  await using endpoint = new Endpoint(() => new Response("no", { status: 422 }));
  await using pigeon = await start(endpoint.origin, path);
  using client = await arrive(pigeon);
  await toldOf(pigeon, await enqueue(client, letter("mail")), /Dead: /);
  await part(client, pigeon);
}

/** Every file below a folder, and what is in it, without those that SQLite puts beside others. */
async function contents(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) {
      files.set(path, "a folder");
      for (const [inner, digest] of await contents(path)) files.set(inner, digest);
    } else if (!/-(server|shm|wal)$/.test(name)) {
      const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
      files.set(path, new Uint8Array(digest).toHex());
    }
  }
  return files;
}

/** Holds that no server starts on a file, that it says why, and leaves all files as they were. */
async function assertRefused(
  folder: string,
  { at = "queue.db", code, says }: Omit<Refusal, "name" | "make">,
): Promise<void> {
  const before = await contents(folder);
  const path = `${folder}/${at}`;
  const result = await failToStart(["--url", "http://127.0.0.1:1/", "--queue", path]);
  assertMatch(result.stderr, /^Cannot [^\n]*: [^\n]*, must [^\n]*\n$/);
  assertMatch(result.stderr.trimEnd(), says);
  assert(result.stderr.includes(path), result.stderr);
  assertEquals([result.code, result.stdout], [code, ""]);
  assertEquals(await contents(folder), before);
}

for (const { name, make, ...refusal } of refusals) {
  testInFolder(`${name} is no queue, and stays as it is`, async (folder) => {
    await make(`${folder}/${refusal.at ?? "queue.db"}`);
    await assertRefused(folder, refusal);
  });
}

/** Why nothing can be made read-only here; empty where it can. The superuser heeds no modes. */
const cannotProtect = await (async () => {
  if (Deno.uid() !== 0) return "";
  const path = await Deno.makeTempFile();
  const set = await attribute("+i", path);
  await attribute("-i", path);
  await Deno.remove(path);
  return set ? "" : " (the superuser may write everything here)";
})();

/** Whether an attribute of ext4 and its like could be changed. */
async function attribute(change: "+i" | "-i", path: string): Promise<boolean> {
  try {
    return (await new Deno.Command("chattr", { args: [change, path], stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

/** Nobody may write to a file, or make files in a folder, as long as `use` runs. */
async function protecting(path: string, use: () => Promise<void>): Promise<void> {
  const { mode } = await Deno.stat(path);
  await Deno.chmod(path, mode! & 0o555);
  await attribute("+i", path);
  try {
    await use();
  } finally {
    await attribute("-i", path);
    await Deno.chmod(path, mode! & 0o777);
  }
}

const protectedTest = (name: string, run: (folder: string) => Promise<void>) =>
  Deno.test({ name: name + cannotProtect, ignore: cannotProtect !== "", fn: () => inFolder(run) });

protectedTest("a queue that is read-only is refused, and stays as it is", async (folder) => {
  const path = `${folder}/queue.db`;
  await makeQueue(path);
  await protecting(
    path,
    () => assertRefused(folder, { code: 1, says: /is read-only, must be writable$/ }),
  );
});

protectedTest("a new queue in a folder that is read-only is refused", async (folder) => {
  const inner = `${folder}/inner`;
  await Deno.mkdir(inner);
  await protecting(
    inner,
    () => assertRefused(folder, { at: "inner/queue.db", code: 1, says: /cannot be made/ }),
  );
});

protectedTest(
  "a queue in a folder that is read-only is refused, and stays as it is",
  async (folder) => {
    const inner = `${folder}/inner`;
    await Deno.mkdir(inner);
    await makeQueue(`${inner}/queue.db`);
    await protecting(
      inner,
      () => assertRefused(folder, { at: "inner/queue.db", code: 1, says: /writable$/ }),
    );
  },
);

testInFolder("a second server on a file is refused, and the first one goes on", async (folder) => {
  const queue = `${folder}/queue.db`;
  await using endpoint = new Endpoint();
  await using first = await start(endpoint.origin, queue);
  const second = await failToStart(["--url", endpoint.origin, "--queue", queue]);
  assertMatch(
    second.stderr,
    /^Cannot [^\n]*queue\.db[^\n]* is used by another smtp-pigeon that runs, must be [^\n]*\n$/,
  );
  assertEquals([second.code, second.stdout], [1, ""]);
  using client = await arrive(first);
  await toldOf(first, await enqueue(client, letter("mail")), /POST returned status: 200/);
  await part(client, first);
  // Who has ended holds nothing any more, and nothing of it is in the way.
  await using next = await start(endpoint.origin, queue);
  await end(next);
});

testInFolder("what a queue keeps can be read by its owner alone", async (folder) => {
  await using counter = new Counter();
  await using pigeon = await start(counter.endpoint.origin, `${folder}/queue.db`);
  using client = await arrive(pigeon);
  await enqueue(client, letter("mail"));
  const modes = Array.from(Deno.readDirSync(folder)).map(({ name }) => [
    name,
    (Deno.statSync(`${folder}/${name}`).mode! & 0o777).toString(8),
  ]);
  assert(modes.some(([name]) => name === "queue.db"));
  assertEquals(modes.filter(([, mode]) => mode !== "600"), []);
});

// What is full.

const NO_ROOM = /^452 4\.3\.1 Not queued, try again later: [^(]+ \([0-9a-f-]{36}\)$/;

/** Sends messages until one is not taken, and gives the ids of those that were. */
async function fill(client: Client, word: string, octets: number): Promise<string[]> {
  const ids: string[] = [];
  for (const subject of numbered(word, 100)) {
    const reply = await submit(client, letter(subject, octets));
    const [, id] = /^250 2\.0\.0 OK: queued \((\S+)\)$/.exec(reply) ?? [];
    if (id === undefined) {
      assertMatch(reply, NO_ROOM);
      return ids;
    }
    ids.push(id);
  }
  throw new Error("there is room for everything");
}

/** Sends a message until it is taken, as clients do, and gives its id: space comes a bit later. */
async function untilTaken(client: Client, mail: string): Promise<string> {
  let reply = "";
  await until(async () => {
    reply = await submit(client, mail);
    return reply.startsWith("250 ");
  }, () => reply);
  return /\((.*)\)$/.exec(reply)![1];
}

/** Lets the endpoint take what it is sent, whatever was tried before, until so many have been. */
async function drain(counter: Counter, pigeon: Pigeon, ids: readonly string[]): Promise<void> {
  const rest = new Set(ids);
  await until(() => {
    counter.release();
    for (const line of pigeon.log) {
      const [, id] = /^(\S+): POST returned status: 200/.exec(line) ?? [];
      rest.delete(id);
    }
    return rest.size === 0;
  }, () => `${rest.size} of ${ids.length} are not delivered`);
}

testInFolder(
  "a full queue has a client wait, and takes mail again once it has delivered",
  async (folder) => {
    const queue = `${folder}/queue.db`;
    await using counter = new Counter();
    await using pigeon = await start(counter.endpoint.origin, queue, "--queue-max-size", "1M");
    using client = await arrive(pigeon);
    const ids = await fill(client, "mail", 100_000);
    // What is written beside messages counts too, but is little.
    assert(ids.length >= 6 && ids.length <= 10, `${ids.length} messages of 100 KB are 1 MB`);
    assertMatch(await submit(client, letter("another", 100_000)), NO_ROOM);
    await drain(counter, pigeon, ids);
    await untilTaken(client, letter("late", 100_000));
    assertEquals(new Set(idsAt(counter.endpoint)).isSupersetOf(new Set(ids)), true);
  },
);

/** Why no small disk can be had here; empty where it can. */
const cannotMount = await (async () => {
  let able = false;
  await inFolder(async (folder) => {
    able = await mount(folder);
    if (able) await unmount(folder);
  });
  return able ? "" : " (no file system can be mounted here)";
})();

async function mount(folder: string): Promise<boolean> {
  return await succeeds("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", folder]);
}

async function unmount(folder: string): Promise<void> {
  assert(await succeeds("umount", [folder]), "the disk is in use");
}

async function succeeds(command: string, args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** A test with a disk of 8 MiB. */
function testOnSmallDisk(name: string, run: (disk: string) => Promise<void>): void {
  Deno.test({
    name: name + cannotMount,
    ignore: cannotMount !== "",
    fn: () =>
      inFolder(async (folder) => {
        assert(await mount(folder));
        try {
          await run(folder);
        } finally {
          await unmount(folder);
        }
      }),
  });
}

/** Writes to a file until the disk is full, to the last octet. */
async function swell(file: Deno.FsFile): Promise<void> {
  for (const octets of [65_536, 1]) {
    const piece = new Uint8Array(octets);
    while (await file.write(piece).then((count) => count > 0, () => false));
  }
}

testOnSmallDisk(
  "a disk that the queue has filled is free again once all is delivered",
  async (disk) => {
    const queue = `${disk}/queue.db`;
    await using counter = new Counter();
    await using killed = await start(counter.endpoint.origin, queue);
    using sender = await arrive(killed);
    const ids = await fill(sender, "mail", 300_000);
    assert(ids.length >= 10, `${ids.length} messages of 300 KB are on a disk of 8 MiB`);
    assertMatch(await sender.ask("NOOP"), /^250 /);
    await killed.stop("SIGKILL");

    await using pigeon = await start(counter.endpoint.origin, queue);
    using client = await arrive(pigeon);
    await drain(counter, pigeon, ids);
    await until(
      async () => (await listed(queue)).length === 0,
      () => "what is delivered is not removed",
    );
    const again = [
      await untilTaken(client, letter("again", 300_000)),
      ...await fill(client, "again", 300_000),
    ];
    assert(again.length >= ids.length / 2, `${again.length} instead of ${ids.length}`);
    await drain(counter, pigeon, again);
    await part(client, pigeon);
  },
);

testOnSmallDisk(
  "a disk that others have filled has clients wait, and nothing is lost",
  async (disk) => {
    const queue = `${disk}/queue.db`;
    await using counter = new Counter();
    await using pigeon = await start(counter.endpoint.origin, queue);
    using client = await arrive(pigeon);
    const before = await enqueueAll(client, numbered("before", 10), 100_000);
    using ballast = await Deno.create(`${disk}/ballast`);
    await swell(ballast);
    // What has room in the files as they are may still be taken.
    const meanwhile = await fill(client, "meanwhile", 300_000);
    assertMatch(await submit(client, letter("in vain", 300_000)), NO_ROOM);
    counter.release();
    assertMatch(await client.ask("NOOP"), /^250 /);

    await ballast.truncate();
    await drain(counter, pigeon, [...before, ...meanwhile]);
    const after = [await untilTaken(client, letter("after", 300_000))];
    await drain(counter, pigeon, after);
    await until(
      async () => (await listed(queue)).length === 0,
      () => "what is delivered is not removed",
    );
    await part(client, pigeon);
    assert(
      idsAt(counter.endpoint).every((id) => [...before, ...meanwhile, ...after].includes(id)),
    );
  },
);

testOnSmallDisk(
  "no server starts on a disk that others have filled, and nothing is lost",
  async (disk) => {
    await makeQueue(`${disk}/queue.db`);
    // As if an earlier server had needed it.
    await Deno.remove(`${disk}/queue.db-reserve`);
    using ballast = await Deno.create(`${disk}/ballast`);
    await swell(ballast);
    await assertRefused(disk, { code: 1, says: /disk/ });
  },
);

// What an operator can mend.

testInFolder("a mended URL and template, and a retry, heal a dead letter", async (folder) => {
  const queue = `${folder}/queue.db`;
  await using endpoint = new Endpoint(({ path }) =>
    new Response("so be it", { status: path === "/wrong" ? 422 : 200 })
  );
  let id = "";
  {
    await using pigeon = await start(`${endpoint.origin}/wrong`, queue);
    using client = await arrive(pigeon);
    id = await enqueue(client, letter("mail"));
    await toldOf(pigeon, id, /Dead: endpoint answered 422$/);
    await part(client, pigeon);
  }
  const mended = ["--template", '{"mended": {{json.subject}}}'];
  await using pigeon = await start(`${endpoint.origin}/right`, queue, ...mended);
  await told(pigeon, /^smtp-pigeon queue at .*: 0 waiting, 1 dead$/);
  // It stays dead whatever else is delivered.
  using client = await arrive(pigeon);
  await toldOf(pigeon, await enqueue(client, letter("another")), /POST returned status: 200/);
  assertEquals((await listed(queue)).map(({ id, state }) => [id, state]), [[id, "dead"]]);
  await tool(queue, "retry", id);
  const { path, text, headers } = await endpoint.request(3);
  assertEquals([path, text, headers.get("webhook-id")], ["/right", '{"mended": "mail"}', id]);
  await toldOf(pigeon, id, /POST returned status: 200/);
  await until(async () => (await listed(queue)).length === 0, () => "it is not removed");
});

testInFolder(
  "a template that fails on a message holds up no other, and can be mended",
  async (folder) => {
    const queue = `${folder}/queue.db`;
    await using endpoint = new Endpoint();
    // It is sound on the samples.
    const broken =
      "{{#header.x-break}}broken{{/header.x-break}}{{^header.x-break}}{}{{/header.x-break}}";
    const ids: string[] = [];
    {
      await using pigeon = await start(endpoint.origin, queue, "--template", broken);
      using client = await arrive(pigeon);
      for (const subject of ["first", "second"]) {
        const id = await enqueue(client, `X-Break: yes\r\n${letter(subject)}`);
        await toldOf(
          pigeon,
          id,
          /Deferred: template fails on this message, next attempt in \d ?s$/,
        );
        ids.push(id);
      }
      const others = await enqueueAll(client, numbered("other", 5));
      for (const other of others) await toldOf(pigeon, other, /POST returned status: 200/);
      assertEquals(pigeon.log.filter((line) => line.includes(" is down")), []);
      await part(client, pigeon);
    }
    const mended = ["--template", '{"mended": {{json.subject}}}'];
    await using pigeon = await start(endpoint.origin, queue, ...mended);
    await tool(queue, "retry", "--all");
    for (const id of ids) await toldOf(pigeon, id, /POST returned status: 200/);
    const mails = endpoint.received.slice(5).map(({ text }) => text).toSorted();
    assertEquals(mails, ['{"mended": "first"}', '{"mended": "second"}']);
  },
);

testInFolder("a retry by hand does not wait for what Retry-After said", async (folder) => {
  const queue = `${folder}/queue.db`;
  let isWell = false;
  const busy = { status: 503, headers: { "retry-after": "3600" } };
  await using endpoint = new Endpoint(() => isWell ? new Response() : new Response("busy", busy));
  await using pigeon = await start(endpoint.origin, queue);
  using client = await arrive(pigeon);
  const id = await enqueue(client, letter("mail"));
  await toldOf(pigeon, id, /Deferred: endpoint answered 503, next attempt in (60 ?min|1 ?h)$/);
  isWell = true;
  await tool(queue, "retry", id);
  await toldOf(pigeon, id, /POST returned status: 200/);
});

// How a backlog is delivered, and what it leaves behind.

const paces: readonly (readonly [count: number, atOnce: number, ...args: string[]])[] = [
  [200, 4],
  [29, 7, "--concurrency", "7"],
];
for (const [count, atOnce, ...args] of paces) {
  testInFolder(
    `while an endpoint is down one of ${count} messages is tried, then ${atOnce} at once`,
    async (folder) => {
      await using counter = new Counter();
      const { endpoint } = counter;
      await using pigeon = await start(endpoint.origin, `${folder}/queue.db`, ...args);
      using client = await arrive(pigeon);
      const queue = `${folder}/queue.db`;
      const failed = await enqueueAll(client, ["first", "second"]);
      // One message alone could be the trouble itself.
      await until(() => counter.held === 2, () => `${counter.held} of 2 are tried`);
      counter.release(503);
      await told(pigeon, / is down: endpoint answered 503$/);
      const others = await enqueueAll(client, numbered("other", count - 2));
      await tool(queue, "retry", failed[0]);
      await endpoint.request(3);
      // Whatever else the server were about to send, it has had the time.
      assertMatch(await client.ask("NOOP"), /^250 /);
      assertEquals([endpoint.received.length, counter.held], [3, 1]);
      counter.release();
      await told(pigeon, / is up again$/);
      for (let left = count - 1; left > 0; left -= atOnce) {
        const wanted = Math.min(left, atOnce);
        await until(
          () => counter.held >= wanted,
          () => `${counter.held} of ${wanted} are sent at once`,
        );
        assertMatch(await client.ask("NOOP"), /^250 /);
        assertEquals(counter.held, wanted);
        counter.release();
      }
      for (const id of [...failed, ...others]) {
        await toldOf(pigeon, id, /POST returned status: 200/);
      }
      assertEquals(endpoint.received.length, count + 2);
    },
  );
}

testInFolder(
  "what failed during an outage of the endpoint is delivered once that is over",
  async (folder) => {
    let isWell = false;
    await using endpoint = new Endpoint(() => new Response("", { status: isWell ? 200 : 500 }));
    const queue = `${folder}/queue.db`;
    await using pigeon = await start(endpoint.origin, queue);
    using client = await arrive(pigeon);
    const ids = await enqueueAll(client, numbered("mail", 20));
    await told(pigeon, /: Deferred: /, 2);
    isWell = true;
    for (const id of ids) await toldOf(pigeon, id, /POST returned status: 200/);
    assertEquals(pigeon.log.filter((line) => line.includes(" is down: ")).length, 1);
    await until(async () => (await listed(queue)).length === 0, () => "it is not removed");
  },
);

testInFolder("a queue that was long is a small file again", async (folder) => {
  const queue = `${folder}/queue.db`;
  // What is kept for a disk that is full is always there.
  const octets = () =>
    Array.from(Deno.readDirSync(folder)).filter(({ name }) => !name.endsWith("-reserve"))
      .reduce((sum, { name }) => sum + Deno.statSync(`${folder}/${name}`).size, 0);
  await using counter = new Counter();
  await using pigeon = await start(counter.endpoint.origin, queue, "--concurrency", "50");
  using client = await arrive(pigeon);
  const ids = await enqueueAll(client, numbered("mail", 100), 100_000);
  assert(octets() > 10_000_000, `${octets()} octets`);
  await drain(counter, pigeon, ids);
  // Some may stay for what comes next, and some is written ahead.
  await until(() => octets() < 4_000_000, () => `${octets()} octets`);
  await part(client, pigeon);
  assert(octets() < 2_000_000, `${octets()} octets`);
});
