/**
 * The crash test: runs of the server on one queue file, each of which is killed, and the endpoint
 * that outlives them. Now and then a run is left alone until the queue is empty, and all that
 * clients were told is compared with what the endpoint has.
 */
import { Chance } from "../soak/chance.ts";
import { Entry, send } from "./client.ts";
import { MoodyEndpoint } from "./endpoint.ts";
import { judge, type Sent, VERDICTS } from "./ledger.ts";
import { letterOf, MAX_SIZE } from "./letter.ts";
import { type Moment, type Phase, PHASES, type Plan, Planner } from "./plan.ts";
import { QueueFile } from "./queue.ts";
import { Run } from "./server.ts";

/** How long to wait for what a phase waits for, which may never come, in milliseconds. */
const MAX_PHASE_MS = 2_000;

/** How long a queue may stand still while it drains before the test has failed, in milliseconds. */
const STANDSTILL_MS = 30_000;

/** How long clients may take to leave before the test has failed, in milliseconds. */
const LEAVE_MS = 30_000;

/** How often to look whether the queue is empty, in milliseconds. */
const LOOK_MS = 100;

/**
 * How large the file of a queue may be when it is empty, in octets. The program keeps a megabyte to
 * write into; what it forgets at each crash adds up.
 */
const MAX_EMPTY_OCTETS = 1_300_000;

/** What must never be in a log. */
const ALARM = /Internal error|Queue fault|^error: |panicked|Uncaught/;

