/**
 * The queue of the crash test, as it looks from outside: by the program's own tools, and by SQLite.
 */
import { DatabaseSync } from "node:sqlite";
import { run } from "../pigeon.ts";

/** What is in the queue. */
export interface Contents {
  /** Messages. */
  readonly messages: number;
  /** Their deliveries that are not tried any more. */
  readonly dead: number;
  /** Octets of the file. */
  readonly fileSize: number;
}

/** A queue file, of a server that may run. */
export class QueueFile {
  /** Where it is. */
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Counts what is in it. */
  async contents(): Promise<Contents> {
    const { messages, fileSize, destinations } = JSON.parse(await this.#tool("stats", "--json"));
    const dead = (destinations as { dead: number }[]).reduce((sum, { dead }) => sum + dead, 0);
    return { messages, dead, fileSize };
  }

  /** Has all be tried now, however long it should wait. */
  async retry(): Promise<void> {
    if ((await this.contents()).messages > 0) await this.#tool("retry", "--all");
  }

  /**
   * What is wrong with the file, while no server runs; of a copy, as to look at it would mend it.
   */
  async damage(): Promise<readonly string[]> {
    const copy = `${this.path}-copy`;
    for (const suffix of ["", "-wal"]) {
      try {
        await Deno.copyFile(this.path + suffix, copy + suffix);
      } catch (error) {
        // A server that was killed early, or that ended well, leaves no log of writes.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        await Deno.remove(copy + suffix).catch(() => {});
      }
    }
    try {
      const database = new DatabaseSync(copy);
      try {
        const rows = database.prepare("PRAGMA integrity_check").all();
        return rows.map((row) => String(row.integrity_check)).filter((said) => said !== "ok");
      } finally {
        database.close();
      }
    } catch (error) {
      return [(error as Error).message];
    }
  }

  async #tool(...words: [name: string, ...flags: string[]]): Promise<string> {
    const { code, stdout, stderr } = await run(["queue", ...words, `--queue=${this.path}`]);
    if (code === 0) return stdout;
    throw new Error(`queue ${words.join(" ")} ended with exit code ${code}: ${stderr.trim()}`);
  }
}
