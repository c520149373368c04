/** Accepted mails a second without a queue, with one, and with one whose endpoint is down, in turn. */
import { figure, median, table } from "../figures.ts";
import type { Load } from "../load.ts";
import type { Findings } from "../parts.ts";
import { ask, Neighbour, ServerProcess } from "../process.ts";
import {
  type Cost,
  countOf,
  drained,
  endpointOf,
  measure,
  orderOf,
  queueIn,
  say,
  type Settings,
} from "./measure.ts";

const ways = ["no queue", "queue", "queue, endpoint down"] as const;

type Way = typeof ways[number];

interface Run extends Cost {
  readonly way: Way;
  /** Mails of the load that the endpoint had when it ended. */
  readonly deliveredMeanwhile: number;
  /** How long it took until it had them all; null where it is down. */
  readonly drainedSeconds: number | null;
}

/** The most that this load can measure, and then each way, `rounds` times. */
export async function rates(settings: Settings): Promise<Findings> {
  const { rounds, seconds } = settings;
  const sink = await sinkLoad(seconds);
  say(`the sink takes ${figure(sink.rate)} mails/s, the most that this load can measure`);
  const runs: Run[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const way of ways) {
      const run = await runOf(way, settings);
      runs.push(run);
      say(`${way}, round ${round}: ${figure(run.load.rate)} mails/s`);
    }
  }
  const rateOf = (way: Way) =>
    median(runs.filter((run) => run.way === way).map(({ load }) => load.rate));
  const medians = Object.fromEntries(ways.map((way) => [way, rateOf(way)]));
  return { result: { sink, runs, medians }, print: () => textOf(runs, rateOf) };
}

async function sinkLoad(seconds: number): Promise<Load> {
  await using sink = await Neighbour.start("sink.ts");
  return await ask<Load>("load.ts", orderOf(sink.port, { until: { seconds } }));
}

async function runOf(way: Way, { seconds, folder }: Settings): Promise<Run> {
  const isDown = way === "queue, endpoint down";
  await using endpoint = await endpointOf(isDown ? 503 : 200);
  const path = `${await Deno.makeTempDir({ dir: folder })}/queue.db`;
  await using server = await ServerProcess.start({
    folder,
    args: ["--url", endpoint.origin, ...way === "no queue" ? [] : queueIn(path)],
  });
  const cost = await measure(server, { until: { seconds } });
  const overMs = performance.now();
  const deliveredMeanwhile = await countOf(endpoint);
  if (!isDown) await drained(endpoint, cost.load.acceptedInAll);
  const drainedSeconds = isDown ? null : (performance.now() - overMs) / 1000;
  return { ...cost, way, deliveredMeanwhile, drainedSeconds };
}

function textOf(runs: readonly Run[], rateOf: (way: Way) => number): string {
  const [without] = ways;
  return [
    table([
      [
        ...["4 KB, 20 connections", "mails/s", "p50 ms", "p99 ms", "max ms", "CPU ms/mail"],
        ...["refused", "delivered meanwhile", "all delivered after s"],
      ],
      ...runs.toSorted((a, b) => ways.indexOf(a.way) - ways.indexOf(b.way)).map((run) => {
        const { way, load, cpuMsEach, deliveredMeanwhile, drainedSeconds } = run;
        const { rate, latencyMs: { p50, p99, max }, refused, acceptedInAll } = load;
        return [
          way,
          ...[rate, p50, p99, max, cpuMsEach, refused].map(figure),
          `${Math.round(deliveredMeanwhile / acceptedInAll * 100)} %`,
          drainedSeconds === null ? "" : figure(drainedSeconds),
        ];
      }),
    ]),
    ...ways.map((way) =>
      `${way}: median ${figure(rateOf(way))} mails/s, ` +
      `${figure(rateOf(way) / rateOf(without))} of that without a queue`
    ),
  ].join("\n");
}
