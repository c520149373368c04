/**
 * Hostile messages against the running program. The bounds are of the issue that asked for them: 5 s and
 * 300 MB for a message, and a second for the answer to anybody else meanwhile.
 */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { type Bomb, bombs } from "../bombs.ts";
import { Client } from "../client.ts";
import { Endpoint } from "../endpoint.ts";
import { assertWithin, inTime } from "../machine.ts";
import { Pigeon } from "../pigeon.ts";
import { isReadable, peakOf } from "../process.ts";

const MAX_MS = 5_000;
const MAX_WAIT_MS = 1_000;
const MAX_MEMORY = 300 * 1024 ** 2;

const TEMPLATE =
  `{"subject": {{json.subject}}, "body": {{json.body}}, "warnings": {{json.warnings}}}`;

/** Asks again and again until `isDone`, and gives the longest time that an answer took. */
async function longestWait(client: Client, isDone: () => boolean): Promise<number> {
  let longest = 0;
  while (!isDone()) {
    const start = performance.now();
    assertMatch(await client.ask("NOOP"), /^250 /);
    longest = Math.max(longest, performance.now() - start);
  }
  return longest;
}

/** Sends a bomb, and holds what the program makes of it, and what it takes for that, to the bounds. */
async function explode([message, body, ...warnings]: Bomb): Promise<void> {
  await using endpoint = new Endpoint();
  // Whoever asks all the while is one who may.
  const args = ["--url", endpoint.origin, "--template", TEMPLATE, "--max-commands", "1000000"];
  await using pigeon = await Pigeon.start(args);
  using client = await Client.connect(pigeon.port);
  using other = await Client.connect(pigeon.port);
  for (const one of [client, other]) assertMatch(await one.reply(), /^220 /);
  await client.startData();
  await client.send(message);

  const start = performance.now();
  let isDone = false;
  const end = message.endsWith("\r\n") ? "." : "\r\n.";
  const answer = client.ask(end).finally(() => isDone = true);
  const waited = await longestWait(other, () => isDone);
  assertMatch(await answer, /^250 /);
  const elapsed = performance.now() - start;
  const peak = isReadable ? peakOf(pigeon.pid) : 0;

  const { subject, ...read } = JSON.parse((await endpoint.request()).text);
  // What takes too long is read as received, so that comes first.
  assertWithin(elapsed, MAX_MS, "it took");
  assertEquals([subject, read.warnings.length], ["bomb", warnings.length]);
  assertMatch(read.body.slice(0, 2_000), body);
  assertWithin(waited, MAX_WAIT_MS, "others waited");
  assert(peak < MAX_MEMORY, `it took ${peak} octets of memory`);
}

for (const [name, bomb] of Object.entries(bombs)) {
  Deno.test(
    `the program delivers ${name} in 5 s and 300 MB, and answers others within a second`,
    () => inTime(() => explode(bomb)),
  );
}
