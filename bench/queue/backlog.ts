/** Memory, speed, start-up and file of a server with many waiting messages, beside one with none. */
import type { Waits } from "../bystander.ts";
import { figure, median, megabytes, table } from "../figures.ts";
import type { Load } from "../load.ts";
import type { Findings } from "../parts.ts";
import { ask, cpuSecondsOf, type Memory, memoryOf, pause, ServerProcess } from "../process.ts";
import {
  countOf,
  drained,
  drainRate,
  endpointOf,
  KILOBYTE,
  measure,
  queueIn,
  REST_MS,
  say,
  type Settings,
} from "./measure.ts";

/** How often a server is started where that is timed. */
const STARTS = 3;

/** A backlog of mails of 4 KB, and one of 1 KB. */
export async function backlog(settings: Settings): Promise<Findings> {
  const backlogs: Backlog[] = [];
  for (const kilobytes of [4, 1]) backlogs.push(await backlogOf(kilobytes, settings));
  return { result: backlogs, print: () => textOf(backlogs, settings) };
}

type Backlog = Awaited<ReturnType<typeof backlogOf>>;

async function backlogOf(kilobytes: number, { messages, rounds, seconds, folder }: Settings) {
  const name = `${kilobytes} KB`;
  const octets = kilobytes * KILOBYTE;
  await using endpoint = await endpointOf(503);
  const [full, empty] = await Promise.all(
    ["full", "empty"].map(async (prefix) =>
      `${await Deno.makeTempDir({ dir: folder, prefix })}/queue.db`
    ),
  );
  const start = (path: string) =>
    ServerProcess.start({ folder, args: ["--url", endpoint.origin, ...queueIn(path)] });

  /** Starts and stops a server, several times, and reads the memory of one that has rested. */
  const rest = async (path: string) => {
    const times: { startMs: number; stopMs: number }[] = [];
    const memories: Memory[] = [];
    while (times.length < STARTS) {
      await using server = await start(path);
      if (memories.length === 0) {
        await pause(REST_MS);
        memories.push(memoryOf(server.pid));
      }
      times.push({ startMs: server.startMs, stopMs: await server.stop() });
    }
    return {
      startMs: median(times.map(({ startMs }) => startMs)),
      stopMs: median(times.map(({ stopMs }) => stopMs)),
      memory: memories[0],
    };
  };

  const none = await rest(full);
  // With one that waits, and is tried, all is loaded that a try takes; more of them add what they add.
  const one = await (async () => {
    await using server = await start(empty);
    const single = { connections: 1, warmUpSeconds: 0, until: { messages: 1 } };
    await measure(server, { octets, ...single });
    await server.stop();
    return await rest(empty);
  })();

  const fill = await (async () => {
    await using server = await start(full);
    const cost = await measure(server, { octets, warmUpSeconds: 0, until: { messages } });
    const memory = memoryOf(server.pid);
    await pause(REST_MS);
    const rested = memoryOf(server.pid);
    const running = sizesOf(full);
    await server.stop();
    return { ...cost, memory, rested, running, stopped: sizesOf(full) };
  })();
  say(`${name}: ${messages} messages wait, accepted at ${figure(fill.load.rate)} mails/s`);
  const many = await rest(full);

  await using server = await start(full);
  const bursts: { waiting: "none" | "many"; load: Load }[] = [];
  await (async () => {
    await using other = await start(empty);
    for (let round = 0; round < rounds; round++) {
      for (const [waiting, burdened] of [["none", other], ["many", server]] as const) {
        const { load } = await measure(burdened, { octets, until: { seconds } });
        bursts.push({ waiting, load });
        say(`${name}, ${waiting} waiting: ${figure(load.rate)} mails/s`);
      }
    }
  })();
  const loads = (which: "none" | "many") =>
    bursts.filter(({ waiting }) => waiting === which).map(({ load }) => load);
  const rateOf = (which: "none" | "many") => median(loads(which).map(({ rate }) => rate));

  const waiting = [fill.load, ...loads("many")]
    .reduce((sum, { acceptedInAll }) => sum + acceptedInAll, 0);
  const before = { count: await countOf(endpoint), cpuSeconds: cpuSecondsOf(server.pid) };
  await fetch(`${endpoint.origin}/bench/status/200`);
  const bystander = ask<Waits>("bystander.ts", String(server.port), String(seconds));
  const marks = await drained(endpoint, before.count + waiting);
  const memory = memoryOf(server.pid);
  const cpuSeconds = cpuSecondsOf(server.pid) - before.cpuSeconds;
  await pause(REST_MS);
  const rested = memoryOf(server.pid);
  const running = sizesOf(full);
  await server.stop();
  const drain = {
    messages: waiting,
    seconds: (marks.at(-1)!.ms - marks[0].ms) / 1000,
    rate: drainRate(marks, 0, 1),
    firstTenthRate: drainRate(marks, 0, 0.1),
    lastTenthRate: drainRate(marks, 0.9, 1),
    cpuMsEach: cpuSeconds * 1000 / waiting,
    waits: await bystander,
    ...{ memory, rested, running, stopped: sizesOf(full) },
  };
  say(`${name}: drained at ${figure(drain.rate)} messages/s`);
  const rates = { none: rateOf("none"), many: rateOf("many") };
  return { name, none, one, fill, many, bursts, rates, drain };
}

