/** What came of the speed of all, as a table and as a plot. */
import { figure, median, megabytes, table } from "../figures.ts";
import type { Case } from "./cases.ts";
import { type Bar, type Panel, plot } from "./plot.ts";
import { type Result, type Run, shareOf } from "./speed.ts";

/** What is told of a run. */
const measures = {
  rate: ({ load }: Run) => load.rate,
  p50: ({ load }: Run) => load.latencyMs.p50,
  p99: ({ load }: Run) => load.latencyMs.p99,
  max: ({ load }: Run) => load.latencyMs.max,
  cpu: ({ cpuSecondsPerThousand }: Run) => cpuSecondsPerThousand,
  drain: ({ drainSeconds }: Run) => drainSeconds,
  idle: ({ idle }: Run) => idle,
  peak: ({ peak }: Run) => peak,
  loadShare: ({ load }: Run) => shareOf(load),
} as const;

type Measure = keyof typeof measures;

/** The middle of the rounds, and their extremes. */
function spreadOf({ runs }: Result, measure: Measure): Bar {
  const values = runs.map(measures[measure]);
  return { value: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/** The middle of the rounds' ratios to the peer: two of one round saw the same machine. */
function ratioToPeer(result: Result, results: readonly Result[], measure: Measure): number {
  const peer = results.find(({ at, subject }) => at === result.at && subject === "peer");
  const ratios = result.runs.flatMap((run, round) => {
    const other = peer?.runs[round];
    return other === undefined ? [] : [measures[measure](run) / measures[measure](other)];
  });
  return median(ratios);
}

const nameOf = ({ size, connections, manner }: Case) => `${size}, ${connections} ${manner}`;

/** A number, or nothing where there is none. */
const cell = (number: number, text: (number: number) => string = figure) =>
  Number.isFinite(number) ? text(number) : "";

const percent = (share: number) => `${Math.round(share * 100)} %`;

/** A row for each subject under each load. */
export function tableOf(results: readonly Result[]): string {
  const spread = (result: Result, measure: Measure) => {
    const { value, low, high } = spreadOf(result, measure);
    return [
      cell(value),
      Number.isFinite(low) ? `${figure(low)}-${figure(high)}` : "",
      cell(ratioToPeer(result, results, measure)),
    ];
  };
  const lines = table([
    [
      ...["mail, connections", "", "mails/s", "min-max", "ratio", "p50 ms", "p99 ms", "min-max"],
      ...["ratio", "max ms", "CPU s/1,000", "min-max", "ratio", "refused", "drained s"],
      ...["MB idle", "peak", "rested", "load's CPU"],
    ],
    ...results.map((result) => {
      const middle = (measure: Measure, text?: (number: number) => string) =>
        cell(spreadOf(result, measure).value, text);
      return [
        nameOf(result.at),
        result.subject,
        ...spread(result, "rate"),
        middle("p50"),
        ...spread(result, "p99"),
        middle("max"),
        ...spread(result, "cpu"),
        figure(result.runs.reduce((sum, { load }) => sum + load.refused, 0)),
        middle("drain"),
        ...[middle("idle", megabytes), middle("peak", megabytes)],
        result.rested === null ? "" : megabytes(result.rested),
        middle("loadShare", percent),
      ];
    }),
  ]);
  const failures = results.flatMap(({ at, subject, failure }) =>
    failure === null ? [] : [`${nameOf(at)}, ${subject} failed: ${failure.trim()}`]
  );
  return [lines, ...failures, ...NOTES].join("\n");
}

const NOTES = [
  "Medians of the rounds; ratios are to the peer, of the same round each, and their median.",
  "Times are of a whole mail as its client sees it: from MAIL, or with a connection each from before it is",
  "made, to the reply to the data. CPU is the server's, user and system, until all is delivered (drained).",
];

/** Mails a second and the 99th percentile of their times, a row of panels for each size. */
export function plotOf(results: readonly Result[]): string {
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const sizes = [...new Set(results.map(({ at }) => at.size))];
  const panel = (title: string, size: string, measure: Measure): Panel => {
    const cases = new Set(results.filter(({ at }) => at.size === size).map(({ at }) => at));
    return {
      title,
      groups: [...cases].map((at) => ({
        name: `${at.connections} ${at.manner}`,
        bars: subjects.map((wanted) => {
          const result = results.find((one) => one.at === at && one.subject === wanted);
          const bar = result === undefined ? undefined : spreadOf(result, measure);
          return bar !== undefined && Number.isFinite(bar.value) ? bar : null;
        }),
      })),
    };
  };
  return plot({
    title: "Throughput, and the time of 99 of 100 mails",
    note:
      "Medians of the rounds, with their extremes. Below: connections, kept or one for each mail.",
    legend: subjects,
    rows: sizes.map((size) => [
      panel(`${size}: mails a second`, size, "rate"),
      panel(`${size}: p99, milliseconds`, size, "p99"),
    ]),
  });
}
