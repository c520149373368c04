/**
 * How SQLite goes about the statements of the store, by `EXPLAIN QUERY PLAN`: with a hundred
 * thousand messages none that is asked for again and again may look at all of them, nor sort them.
 */
import { DatabaseSync } from "node:sqlite";
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
  NOW,
  open,
  TIMES,
} from "./store_file.ts";

const ALL = { dead: false };
const DEAD = { dead: true };

/** Statements that look at all there is, how their plan says so, and why they may. */
const slow: readonly (readonly [beginning: string, plan: RegExp])[] = [
  // Once, when a server starts.
  ["SELECT count(due) AS waiting", /^SCAN deliveries/],
  ["UPDATE deliveries SET lease = NULL, leased = NULL, due = ", /^SCAN deliveries/],
  ["UPDATE deliveries SET due = ? WHERE due > ?", /^SCAN deliveries/],
  ["UPDATE deliveries SET expires = ", /^SCAN deliveries/],
  // When the clock has jumped.
  ["UPDATE deliveries SET due = due + ?", /^SCAN deliveries/],
  // One row for each destination, at most.
  ["UPDATE outages SET since = since + ?", /^SCAN outages/],
  ["DELETE FROM outages", /^SCAN outages/],
  // Large messages that are being written or removed: they are few.
  ["SELECT message FROM debris", /^SCAN debris/],
  // The first and the last of these are looked up, and put side by side.
  ["SELECT coalesce(max(message), 0)", /^SCAN \(subquery|^(UNION USING|USE) TEMP B-TREE/],
  // A tool that counts.
  ["SELECT count(*) AS messages", /^SCAN messages/],
  ["SELECT destination AS name", /^SCAN deliveries|^USE TEMP B-TREE/],
  // Destinations of one message.
  ["SELECT messages.*, deliveries.destination", /^USE TEMP B-TREE FOR (LAST TERM OF )?ORDER BY/],
];

/** Statements that have to find their first row at once, and stop at the last one. */
const bounded: readonly (readonly [sentence: string, sql: RegExp, plan: RegExp])[] = [
  [
    "what is due is found by when it is due",
    /due <= \? AND \(lease/,
    /\(destination=\? AND due<\?\)/,
  ],
  [
    "what has expired is found by when it expires",
    /expires <= \?/,
    /\(destination=\? AND expires<\?\)/,
  ],
  ["what is hastened is found by when it is due", /due > \? AND due <=/, /AND due>\? AND due<\?\)/],
  ["pages begin where the last one ended", /deliveries\.destination\) > /, /\(id>\?\)/],
];

/** The plan of a statement. */
function planOf(db: DatabaseSync, sql: string): readonly string[] {
  const values = Array(sql.split("?").length - 1).fill(1);
  return db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values).map(({ detail }) => String(detail));
}

/** All statements that a store and its inventory prepare in the course of a life. */
async function statementsOf(path: string): Promise<readonly string[]> {
  const { prepare } = DatabaseSync.prototype;
  const statements = new Set<string>();
  DatabaseSync.prototype.prepare = function (sql) {
    statements.add(sql);
    return prepare.call(this, sql);
  };
  try {
    await using opened = open(path);
    const { store } = opened;
    const inventory = await SqliteInventory.open(path);
    for (const number of [1, 2, 3, 4]) await store.put(mailOf(number), [HOOK], TIMES);
    await store.put(mailOf(5, 3 * 2 ** 20), [HOOK], TIMES);
    const [one, two, three, four] = await claim(store);
    const attempt = attemptAt(NOW);
    await store.settle(one, { kind: "waiting", dueMs: NOW + HOUR, attempt });
    await store.settle(two, { kind: "dead", attempt });
    await store.settle(three, { kind: "untried" });
    await store.settle(four, { kind: "done" });
    for (let time = 0; time <= 50; time++) {
      const [again] = await claim(store);
      await store.settle(again, { kind: "waiting", dueMs: NOW, attempt });
    }
    await store.hasten(HOOK.name, NOW, NOW + 2 * HOUR);
    await store.shift(1, NOW + 1, HOUR);
    await store.report(HOOK.name, { sinceMs: NOW, nextMs: NOW, reason: "endpoint answered 503" });
    await store.version();
    for (const selection of [ALL, DEAD]) {
      await inventory.entries(selection, null, 10);
      await inventory.entries(selection, { id: idOf(1), destination: HOOK.name }, 10);
      await inventory.retry([idOf(1)], selection, { dueMs: NOW, expiresMs: NOW });
    }
    await inventory.ids("017", 10);
    await inventory.find(idOf(1));
    await inventory.stats();
    await store.bury(HOOK.name, attemptAt(NOW + 1_000 * HOUR));
    for (const selection of [DEAD, ALL]) await inventory.drop([idOf(1), idOf(2)], selection);
    await deliver(store, NOW + HOUR);
    await store.put(mailOf(6, 2 ** 21), [HOOK], TIMES);
    await deliver(store, NOW + HOUR);
    inventory.close();
  } finally {
    DatabaseSync.prototype.prepare = prepare;
  }
  return Array.from(statements, (sql) => sql.replaceAll(/\s+/g, " ").trim());
}

/** Statements of the source, by how they begin; a template ends where something is put in. */
async function writtenIn(folder: URL): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const source = await Deno.readTextFile(new URL(name, folder));
    const texts = source.matchAll(/(["`])((?:SELECT|INSERT|UPDATE|DELETE)\b(?:(?!\1|\$\{)[^])*)/g);
    for (const [, , text] of texts) found.push(text.replaceAll(/\s+/g, " ").trim());
  }
  return found;
}

Deno.test("no statement looks at all messages, unless it may", () =>
  inFolder(async (folder) => {
    const path = `${folder}/queue.db`;
    const statements = await statementsOf(path);
    const written = await writtenIn(new URL("../lib/store/", import.meta.url));
    assert(written.length > 25, `only ${written.length} statements are written in the source`);
    const unseen = written.filter((text) => !statements.some((sql) => sql.startsWith(text)));
    assertEquals(unseen, [], "statements that were not run");

    using file = connect(path);
    const found: string[] = [];
    for (const sql of statements.filter((sql) => !sql.startsWith("PRAGMA"))) {
      if (sql.includes("sqlite_schema")) continue;
      const costly = planOf(file.db, sql)
        .filter((detail) => /^SCAN (?!CONSTANT)|TEMP B-TREE/.test(detail))
        .filter((detail) =>
          !slow.some(([beginning, known]) => sql.startsWith(beginning) && known.test(detail))
        );
      for (const detail of costly) found.push(`${detail}: ${sql}`);
    }
    assertEquals(found, []);
  }));

for (const [sentence, wanted, plan] of bounded) {
  Deno.test(sentence, () =>
    inFolder(async (folder) => {
      const path = `${folder}/queue.db`;
      const found = (await statementsOf(path)).filter((sql) => wanted.test(sql));
      assert(found.length > 0, "there is no such statement");
      using file = connect(path);
      for (const sql of found) {
        const details = planOf(file.db, sql);
        assert(details.some((detail) => plan.test(detail)), `${details.join(", ")}: ${sql}`);
      }
    }));
}
