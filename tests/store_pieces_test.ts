/** Messages that are written and removed piece by piece: interrupted anywhere, beside others. */
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../lib/store.ts";
import { SqliteInventory } from "../lib/store/sqlite_inventory.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import {
  assertOctets,
  attemptAt,
  claim,
  connect,
  deliver,
  HOOK,
  HOUR,
  idOf,
  inFolder,
  mailOf,
  NOW,
  numberOf,
  open,
  TIMES,
} from "./store_file.ts";

const MIB = 2 ** 20;

/** A message of 12 pieces, which is 12 commits. */
const LARGE = mailOf(1, 3 * MIB);
const PIECES = 12;

/** Sees each COMMIT of a store before it happens; what `hear` throws happens in its place. */
async function hearingCommits<Result>(
  hear: (number: number) => void,
  run: () => Promise<Result>,
): Promise<Result> {
  const { exec } = DatabaseSync.prototype;
  let number = 0;
  DatabaseSync.prototype.exec = function (sql) {
    if (sql === "COMMIT") hear(++number);
    exec.call(this, sql);
  };
  try {
    return await run();
  } finally {
    DatabaseSync.prototype.exec = exec;
  }
}

/** Rows of pieces and debris that a file has. */
function leftIn(path: string): { readonly pieces: number; readonly debris: number } {
  using file = connect(path);
  const count = (table: string) => numberOf(file.db, `SELECT count(*) FROM ${table}`);
  return { pieces: count("pieces"), debris: count("debris") };
}

const NOTHING = { pieces: 0, debris: 0 };

/** Waits until a store has cleaned up, which it does at its leisure. */
async function cleaned(path: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { debris } = leftIn(path);
    if (debris === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("debris is left");
}

/** A copy of a file that is in use, as a crash would leave it. */
function crashed(path: string, to: string): void {
  for (const end of ["", "-wal", "-shm"]) Deno.copyFileSync(path + end, to + end);
}

Deno.test("a message of 3 MiB is 12 commits, and comes back octet by octet", () =>
  inFolder(async (folder) => {
    await using opened = open(`${folder}/queue.db`);
    const { store } = opened;
    // What the store begins with when it is opened is over then.
    await store.put(mailOf(2), [HOOK], TIMES);
    let commits = 0;
    await hearingCommits(() => commits++, () => store.put(LARGE, [HOOK], TIMES));
    assertEquals(commits, PIECES);
    const [, mail] = await deliver(store);
    assertOctets(mail.data, LARGE.data);
  }));

for (let failing = 1; failing <= PIECES; failing++) {
  Deno.test(`a disk that fails at commit ${failing} leaves nothing of a large message`, () =>
    inFolder(async (folder) => {
      const path = `${folder}/queue.db`;
      await using opened = open(path);
      const { store } = opened;
      await store.put(mailOf(2), [HOOK], TIMES);
      await hearingCommits(
        (number) => {
          if (number === failing) throw new Error("disk I/O error");
        },
        () =>
          assertRejects(
            () => store.put(LARGE, [HOOK], TIMES),
            StoreError,
            "must be on a disk that is sound and has space",
          ),
      );
      await cleaned(path);
      assertEquals(leftIn(path), { pieces: 1, debris: 0 });
      assertEquals((await deliver(store)).map(({ id }) => id), [idOf(2)]);
      // It can be put again.
      await store.put(LARGE, [HOOK], TIMES);
      assertOctets((await deliver(store))[0].data, LARGE.data);
    }));
}

Deno.test("wherever a crash interrupts a large message, it is there as a whole or not at all", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    {
      await using opened = open(path);
      const { store } = opened;
      await store.put(mailOf(2), [HOOK], TIMES);
      await hearingCommits(
        (number) => crashed(path, `${folder}/before${number}.db`),
        () => store.put(LARGE, [HOOK], TIMES),
      );
      crashed(path, `${folder}/before${PIECES + 1}.db`);
    }
    for (let number = 1; number <= PIECES + 1; number++) {
      const copy = `${folder}/before${number}.db`;
      await using opened = open(copy);
      const { store } = opened;
      // Of the one that was interrupted there are pieces, which must not be in the way.
      await store.put(mailOf(3, MIB), [HOOK], TIMES);
      await cleaned(copy);
      const whole = number > PIECES;
      assertEquals(leftIn(copy).pieces, whole ? 5 + PIECES : 5, `before commit ${number}`);
      const mails = await deliver(store);
      assertEquals(
        mails.map(({ id }) => id).toSorted(),
        whole ? [1, 2, 3].map(idOf) : [2, 3].map(idOf),
      );
      for (const mail of mails) {
        const of = [LARGE, mailOf(2), mailOf(3, MIB)].find(({ id }) => id === mail.id)!;
        assertOctets(mail.data, of.data);
      }
      await cleaned(copy);
      assertEquals(leftIn(copy), NOTHING);
    }
  }));

