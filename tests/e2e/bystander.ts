/**
 * Someone else, who says NOOP all the time while a server is attacked. It lives in a worker, so
 * that it does not wait for the attackers' thread: it is told the port, then to leave, and tells
 * how long an answer took at most.
 */
import { assertMatch } from "../assert.ts";
import { Client } from "../client.ts";

/** What a bystander has seen. */
export interface Report {
  /** The longest that an answer took, in milliseconds. */
  readonly slowestMs: number;
}

/** How long it thinks between two commands, in milliseconds. */
const BREATH_MS = 20;

const worker = globalThis as unknown as Worker;
let leaves = false;

worker.onmessage = async ({ data: port }: MessageEvent<number>) => {
  worker.onmessage = () => void (leaves = true);
  using client = await Client.connect(port);
  assertMatch(await client.reply(), /^220 /);
  worker.postMessage("here");
  let slowestMs = 0;
  do {
    const start = performance.now();
    assertMatch(await client.ask("NOOP"), /^250 /);
    slowestMs = Math.max(slowestMs, performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, BREATH_MS));
  } while (!leaves);
  assertMatch(await client.ask("QUIT"), /^221 /);
  const report: Report = { slowestMs };
  worker.postMessage(report);
};
