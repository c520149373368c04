/** What is promised of messages that were committed, and what becomes of that where the disk fails. */
import { StoreError } from "../lib/store.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";
import { claim, connect, HOOK, inFolder, mailOf, open, TIMES } from "./store_file.ts";

/** A disk that flushes when it is told to, or fails at that. */
interface Disk extends Disposable {
  /** Flushes that have begun, in all. */
  readonly begun: number;
  /** Ends those that are under way, and all that come. */
  readonly flush: () => void;
  /** Has those fail that are under way, and all that come. */
  readonly fail: () => void;
  /** Resolves once so many flushes have begun. */
  readonly began: (count: number) => Promise<void>;
}

function slowDisk(): Disk {
  const { syncData } = Deno.FsFile.prototype;
  const { promise: end, resolve, reject } = Promise.withResolvers<void>();
  end.catch(() => {});
  let isFailing = false;
  let begun = 0;
  let told = () => {};
  Deno.FsFile.prototype.syncData = async function () {
    begun++;
    told();
    await end;
    if (isFailing) throw new Error("Input/output error (os error 5)");
    await syncData.call(this);
  };
  return {
    get begun() {
      return begun;
    },
    flush: () => {
      isFailing = false;
      resolve();
    },
    fail: () => {
      isFailing = true;
      resolve();
    },
    async began(count) {
      while (begun < count) await new Promise<void>((resolve) => told = resolve);
    },
    [Symbol.dispose]() {
      reject(new Error("over"));
      Deno.FsFile.prototype.syncData = syncData;
    },
  };
}

/** Whether a promise is settled by now, and how. */
function watched<Result>(promise: Promise<Result>): { state: string } {
  const watch = { state: "pending" };
  promise.then(() => watch.state = "done", (error) => watch.state = error.message);
  return watch;
}

const logOctets = (path: string) => Deno.statSync(`${path}-wal`).size;
const UNSOUND = "must be on a disk that is sound and has space";

for (const [what, octets] of [["small", 100], ["large", 2 ** 20]] as const) {
  Deno.test(`nobody is promised a ${what} message before the log is flushed`, () =>
    inFolder(async (folder) => {
      using disk = slowDisk();
      await using opened = open(`${folder}/queue.db`);
      const { store } = opened;
      const put = store.put(mailOf(1, octets), [HOOK], TIMES);
      const watch = watched(put);
      // It is there for all to see, and may even be delivered.
      let claims = await claim(store);
      while (claims.length === 0) claims = await claim(store);
      await store.settle(claims[0], { kind: "untried" });
      assertEquals(watch.state, "pending");
      disk.flush();
      await put;
    }));
}

Deno.test("to claim and to settle waits for no flush", () =>
  inFolder(async (folder) => {
    await using opened = open(`${folder}/queue.db`);
    const { store } = opened;
    await store.put(mailOf(1), [HOOK], TIMES);
    using disk = slowDisk();
    const [claimed] = await claim(store);
    assertEquals(await store.settle(claimed, { kind: "done" }), true);
    assert(disk.begun > 0, "nothing is flushed");
    disk.flush();
  }));

Deno.test("a flush that has begun is none for what comes later, which shares the next one", () =>
  inFolder(async (folder) => {
    await using opened = open(`${folder}/queue.db`);
    const { store } = opened;
    await store.put(mailOf(1), [HOOK], TIMES);
    using disk = slowDisk();
    const first = store.put(mailOf(2), [HOOK], TIMES);
    await disk.began(1);
    const others = [3, 4].map((number) => store.put(mailOf(number), [HOOK], TIMES));
    // They are committed when this is.
    await claim(store);
    const more = store.put(mailOf(5), [HOOK], TIMES);
    await claim(store);
    assertEquals(disk.begun, 1);
    disk.flush();
    await Promise.all([first, ...others, more]);
    assertEquals(disk.begun, 2);
  }));

Deno.test("where the log cannot be flushed all of it is written into the file", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    await using opened = open(path);
    const { store } = opened;
    // What the store begins with when it is opened is over then.
    await store.put(mailOf(1), [HOOK], TIMES);
    {
      using disk = slowDisk();
      disk.fail();
      await store.put(mailOf(2), [HOOK], TIMES);
      assertEquals([disk.begun, logOctets(path)], [1, 0]);
    }
    // Then it is as it was.
    using disk = slowDisk();
    disk.flush();
    await store.put(mailOf(3), [HOOK], TIMES);
    assertEquals(disk.begun, 1);
    assert(logOctets(path) > 0);
    assertEquals((await claim(store)).length, 3);
  }));

for (const [what, octets] of [["small", 100], ["large", 2 ** 20]] as const) {
  Deno.test(`a ${what} message that cannot be flushed at all is refused, and does not come`, () =>
    inFolder(async (folder) => {
      const path = `${folder}/queue.db`;
      await using opened = open(path);
      const { store } = opened;
      await store.put(mailOf(1), [HOOK], TIMES);
      using reader = connect(path);
      // As long as somebody reads the log cannot be emptied into the file.
      reader.db.exec("BEGIN");
      reader.db.prepare("SELECT * FROM messages").all();
      {
        using disk = slowDisk();
        disk.fail();
        await assertRejects(
          () => store.put(mailOf(2, octets), [HOOK], TIMES),
          StoreError,
          UNSOUND,
        );
      }
      // The disk says that all is well now, but has forgotten what it could not write.
      await assertRejects(() => store.put(mailOf(3), [HOOK], TIMES), StoreError, UNSOUND);
      reader.db.exec("COMMIT");
      await store.put(mailOf(4), [HOOK], TIMES);
      const ids = (await claim(store)).map(({ mail }) => Number(mail.id.slice(-12)));
      assertEquals(ids, [1, 4]);
    }));
}

Deno.test("a store that is closed has flushed what was put", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    const { store } = open(path);
    using disk = slowDisk();
    const put = store.put(mailOf(1), [HOOK], TIMES);
    const closing = watched(store.close());
    await disk.began(1);
    assertEquals(closing.state, "pending");
    disk.flush();
    await put;
    await store.close();
    await using opened = open(path);
    assertEquals((await claim(opened.store)).length, 1);
  }));
