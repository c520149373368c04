/**
 * Someone else: a client in a process of its own that says NOOP all the while, and tells how long the answers
 * took. It is given a port and a time in seconds, and prints a `Waits`.
 */
import { quantile } from "./figures.ts";

/** How long answers to NOOP took, in milliseconds. */
export interface Waits {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** How long it thinks between two commands, in milliseconds. */
const BREATH_MS = 2;

/** NOOPs in one session, of which a server takes 100 commands in a row; then it comes anew. */
const NOOPS_EACH = 90;

async function wait(port: number, seconds: number): Promise<Waits> {
  const waits: number[] = [];
  const endMs = performance.now() + seconds * 1000;
  const buffer = new Uint8Array(1024);
  while (performance.now() < endMs) {
    using socket = await Deno.connect({ hostname: "127.0.0.1", port });
    const ask = async (line: string) => {
      await socket.write(new TextEncoder().encode(line));
      await socket.read(buffer);
    };
    await socket.read(buffer);
    await ask("EHLO bystander.example\r\n");
    for (let n = 0; n < NOOPS_EACH && performance.now() < endMs; n++) {
      const startMs = performance.now();
      await ask("NOOP\r\n");
      waits.push(performance.now() - startMs);
      await new Promise((resolve) => setTimeout(resolve, BREATH_MS));
    }
  }
  waits.sort((a, b) => a - b);
  return {
    count: waits.length,
    p50: quantile(waits, 0.5),
    p99: quantile(waits, 0.99),
    max: waits.at(-1) ?? NaN,
  };
}

if (import.meta.main) {
  const [port, seconds] = Deno.args.map(Number);
  console.log(JSON.stringify(await wait(port, seconds)));
}
