/**
 * How long someone else's NOOP waits while mails are accepted as fast as they come, and how long of it
 * node:sqlite holds the event loop: of all that a process does only its own part can be told apart from what
 * the machine does to it.
 */
import type { Waits } from "../bystander.ts";
import { figure, table } from "../figures.ts";
import type { Held } from "../held.ts";
import type { Load } from "../load.ts";
import type { Findings } from "../parts.ts";
import { ask, pause, ServerProcess } from "../process.ts";
import {
  endpointOf,
  KILOBYTE,
  measure,
  MEGABYTE,
  queueIn,
  say,
  type Settings,
  WARM_UP_SECONDS,
} from "./measure.ts";

/** What the bystander stands beside. */
interface Scene {
  readonly name: string;
  readonly hasQueue: boolean;
  readonly status: 200 | 503;
  /** Octets of the mails; null where there are none. */
  readonly octets: number | null;
}

const scenes: readonly Scene[] = [
  { name: "nothing", hasQueue: false, status: 200, octets: null },
  ...([[MEGABYTE, "1 MB"], [4 * KILOBYTE, "4 KB"]] as const).flatMap(([octets, size]) => [
    { name: `${size}, no queue`, hasQueue: false, status: 200, octets } as const,
    { name: `${size}, queue`, hasQueue: true, status: 200, octets } as const,
    { name: `${size}, queue, endpoint down`, hasQueue: true, status: 503, octets } as const,
  ]),
];

interface Row {
  readonly name: string;
  readonly waits: Waits;
  readonly held: Held | null;
  readonly load: Load | null;
}

/** Looks at each scene. */
export async function waits(settings: Settings): Promise<Findings> {
  const rows: Row[] = [];
  for (const scene of scenes) {
    const row = await look(scene, settings);
    rows.push(row);
    say(`beside ${row.name}: a NOOP waits ${figure(row.waits.max)} ms at most`);
  }
  return { result: rows, print: () => textOf(rows) };
}

async function look(
  { name, hasQueue, status, octets }: Scene,
  { seconds, folder }: Settings,
): Promise<Row> {
  await using endpoint = await endpointOf(status);
  const path = `${await Deno.makeTempDir({ dir: folder })}/queue.db`;
  await using server = await ServerProcess.start({
    folder,
    args: ["--url", endpoint.origin, ...hasQueue ? queueIn(path) : []],
    preload: hasQueue ? "held.ts" : undefined,
  });
  const heldSince = async (number: number): Promise<Held> => {
    server.signal("SIGUSR2");
    return JSON.parse((await server.logged(new RegExp(`^held ${number}: (.*)$`, "m")))[1]);
  };
  // A second more, since the bystander takes a moment to start.
  const loading = octets === null
    ? Promise.resolve(null)
    : measure(server, { octets, until: { seconds: seconds + 1 } });
  if (octets !== null) await pause(WARM_UP_SECONDS * 1000);
  if (hasQueue) await heldSince(1);
  const waits = await ask<Waits>("bystander.ts", String(server.port), String(seconds));
  const held = hasQueue ? await heldSince(2) : null;
  const cost = await loading;
  return { name, waits, held, load: cost?.load ?? null };
}

function textOf(rows: readonly Row[]): string {
  return table([
    [
      ...["a NOOP beside", "mails/s", "refused", "NOOPs", "p50 ms", "p99 ms", "max ms"],
      ...["database: longest call ms", "in one turn ms", "ms/s", "that call"],
    ],
    ...rows.map(({ name, waits: { count, p50, p99, max }, held, load }) => [
      name,
      ...load === null ? ["", ""] : [load.rate, load.refused].map(figure),
      ...[count, p50, p99, max].map(figure),
      ...held === null ? [] : [
        ...[held.callMs, held.turnMs, held.sumMs / held.elapsedMs * 1000].map(figure),
        held.call,
      ],
    ]),
  ]);
}
