/** Holds a file in a process of its own, as a server or a tool does, until it is told to stop, or killed. */
import { DatabaseSync } from "node:sqlite";
import { open } from "./store_file.ts";

const [kind, path] = Deno.args;
const say = (word: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${word}\n`));
const told = () => Deno.stdin.read(new Uint8Array(16));

switch (kind) {
  case "server": {
    await using _opened = open(path);
    say("held");
    await told();
    break;
  }
  case "writer": {
    const db = new DatabaseSync(path);
    db.exec("BEGIN IMMEDIATE");
    say("held");
    await told();
    db.exec("ROLLBACK");
    db.close();
    break;
  }
}
