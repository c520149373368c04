/** A server with a queue: putting messages into it, and looking at what the tools say of it. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { Client } from "../client.ts";
import { invocation, type Pigeon, type Result, run } from "../pigeon.ts";

/** How long something may take before the test has failed, in milliseconds. */
const DEADLINE_MS = 20_000;

/** How long to wait before something is looked at again, in milliseconds. */
const BREATH_MS = 10;

/** Waits until something is so; throws what `what` says where it does not come to that. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: () => string,
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!await isSo()) {
    assert(performance.now() < deadline, `not so within ${DEADLINE_MS} ms: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, BREATH_MS));
  }
}

/** Runs a server that has to end by itself, and ends it where it does not. */
export async function failToStart(args: readonly string[]): Promise<Result> {
  const [command, ...before] = invocation;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), DEADLINE_MS);
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...before, "--port", "0", ...args],
    stdin: "null",
    signal: late.signal,
  }).output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Waits until the log of a server has so many lines that match, and gives the last of them. */
export async function told(pigeon: Pigeon, pattern: RegExp, count = 1): Promise<string> {
  const lines = () => pigeon.log.filter((line) => pattern.test(line));
  await until(
    () => lines().length >= count,
    () => `${lines().length} of ${count} lines are ${pattern} in:\n${pigeon.log.join("\n")}`,
  );
  return lines()[count - 1];
}

/** Waits until the log tells of a message what matches; gives the line. */
export async function toldOf(pigeon: Pigeon, id: string, pattern: RegExp): Promise<string> {
  return await told(pigeon, new RegExp(`^${id}: (?:${pattern.source})`));
}

/** A client that has said hello. */
export async function arrive({ port }: Pigeon): Promise<Client> {
  const client = await Client.connect(port);
  assertMatch(await client.reply(), /^220 /);
  assertMatch(await client.ask("EHLO me"), /^250 /);
  return client;
}

/** Asks a server to end, and holds that it does so in good order. */
export async function end(pigeon: Pigeon): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`the server goes on:\n${pigeon.log.join("\n")}`)),
    DEADLINE_MS,
  );
  try {
    assertEquals((await Promise.race([pigeon.stop(), late])).code, 0);
  } finally {
    clearTimeout(timer);
  }
}

/** Has a client leave, then a server end. */
export async function part(client: Client, pigeon: Pigeon): Promise<void> {
  // Whoever does not leave by itself is waited for.
  client.close();
  await end(pigeon);
}

/** A message of about so many octets; the least is its header. */
export function letter(subject: string, octets = 0): string {
  const line = `${"x".repeat(76)}\r\n`;
  return `Subject: ${subject}\r\n\r\n${line.repeat(Math.ceil(octets / line.length))}`;
}

/** Sends a message, and gives the reply to it. */
export async function submit(client: Client, mail: string): Promise<string> {
  await client.send("MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n");
  for (const reply of [/^250 /, /^250 /, /^354 /]) assertMatch(await client.reply(), reply);
  return await client.ask(`${mail}.`);
}

/** Sends a message that has to be queued, and gives its id. */
export async function enqueue(client: Client, mail: string): Promise<string> {
  const reply = await submit(client, mail);
  const [, id] = /^250 2\.0\.0 OK: queued \(([0-9a-f-]{36})\)$/.exec(reply) ?? [];
  assert(id !== undefined, reply);
  return id;
}

/** Sends a message for each subject, in order, and gives their ids. */
export async function enqueueAll(
  client: Client,
  subjects: readonly string[],
  octets = 0,
): Promise<string[]> {
  const ids: string[] = [];
  for (const subject of subjects) ids.push(await enqueue(client, letter(subject, octets)));
  return ids;
}

/** Words with a number each, from 1. */
export function numbered(word: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${word} ${at + 1}`);
}

/** Runs a tool that has to succeed, and gives what it prints. */
export async function tool(queue: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(["queue", ...args, "--queue", queue]);
  assertEquals([code, stderr], [0, ""], args.join(" "));
  return stdout;
}

/** One delivery, as `queue list --json` has it, as far as tests look at it. */
export interface Listed {
  readonly id: string;
  readonly state: "waiting" | "sending" | "dead";
  readonly attempts: number;
  /** When it is tried next (RFC 3339); null where it is dead. */
  readonly next: string | null;
  readonly last: { readonly reason: string } | null;
}

/** What waits in a queue, and what is dead in it, in the order in which it came. */
export async function listed(queue: string): Promise<Listed[]> {
  const lines = (await tool(queue, "list", "--json")).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}
