/**
 * The soak: the program as a process between clients of all kinds, good, slow and hostile, and an endpoint
 * that fails at times. At the end every message was POSTed exactly once or was refused, and memory and file
 * descriptors are back where they were when the program was warm.
 *
 * `deno task soak [--minutes N | --seconds N] [--seed N]`, by default one minute with a seed of its own; the
 * program is the one of pigeon.ts. The first quarter of the time warms the program up. After it, and again
 * at the end, everyone leaves and the program is measured at rest; in less than a minute nothing gets warm.
 * Where it has grown, another quarter follows, and one more: what leaks has grown each time.
 * Exit code 0 where all is well, 1 where it is not, 2 for usage.
 */
import { Pigeon } from "./pigeon.ts";
import { Chance } from "./soak/chance.ts";
import { Crowd } from "./soak/crowd.ts";
import { FickleEndpoint, TEMPLATE } from "./soak/endpoint.ts";
import { judge, type Verdict } from "./soak/judge.ts";
import { growth, median, megabytes, type Reading, readingOf } from "./soak/reading.ts";
import { MAX_SIZE } from "./soak/roles.ts";
import { parseArgs } from "./std.ts";

/** How long the endpoint may take, in seconds: several times as long as it takes when it answers at all. */
const TIMEOUT_S = 5;

/** How often to say how things are, in seconds. */
const PROGRESS_S = 10;

/**
 * How long to let the program rest before it is measured, in seconds. V8 collects its garbage when it has
 * had little to do for a while: 4 to 14 s after the last client had gone, when this was tried.
 */
const REST_S = 30;

/** The last seconds of a rest, over which the median is taken. */
const MEASURE_S = 5;

/** How long a program that has had one message rests, in seconds: its thread for large ones ends after 10. */
const FIRST_REST_S = 20;

/** Faults that are shown; more of them tell nothing new. */
const SHOWN_FAULTS = 20;

/** A soak with all its parts. */
class Soak implements AsyncDisposable {
  faults: string[] = [];
  readonly #endpoint: FickleEndpoint;
  readonly #pigeon: Pigeon;
  readonly #crowd: Crowd;
  readonly #chance: Chance;
  readonly #start = performance.now();

  private constructor(endpoint: FickleEndpoint, pigeon: Pigeon, chance: Chance) {
    this.#endpoint = endpoint;
    this.#pigeon = pigeon;
    this.#crowd = new Crowd(pigeon.port, chance.child());
    this.#chance = chance;
  }

  static async prepare(chance: Chance): Promise<Soak> {
    const endpoint = await FickleEndpoint.start(chance.child());
    const settings = {
      url: endpoint.origin,
      template: TEMPLATE,
      "max-size": MAX_SIZE,
      timeout: TIMEOUT_S,
    };
    const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    return new Soak(endpoint, await Pigeon.start(flags), chance);
  }

