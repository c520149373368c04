/**
 * Tries the properties of `properties.ts` for as long as it is told to, evenly, and keeps each input for
 * which one does not hold in `tests/findings/`, where `properties_test.ts` finds it.
 *
 * ```sh
 * deno task fuzz --minutes 10
 * ```
 *
 * It exits with 0 where nothing was found, with 1 where something was, with 2 where it cannot use its
 * arguments. SIGINT ends it early, and it says what it has done.
 */
import { FINDINGS, keep } from "./finding.ts";
import type { Failure, Task, Told } from "./fuzz_worker.ts";
import type { Property } from "./property.ts";

/** Milliseconds of one property's turn, if there is time for that. */
const TURN_MS = 500;

/** In how many parts it is waited for an input. */
const PATIENCE_PARTS = 10;

/** What is done, and where things are. */
export interface Plan {
  /** For how long, in all. */
  readonly milliseconds: number;
  /** The same seed gives the same inputs, as many as there is time for. */
  readonly seed: number;
  /** The file that exports `properties`. */
  readonly module: URL;
  /** Where findings are kept. */
  readonly folder: URL;
  /** Milliseconds for one input before it is given up and kept. */
  readonly patienceMs: number;
  /** Ends it early. */
  readonly stop: AbortSignal;
  /** Takes each line that is said. */
  readonly say: (line: string) => void;
}

/** Tries all properties; says how often each was tried, and gives the names of the files it kept. */
export async function fuzz(plan: Plan): Promise<readonly string[]> {
  const { milliseconds, seed, module, folder, stop, say } = plan;
  const { properties } = await import(module.href) as { properties: readonly Property[] };
  const tallies = properties.map(({ name }) => ({ name, runs: 0, kept: "" }));
  // Short turns, so that all have had the same where it is ended early.
  const rounds = Math.ceil(milliseconds / (TURN_MS * tallies.length));
  const turn = { module: module.href, milliseconds: milliseconds / (rounds * tallies.length) };
  const start = performance.now();
  say(`${tallies.length} properties for ${milliseconds / 1_000} s with seed ${seed}`);
  let tester = new Tester(plan);
  for (let round = 0; round < rounds; round++) {
    for (const [index, tally] of tallies.entries()) {
      if (stop.aborted || tally.kept !== "") continue;
      if (tester.isEnded) tester = new Tester(plan);
      const { runs, failure } = await tester.run({ ...turn, index, seed: (seed + round) | 0 });
      tally.runs += runs;
      if (failure === null) continue;
      tally.kept = await keep({ property: tally.name, ...failure }, folder);
      say(`${tally.name}: ${failure.seen}`);
    }
  }
  tester.end();
  const seconds = Math.round((performance.now() - start) / 1_000);
  const count = (runs: number) => runs.toLocaleString("en").padStart(12);
  for (const { name, runs, kept } of tallies) {
    say(`${count(runs)} ${name}${kept && `: failed, see ${kept}`}`);
  }
  const all = tallies.reduce((sum, { runs }) => sum + runs, 0);
  const kept = tallies.map(({ kept }) => kept).filter((name) => name !== "");
  const result = kept.length === 0 ? "all held" : `${kept.length} of ${tallies.length} failed`;
  say(`${count(all)} runs in ${seconds} s: ${result}`);
  return kept;
}

/** A worker, until an input keeps it for too long. */
class Tester {
  readonly #worker = new Worker(new URL("fuzz_worker.ts", import.meta.url), { type: "module" });
  readonly #plan: Plan;
  /** Whether it has to be replaced. */
  isEnded = false;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Tries one property for one turn; `runs` is how many inputs were tried. */
  async run(task: Task): Promise<{ readonly runs: number; readonly failure: Failure | null }> {
    const { patienceMs, stop } = this.#plan;
    const { promise, resolve, reject } = Promise.withResolvers<Told & { kind: "done" }>();
    let runs = 0;
    let failure: Failure | null = null;
    this.#worker.onmessage = ({ data }: MessageEvent<Told>) => {
      if (data.kind === "done") return resolve(data);
      runs++;
      failure = { input: data.input, seen: `not done after ${patienceMs} ms` };
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`Cannot try properties: ${event.message}`));
    };
    const giveUp = () => {
      this.end();
      resolve({ kind: "done", runs, failure: stop.aborted ? null : failure });
    };
    // Counted in parts, as one late look tells nothing where this thread had no time to hear.
    let seen = 0;
    let quietParts = 0;
    const watch = setInterval(() => {
      // Before the first input the properties are loaded, which is no fault of theirs.
      quietParts = runs > 0 && runs === seen ? quietParts + 1 : 0;
      seen = runs;
      if (quietParts === PATIENCE_PARTS) giveUp();
    }, patienceMs / PATIENCE_PARTS);
    stop.addEventListener("abort", giveUp);
    this.#worker.postMessage(task);
    try {
      return await promise;
    } finally {
      clearInterval(watch);
      stop.removeEventListener("abort", giveUp);
    }
  }

  /** Ends the worker; one that is never done goes on until the process ends (Deno 2.9.6). */
  end(): void {
    this.isEnded = true;
    this.#worker.terminate();
  }
}

const USAGE = "Usage: deno task fuzz [--minutes NUMBER | --seconds NUMBER] [--seed INTEGER]";

/** The arguments; null where they are none. */
export function read(words: readonly string[]): Pick<Plan, "milliseconds" | "seed"> | null {
  let milliseconds = 60_000;
  let seed = Math.floor(Math.random() * 2 ** 31);
  for (let at = 0; at < words.length; at += 2) {
    const [name, word = ""] = words.slice(at, at + 2);
    if (!/^\d{1,9}(?:\.\d+)?$/.test(word)) return null;
    const value = Number(word);
    if (name === "--minutes") milliseconds = value * 60_000;
    else if (name === "--seconds") milliseconds = value * 1_000;
    else if (name === "--seed" && Number.isInteger(value)) seed = value;
    else return null;
  }
  return milliseconds > 0 ? { milliseconds, seed } : null;
}

if (import.meta.main) {
  if (Deno.args.includes("--help")) {
    console.log(USAGE);
    Deno.exit(0);
  }
  const asked = read(Deno.args);
  if (asked === null) {
    console.error(USAGE);
    Deno.exit(2);
  }
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stopping.abort());
  }
  const kept = await fuzz({
    ...asked,
    module: new URL("properties.ts", import.meta.url),
    folder: FINDINGS,
    patienceMs: 5_000,
    stop: stopping.signal,
    say: console.log,
  });
  Deno.exit(kept.length === 0 ? 0 : 1);
}
