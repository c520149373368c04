/** Programs of other people that tests want and a machine may lack. */
import { TextLineStream } from "../std.ts";

// Where a mail system puts its tools is not on everyone's PATH.
const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin"];

function find(program: string): string | undefined {
  return folders.filter((folder) => folder !== "").map((folder) => `${folder}/${program}`)
    .find((path) => {
      try {
        return Deno.statSync(path).isFile;
      } catch {
        return false;
      }
    });
}

/** What came of a run. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; the input is what it reads. */
export type Run = (
  program: string,
  args: readonly string[],
  input?: string | Uint8Array<ArrayBuffer>,
  env?: Readonly<Record<string, string>>,
) => Promise<Result>;

const run: Run = async (program, args, input = "", env = {}) => {
  const child = new Deno.Command(find(program) ?? program, {
    args: [...args],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A program that ends without reading its input breaks the pipe, which is no fault.
  await writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input)
    .then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
};

/** Defines a test that wants programs; where the machine lacks one it is ignored, and its name says why. */
export function testWith(
  programs: readonly string[],
  name: string,
  test: (run: Run) => Promise<void>,
): void {
  const missing = programs.filter((program) => find(program) === undefined);
  const are = missing.length > 1 ? "are" : "is";
  Deno.test({
    name: missing.length === 0 ? name : `${name} (${missing.join(", ")} ${are} not installed)`,
    ignore: missing.length > 0,
    fn: () => test(run),
  });
}

/**
 * Reads the log of a server that writes to a pipe, lets clients at it as soon as it listens, and gives
 * the log when it has ended. It is for the clients to see that it ends.
 */
export async function listening(
  server: Deno.ChildProcess,
  clients: (port: number) => Promise<void>,
): Promise<string[]> {
  const log: string[] = [];
  const lines = server.stderr.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    log.push(line);
    const port = /listening at 127\.0\.0\.1:(\d+)$/.exec(line)?.[1];
    if (port !== undefined) await clients(Number(port));
  }
  return log;
}
