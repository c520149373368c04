/**
 * The program as its users meet it: a process. It is the executable that SMTP_PIGEON_BIN names, or else
 * `main.ts` run by the Deno that runs the tests, as `deno task start` does.
 */
import { TextLineStream } from "./std.ts";

const executable = Deno.env.get("SMTP_PIGEON_BIN");
const main = new URL("../main.ts", import.meta.url).pathname;
const access = ["--allow-read", "--allow-write"];
const permissions = ["--allow-net", "--allow-env", ...access, "--allow-sys=hostname"];

/** How the program is called, before its own arguments. */
export const invocation: readonly [string, ...string[]] = executable
  ? [executable]
  : [Deno.execPath(), "run", "--quiet", "--v8-flags=--max-semi-space-size=4", ...permissions, main];

/** What surrounds a run. */
export interface Surroundings {
  readonly env?: Record<string, string>;
  readonly stdin?: string | Uint8Array<ArrayBuffer>;
}

/** What came of a run. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end. */
export async function run(
  args: readonly string[],
  surroundings: Surroundings = {},
): Promise<Result> {
  const { env = {}, stdin = "" } = surroundings;
  const child = spawn(args, env, "piped");
  const writer = child.stdin.getWriter();
  // A program that ends without reading its input breaks the pipe, which is no fault.
  await writer.write(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin)
    .then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function spawn(args: readonly string[], env: Record<string, string>, stdin: "piped" | "null") {
  const [command, ...before] = invocation;
  return new Deno.Command(command, {
    args: [...before, ...args],
    env,
    stdin,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** A server that runs until it is stopped or disposed of. */
export class Pigeon implements AsyncDisposable {
  /** Lines of the log so far. */
  readonly log: string[] = [];
  /** Standard output so far. */
  output = "";
  readonly #process: Deno.ChildProcess;
  readonly #pumps: Promise<unknown>;
  #waiting: (() => void)[] = [];

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#pumps = Promise.all([this.#readLog(), this.#readOutput()]);
  }

  /** Starts a server, on a free port where its host has ports, and waits until it listens. */
  static async start(args: readonly string[], surroundings: Surroundings = {}): Promise<Pigeon> {
    const port = args.some((arg) => arg.startsWith("unix:")) ? [] : ["--port", "0"];
    const pigeon = new Pigeon(spawn([...port, ...args], surroundings.env ?? {}, "null"));
    await pigeon.logged(/listening at/);
    return pigeon;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The port that it listens on. */
  get port(): number {
    return Number(/listening at \S*:(\d+)$/m.exec(this.log.join("\n"))![1]);
  }

  /** Waits for a line of the log, and gives it; throws if the server ends without one. */
  async logged(pattern: RegExp): Promise<string> {
    for (;;) {
      const line = this.log.find((line) => pattern.test(line));
      if (line !== undefined) return line;
      const more = new Promise<"more">((resolve) => this.#waiting.push(() => resolve("more")));
      if (
        await Promise.race([more, this.#pumps]) !== "more" && !this.log.some((l) => pattern.test(l))
      ) {
        throw new Error(`the server ended without ${pattern}:\n${this.log.join("\n")}`);
      }
    }
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Deno.CommandStatus> {
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended by itself.
    }
    await this.#pumps;
    return await this.#process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }

  async #readLog(): Promise<void> {
    const lines = this.#process.stderr.pipeThrough(new TextDecoderStream());
    for await (const line of lines.pipeThrough(new TextLineStream())) {
      this.log.push(line);
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }

  async #readOutput(): Promise<void> {
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      this.output += text;
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }
}
