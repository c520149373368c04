/** What a file says it is, and how it becomes one of a later version. */
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../lib/store.ts";
import { kindOf, migrate, VERSION } from "../lib/store/schema.ts";
import { assertEquals } from "./assert.ts";
import { numberOf } from "./store_file.ts";

const PIGEON = 0x70696751;

/** Three versions of a table that never was. */
const STEPS = [
  "CREATE TABLE birds (name TEXT); INSERT INTO birds VALUES ('one');",
  "ALTER TABLE birds ADD COLUMN age INTEGER; UPDATE birds SET age = 1;",
  "CREATE INDEX ages ON birds (age); INSERT INTO birds VALUES ('two', 2);",
];

/** A database in memory that knows that much already. */
function databaseOf(sql = ""): DatabaseSync & Disposable {
  const db = new DatabaseSync(":memory:");
  db.exec(sql);
  return Object.assign(db, { [Symbol.dispose]: () => db.close() });
}

/** All that is in a database, and what it says it is. */
function allOf(db: DatabaseSync): unknown {
  const tables = db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all();
  const rows = tables.some(({ name }) => name === "birds")
    ? db.prepare("SELECT * FROM birds ORDER BY name").all()
    : [];
  const header = ["application_id", "user_version"].map((name) => numberOf(db, `PRAGMA ${name}`));
  // Rows have no prototype, which would not be equal.
  return JSON.stringify({ header, tables, rows });
}

const messageOf = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    return [error instanceof StoreError, (error as Error).message];
  }
};

const other = [true, "is a database of another program, must be a queue of smtp-pigeon"];

/** What a file is made by, and what it is taken for by a program that knows version 2. */
const kinds: readonly (readonly [sentence: string, sql: string, kind: unknown])[] = [
  ["an empty file", "", "empty"],
  ["an empty file whose pages have been used", "CREATE TABLE a (b); DROP TABLE a", "empty"],
  ["a queue of no version", `PRAGMA application_id = ${PIGEON}`, "older"],
  ["a queue before", `PRAGMA application_id = ${PIGEON}; PRAGMA user_version = 1`, "older"],
  ["a queue of now", `PRAGMA application_id = ${PIGEON}; PRAGMA user_version = 2`, "current"],
  [
    "a queue after",
    `PRAGMA application_id = ${PIGEON}; PRAGMA user_version = 3`,
    [true, "was made by a newer smtp-pigeon (its schema is 3), must be at most of schema 2"],
  ],
  ["a table", "CREATE TABLE messages (message)", other],
  ["a view", "CREATE VIEW a AS SELECT 1", other],
  ["a version of something", "PRAGMA user_version = 2", other],
  ["an application", "PRAGMA application_id = 1", other],
  ["an application of our version", "PRAGMA application_id = 1; PRAGMA user_version = 2", other],
  ["a negative application", "PRAGMA application_id = -1", other],
];

for (const [sentence, sql, kind] of kinds) {
  Deno.test(`kindOf() knows ${sentence}`, () => {
    using db = databaseOf(sql);
    const before = allOf(db);
    assertEquals(messageOf(() => kindOf(db, 2)), kind);
    assertEquals(allOf(db), before);
  });
}

for (const [from] of [...STEPS, ""].entries()) {
  Deno.test(`migrate() makes version 3 of version ${from}`, () => {
    using db = databaseOf();
    migrate(db, STEPS.slice(0, from));
    migrate(db, STEPS);
    using fresh = databaseOf(STEPS.join(""));
    fresh.exec(`PRAGMA application_id = ${PIGEON}; PRAGMA user_version = 3`);
    assertEquals(allOf(db), allOf(fresh));
    assertEquals(kindOf(db, 3), "current");
  });

  Deno.test(`a step that fails leaves version ${from} as it was`, () => {
    using db = databaseOf();
    migrate(db, STEPS.slice(0, from));
    const before = allOf(db);
    const steps = [
      ...STEPS,
      "INSERT INTO birds VALUES ('four', 4); INSERT INTO nowhere VALUES (1)",
    ];
    const message = [false, "no such table: nowhere"];
    assertEquals(messageOf(() => migrate(db, steps)), message);
    assertEquals(allOf(db), before);
    // Nothing is left open either.
    migrate(db, STEPS);
    assertEquals(kindOf(db, 3), "current");
  });
}

Deno.test("migrate() changes nothing in a file of this version", () => {
  using db = databaseOf();
  migrate(db, STEPS);
  db.exec("DELETE FROM birds");
  const before = allOf(db);
  migrate(db, STEPS);
  assertEquals(allOf(db), before);
});

Deno.test("migrate() leaves what it cannot use as it was", () => {
  for (const [sentence, sql, kind] of kinds.filter(([, , kind]) => typeof kind !== "string")) {
    using db = databaseOf(sql);
    const before = allOf(db);
    assertEquals(messageOf(() => migrate(db, STEPS.slice(0, 2))), kind, sentence);
    assertEquals(allOf(db), before, sentence);
  }
});

Deno.test("a step for which there is no space says so", () => {
  using db = databaseOf();
  migrate(db, STEPS);
  const before = allOf(db);
  db.exec(`PRAGMA max_page_count = ${numberOf(db, "PRAGMA page_count") + 1}`);
  const steps = [...STEPS, "UPDATE birds SET name = hex(zeroblob(100000))"];
  const message = [false, "database or disk is full"];
  assertEquals(messageOf(() => migrate(db, steps)), message);
  assertEquals(allOf(db), before);
});

Deno.test("a step that SQLite rolls back by itself fails for its own reason", () => {
  using db = databaseOf();
  migrate(db, STEPS);
  const before = allOf(db);
  db.exec("CREATE UNIQUE INDEX names ON birds (name)");
  const steps = [...STEPS, "INSERT OR ROLLBACK INTO birds VALUES ('one', 1)"];
  const message = [false, "UNIQUE constraint failed: birds.name"];
  assertEquals(messageOf(() => migrate(db, steps)), message);
  db.exec("DROP INDEX names");
  assertEquals(allOf(db), before);
});

Deno.test("a new queue is of the version of this program, and its tables are strict", () => {
  using db = databaseOf();
  migrate(db);
  assertEquals(kindOf(db), "current");
  assertEquals(numberOf(db, "PRAGMA user_version"), VERSION);
  const tables = db.prepare("PRAGMA table_list").all();
  const lax = tables.filter(({ name, strict }) => !String(name).startsWith("sqlite_") && !strict);
  assertEquals(lax.map(({ name }) => name), []);
});
