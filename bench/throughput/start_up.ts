/**
 * Start-up, from the call of a program until it says that it listens, beside a program that only
 * does that.
 */
import { figure, median, table } from "../figures.ts";
import { say } from "../queue/measure.ts";
import { invocation } from "../../tests/pigeon.ts";

/** A program that listens. */
export type Program = readonly [string, ...string[]];

/** The empty program: the executable of that name, or `empty.ts` run as it is. */
export function emptyProgram(executable: string | null): Program {
  if (executable !== null) return [executable];
  const module = new URL("empty.ts", import.meta.url).pathname;
  return [Deno.execPath(), "run", "--quiet", "--allow-net", module];
}

/** How often each is started, after a first time that does not count. */
const STARTS = 20;

/** A program that says that it listens. */
export interface Begun extends AsyncDisposable {
  readonly pid: number;
  /** What that took. */
  readonly elapsedMs: number;
  /** CPU time of its threads until then: of a shared machine it says more. */
  readonly cpuMs: number;
}

/** Starts a program, and waits until it says so. */
export async function begin([command, ...args]: Program): Promise<Begun> {
  const beganMs = performance.now();
  const process = new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = process.stderr.getReader();
  const decoder = new TextDecoder();
  for (let said = ""; !said.includes("listening at ");) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${command} does not listen: ${said}`);
    said += decoder.decode(value);
  }
  return {
    pid: process.pid,
    elapsedMs: performance.now() - beganMs,
    cpuMs: cpuMsOf(process.pid),
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await reader.cancel();
      await process.status;
    },
  };
}

/** CPU time of the threads that a process has, finer than its ticks. */
function cpuMsOf(pid: number): number {
  const threads = [...Deno.readDirSync(`/proc/${pid}/task`)];
  const nanoseconds = threads.map(({ name }) =>
    Number(Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0])
  );
  return nanoseconds.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

/** This program on a free port, as it is called. */
export const pigeon: Program = [...invocation, "--url", "http://127.0.0.1:9080/", "--port", "0"];

/** Starts both in turn. */
export async function startUp({ empty }: { readonly empty: string | null }) {
  const programs = { "this program": pigeon, "an empty one": emptyProgram(empty) };
  const names = Object.keys(programs) as (keyof typeof programs)[];
  const starts = names.map((name) => ({
    name,
    elapsedMs: [] as number[],
    cpuMs: [] as number[],
  }));
  for (let n = 0; n <= STARTS; n++) {
    for (const { name, elapsedMs, cpuMs } of starts) {
      await using begun = await begin(programs[name]);
      if (n === 0) continue;
      elapsedMs.push(begun.elapsedMs);
      cpuMs.push(begun.cpuMs);
    }
  }
  say(`each was started ${STARTS} times`);
  const text = table([
    ["until it listens", "ms", "min-max", "CPU ms", "min-max"],
    ...starts.map(({ name, elapsedMs, cpuMs }) => [
      name,
      ...[elapsedMs, cpuMs].flatMap((ms) => [
        figure(median(ms)),
        `${figure(Math.min(...ms))}-${figure(Math.max(...ms))}`,
      ]),
    ]),
    [
      "difference",
      figure(median(starts[0].elapsedMs) - median(starts[1].elapsedMs)),
      "",
      figure(median(starts[0].cpuMs) - median(starts[1].cpuMs)),
    ],
  ]);
  return { result: starts, print: () => text };
}
