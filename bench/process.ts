/**
 * The processes of a benchmark, each by itself so that none waits for another's event loop: the server, and
 * the programs beside this file. What they cost is read from proc(5), so this runs on Linux.
 */
import { invocation } from "../tests/pigeon.ts";

/** Ticks of the CPU time in proc(5) in a second, `sysconf(_SC_CLK_TCK)`; 100 on all of today's Linux. */
const TICKS = 100;

/** How often a log is looked at for what is awaited, in milliseconds: so exact is a time of start-up. */
const LOOK_MS = 2;

/** How long a server may take to say what is awaited, in milliseconds. */
const DEADLINE_MS = 60_000;

/** CPU time of a process so far, in user and in kernel mode, in seconds. */
export function cpuSecondsOf(pid: number | "self"): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Memory of a process in octets: resident, the part of it that is no file's, and the most ever resident. */
export interface Memory {
  readonly resident: number;
  readonly anonymous: number;
  readonly peak: number;
}

/** Reads the memory of a process. */
export function memoryOf(pid: number): Memory {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(status)![1]) * 1024;
  return { resident: field("VmRSS"), anonymous: field("RssAnon"), peak: field("VmHWM") };
}

/** Makes the most that a process ever had what it has now. */
export function forgetPeak(pid: number): void {
  // What 5 does is in proc_pid_clear_refs(5).
  Deno.writeTextFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function command(module: string, args: readonly string[]): Deno.Command {
  const path = new URL(module, import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", path, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
}

/** Runs a program beside this file to its end, and gives what it prints as JSON. */
export async function ask<Answer>(module: string, ...args: readonly string[]): Promise<Answer> {
  const { code, stdout } = await command(module, args).output();
  if (code !== 0) throw new Error(`${module} ended with exit code ${code}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** A program beside this file that prints its port as JSON, and runs until it is disposed of. */
export class Neighbour implements AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  /** Starts it. */
  static async start(module: string, ...args: readonly string[]): Promise<Neighbour> {
    const process = command(module, args).spawn();
    const reader = process.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return new Neighbour(process, JSON.parse(new TextDecoder().decode(value)).port);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Where it is asked things, such as `http://127.0.0.1:40001`. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** CPU time so far. */
  get cpuSeconds(): number {
    return cpuSecondsOf(this.#process.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}

/** How a server is run. */
export interface Manner {
  /** A folder that is the caller's, for the log. */
  readonly folder: string;
  /** Options of the program. */
  readonly args: readonly string[];
  /** A module to preload; it needs a program that is run from its source. */
  readonly preload?: string;
}

/** The server, which logs to a file: a pipe would have somebody read it all the while. */
export class ServerProcess implements AsyncDisposable {
  /** From its start until it listened. */
  startMs = NaN;
  readonly #process: Deno.ChildProcess;
  readonly #log: string;

  private constructor(process: Deno.ChildProcess, log: string) {
    this.#process = process;
    this.#log = log;
  }

  /** Starts it on a free port of the loopback interface, and waits until it listens. */
  static async start({ folder, args, preload }: Manner): Promise<ServerProcess> {
    const [program, ...before] = invocation;
    if (preload !== undefined) {
      before.splice(1, 0, "--preload", new URL(preload, import.meta.url).pathname);
    }
    const log = await Deno.makeTempFile({ dir: folder, suffix: ".log" });
    const startMs = performance.now();
    const process = new Deno.Command("/bin/sh", {
      args: ["-c", 'exec "$@" 2>"$0"', log, program, ...before, "--port", "0", ...args],
      stdin: "null",
      stdout: "null",
    }).spawn();
    const server = new ServerProcess(process, log);
    await server.logged(/listening at \S+$/m);
    server.startMs = performance.now() - startMs;
    return server;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The port that it listens on. */
  get port(): number {
    return Number(/listening at \S*:(\d+)$/m.exec(this.log())![1]);
  }

  /** The log so far. */
  log(): string {
    return Deno.readTextFileSync(this.#log);
  }

  /** Waits until the log has something, and gives it; throws where that does not come. */
  async logged(pattern: RegExp): Promise<RegExpExecArray> {
    const endMs = performance.now() + DEADLINE_MS;
    let hasEnded = false;
    this.#process.status.then(() => hasEnded = true);
    for (;;) {
      const isLast = hasEnded || performance.now() > endMs;
      const found = pattern.exec(this.log());
      if (found !== null) return found;
      if (isLast) throw new Error(`the server's log lacks ${pattern}:\n${this.log().slice(-2000)}`);
      await pause(LOOK_MS);
    }
  }

  /** Sends a signal. */
  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Ends it in good order; gives how long that took, in milliseconds. */
  async stop(): Promise<number> {
    const startMs = performance.now();
    this.#process.kill("SIGTERM");
    await this.#process.status;
    return performance.now() - startMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
  }
}
