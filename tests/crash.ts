/**
 * The crash test: mail at full speed to a server that is killed with `kill -9` at a random moment,
 * again and again, and each time started on the same queue file. At the end every message that was
 * answered 250 has reached the endpoint at least once, octet for octet, and none that was refused
 * has.
 *
 * `deno task crash [--rounds N] [--seed N]`, by default 20 rounds with a seed of its own; the
 * program is the one of pigeon.ts. The same seed makes the same choices, but what becomes of them
 * depends on how fast machine and program are. Exit code 0 where all is well, 1 where it is not, 2
 * for usage.
 */
import { Trial } from "./crash/trial.ts";
import { parseArgs } from "./std.ts";

/** Rounds after which the queue is left to drain, and all is compared. */
const CHECK_ROUNDS = 10;

/** Faults that are shown; more of them tell nothing new. */
const SHOWN_FAULTS = 20;

const USAGE = "Usage: deno task crash [--rounds N] [--seed N]";

/** What to try. */
interface Settings {
  readonly rounds: number;
  readonly seed: number;
}

/** Tries as many rounds; stops early where something is wrong. Gives the faults. */
export async function crash(
  { rounds, seed }: Settings,
  say: (line: string) => void,
): Promise<readonly string[]> {
  await using trial = await Trial.prepare(seed);
  for (let round = 1; round <= rounds && trial.faults.length === 0; round++) {
    await trial.crash();
    if (round % CHECK_ROUNDS !== 0 && round !== rounds) continue;
    await trial.check();
    say(trial.progress());
  }
  say(trial.summary());
  if (trial.faults.length > 0) say(`The queue and its logs are in ${await trial.keep()}`);
  return trial.faults;
}

/** What was asked for, or why that cannot be. */
function read(args: readonly string[]): Settings | string {
  const names = ["rounds", "seed"];
  const { _: words, ...flags } = parseArgs(args, { string: names, boolean: [], collect: [] });
  const unknown = [...words, ...Object.keys(flags).filter((name) => !names.includes(name))];
  if (unknown.length > 0) return `Cannot use ${JSON.stringify(unknown[0])}: no such option`;
  for (const [name, value] of Object.entries(flags)) {
    if (!/^[1-9]\d{0,8}$/.test(String(value))) {
      return `Cannot use --${name} ${JSON.stringify(value)}: must be an integer, at least 1`;
    }
  }
  const { rounds = "20", seed = crypto.getRandomValues(new Uint16Array(1))[0] + 1 } = flags;
  return { rounds: Number(rounds), seed: Number(seed) };
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  const settings = read(args);
  if (typeof settings === "string") {
    console.error(`${settings}\n${USAGE}`);
    return 2;
  }
  const { rounds, seed } = settings;
  console.log(`crash: ${rounds} rounds, seed ${seed}`);
  const faults = await crash(settings, console.log);
  for (const fault of faults.slice(0, SHOWN_FAULTS)) console.log(fault);
  if (faults.length > SHOWN_FAULTS) console.log(`and ${faults.length - SHOWN_FAULTS} more`);
  console.log(
    faults.length === 0
      ? "crash: passed"
      : `crash: failed: ${faults[0]}; again by deno task crash --rounds ${rounds} --seed ${seed}`,
  );
  return faults.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