/** A crash test with all its parts. */
export class Trial implements AsyncDisposable {
  /** All that is wrong so far, a sentence each. */
  readonly faults: string[] = [];
  /** Kills by the phase in which the server was. */
  readonly #kills = new Map<Phase, number>(PHASES.map((phase) => [phase, 0]));
  /** Runs that ended well before they could be killed. */
  #escapes = 0;
  readonly #seed: number;
  readonly #chance: Chance;
  readonly #planner: Planner;
  readonly #folder: string;
  readonly #queue: QueueFile;
  readonly #endpoint: MoodyEndpoint;
  readonly #counts = new Map<string, number>();
  readonly #totals = {
    ...{ messages: 0, octets: 0, posts: 0 },
    ...{ doubled: 0, duplicates: 0, outliving: 0, survivors: 0 },
  };
  /** Logs of the runs since the queue was last empty. */
  #logs: (readonly [run: number, log: readonly string[]])[] = [];
  /** Messages since then. */
  #sent: Sent[] = [];
  #runs = 0;
  /** The latest one. */
  #run: Run | null = null;
  #letters = 0;
  /** How long the last run took to listen, in milliseconds. */
  #startMs = 300;
  /** Called for each message that is accepted. */
  #accepted: () => void = () => {};

  private constructor(seed: number, folder: string) {
    this.#seed = seed;
    this.#chance = new Chance(seed);
    this.#planner = new Planner(this.#chance.child());
    this.#folder = folder;
    this.#queue = new QueueFile(`${folder}/queue.db`);
    this.#endpoint = new MoodyEndpoint(seed, this.#chance.child());
  }

  /** Begins with no queue. Everything random follows from `seed`, but for what hangs on time. */
  static async prepare(seed: number): Promise<Trial> {
    return new Trial(seed, await Deno.makeTempDir({ prefix: "smtp-pigeon-crash-" }));
  }

  /** Starts the server, has mail sent, and kills it. */
  async crash(): Promise<void> {
    const plan = this.#planner.next();
    const run = this.#start(plan.room);
    this.#endpoint.mood = plan.mood;
    const timer = setTimeout(() => this.#endpoint.mood = plan.later.mood, plan.later.afterMs);
    let phase: Phase | "ended" = "ended";
    const kill = (present: Phase) => {
      if (run.signal("SIGKILL")) phase = present;
    };
    if (plan.kill.kind === "part") {
      await pause(plan.kill.part * this.#startMs);
      kill(run.isListening ? "draining" : "starting");
    } else {
      await this.#load(run, plan, plan.kill, kill);
    }
    clearTimeout(timer);
    const { code, signal } = await run.ended;
    if (phase !== "ended" && signal === "SIGKILL") {
      this.#kills.set(phase, this.#kills.get(phase)! + 1);
    } else if (plan.phase === "stopping" && code === 0) {
      this.#escapes++;
    } else {
      this.faults.push(`run ${this.#runs} ended by itself: ${run.log.at(-1) ?? `code ${code}`}`);
    }
  }

  /** Lets a run deliver all that waits, and judges. */
  async check(): Promise<void> {
    const damage = await this.#queue.damage();
    this.faults.push(...damage.map((what) => `the file is damaged after a kill: ${what}`));
    this.#endpoint.mood = "kind";
    const run = this.#start(null);
    if (await run.port === null) {
      this.faults.push(`run ${this.#runs} does not listen: ${run.log.at(-1)}`);
    } else {
      await this.#drain();
      run.signal("SIGTERM");
    }
    const { code } = await run.ended;
    if (code !== 0) this.faults.push(`run ${this.#runs}, told to stop, ended with code ${code}`);
    this.#judge();
    this.#readLogs();
  }

  /** How things are, on a line. */
  progress(): string {
    const { messages, octets, posts, duplicates } = this.#totals;
    return [
      `${this.#runs} runs`.padStart(10),
      `${messages} messages`.padStart(16),
      `${this.#counts.get("accepted") ?? 0} accepted`.padStart(16),
      `${posts} POSTs`.padStart(14),
      `${duplicates} duplicates`.padStart(16),
      `${Math.round(octets / 1e6)} MB`.padStart(8),
    ].join("  ");
  }

  /** What came of it all. */
  summary(): string {
    const { messages, octets, posts, doubled, duplicates, outliving, survivors } = this.#totals;
    const verdicts = VERDICTS.map((verdict) => `${this.#counts.get(verdict) ?? 0} ${verdict}`);
    const kills = PHASES.map((phase) => `${this.#kills.get(phase)} while ${phase}`);
    return [
      `messages: ${messages} (${Math.round(octets / 1e6)} MB): ${verdicts.join(", ")}`,
      `kills: ${kills.join(", ")}; ${this.#escapes} stopped before they could be killed`,
      `POSTs: ${posts}; ${duplicates} duplicates of ${doubled} messages`,
      `delivered after a kill: ${outliving} accepted messages, ${survivors} without an answer`,
      `full: ${this.#counts.get("452") ?? 0} messages were answered 452`,
    ].join("\n");
  }

  /** Keeps the queue file and the logs since the queue was last empty; gives where. */
  async keep(): Promise<string> {
    for (const [run, log] of this.#logs) {
      await Deno.writeTextFile(`${this.#folder}/run-${run}.log`, log.join("\n") + "\n");
    }
    return this.#folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#run?.signal("SIGKILL");
    await this.#run?.ended;
    await this.#endpoint[Symbol.asyncDispose]();
    if (this.faults.length === 0) await Deno.remove(this.#folder, { recursive: true });
  }

  #start(room: number | null): Run {
    const number = ++this.#runs;
    const began = performance.now();
    const run = new Run([
      `--queue=${this.#queue.path}`,
      `--max-size=${MAX_SIZE}`,
      ...(room === null ? [] : [`--queue-max-size=${room}`]),
      ...this.#endpoint.flags(number),
    ]);
    this.#run = run;
    this.#logs.push([number, run.log]);
    void run.port.then((port) => {
      if (port !== null) this.#startMs = performance.now() - began;
    });
    return run;
  }

  /** Has mail sent, and kills the server at the moment that is planned. */
  async #load(run: Run, plan: Plan, moment: Moment, kill: (phase: Phase) => void): Promise<void> {
    const port = await run.port;
    if (port === null) return;
    let isOver = false;
    const entries: Entry[] = [];
    const next = () => {
      const letter = letterOf(this.#seed, ++this.#letters);
      const entry = new Entry(letter, () => this.#accepted());
      entries.push(entry);
      return entry;
    };
    const clients = Promise.all(Array.from({ length: plan.clients }, () => {
      return send({ port, chance: this.#chance.child(), next, isOver: () => isOver });
    }));
    const { phase } = plan;
    if (phase !== "accepting") await pause(plan.loadMs);
    if (phase === "draining") {
      isOver = true;
      const timer = setTimeout(() => {
        this.faults.push(`clients of run ${this.#runs} got no answer`);
        kill("draining");
      }, LEAVE_MS);
      await clients;
      clearTimeout(timer);
    }
    if (phase === "stopping") run.signal("SIGTERM");
    await this.#reach(moment, () => kill(phase));
    isOver = true;
    await clients;
    const isTight = plan.room !== null;
    this.#sent.push(...entries.map((entry) => entry.sent(this.#runs, isTight)));
  }

  /** Waits for a moment, and acts at once when it is there. */
  async #reach(moment: Moment, act: () => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const strike = () => {
      act();
      resolve();
    };
    const timer = setTimeout(strike, moment.kind === "time" ? moment.afterMs : MAX_PHASE_MS);
    let left = moment.kind === "time" ? Infinity : moment.count;
    const count = () => {
      if (--left === 0) strike();
    };
    if (moment.kind === "acceptance") this.#accepted = count;
    if (moment.kind === "post") this.#endpoint.heard = count;
    await promise;
    clearTimeout(timer);
    this.#accepted = this.#endpoint.heard = () => {};
  }

  /** Waits until the queue is empty, and has given its space back. */
  async #drain(): Promise<void> {
    await this.#queue.retry();
    let movedAt = performance.now();
    let least = Infinity;
    while (performance.now() - movedAt < STANDSTILL_MS) {
      const { messages, dead, fileSize } = await this.#queue.contents();
      if (dead > 0) {
        return void this.faults.push(`${dead} messages are dead, and none was rejected`);
      }
      if (messages === 0 && fileSize <= MAX_EMPTY_OCTETS) return;
      // Neither grows any more.
      const left = messages + fileSize;
      if (left < least) movedAt = performance.now();
      least = Math.min(least, left);
      await pause(LOOK_MS);
    }
    const { messages, fileSize } = await this.#queue.contents();
    this.faults.push(`the queue stands still at ${messages} messages in ${fileSize} octets`);
  }

  /** Compares what is known since the queue was last empty. */
  #judge(): void {
    const posted = this.#endpoint.takePosted();
    const judgement = judge(this.#sent, posted);
    this.faults.push(...this.#endpoint.faults.splice(0), ...judgement.faults);
    const totals = this.#totals;
    totals.messages += this.#sent.length;
    totals.octets += this.#sent.reduce((sum, { size }) => sum + size, 0);
    totals.posts += posted.length;
    for (const name of ["doubled", "duplicates", "outliving", "survivors"] as const) {
      totals[name] += judgement[name];
    }
    for (const { verdict, reply } of this.#sent) {
      this.#count(verdict);
      if (reply.startsWith("452 ")) this.#count("452");
    }
    this.#sent = [];
    // What proves nothing must not pass.
    if (!this.#counts.has("accepted")) this.faults.push("not one message was accepted");
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  #readLogs(): void {
    const alarms = this.#logs.flatMap(([run, log]) =>
      log.filter((line) => ALARM.test(line)).map((line) => `run ${run} logs: ${line}`)
    );
    this.faults.push(...alarms);
    // With a fault they are kept.
    if (this.faults.length === 0) this.#logs = [];
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
