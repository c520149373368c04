/** Starts what is compared: the server without and with a queue, the peer, what only
 * forwards, the sink. */
import { Neighbour, ServerProcess } from "../process.ts";
import { queueIn } from "../queue/measure.ts";
import type { Subject } from "./cases.ts";

/** A process that takes mails. */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  /** Where it listens, on the loopback interface. */
  readonly port: number;
}

/** As much as any load here asks for. The peer has no such limits. */
const LIMITS = [
  ...["--max-connections", "10000", "--max-connections-per-address", "10000"],
  ...["--max-messages", "999999"],
];

/**
 * Starts one that delivers to `origin`; its log and its queue are in a folder of their own in
 * `folder`.
 */
export async function start(subject: Subject, origin: string, folder: string): Promise<Running> {
  switch (subject) {
    case "sink":
      return await Neighbour.start("sink.ts");
    case "peer":
    case "bare":
      return await Neighbour.start(`${subject}.ts`, origin);
    case "no queue":
    case "queue": {
      const own = await Deno.makeTempDir({ dir: folder });
      const queue = subject === "queue" ? queueIn(`${own}/queue.db`) : [];
      return await ServerProcess.start({
        folder: own,
        args: ["--url", origin, ...LIMITS, ...queue],
      });
    }
  }
}
