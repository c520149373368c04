/** What opening a queue does to the file, and to what is beside it. */
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../lib/store.ts";
import { SqliteStore } from "../lib/store/sqlite.ts";
import { SqliteInventory } from "../lib/store/sqlite_inventory.ts";
import { assert, assertEquals } from "./assert.ts";
import {
  attemptAt,
  claim,
  connect,
  deliver,
  HOOK,
  HOUR,
  idOf,
  inFolder,
  mailOf,
  namesIn,
  NOW,
  numberOf,
  open,
  OPTIONS,
  TIMES,
} from "./store_file.ts";

const MINUTE = 60_000;
const DAY = 24 * HOUR;

/** Why a queue cannot be opened for a server. */
function refusalOf(path: string): string {
  try {
    SqliteStore.open(path, OPTIONS).close();
  } catch (error) {
    assert(error instanceof StoreError, String(error));
    return error.message;
  }
  throw new Error("it was opened");
}

/** Why it cannot be opened for a tool, or read by one, which reads no more than it needs. */
async function toolRefusalOf(path: string): Promise<string> {
  try {
    const inventory = await SqliteInventory.open(path);
    try {
      await inventory.stats();
    } finally {
      inventory.close();
    }
  } catch (error) {
    assert(error instanceof StoreError, String(error));
    return error.message;
  }
  throw new Error("it was opened");
}

const modeOf = (path: string) => (Deno.statSync(path).mode! & 0o777).toString(8);

const program = new URL("store_process.ts", import.meta.url).pathname;

/** A process that holds a file. */
async function hold(kind: "server" | "writer", path: string): Promise<Deno.ChildProcess> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program, kind, path],
    stdout: "piped",
  }).spawn();
  const reader = process.stdout.getReader();
  await reader.read();
  reader.releaseLock();
  await process.stdout.cancel();
  return process;
}

Deno.test("a new queue is nobody else's to read, nor is anything beside it", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    await using opened = open(path);
    await opened.store.put(mailOf(1), [HOOK], TIMES);
    const names = namesIn(folder);
    for (const name of ["queue.db", "queue.db-wal", "queue.db-shm"]) assert(names.includes(name));
    assertEquals(names.map((name) => modeOf(`${folder}/${name}`)), names.map(() => "600"));
  }));

Deno.test("what it commits outlives a loss of power, and the file can shrink", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    const exec = DatabaseSync.prototype.exec;
    const told: string[] = [];
    DatabaseSync.prototype.exec = function (sql) {
      told.push(sql);
      exec.call(this, sql);
    };
    try {
      await using _opened = open(path);
      using other = connect(path);
      assertEquals(Object.values(other.db.prepare("PRAGMA journal_mode").get()!), ["wal"]);
      assertEquals(numberOf(other.db, "PRAGMA auto_vacuum"), 2);
      // Nobody but the connection itself can tell. What is left out is seen to in store_flushes_test.ts.
      assert(told.some((sql) => sql.includes("synchronous = NORMAL")));
      assert(!told.some((sql) => /synchronous = (?!NORMAL)/i.test(sql)));
    } finally {
      DatabaseSync.prototype.exec = exec;
    }
  }));

Deno.test("after it is closed nothing waits outside the file", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    {
      await using opened = open(path);
      await opened.store.put(mailOf(1), [HOOK], TIMES);
      await claim(opened.store);
    }
    assertEquals(namesIn(folder).filter((name) => /-(wal|shm|journal)$/.test(name)), []);
    using file = connect(path);
    assertEquals(numberOf(file.db, "SELECT count(*) FROM messages"), 1);
  }));

Deno.test("a queue that an interrupted first start left empty can shrink too", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    {
      using file = connect(path);
      file.db.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
    }
    await using _opened = open(path);
    using other = connect(path);
    assertEquals(numberOf(other.db, "PRAGMA auto_vacuum"), 2);
  }));

Deno.test("the cleaner comes to an end in a file that cannot shrink", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    {
      using file = connect(path);
      file.db.exec("CREATE TABLE a (b); DROP TABLE a");
      assertEquals(numberOf(file.db, "PRAGMA auto_vacuum"), 0);
    }
    await using opened = open(path);
    const { store } = opened;
    for (const number of [1, 2, 3]) await store.put(mailOf(number, 2 ** 20), [HOOK], TIMES);
    const exec = DatabaseSync.prototype.exec;
    let commits = 0;
    DatabaseSync.prototype.exec = function (sql) {
      if (sql === "COMMIT") commits++;
      exec.call(this, sql);
    };
    try {
      await deliver(store);
      for (let before = -1; before < commits && commits < 200;) {
        before = commits;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert(commits < 200, "it does not end");
    } finally {
      DatabaseSync.prototype.exec = exec;
    }
  }));