  /** Has everyone come for some time, and leave. */
  async load(seconds: number): Promise<void> {
    const timer = setInterval(() => this.#say("load"), PROGRESS_S * 1000);
    await this.#crowd.come(seconds);
    clearInterval(timer);
  }

  /** Lets the program come to rest, and measures it; null where that cannot be done. */
  async rest(seconds = REST_S): Promise<Reading | null> {
    const readings: Reading[] = [];
    for (let second = 1; second <= seconds; second++) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      // By now it is done with what clients left behind.
      if (second === seconds - 2 * MEASURE_S) this.#endpoint.hangUp();
      if (second % PROGRESS_S === 0) this.#say("rest");
      const reading = readingOf(this.#pigeon.pid);
      if (reading !== null && second > seconds - MEASURE_S) readings.push(reading);
    }
    const [first, ...others] = readings;
    return first === undefined ? null : median([first, ...others]);
  }

  /** Sends a message that must be accepted, and is large, so that the program starts its thread. */
  async sendOne(): Promise<void> {
    this.#endpoint.isKind = true;
    const { signal } = new AbortController();
    const [message] = await this.#crowd.visit("a big file", this.#chance.child(), signal);
    this.#endpoint.isKind = false;
    if (message?.verdict === "accepted") return;
    this.faults.push(`a good client, alone, is told "${message?.reply ?? ""}"`);
  }

  /** Ends the program and looks at all that has happened. */
  async finish(): Promise<void> {
    const { code } = await this.#pigeon.stop();
    this.#readLog();
    const { sent, faults } = this.#crowd;
    this.faults.unshift(...(code === 0 ? [] : [`the program ended with exit code ${code}`]));
    this.faults = this.faults.concat(
      faults,
      this.#endpoint.faults,
      judge(sent, this.#endpoint.posted),
    );
  }

  /** What came of each kind of client. */
  table(): string {
    const { sent, clients } = this.#crowd;
    const verdicts: Verdict[] = ["accepted", "refused", "unknown", "withdrawn"];
    const row = (name: string, clients: number, messages: typeof sent) => {
      const counts = verdicts.map((verdict) =>
        messages.filter((m) => m.verdict === verdict).length
      );
      return [name, ...[clients, messages.length, ...counts].map(String)];
    };
    const rows = [
      ["", "clients", "messages", ...verdicts],
      ...Array.from(clients).toSorted().map(([name, count]) =>
        row(name, count, sent.filter(({ role }) => role === name))
      ),
      row("all", clients.values().reduce((sum, count) => sum + count, 0), sent),
    ];
    return rows.map(([name, ...cells]) =>
      name.padEnd(18) + cells.map((cell) => cell.padStart(11)).join("")
    ).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pigeon[Symbol.asyncDispose]();
    await this.#endpoint.stop();
  }

  #say(phase: string): void {
    this.#readLog();
    const seconds = Math.round((performance.now() - this.#start) / 1000);
    const reading = readingOf(this.#pigeon.pid);
    const { open, sent } = this.#crowd;
    console.log([
      `${seconds} s`.padStart(6),
      phase,
      `${open} clients here`.padStart(15),
      `${sent.length} messages`.padStart(15),
      `${this.#endpoint.posted.length} POSTs`.padStart(12),
      reading === null ? "" : megabytes(reading).padStart(8),
      reading === null ? "" : `${reading.descriptors} descriptors`.padStart(16),
    ].join("  "));
  }

  /** Takes what the log says by now; a soak of hours would else keep it all. */
  #readLog(): void {
    const lines = this.#pigeon.log.splice(0);
    this.faults.push(...lines.filter((line) => /Internal error|^error: |panicked/.test(line)));
  }
}

const USAGE = "Usage: deno task soak [--minutes N | --seconds N] [--seed N]";

/** What was asked for, or why that cannot be. */
function read(args: readonly string[]): { seconds: number; seed: number } | string {
  const names = ["minutes", "seconds", "seed"];
  const { _: words, ...flags } = parseArgs(args, { string: names, boolean: [], collect: [] });
  const unknown = [...words, ...Object.keys(flags).filter((name) => !names.includes(name))];
  if (unknown.length > 0) return `Cannot use ${JSON.stringify(unknown[0])}: no such option`;
  for (const [name, value] of Object.entries(flags)) {
    if (!/^[1-9]\d{0,8}$/.test(String(value))) {
      return `Cannot use --${name} ${JSON.stringify(value)}: must be an integer, at least 1`;
    }
  }
  const { minutes, seconds, seed = crypto.getRandomValues(new Uint16Array(1))[0] + 1 } = flags;
  return {
    seconds: minutes === undefined && seconds === undefined
      ? 60
      : Number(minutes ?? 0) * 60 + Number(seconds ?? 0),
    seed: Number(seed),
  };
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
  const { seconds, seed } = settings;
  console.log(`soak: ${seconds} s under load, seed ${seed}`);
  await using soak = await Soak.prepare(new Chance(seed));

  // What the first message brings in is not what later ones leave behind: of the thread that ended last
  // Deno 2.9.6 keeps an eventfd and an epoll, until the next one ends.
  await soak.sendOne();
  const fresh = await soak.rest(FIRST_REST_S);
  await soak.load(seconds / 4);
  const warm = await soak.rest();
  await soak.load(seconds * 3 / 4);
  let end = await soak.rest();
  // How much of what is free the allocator gives back is chance; what leaks is there each time, and grows.
  for (let again = 0; again < 2 && hasGrown(fresh, warm, end); again++) {
    await soak.load(seconds / 4);
    end = await soak.rest();
  }
  await soak.sendOne();
  await soak.finish();

  console.log(soak.table());
  if (fresh === null || warm === null || end === null) {
    console.log(
      "Memory and file descriptors cannot be measured: no proc(5), or the program is gone",
    );
  } else {
    for (const [name, reading] of Object.entries({ fresh, warm, end })) {
      console.log(`${name}: ${megabytes(reading)}, ${reading.descriptors} descriptors`);
    }
    soak.faults.push(...growth(fresh, warm, end));
  }
  const faults = Array.from(
    Map.groupBy(soak.faults, (fault) => fault),
    ([fault, { length }]) => length === 1 ? fault : `${fault} (${length} times)`,
  );
  for (const fault of faults.slice(0, SHOWN_FAULTS)) console.log(fault);
  console.log(faults.length === 0 ? "soak: passed" : `soak: failed: ${summary(faults)}`);
  return faults.length === 0 ? 0 : 1;
}

const hasGrown = (fresh: Reading | null, warm: Reading | null, end: Reading | null) =>
  fresh !== null && warm !== null && end !== null && growth(fresh, warm, end).length > 0;

const summary = ([first, ...others]: readonly string[]) =>
  others.length === 0 ? first : `${first}, and ${others.length} more`;

if (import.meta.main) Deno.exit(await main(Deno.args));