/** Octets of the files of a queue. */
interface Sizes {
  readonly file: number;
  /** Of the write-ahead log. */
  readonly log: number;
}

function sizesOf(path: string): Sizes {
  const [file, log] = [path, `${path}-wal`].map((path) => {
    try {
      return Deno.statSync(path).size;
    } catch {
      return 0;
    }
  });
  return { file, log };
}

/** Mails a second in the first or the last fifth of a load, in whole seconds. */
function fifth({ bySecond }: Load, which: "first" | "last"): number {
  const length = Math.max(1, Math.floor(bySecond.length / 5));
  // The last second is not a whole one.
  const some = which === "first" ? bySecond.slice(0, length) : bySecond.slice(-length - 1, -1);
  return some.reduce((sum, count) => sum + count, 0) / some.length;
}

function textOf(backlogs: readonly Backlog[], { messages }: Settings): string {
  const memory = ({ resident, anonymous }: Memory) =>
    `${megabytes(resident)} (${megabytes(anonymous)})`;
  const sizes = ({ file, log }: Sizes) => `${megabytes(file)} + ${megabytes(log)}`;
  const rows: readonly [what: string, of: (backlog: Backlog) => string][] = [
    ["memory at rest, 0 waiting", ({ none }) => memory(none.memory)],
    ["memory at rest, 1 waiting", ({ one }) => memory(one.memory)],
    ["memory at rest, many waiting", ({ many }) => memory(many.memory)],
    [
      "  many less 1",
      ({ one, many }) =>
        memory({
          resident: many.memory.resident - one.memory.resident,
          anonymous: many.memory.anonymous - one.memory.anonymous,
          peak: NaN,
        }),
    ],
    ["memory once filled", ({ fill }) => memory(fill.memory)],
    ["  after a rest", ({ fill }) => memory(fill.rested)],
    ["memory once drained", ({ drain }) => memory(drain.memory)],
    ["  after a rest", ({ drain }) => memory(drain.rested)],
    ["  at its peak", ({ drain }) => megabytes(drain.memory.peak)],
    ["start until listening, 0 waiting, ms", ({ none }) => figure(none.startMs)],
    ["start until listening, 1 waiting, ms", ({ one }) => figure(one.startMs)],
    ["start until listening, many waiting, ms", ({ many }) => figure(many.startMs)],
    ["stop, many waiting, ms", ({ many }) => figure(many.stopMs)],
    ["filled, mails/s", ({ fill }) => figure(fill.load.rate)],
    ["  in the first fifth", ({ fill }) => figure(fifth(fill.load, "first"))],
    ["  in the last fifth", ({ fill }) => figure(fifth(fill.load, "last"))],
    ["  refused", ({ fill }) => figure(fill.load.refused)],
    ["accepted, few waiting, mails/s", ({ rates }) => figure(rates.none)],
    ["accepted, many waiting, mails/s", ({ rates }) => figure(rates.many)],
    ["  ratio", ({ rates }) => figure(rates.many / rates.none)],
    ["drained, messages", ({ drain }) => figure(drain.messages)],
    ["  messages/s", ({ drain }) => figure(drain.rate)],
    ["  in the first tenth", ({ drain }) => figure(drain.firstTenthRate)],
    ["  in the last tenth", ({ drain }) => figure(drain.lastTenthRate)],
    ["  CPU ms/message", ({ drain }) => figure(drain.cpuMsEach)],
    ["  a NOOP meanwhile, p99 ms", ({ drain }) => figure(drain.waits.p99)],
    ["  a NOOP meanwhile, max ms", ({ drain }) => figure(drain.waits.max)],
    ["file + log once filled", ({ fill }) => sizes(fill.running)],
    ["  once stopped", ({ fill }) => sizes(fill.stopped)],
    ["file + log once drained", ({ drain }) => sizes(drain.running)],
    ["  once stopped", ({ drain }) => sizes(drain.stopped)],
  ];
  const lines = table([
    [`many is ${figure(messages)}`, ...backlogs.map(({ name }) => name)],
    ...rows.map(([what, of]) => [what, ...backlogs.map(of)]),
  ]);
  return `${lines}\nmemory is resident, and of that anonymous in parentheses`;
}