Deno.test("wherever a crash interrupts the removal of a large message, all of it goes", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    let copies = 0;
    {
      await using opened = open(path);
      const { store } = opened;
      await store.put(LARGE, [HOOK], TIMES);
      const [claimed] = await claim(store);
      await hearingCommits(
        (number) => crashed(path, `${folder}/before${copies = number}.db`),
        async () => {
          await store.settle(claimed, { kind: "done" });
          await cleaned(path);
        },
      );
    }
    assert(copies > 2, "it went at once");
    for (let number = 1; number <= copies; number++) {
      const copy = `${folder}/before${number}.db`;
      await using opened = open(copy);
      await cleaned(copy);
      const mails = await deliver(opened.store);
      assertEquals(mails.map(({ id }) => id), number === 1 ? [LARGE.id] : []);
      await cleaned(copy);
      assertEquals(leftIn(copy), NOTHING);
    }
  }));

Deno.test("a store that is closed while it writes finishes that first", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    const { store } = open(path);
    const puts = [1, 2, 3].map((number) => store.put(mailOf(number, MIB), [HOOK], TIMES));
    const small = store.put(mailOf(4), [HOOK], TIMES);
    await store.close();
    await Promise.all([...puts, small]);
    await using opened = open(path);
    const mails = await deliver(opened.store);
    assertEquals(mails.map(({ id }) => id).toSorted(), [1, 2, 3, 4].map(idOf));
    for (const mail of mails.filter(({ data }) => data.length === MIB)) {
      assertOctets(mail.data, mailOf(Number(mail.id.slice(-12)), MIB).data);
    }
  }));

Deno.test("a store that is closed while it cleans does so the next time", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    {
      await using opened = open(path);
      await opened.store.put(mailOf(1, 8 * MIB), [HOOK], TIMES);
      const [claimed] = await claim(opened.store);
      await opened.store.settle(claimed, { kind: "done" });
    }
    assertEquals(leftIn(path).debris, 1);
    await using _opened = open(path);
    await cleaned(path);
    assertEquals(leftIn(path), NOTHING);
  }));

Deno.test("who puts a small message does not wait for a large one", () =>
  inFolder(async (folder) => {
    await using opened = open(`${folder}/queue.db`);
    const { store } = opened;
    const order: string[] = [];
    await Promise.all([
      store.put(LARGE, [HOOK], TIMES).then(() => order.push("large")),
      store.put(mailOf(2), [HOOK], TIMES).then(() => order.push("small")),
    ]);
    assertEquals(order, ["small", "large"]);
  }));

Deno.test("nobody sees a large message before its last piece is there", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    await using opened = open(path);
    const { store } = opened;
    const inventory = await SqliteInventory.open(path);
    const put = store.put(LARGE, [HOOK], TIMES);
    let looks = 0;
    for (;; looks++) {
      const letter = await inventory.find(LARGE.id);
      if (letter !== null) assertOctets(letter.mail.data, LARGE.data);
      const [claimed] = await claim(store);
      if (claimed === undefined) continue;
      assertOctets(claimed.mail.data, LARGE.data);
      break;
    }
    await put;
    inventory.close();
    assert(looks >= PIECES / 2, `it was looked for ${looks} times only`);
  }));

