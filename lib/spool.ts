/** A queue in a file, from its opening to its closing. */
import { quote } from "./fault.ts";
import type { LaneOptions } from "./lane.ts";
import type { Courier } from "./mail.ts";
import { Queue, type QueueOptions } from "./queue.ts";
import { LIFETIME_MS, LONGEST_DELAY_MS } from "./retry.ts";
import { SteadyClock } from "./steady_clock.ts";

/** What a spool obeys and uses. */
export interface SpoolOptions
  extends
    Omit<LaneOptions, "store" | "clock" | "leaseMs" | "random">,
    Pick<QueueOptions, "routes"> {
  /** Octets that the messages may take, with all that is known of them. */
  readonly maxStoreOctets: number;
  /** Milliseconds that attempts under way get to end once it is to stop. */
  readonly graceMs: number;
  /** The time of day. */
  readonly now: () => Date;
}

/** A queue that is open. To dispose of it ends attempts under way, and leaves the rest for the next time. */
export interface Spool extends AsyncDisposable {
  /** Puts messages into it. */
  readonly courier: Courier;
}

/** No attempt takes so long, whatever it waits for. Who dies before that leaves no lease behind. */
const LEASE_MS = 24 * 60 * 60 * 1000;

/**
 * Opens the queue in a file, and delivers what is in it until `signal` is aborted. Rejects with an error
 * that names the file where it cannot be used.
 */
export async function openSpool(
  path: string,
  options: SpoolOptions,
  signal: AbortSignal,
): Promise<Spool> {
  const { maxStoreOctets, graceMs, now, uptimeMs, observe } = options;
  // Who has no queue needs no database.
  const { SqliteStore } = await import("./store/sqlite.ts");
  const clock = new SteadyClock(now, uptimeMs);
  const limits = { longestDelayMs: LONGEST_DELAY_MS, lifetimeMs: LIFETIME_MS };
  let store;
  try {
    store = SqliteStore.open(path, { maxOctets: maxStoreOctets, nowMs: clock.nowMs, ...limits });
  } catch (error) {
    throw new Error(`Cannot use --queue ${quote(path)}: it ${(error as Error).message}`);
  }
  observe({ kind: "queue", file: path, ...store.backlog });

  const [soon, atOnce] = [new AbortController(), new AbortController()];
  const queue = new Queue(
    { ...options, ...limits, store, clock, leaseMs: LEASE_MS, random: Math.random },
    { soon: soon.signal, now: atOnce.signal },
  );
  const running = queue.run();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    soon.abort();
    timer ??= setTimeout(() => atOnce.abort(), graceMs);
  };
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  return {
    courier: queue.courier,
    async [Symbol.asyncDispose]() {
      signal.removeEventListener("abort", stop);
      // Unless it was told to stop, and attempts have their time of grace: the server could not even start.
      if (!soon.signal.aborted) atOnce.abort();
      soon.abort();
      await running;
      clearTimeout(timer);
      await store.close();
    },
  };
}
