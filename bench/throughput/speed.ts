/**
 * The speed of each subject under each load, in turn: server, endpoint and load are processes of
 * their own, new ones for each run. In the last round a server is left alone after its load, while
 * others are measured, and its memory is read after that rest.
 */
import type { Load } from "../load.ts";
import { ask, cpuSecondsOf, forgetPeak, memoryOf, pause } from "../process.ts";
import { drained, endpointOf, orderOf, say } from "../queue/measure.ts";
import { figure } from "../figures.ts";
import { type Case, orderFor, type Subject } from "./cases.ts";
import { loadBySmtpSource } from "./smtp_source.ts";
import { start } from "./subject.ts";

/** What the benchmark obeys. */
export interface Settings {
  readonly subjects: readonly Subject[];
  readonly cases: readonly Case[];
  /** How often each is measured. */
  readonly rounds: number;
  /** How long each measurement takes at least, without its warm-up. */
  readonly seconds: number;
  /** How long a server rests before its memory is read again. */
  readonly restSeconds: number;
  /** What makes the load. */
  readonly load: "own" | "smtp-source";
  /** A folder of its own, on the disk that is meant. */
  readonly folder: string;
}

/** One measurement. */
export interface Run {
  readonly load: Load;
  /** CPU time of the server for a thousand accepted mails, all of them delivered, in seconds. */
  readonly cpuSecondsPerThousand: number;
  /** How long after the load the endpoint had all mails. */
  readonly drainSeconds: number;
  /** Resident memory before the load, in octets. */
  readonly idle: number;
  /** The most resident memory from the load until all was delivered, in octets. */
  readonly peak: number;
}

/** What came of a subject under one load. */
export interface Result {
  readonly at: Case;
  readonly subject: Subject;
  readonly runs: readonly Run[];
  /** Resident memory after the last run and a rest, in octets; null where that cannot be told. */
  readonly rested: number | null;
  /** Why a run failed, and no other was tried; null where all went well. */
  readonly failure: string | null;
}

/** For so long a server settles before its idle memory is read. */
const SETTLE_MS = 1_000;

/** A run, and the processes that are left of it. */
interface Ended {
  readonly run: Run;
  readonly pid: number;
  readonly processes: AsyncDisposableStack;
}

async function runOf(subject: Subject, at: Case, settings: Settings): Promise<Ended> {
  await using processes = new AsyncDisposableStack();
  const endpoint = processes.use(await endpointOf(200));
  const { pid, port } = processes.use(await start(subject, endpoint.origin, settings.folder));
  await pause(SETTLE_MS);
  const idle = memoryOf(pid).resident;
  forgetPeak(pid);
  const before = cpuSecondsOf(pid);
  const load = await send(at, port, settings);
  const endedMs = performance.now();
  if (subject !== "sink") await drained(endpoint, load.acceptedInAll);
  const cpuSeconds = cpuSecondsOf(pid) - before;
  const run = {
    load,
    cpuSecondsPerThousand: cpuSeconds / load.acceptedInAll * 1000,
    drainSeconds: (performance.now() - endedMs) / 1000,
    idle,
    peak: memoryOf(pid).peak,
  };
  return { run, pid, processes: processes.move() };
}

function send(at: Case, port: number, { load, seconds }: Settings): Promise<Load> {
  const order = orderOf(port, { ...orderFor(at), until: { seconds } });
  return load === "own" ? ask<Load>("load.ts", order) : loadBySmtpSource(JSON.parse(order));
}

/** Leaves a server alone, and gives its resident memory then. */
async function rest({ pid, processes }: Ended, seconds: number): Promise<number> {
  await using _ = processes;
  await pause(seconds * 1000);
  return memoryOf(pid).resident;
}

/** Measures each case: one round after the other, and in each round the subjects in turn. */
export async function speed(settings: Settings): Promise<Result[]> {
  const results: Promise<Result>[] = [];
  for (const at of settings.cases) results.push(...await caseOf(at, settings));
  return await Promise.all(results);
}

async function caseOf(at: Case, settings: Settings): Promise<Promise<Result>[]> {
  const { subjects, rounds, restSeconds } = settings;
  const soFar = subjects.map((subject) => ({
    subject,
    runs: [] as Run[],
    rested: Promise.resolve<number | null>(null),
    failure: null as string | null,
  }));
  for (let round = 1; round <= rounds; round++) {
    for (const one of soFar) {
      if (one.failure !== null) continue;
      const name = `${at.size}, ${at.connections} ${at.manner}, round ${round}, ${one.subject}`;
      try {
        const ended = await runOf(one.subject, at, settings);
        one.runs.push(ended.run);
        say(`${name}: ${figure(ended.run.load.rate)} mails/s`);
        if (round === rounds) one.rested = rest(ended, restSeconds).catch(() => null);
        else await ended.processes.disposeAsync();
      } catch (error) {
        one.failure = (error as Error).message;
        say(`${name}: ${one.failure}`);
      }
    }
  }
  return soFar.map(async ({ rested, ...one }) => ({ at, ...one, rested: await rested }));
}

/** CPU time of the load by the time that it took: what comes near 1 says more about the load. */
export function shareOf({ cpuSeconds, elapsedSeconds }: Load): number {
  return cpuSeconds / elapsedSeconds;
}