const taken = "is used by another smtp-pigeon that runs, must be this one's alone";

Deno.test("a second server is refused until the first one has closed the queue", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    {
      await using opened = open(path);
      assertEquals(refusalOf(path), taken);
      // Nor does it lose its hold because someone else was refused.
      assertEquals(refusalOf(path), taken);
      await opened.store.put(mailOf(1), [HOOK], TIMES);
    }
    await using opened = open(path);
    assertEquals(opened.store.backlog, { waiting: 1, dead: 0 });
  }));

Deno.test("a second server is refused by whatever name it knows the file", () =>
  inFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/private`);
    Deno.symlinkSync("private", `${folder}/state`);
    Deno.symlinkSync("private/queue.db", `${folder}/link.db`);
    await using _opened = open(`${folder}/private/queue.db`);
    assertEquals(refusalOf(`${folder}/state/queue.db`), taken);
    assertEquals(refusalOf(`${folder}/link.db`), taken);
  }));

Deno.test("a server that is killed holds nothing any more", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    const process = await hold("server", path);
    try {
      assertEquals(refusalOf(path), taken);
    } finally {
      process.kill("SIGKILL");
      await process.status;
    }
    await using opened = open(path);
    await opened.store.put(mailOf(1), [HOOK], TIMES);
  }));

Deno.test("what a server left beside the queue does no harm", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    await open(path).store.close();
    const names = namesIn(folder);
    await using opened = open(path);
    await opened.store.put(mailOf(1), [HOOK], TIMES);
    assert(names.every((name) => namesIn(folder).includes(name)));
  }));

Deno.test("a server starts while a tool is writing", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    await open(path).store.close();
    const process = await hold("writer", path);
    // It lets go while the server waits for it, which holds this thread.
    const later = new Deno.Command("sh", {
      args: ["-c", `sleep 0.3; kill -9 ${process.pid}`],
    }).spawn();
    try {
      await using opened = open(path);
      await opened.store.put(mailOf(1), [HOOK], TIMES);
    } finally {
      await later.status;
      await process.status;
    }
  }));

/** Runs a command in a file system of a few megabytes, which is seen by nobody else. */
async function onSmallDisk(
  folder: string,
  ...command: readonly string[]
): Promise<Deno.CommandOutput> {
  const mount = 'mount -t tmpfs -o size=5m tmpfs "$0" && exec "$@"';
  const args = ["-rm", "sh", "-c", mount, folder, ...command];
  return await new Deno.Command("unshare", { args }).output();
}

/** Not every system lets one make file systems. */
const hasDisks = await onSmallDisk("/tmp", "true").then(({ success }) => success, () => false);

Deno.test({
  name: "a server starts on a disk that is full, and delivers what is there",
  ignore: !hasDisks,
  fn: () =>
    inFolder(async (folder) => {
      const args = ["run", "-A", "--no-check", program, "full", `${folder}/queue.db`];
      const { stdout, stderr } = await onSmallDisk(folder, Deno.execPath(), ...args);
      const [said, complaint] = [stdout, stderr].map((octets) => new TextDecoder().decode(octets));
      assertEquals(said, "delivered\n", complaint);
    }),
});

const OTHER = "is a database of another program, must be a queue of smtp-pigeon";
const NONE = "is no database, must be a queue of smtp-pigeon";
const PIGEON = "PRAGMA application_id = 1885955921";

/** Makes a file of SQL. */
const madeBy = (sql: string) => (path: string) => {
  using file = connect(path);
  file.db.exec(sql);
};

/** A queue with a message in it. */
async function queueIn(path: string): Promise<void> {
  await using opened = open(path);
  for (let number = 1; number <= 20; number++) {
    await opened.store.put(mailOf(number, 5_000), [HOOK], TIMES);
  }
}

/** What is no queue of this program, and what a server and a tool say to it. */
const strangers: readonly (readonly [
  sentence: string,
  make: (path: string) => void | Promise<void>,
  refusal: string,
])[] = [
  ["a file of text", (path) => Deno.writeTextFileSync(path, "Hello, world. ".repeat(99)), NONE],
  ["a short text", (path) => Deno.writeTextFileSync(path, "no"), NONE],
  [
    "a database of another application",
    madeBy("PRAGMA application_id = 7; CREATE TABLE a(b)"),
    OTHER,
  ],
  ["a database that does not say whose it is", madeBy("CREATE TABLE messages (id)"), OTHER],
  [
    "a database of another program in WAL mode",
    madeBy("PRAGMA journal_mode = WAL; CREATE TABLE messages (id)"),
    OTHER,
  ],
  [
    "a newer queue",
    madeBy(`${PIGEON}; PRAGMA user_version = 99; CREATE TABLE a(b); PRAGMA journal_mode = WAL`),
    "was made by a newer smtp-pigeon (its schema is 99), must be at most of schema 1",
  ],
  [
    "a queue that is cut off",
    async (path) => {
      await queueIn(path);
      Deno.truncateSync(path, 5 * 4096);
    },
    "is damaged, must be restored or moved away",
  ],
  [
    "a queue whose pages are overwritten",
    async (path) => {
      await queueIn(path);
      using file = Deno.openSync(path, { read: true, write: true });
      file.seekSync(4096, Deno.SeekMode.Start);
      file.writeSync(new Uint8Array(file.statSync().size - 4096).fill(0x55));
    },
    "is damaged, must be restored or moved away",
  ],
];

for (const [sentence, make, refusal] of strangers) {
  for (const [who, refuse] of [["server", refusalOf], ["tool", toolRefusalOf]] as const) {
    Deno.test(`${sentence} is refused by a ${who}, and left as it was`, () =>
      inFolder(async (folder) => {
        const path = `${folder}/queue.db`;
        await make(path);
        const before = { octets: Deno.readFileSync(path), mode: modeOf(path) };
        const names = namesIn(folder);
        assertEquals(await refuse(path), refusal);
        assertEquals({ octets: Deno.readFileSync(path), mode: modeOf(path) }, before);
        assertEquals(namesIn(folder), names);
      }));
  }
}

Deno.test("a folder is refused, and nothing is left beside it", () =>
  inFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/queue`);
    assertEquals(
      await toolRefusalOf(`${folder}/queue`),
      "cannot be opened (Is a directory), must be a file that is writable",
    );
    assertEquals(namesIn(folder), ["queue"]);
    assertEquals(
      refusalOf(`${folder}/queue`),
      "is no file, must be a file in a folder that is writable",
    );
    assertEquals(namesIn(folder), ["queue"]);
  }));