Deno.test("the cleaner spares what is being written, and removes what is beside it", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    await using opened = open(path);
    const { store } = opened;
    await store.put(mailOf(1, 3 * MIB), [HOOK], TIMES);
    await store.put(mailOf(2, 3 * MIB), [HOOK], TIMES);
    const claims = await claim(store);
    const others = claims.length === 2 ? claims : [...claims, ...await claim(store)];
    const puts = [3, 4].map((number) => store.put(mailOf(number, 5 * MIB), [HOOK], TIMES));
    for (const other of others) await store.settle(other, { kind: "done" });
    await Promise.all(puts);
    await cleaned(path);
    assertEquals(leftIn(path).pieces, 40);
    const mails = await deliver(store);
    assertEquals(mails.map(({ id }) => id).toSorted(), [3, 4].map(idOf));
    for (const mail of mails) {
      assertOctets(mail.data, mailOf(Number(mail.id.slice(-12)), 5 * MIB).data);
    }
  }));

Deno.test("the file shrinks when what it was large for is gone", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    {
      await using opened = open(path);
      const { store } = opened;
      for (let number = 1; number <= 8; number++) {
        await store.put(mailOf(number, 2 * MIB), [HOOK], TIMES);
      }
      await deliver(store);
      using other = connect(path);
      const free = () => numberOf(other.db, "PRAGMA freelist_count");
      for (let tries = 0; free() > 256; tries++) {
        assert(tries < 2_000, `${free()} pages are free`);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      // Nothing else comes, and it is not closed yet.
      for (let tries = 0; Deno.statSync(path).size > 1.5 * MIB; tries++) {
        assert(tries < 1_000, `it still has ${Deno.statSync(path).size} octets`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    const { size } = Deno.statSync(path);
    assert(size < 1.5 * MIB, `it has ${size} octets`);
  }));

Deno.test("a full queue takes messages again once others are delivered", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    await using opened = open(path, { maxOctets: 4 * MIB });
    const { store } = opened;
    const isFull = async (number: number, octets: number) => {
      try {
        await store.put(mailOf(number, octets), [HOOK], TIMES);
        return false;
      } catch (error) {
        assert(error instanceof StoreError && error.isFull, String(error));
        assertEquals(error.message, "queue is full");
        return true;
      }
    };
    let number = 1;
    while (!await isFull(number, MIB)) number++;
    assertEquals(number, 4);
    // What the refused one began is gone, and takes no space from who asks for less.
    await cleaned(path);
    assertEquals(await isFull(10, MIB / 4), false);
    // For one that is too large nothing is written in vain.
    let commits = 0;
    await hearingCommits(() => commits++, () => isFull(11, 16 * MIB));
    assertEquals(commits, 0);
    // The space of one that is delivered is for another, even while the file is as large as it was.
    const { claims: [first] } = await store.claim(HOOK.name, 1, { nowMs: NOW, leaseMs: HOUR });
    await store.settle(first, { kind: "done" });
    await cleaned(path);
    assertEquals([await isFull(12, MIB), await isFull(13, MIB)], [false, true]);
    assertEquals((await deliver(store)).length, 4);
    await cleaned(path);
    for (number = 20; !await isFull(number, MIB);) number++;
    assertEquals(number, 23);
  }));

Deno.test("the log is emptied once a tool that was reading is done", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    await using opened = open(path);
    const { store } = opened;
    const logOctets = () => Deno.statSync(`${path}-wal`).size;
    {
      using tool = connect(path);
      tool.db.exec("BEGIN");
      assertEquals(numberOf(tool.db, "SELECT count(*) FROM messages"), 0);
      for (let number = 1; number <= 8; number++) {
        await store.put(mailOf(number, MIB), [HOOK], TIMES);
      }
      // The tool sees what there was, and the log has all that came since.
      assertEquals(numberOf(tool.db, "SELECT count(*) FROM messages"), 0);
      assert(logOctets() > 8 * MIB, `${logOctets()} octets`);
      tool.db.exec("COMMIT");
      assertEquals(numberOf(tool.db, "SELECT count(*) FROM messages"), 8);
    }
    for (let number = 9; number <= 12; number++) {
      await store.put(mailOf(number, MIB), [HOOK], TIMES);
    }
    assert(logOctets() < 3 * MIB, `${logOctets()} octets`);
    assertEquals((await deliver(store)).length, 12);
  }));

