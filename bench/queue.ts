/**
 * What the queue costs: `deno task bench:queue [rates] [waits] [backlog]`, by default all three, each in a
 * file of its own in `queue/`. Compare figures of one run only, as ratios: server, endpoint and load share
 * the machine with each other and with whatever else it does. Nothing is asserted. With 100,000 messages it
 * takes about half an hour. Linux only.
 *
 * `--rounds N`, `--seconds N` (of each measurement), `--messages N` (in the backlog), `--json`, and `--folder
 * FOLDER` for the queues, on the disk that is meant. Exit code 0, 1 for failure, or 2 for usage.
 */
import { parseArgs } from "../tests/std.ts";
import { measureParts } from "./parts.ts";
import { backlog } from "./queue/backlog.ts";
import type { Settings } from "./queue/measure.ts";
import { rates } from "./queue/rates.ts";
import { waits } from "./queue/waits.ts";

const parts = { rates, waits, backlog };

type Part = keyof typeof parts;

interface Asked extends Settings {
  readonly parts: readonly Part[];
  readonly isJson: boolean;
}

const USAGE = "Usage: deno task bench:queue [rates] [waits] [backlog] [--rounds N] [--seconds N] " +
  "[--messages N] [--folder FOLDER] [--json]";

/** What was asked for, or why that cannot be. */
function read(args: readonly string[]): Asked | string {
  const known = Object.keys(parts) as Part[];
  const presets = { rounds: "4", seconds: "6", messages: "100000" };
  const names = [...Object.keys(presets), "folder", "json"];
  const strings = names.filter((name) => name !== "json");
  const { _: words, json, folder, ...flags } = parseArgs(args, {
    string: strings,
    boolean: ["json"],
    collect: [],
  });
  const unknown = [
    ...words.filter((word) => !known.includes(word as Part)),
    ...Object.keys(flags).filter((name) => !names.includes(name)),
  ];
  if (unknown.length > 0) return `Cannot use ${JSON.stringify(unknown[0])}: no such option`;
  for (const [name, value] of Object.entries(flags)) {
    if (!/^[1-9]\d{0,8}$/.test(String(value))) {
      return `Cannot use --${name} ${JSON.stringify(value)}: must be an integer, at least 1`;
    }
  }
  const number = (name: keyof typeof presets) => Number(flags[name] ?? presets[name]);
  return {
    parts: known.filter((part) => words.length === 0 || words.includes(part)),
    rounds: number("rounds"),
    seconds: number("seconds"),
    messages: number("messages"),
    folder: folder === undefined ? "/tmp" : String(folder),
    isJson: json === true,
  };
}

if (import.meta.main) {
  Deno.exit(await measureParts(read(Deno.args), USAGE, (part: Part, asked) => parts[part](asked)));
}
