/** What SQLite says when something is wrong, provoked where possible, and what the store says. */
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../lib/store.ts";
import { isBusy, isDiskFull, storeErrorOf } from "../lib/store/sqlite_fault.ts";
import { assert, assertEquals } from "./assert.ts";
import { connect, inFolder, numberOf } from "./store_file.ts";

/** What a way to fail has: a file with a table of some pages, and its folder. */
interface Place {
  readonly path: string;
  readonly folder: string;
}

/** Overwrites what is behind the first page. */
function damage({ path }: Place): void {
  using file = Deno.openSync(path, { read: true, write: true });
  const { size } = file.statSync();
  file.seekSync(4096, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(size - 4096).fill(0x55));
}

const faults: readonly (readonly [
  sentence: string,
  provoke: (place: Place) => unknown,
  message: string,
  marks?: { readonly isFull?: true; readonly isBusy?: true },
])[] = [
  [
    "a file of text",
    ({ folder }) => {
      Deno.writeTextFileSync(`${folder}/text`, "Not at all a database. ".repeat(100));
      using text = connect(`${folder}/text`);
      text.db.exec("SELECT * FROM sqlite_schema");
    },
    "is no database, must be a queue of smtp-pigeon",
  ],
  [
    "a page of nonsense",
    (place) => {
      damage(place);
      using file = connect(place.path);
      file.db.prepare("SELECT sum(length(data)) FROM things").get();
    },
    "is damaged, must be restored or moved away",
  ],
  [
    "writing where one may only read",
    ({ path }) => {
      const db = new DatabaseSync(path, { readOnly: true });
      try {
        db.exec("DELETE FROM things");
      } finally {
        db.close();
      }
    },
    "is read-only, must be writable",
  ],
  [
    "a file in a folder that is not there",
    ({ folder }) => connect(`${folder}/nowhere/queue.db`),
    "cannot be opened, must be a file in a folder that is writable",
  ],
  [
    "a folder",
    ({ folder }) => connect(folder),
    "cannot be opened, must be a file in a folder that is writable",
  ],
  [
    "a writer beside",
    ({ path }) => {
      using one = connect(path);
      using other = connect(path);
      one.db.exec("BEGIN IMMEDIATE");
      other.db.exec("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE");
    },
    "is locked by another program, must be free within seconds",
    { isBusy: true },
  ],
  [
    "no space",
    ({ path }) => {
      using file = connect(path);
      const pages = numberOf(file.db, "PRAGMA page_count");
      file.db.exec(`PRAGMA max_page_count = ${pages}`);
      file.db.exec("INSERT INTO things VALUES (zeroblob(100000))");
    },
    "disk is full",
    { isFull: true },
  ],
  [
    "what the store has no words for",
    ({ path }) => {
      using file = connect(path);
      file.db.exec("SELECT * FROM nowhere");
    },
    "no such table: nowhere",
  ],
];

for (const [sentence, provoke, message, marks = {}] of faults) {
  Deno.test(`${sentence}: "${message}"`, () =>
    inFolder((folder) => {
      const path = `${folder}/file.db`;
      {
        using made = connect(path);
        made.db.exec("CREATE TABLE things (data); INSERT INTO things VALUES (zeroblob(20000))");
      }
      let thrown: unknown;
      try {
        provoke({ path, folder });
      } catch (error) {
        thrown = error;
      }
      const fault = storeErrorOf(thrown);
      assert(fault instanceof StoreError, String(thrown));
      assertEquals([fault.message, fault.isFull], [message, marks.isFull ?? false]);
      assertEquals([isBusy(thrown), isDiskFull(thrown)], [!!marks.isBusy, !!marks.isFull]);
      assert(!fault.message.includes(folder), "it names a path");
    }));
}

Deno.test("what the disk says cannot be provoked, but is known", () => {
  const messageOf = (message: string) => (storeErrorOf(new Error(message)) as Error).message;
  assertEquals(
    messageOf("disk I/O error"),
    "cannot be read or written, must be on a disk that is sound and has space",
  );
  assertEquals(messageOf("out of memory"), "cannot be read for want of memory, must be smaller");
});

Deno.test("a fault of the store stays the one it is", () => {
  const fault = new StoreError("queue is full", true);
  assertEquals(storeErrorOf(fault) === fault, true);
});

Deno.test("what is none of SQLite's faults comes back as it is", () => {
  for (const error of [new TypeError("mail is undefined"), new SyntaxError("no JSON"), "text"]) {
    assertEquals(storeErrorOf(error) === error, true, String(error));
  }
});