Deno.test("of what is delivered nothing is left, though it failed before", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    await using opened = open(path);
    const { store } = opened;
    await store.put(mailOf(1), [HOOK], TIMES);
    const [first] = await claim(store);
    await store.settle(first, { kind: "waiting", dueMs: NOW, attempt: attemptAt(NOW) });
    using file = connect(path);
    const rows = () =>
      ["messages", "pieces", "deliveries", "attempts", "debris"]
        .map((table) => numberOf(file.db, `SELECT count(*) FROM ${table}`));
    assertEquals(rows(), [1, 1, 1, 1, 0]);
    await deliver(store);
    assertEquals(rows(), [0, 0, 0, 0, 0]);
  }));

/** When the clock jumps by an hour in the course of a put. */
const jumps: readonly (readonly [
  sentence: string,
  octets: number,
  after: number,
  due: number,
])[] = [
  ["a small message that was put before a jump follows it", 100, 0, HOUR],
  ["a large message that was put just before a jump follows it", 3 * MIB, 0, HOUR],
  ["a large message that is half written follows a jump", 3 * MIB, 6, HOUR],
  ["a large message of which one piece is missing follows a jump", 3 * MIB, 11, HOUR],
  ["a message of two pieces follows a jump between them", MIB / 2, 1, HOUR],
  ["a small message that is put after a jump keeps its time", 100, -1, 0],
  ["a large message that is put after a jump keeps its time", 3 * MIB, -1, 0],
];

for (const [sentence, octets, after, due] of jumps) {
  Deno.test(sentence, () =>
    inFolder(async (folder) => {
      const path = `${folder}/queue.db`;
      await using opened = open(path);
      const { store } = opened;
      const put = () => store.put(mailOf(1, octets), [HOOK], TIMES);
      const shift = () => store.shift(HOUR, NOW + HOUR, 1_000 * HOUR);
      const done: Promise<void>[] = [];
      if (after < 0) done.push(shift(), put());
      else if (after === 0) done.push(put(), shift());
      else {
        await hearingCommits((number) => {
          if (number === after) done.push(shift());
        }, put);
      }
      await Promise.all(done);
      using file = connect(path);
      const row = file.db.prepare("SELECT due, expires FROM deliveries").get()!;
      const expected = [NOW + due, TIMES.expiresMs + due];
      assertEquals([row.due, row.expires], expected);
    }));
}

Deno.test("a message of which a part is lost is dead, and holds up no other", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    await using opened = open(path);
    const { store } = opened;
    for (const [number, octets] of [[1, 100], [2, 3 * MIB], [3, 100]]) {
      await store.put(mailOf(number, octets), [HOOK], TIMES);
    }
    using file = connect(path);
    file.db.exec("DELETE FROM pieces WHERE piece IN (SELECT piece FROM pieces LIMIT 1)");
    file.db.exec("DELETE FROM pieces WHERE piece IN (SELECT piece FROM pieces LIMIT 1 OFFSET 5)");
    // Large ones are not claimed with others.
    const claims = [await claim(store), await claim(store), await claim(store)].flat();
    assertEquals(claims.map(({ mail }) => mail), [mailOf(3)]);
    const inventory = await SqliteInventory.open(path);
    const dead = await inventory.entries({ dead: true }, null, 9);
    assertEquals(dead.map(({ id, last }) => [id, last?.reason]), [
      [idOf(1), "a part of the message is lost: the file is damaged"],
      [idOf(2), "a part of the message is lost: the file is damaged"],
    ]);
    await assertRejects(() => inventory.find(idOf(2)), StoreError, "has lost a part of");
    assertEquals(await inventory.drop([idOf(1), idOf(2)], { dead: true }), 2);
    inventory.close();
  }));
