/**
 * How fast and how small: `deno task bench:throughput [speed] [memory] [start]`, by default
 * `speed`, each in a file of its own in `throughput/`. This server without and with a queue and its
 * peer (`peer.ts`) are measured in turn. Compare figures of one run only, as ratios: all processes
 * share the machine with each other and with whatever else it does. Nothing is asserted. Linux
 * only.
 *
 * `speed` measures a selection of cases, about a quarter of an hour, or `--all` of them, more than
 * an hour; or else those that `--sizes 1KB,4KB,100KB,5MB`, `--connections N,N` and `--manner
 * kept,each` name, each of which is 4KB, 20 or kept where it is left out. `--rounds N`; `--seconds
 * N` of each measurement, more where mails are so slow that not every connection has had its
 * answer; `--rest SECONDS` before the memory is read again; `--load smtp-source` for that of
 * Postfix; `--svg FILE` for a plot. `--subjects no-queue,queue,peer` has two more: `bare`, which
 * forwards mails unread and so shows the limit of the runtime (`bare.ts`), and `sink`, which does
 * nothing and so shows that of the load. This server logs to a file, the peer not at all.
 *
 * `memory` obeys `--subjects`, `--rounds` and `--rest`. It and `start` compare with an empty
 * program; where SMTP_PIGEON_BIN names an executable, `--empty FILE` has to name one that was made
 * of that (`deno compile --no-config --no-lock --allow-net --output FILE
 * bench/throughput/empty.ts`).
 *
 * `--json`, and `--folder FOLDER` for queues and logs, on the disk that is meant. Exit code 0, 1
 * for failure, or 2 for usage.
 */
import { parseArgs } from "../tests/std.ts";
import { type Findings, measureParts } from "./parts.ts";
import {
  everything,
  manners,
  product,
  selection,
  type Size,
  sizes,
  subjects,
} from "./throughput/cases.ts";
import { memory } from "./throughput/memory.ts";
import { plotOf, tableOf } from "./throughput/report.ts";
import { type Settings, speed } from "./throughput/speed.ts";
import { startUp } from "./throughput/start_up.ts";

const parts = ["speed", "memory", "start"] as const;

interface Asked extends Settings {
  readonly parts: readonly (typeof parts[number])[];
  readonly svg: string | null;
  readonly empty: string | null;
  readonly isJson: boolean;
}

const USAGE = "Usage: deno task bench:throughput [speed] [memory] [start] [--all] [--sizes LIST] " +
  "[--connections LIST] [--manner LIST] [--subjects LIST] [--rounds N] [--seconds N] [--rest SECONDS] " +
  "[--load own|smtp-source] [--svg FILE] [--empty FILE] [--folder FOLDER] [--json]";

const presets = { rounds: "3", seconds: "4", rest: "60" };
const lists = {
  subjects: subjects.map((name) => name.replace(" ", "-")),
  sizes: Object.keys(sizes).map((name) => name.replace(" ", "")),
  connections: /^[1-9]\d{0,3}$/,
  manner: manners,
};
const texts = ["load", "svg", "empty", "folder"];
const switches = ["all", "json"];

/** What was asked for, or why that cannot be. */
function read(args: readonly string[]): Asked | string {
  const strings = [...Object.keys(presets), ...Object.keys(lists), ...texts];
  const { _: words, ...flags } = parseArgs(args, {
    string: strings,
    boolean: switches,
    collect: [],
  });
  const unknown = [
    ...words.filter((word) => !(parts as readonly unknown[]).includes(word)),
    ...Object.keys(flags).filter((name) => ![...strings, ...switches].includes(name)),
  ];
  if (unknown.length > 0) return `Cannot use ${JSON.stringify(unknown[0])}: no such option`;
  for (const name of Object.keys(presets)) {
    if (!/^\d{1,6}$/.test(String(flags[name] ?? 1)) || (name !== "rest" && flags[name] === "0")) {
      return `Cannot use --${name} ${JSON.stringify(flags[name])}: must be a positive integer`;
    }
  }
  for (const [name, known] of Object.entries(lists)) {
    for (const word of listOf(flags[name]) ?? []) {
      if (known instanceof RegExp ? known.test(word) : known.includes(word as never)) continue;
      const wanted = known instanceof RegExp ? "numbers from 1 to 9999" : known.join(", ");
      return `Cannot use --${name} ${JSON.stringify(word)}: must be of ${wanted}`;
    }
  }
  const load = flags.load ?? "own";
  if (load !== "own" && load !== "smtp-source") {
    return `Cannot use --load ${JSON.stringify(load)}: must be own or smtp-source`;
  }
  if (
    load === "smtp-source" &&
    listOf(flags.subjects)?.some((name) => ["bare", "sink"].includes(name))
  ) {
    return "Cannot use --load smtp-source: bare and sink take only commands that come together";
  }
  const isExecutable = Deno.env.get("SMTP_PIGEON_BIN") !== undefined;
  if (words.some((word) => word !== "speed") && isExecutable !== (flags.empty !== undefined)) {
    return "Cannot compare: --empty is for an executable that SMTP_PIGEON_BIN names, and wanted then";
  }
  const chosen = <Name extends string>(flag: keyof typeof lists, names: readonly Name[]) => {
    const list = listOf(flags[flag]);
    return list === null
      ? null
      : names.filter((name) => list.includes(name.replace(" ", flag === "sizes" ? "" : "-")));
  };
  const wanted = {
    sizes: chosen("sizes", Object.keys(sizes) as Size[]),
    connections: listOf(flags.connections)?.map(Number) ?? null,
    manners: chosen("manner", manners),
  };
  const isNarrowed = Object.values(wanted).some((list) => list !== null);
  if (isNarrowed && flags.all) return "Cannot use --all: some cases are selected by other options";
  const text = (name: string) => flags[name] === undefined ? null : String(flags[name]);
  const number = (name: keyof typeof presets) => Number(flags[name] ?? presets[name]);
  return {
    parts: words.length === 0 ? ["speed"] : parts.filter((part) => words.includes(part)),
    subjects: chosen("subjects", subjects) ?? ["no queue", "queue", "peer"],
    cases: isNarrowed
      ? product(
        wanted.sizes ?? ["4 KB"],
        wanted.connections ?? [20],
        wanted.manners ?? ["kept"],
      )
      : flags.all
      ? everything
      : selection,
    rounds: number("rounds"),
    seconds: number("seconds"),
    restSeconds: number("rest"),
    load,
    svg: text("svg"),
    empty: text("empty"),
    folder: text("folder") ?? "/tmp",
    isJson: flags.json === true,
  };
}

/** The words of a list; null where there is none. */
function listOf(value: unknown): string[] | null {
  return value === undefined ? null : String(value).split(",");
}

async function measure(part: typeof parts[number], asked: Asked): Promise<Findings> {
  switch (part) {
    case "speed": {
      const result = await speed(asked);
      if (asked.svg !== null) await Deno.writeTextFile(asked.svg, plotOf(result));
      return { result, print: () => tableOf(result) };
    }
    case "memory":
      return await memory(asked);
    case "start":
      return await startUp(asked);
  }
}

if (import.meta.main) Deno.exit(await measureParts(read(Deno.args), USAGE, measure));
