/** What the parts of `bench:queue` have in common: their settings, a load and its cost, a drain. */
import type { Load, Order } from "../load.ts";
import { ask, cpuSecondsOf, Neighbour, pause, type ServerProcess } from "../process.ts";

/** What a part obeys. */
export interface Settings {
  /** How often what is compared is measured, in turn. */
  readonly rounds: number;
  /** How long each measurement takes, without its warm-up. */
  readonly seconds: number;
  /** Messages that wait in a backlog. */
  readonly messages: number;
  /** A folder of its own, on the disk that is meant. */
  readonly folder: string;
}

/** Clients that send at the same time. */
export const CONNECTIONS = 20;

/** Octets. */
export const [KILOBYTE, MEGABYTE] = [1024, 1024 ** 2];

/** For so long runtimes compile what is hot, in seconds. */
export const WARM_UP_SECONDS = 2;

/** How long a server rests before its memory is read, in milliseconds. */
export const REST_MS = 4_000;

/** How often an endpoint is asked how much it has, in milliseconds. */
const COUNT_MS = 100;

/** How long a drain may stand still, in milliseconds. */
const STUCK_MS = 60_000;

/** The order of a load as most of them are: kept connections, and mails of 4 KB. */
export function orderOf(port: number, order: Partial<Order>): string {
  return JSON.stringify(
    {
      port,
      connections: CONNECTIONS,
      octets: 4 * KILOBYTE,
      hasAttachment: false,
      warmUpSeconds: WARM_UP_SECONDS,
      until: { messages: 1 },
      messagesEach: null,
      ...order,
    } satisfies Order,
  );
}

/** A load that ended, and what it cost the server. */
export interface Cost {
  readonly load: Load;
  /** CPU time of the server for each accepted mail. */
  readonly cpuMsEach: number;
}

/** Puts a server under load. */
export async function measure(server: ServerProcess, order: Partial<Order>): Promise<Cost> {
  const before = cpuSecondsOf(server.pid);
  const load = await ask<Load>("load.ts", orderOf(server.port, order));
  const cpuMsEach = (cpuSecondsOf(server.pid) - before) * 1000 / load.acceptedInAll;
  return { load, cpuMsEach };
}

/** An endpoint that answers so. */
export function endpointOf(status: 200 | 503): Promise<Neighbour> {
  return Neighbour.start("endpoint.ts", String(status));
}

/** Options of a server with a queue that is never full. */
export function queueIn(path: string): string[] {
  return ["--queue", path, "--queue-max-size", "64G"];
}

/** Requests that an endpoint has taken so far. */
export async function countOf({ origin }: Neighbour): Promise<number> {
  return Number(await (await fetch(`${origin}/bench/count`)).text());
}

/** A moment of a drain, and the requests that the endpoint had taken by then. */
export interface Mark {
  readonly ms: number;
  readonly count: number;
}

/** Waits until an endpoint has so many requests, and gives how they came; throws where they do not. */
export async function drained(endpoint: Neighbour, count: number): Promise<Mark[]> {
  const marks: Mark[] = [{ ms: performance.now(), count: await countOf(endpoint) }];
  for (;;) {
    const last = marks.at(-1)!;
    if (last.count >= count) return marks;
    await pause(COUNT_MS);
    const mark = { ms: performance.now(), count: await countOf(endpoint) };
    if (mark.count > last.count) marks.push(mark);
    else if (mark.ms - last.ms > STUCK_MS) {
      throw new Error(`The drain stands still at ${last.count} of ${count}`);
    }
  }
}

/** Requests a second between two shares of a drain, from 0 to 1. */
export function drainRate(marks: readonly Mark[], from: number, to: number): number {
  const [first, last] = [from, to].map((share) => {
    const wanted = marks[0].count + share * (marks.at(-1)!.count - marks[0].count);
    return marks.find(({ count }) => count >= wanted)!;
  });
  return (last.count - first.count) / (last.ms - first.ms) * 1000;
}

/** Tells how far a benchmark is, where it is in nobody's way. */
export function say(line: string): void {
  console.error(line);
}
