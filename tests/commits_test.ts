/** Whose work shares a commit, and what becomes of the others where some of it cannot be done. */
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { StoreError } from "../lib/store.ts";
import { Commits } from "../lib/store/commits.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { testInTime } from "./clock.ts";
import { connect, inFolder, numberOf } from "./store_file.ts";

const KIB = 1024;

/** A connection with one table, whose statements are written down, and commits of it. */
interface Table extends Disposable {
  readonly commits: Commits;
  readonly db: DatabaseSync;
  readonly path: string;
  /** Statements that were run, `BEGIN IMMEDIATE` left out: each commit has one of its own. */
  readonly log: readonly string[];
  /** Work that inserts a number. */
  readonly insert: (number: number) => () => number;
  /** The numbers that another connection sees. */
  readonly numbers: () => readonly number[];
}

function tableIn(
  folder: string,
  makeSpace: (db: DatabaseSync) => boolean = () => false,
  flush = () => Promise.resolve(),
): Table {
  const path = `${folder}/table.db`;
  const db = new DatabaseSync(path);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 0");
  db.exec("CREATE TABLE numbers (number INTEGER PRIMARY KEY, data BLOB)");
  const log: string[] = [];
  const recorded = {
    exec(sql: string) {
      if (sql !== "BEGIN IMMEDIATE") log.push(sql);
      db.exec(sql);
    },
  } as DatabaseSync;
  return {
    commits: new Commits(recorded, () => makeSpace(db), flush),
    db,
    path,
    log,
    insert: (number) => () => {
      log.push(String(number));
      db.prepare("INSERT INTO numbers (number) VALUES (?)").run(number);
      return number;
    },
    numbers() {
      using other = connect(path);
      const rows = other.db.prepare("SELECT number FROM numbers ORDER BY number").all();
      return rows.map(({ number }) => number as number);
    },
    [Symbol.dispose]: () => db.close(),
  };
}

/** What became of work: its result, or the message of its error. */
async function endsOf(works: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  const ends = await Promise.allSettled(works);
  return ends.map((end) => end.status === "fulfilled" ? end.value : end.reason.message);
}

const refuse = () => {
  throw new StoreError("queue is full", true);
};

Deno.test("what is asked for in one turn is one commit", () =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    const works = Array.from({ length: 100 }, (_, at) => table.commits.run(0, table.insert(at)));
    const numbers = Array.from({ length: 100 }, (_, at) => at);
    assertEquals(await endsOf(works), numbers);
    assertEquals(table.log, [...numbers.map(String), "COMMIT"]);
  }));

Deno.test("nobody hears of a result before others can see it", () =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    const seen: (readonly number[])[] = [];
    const see = () => seen.push(table.numbers());
    await Promise.all([
      table.commits.run(0, table.insert(1)).then(see),
      table.commits.run(0, table.insert(2)).then(see),
    ]);
    assertEquals(seen, [[1, 2], [1, 2]]);
  }));

Deno.test("what is asked for while a commit waits for its turn shares it", () =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    const early = table.commits.run(0, table.insert(1));
    await Promise.resolve();
    await Promise.all([early, table.commits.run(0, table.insert(2))]);
    assertEquals(table.log, ["1", "2", "COMMIT"]);
  }));

Deno.test("work that follows from a result is another commit", () =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    const { commits, insert } = table;
    await commits.run(0, insert(1)).then(() => commits.run(0, insert(2)));
    assertEquals(table.log, ["1", "COMMIT", "2", "COMMIT"]);
  }));

testInTime("who comes alone waits for no timer", (_clock) =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    assertEquals(await table.commits.run(0, table.insert(1)), 1);
  }));

testInTime("between two commits there is time for others", (clock) =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    const works = [1, 2].map((number) => table.commits.run(256 * KIB, table.insert(number)));
    await works[0];
    for (let turn = 0; turn < 10; turn++) await new Promise<void>((done) => setImmediate(done));
    assertEquals(table.log, ["1", "COMMIT"]);
    await clock.tickAsync(1);
    await works[1];
  }));

/** Octets of works that are asked for at once, and how many of them go into each commit. */
const sizes: readonly (readonly [octets: readonly number[], commits: readonly number[]])[] = [
  [[256 * KIB], [1]],
  [[128 * KIB, 128 * KIB], [2]],
  [[128 * KIB, 128 * KIB + 1], [1, 1]],
  [[128 * KIB, 128 * KIB, 0, 1], [3, 1]],
  [[4096 * KIB, 0, 0], [1, 2]],
  [[0, 0, 4096 * KIB, 0], [2, 1, 1]],
  [[256 * KIB, 256 * KIB, 256 * KIB], [1, 1, 1]],
  [[100 * KIB, 250 * KIB, 5 * KIB], [1, 2]],
];

for (const [octets, commits] of sizes) {
  Deno.test(`works of ${octets.join(", ")} octets are ${commits.join(" + ")} to a commit`, () =>
    inFolder(async (folder) => {
      using table = tableIn(folder);
      const works = octets.map((size, at) => table.commits.run(size, table.insert(at)));
      assertEquals(await endsOf(works), octets.map((_, at) => at));
      const counts = table.log.join().split("COMMIT").slice(0, -1)
        .map((part) => part.split(",").filter((word) => word !== "").length);
      assertEquals(counts, commits);
    }));
}

Deno.test("work that cannot be done does not take the others with it", () =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    const { commits, insert } = table;
    const works = [insert(1), refuse, insert(2), insert(1), insert(3)];
    assertEquals(await endsOf(works.map((work) => commits.run(0, work))), [
      1,
      "queue is full",
      2,
      "UNIQUE constraint failed: numbers.number",
      3,
    ]);
    assertEquals(table.numbers(), [1, 2, 3]);
  }));

