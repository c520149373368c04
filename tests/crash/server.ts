/** The server of the crash test: a process that may be killed before it has said a word. */
import { invocation } from "../pigeon.ts";
import { TextLineStream } from "../std.ts";

/** A run of the server. */
export class Run {
  /** Lines of its log. */
  readonly log: string[] = [];
  /** The port that it listens at; null where it ended before. */
  readonly port: Promise<number | null>;
  /** Resolves when it has ended, and its log is complete. */
  readonly ended: Promise<Deno.CommandStatus>;
  #isListening = false;
  #hasEnded = false;
  readonly #process: Deno.ChildProcess;

  /** Starts it, with arguments that leave open where to listen. */
  constructor(args: readonly string[]) {
    const [command, ...before] = invocation;
    this.#process = new Deno.Command(command, {
      args: [...before, "--port=0", ...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const { promise: port, resolve } = Promise.withResolvers<number | null>();
    this.port = port;
    this.ended = this.#listen(resolve);
  }

  /** Whether it has said that it listens. */
  get isListening(): boolean {
    return this.#isListening;
  }

  /** Sends a signal; whether it had not ended by itself. */
  signal(signal: "SIGKILL" | "SIGTERM"): boolean {
    if (this.#hasEnded) return false;
    try {
      this.#process.kill(signal);
      return true;
    } catch {
      return false;
    }
  }

  async #listen(listens: (port: number | null) => void): Promise<Deno.CommandStatus> {
    void this.#process.status.then(() => this.#hasEnded = true);
    const text = this.#process.stderr.pipeThrough(new TextDecoderStream());
    for await (const line of text.pipeThrough(new TextLineStream())) {
      this.log.push(line);
      const [, port] = /listening at \S*:(\d+)$/.exec(line) ?? [];
      if (port === undefined) continue;
      this.#isListening = true;
      listens(Number(port));
    }
    listens(null);
    return await this.#process.status;
  }
}
