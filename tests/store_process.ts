/**
 * What tests of the store need a process of its own for: to hold a file as a server or a tool does
 * until it is killed, or to use a disk that is full.
 */
import { DatabaseSync } from "node:sqlite";
import { assertEquals } from "./assert.ts";
import { claim, HOOK, mailOf, namesIn, open, TIMES } from "./store_file.ts";

const [kind, path] = Deno.args;
const say = (word: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${word}\n`));
const forever = () => new Promise(() => setInterval(() => {}, 1_000));

switch (kind) {
  case "server": {
    await using _opened = open(path);
    say("held");
    await forever();
    break;
  }
  case "writer": {
    const db = new DatabaseSync(path);
    db.exec("BEGIN IMMEDIATE");
    say("held");
    await forever();
    break;
  }
  // The path is in a file system of its own, of some megabytes.
  case "full": {
    const folder = new URL(".", `file://${path}`).pathname;
    {
      await using opened = open(path);
      for (const number of [1, 2, 3]) await opened.store.put(mailOf(number), [HOOK], TIMES);
    }
    try {
      for (;;) Deno.writeFileSync(`${folder}filler`, new Uint8Array(4_096), { append: true });
    } catch {
      // Now it is full.
    }
    await using opened = open(path);
    const { store } = opened;
    const claims = await claim(store);
    for (const claim of claims) await store.settle(claim, { kind: "done" });
    const refusal = await store.put(mailOf(4), [HOOK], TIMES).catch(({ message }) => message);
    assertEquals([claims.length, refusal], [3, "disk is full"]);
    assertEquals(namesIn(folder).includes("filler"), true);
    say("delivered");
    break;
  }
}