Deno.test("a file with two names is refused: each would have a log of its own", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    await SqliteStore.open(path, OPTIONS).close();
    Deno.linkSync(path, `${folder}/other.db`);
    for (const name of [path, `${folder}/other.db`]) {
      assertEquals(refusalOf(name), "has a second name (a hard link), must have one");
    }
    Deno.removeSync(`${folder}/other.db`);
    await SqliteStore.open(path, OPTIONS).close();
  }));

Deno.test("a queue in a folder that is not there is refused", () =>
  inFolder(async (folder) => {
    const path = `${folder}/nowhere/queue.db`;
    assert(refusalOf(path).startsWith("cannot be made (its folder is not there), must"));
    assert(!refusalOf(path).includes(folder), "it names a path");
    assertEquals(await toolRefusalOf(path), "is not there, must be a queue of smtp-pigeon");
    assertEquals(namesIn(folder), []);
  }));

Deno.test("an empty file becomes a queue, by a server only", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    Deno.writeFileSync(path, new Uint8Array());
    assertEquals(await toolRefusalOf(path), "is empty, must be a queue of smtp-pigeon");
    assertEquals([namesIn(folder), Deno.statSync(path).size], [["queue.db"], 0]);
    await using opened = open(path);
    await opened.store.put(mailOf(1), [HOOK], TIMES);
    (await SqliteInventory.open(path)).close();
  }));

Deno.test("a tool leaves an older queue to a server", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    madeBy(PIGEON)(path);
    const octets = Deno.readFileSync(path);
    const refusal = "was made by an older smtp-pigeon, must be served by this one first";
    assertEquals(await toolRefusalOf(path), refusal);
    assertEquals(Deno.readFileSync(path), octets);
    await using opened = open(path);
    await opened.store.put(mailOf(1), [HOOK], TIMES);
  }));

Deno.test("what an earlier server was at is free again", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    {
      await using opened = open(path);
      await opened.store.put(mailOf(1), [HOOK], TIMES);
      assertEquals((await claim(opened.store)).length, 1);
      assertEquals(await claim(opened.store), []);
    }
    await using opened = open(path);
    const [{ mail, tries }] = await claim(opened.store);
    assertEquals([mail.id, tries], [idOf(1), 0]);
  }));