Deno.test("nothing comes of work that throws after it has written", () =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    const { commits, insert } = table;
    const spoilt = () => {
      insert(1)();
      refuse();
    };
    await assertRejects(() => commits.run(0, spoilt), StoreError, "queue is full");
    const ends = await endsOf([commits.run(0, spoilt), commits.run(0, insert(2))]);
    assertEquals(ends, ["queue is full", 2]);
    assertEquals(table.numbers(), [2]);
  }));

Deno.test("the event loop turns between works that are done one by one", () =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    let turn = 0;
    const timer = setInterval(() => turn++, 0);
    const turns = new Map<number, number>();
    // As long as a disk takes; of the two times that each is done the second one counts.
    const slow = (number: number) => () => {
      turns.set(number, turn);
      const untilMs = performance.now() + 2;
      while (performance.now() < untilMs);
    };
    const works = [...[1, 2, 3, 4, 5].map(slow), refuse];
    await endsOf(works.map((work) => table.commits.run(0, work)));
    clearInterval(timer);
    assertEquals(new Set(turns.values()).size, 5);
  }));

testInTime("a writer of another process is waited for", (clock) =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    using other = connect(table.path);
    other.db.exec("BEGIN IMMEDIATE; INSERT INTO numbers (number) VALUES (1)");
    const works = [2, 3].map((number) => table.commits.run(0, table.insert(number)));
    const ends = endsOf(works);
    await clock.tickAsync(300);
    assertEquals(table.log, []);
    other.db.exec("COMMIT");
    await clock.tickAsync(10);
    assertEquals(await ends, [2, 3]);
    assertEquals(table.numbers(), [1, 2, 3]);
  }));

testInTime(
  "it is waited for for 10 s, and then again for who comes later",
  (clock) =>
    inFolder(async (folder) => {
      using table = tableIn(folder);
      using other = connect(table.path);
      other.db.exec("BEGIN IMMEDIATE");
      const early = endsOf([1, 2].map((number) => table.commits.run(0, table.insert(number))));
      let isOver = false;
      early.then(() => isOver = true);
      await clock.tickAsync(9_900);
      assertEquals(isOver, false);
      const late = table.commits.run(0, table.insert(3));
      await clock.tickAsync(200);
      assertEquals(isOver, true);
      const locked = "is locked by another program, must be free within seconds";
      assertEquals(await early, [locked, locked]);
      other.db.exec("ROLLBACK");
      await clock.tickAsync(10);
      assertEquals(await late, 3);
      assertEquals(table.numbers(), [3]);
    }),
);

/** Work that needs more pages than the file may have: that is what a full disk looks like. */
const tooMuch = ({ db }: Table) => () => {
  const pages = numberOf(db, "PRAGMA page_count");
  if (numberOf(db, "PRAGMA max_page_count") > 1e6) db.exec(`PRAGMA max_page_count = ${pages + 2}`);
  db.exec("INSERT INTO numbers VALUES (100, zeroblob(100000))");
  return 100;
};

Deno.test("where the disk is full space is made once, and all is done again", () =>
  inFolder(async (folder) => {
    let asked = 0;
    using table = tableIn(folder, (db) => {
      asked++;
      db.exec("PRAGMA max_page_count = 1000");
      return true;
    });
    const { commits, insert } = table;
    const works = [insert(1), tooMuch(table), insert(2)].map((work) => commits.run(0, work));
    assertEquals(await endsOf(works), [1, 100, 2]);
    assertEquals([asked, table.numbers()], [1, [1, 2, 100]]);
  }));

Deno.test("where no space can be made it is said, and the others are done", () =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    const { commits, insert } = table;
    const works = [insert(1), tooMuch(table), insert(2)].map((work) => commits.run(0, work));
    const [, end] = await Promise.allSettled(works);
    assert(end.status === "rejected" && end.reason instanceof StoreError);
    assertEquals([end.reason.isFull, end.reason.message], [true, "disk is full"]);
    assertEquals(table.numbers(), [1, 2]);
  }));

Deno.test("who makes space may fail, and the next work is done even so", () =>
  inFolder(async (folder) => {
    using table = tableIn(folder, () => {
      throw new Error("disk I/O error");
    });
    const { commits, insert } = table;
    const works = [commits.run(0, tooMuch(table)), commits.run(0, insert(1))];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const never = new Promise((resolve) => timer = setTimeout(resolve, 1_000, ["no answer"]));
    const ends = await Promise.race([endsOf(works), never]);
    clearTimeout(timer);
    assertEquals(ends, ["disk is full", 1]);
  }));

Deno.test("what SQLite rolls back by itself is over, and the others are done", () =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    const { commits, insert, db } = table;
    await commits.run(0, insert(1));
    const works = [insert(2), () => db.exec("INSERT OR ROLLBACK INTO numbers VALUES (1, NULL)")];
    assertEquals(await endsOf(works.map((work) => commits.run(0, work))), [
      2,
      "UNIQUE constraint failed: numbers.number",
    ]);
    assertEquals(await commits.run(0, insert(3)), 3);
    assertEquals(table.numbers(), [1, 2, 3]);
  }));

Deno.test("finished() waits for what is asked for while it waits", () =>
  inFolder(async (folder) => {
    using table = tableIn(folder);
    const { commits, insert } = table;
    const chain = async () => {
      for (const number of [1, 2, 3]) await commits.run(0, insert(number));
    };
    const chained = chain();
    await commits.finished();
    assertEquals(table.numbers(), [1, 2, 3]);
    await chained;
    await commits.finished();
  }));