Deno.test("what an earlier server was at goes behind what waited: it may have ended it", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    {
      await using opened = open(path);
      for (const number of [1, 2, 3]) await opened.store.put(mailOf(number), [HOOK], TIMES);
      await opened.store.claim(HOOK.name, 1, { nowMs: NOW, leaseMs: HOUR });
    }
    const nowMs = NOW + MINUTE;
    await using opened = open(path, { nowMs });
    const claims = await claim(opened.store, nowMs);
    assertEquals(claims.map(({ mail }) => mail.id), [2, 3, 1].map(idOf));
  }));

/**
 * What a delivery says that a server finds when it starts, and what it makes of it; in milliseconds
 * after that moment. `attempts` are failed ones.
 */
const takenOver: readonly (readonly [
  sentence: string,
  found: { readonly due: number; readonly expires: number; readonly attempts: number },
  made: { readonly due: number; readonly expires: number },
])[] = [
  ["a delivery that is due", { due: -HOUR, expires: DAY, attempts: 1 }, {
    due: -HOUR,
    expires: DAY,
  }],
  ["a delivery that waits", { due: HOUR, expires: DAY, attempts: 1 }, { due: HOUR, expires: DAY }],
  [
    "a delivery that waits for as long as any may",
    { due: DAY, expires: 2 * DAY, attempts: 1 },
    { due: DAY, expires: 2 * DAY },
  ],
  [
    "a delivery that is due too late",
    { due: DAY + 1, expires: 2 * DAY, attempts: 1 },
    { due: 0, expires: 2 * DAY },
  ],
  [
    "a delivery that has never been tried, by a clock that was fast",
    { due: 1, expires: DAY, attempts: 0 },
    { due: 0, expires: DAY },
  ],
  [
    "a delivery that lives for as long as any may",
    { due: 0, expires: 5 * DAY, attempts: 0 },
    { due: 0, expires: 5 * DAY },
  ],
  [
    "a delivery that expires too late",
    { due: 0, expires: 5 * DAY + 1, attempts: 0 },
    { due: 0, expires: 5 * DAY },
  ],
  [
    "a delivery that has expired while no server ran",
    { due: -DAY, expires: -HOUR, attempts: 3 },
    { due: -DAY, expires: 4 * HOUR },
  ],
];

for (const [sentence, found, made] of takenOver) {
  Deno.test(`${sentence} is taken over`, () =>
    inFolder(async (folder) => {
      const path = `${folder}/queue.db`;
      {
        await using opened = open(path);
        const times = { nowMs: NOW, expiresMs: NOW + found.expires };
        await opened.store.put(mailOf(1), [HOOK], times);
        for (let attempt = 1; attempt <= found.attempts; attempt++) {
          const [claimed] = await claim(opened.store);
          const dueMs = attempt < found.attempts ? NOW : NOW + found.due;
          await opened.store.settle(claimed, { kind: "waiting", dueMs, attempt: attemptAt(NOW) });
        }
      }
      using file = connect(path);
      if (found.attempts === 0) file.db.exec(`UPDATE deliveries SET due = ${NOW + found.due}`);
      await open(path).store.close();
      const { due, expires } = file.db.prepare("SELECT due, expires FROM deliveries").get()!;
      assertEquals({ due: due as number - NOW, expires: expires as number - NOW }, made);
    }));
}

Deno.test("what is dead stays as it is when a server starts", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    {
      await using opened = open(path);
      await opened.store.put(mailOf(1), [HOOK], { nowMs: NOW, expiresMs: NOW });
      const [claimed] = await claim(opened.store);
      await opened.store.settle(claimed, { kind: "dead", attempt: attemptAt(NOW) });
    }
    {
      await using opened = open(path, { nowMs: NOW + MINUTE });
      assertEquals(opened.store.backlog, { waiting: 0, dead: 1 });
    }
    using file = connect(path);
    const { due, expires } = file.db.prepare("SELECT due, expires FROM deliveries").get()!;
    assertEquals([due, expires], [null, NOW]);
  }));

Deno.test("a server that starts again and again makes no message live longer", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    const { expiresMs } = TIMES;
    await using first = open(path);
    await first.store.put(mailOf(1), [HOOK], TIMES);
    await first.store.close();
    // What has not expired keeps its end; what has, while no server ran, gets hours to be tried.
    const ends = [
      [NOW + HOUR, expiresMs],
      [expiresMs - HOUR, expiresMs],
      [expiresMs + HOUR, expiresMs + 5 * HOUR],
      [expiresMs + 2 * HOUR, expiresMs + 5 * HOUR],
    ];
    for (const [nowMs, endMs] of ends) {
      await using again = open(path, { nowMs });
      using file = connect(path);
      assertEquals(numberOf(file.db, "SELECT expires FROM deliveries"), endMs);
      await again.store.close();
    }
  }));
