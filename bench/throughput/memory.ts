/**
 * Resident memory: of an idle server beside a program that only listens, with many idle
 * connections, after many mails and after a large one.
 */
import { figure, median, megabytes, table } from "../figures.ts";
import type { Load, Order } from "../load.ts";
import { ask, forgetPeak, memoryOf, pause } from "../process.ts";
import { drained, endpointOf, orderOf, say } from "../queue/measure.ts";
import { type Subject, subjects } from "./cases.ts";
import type { Settings } from "./speed.ts";
import { begin, emptyProgram } from "./start_up.ts";
import { type Running, start } from "./subject.ts";

/** For so long a server settles before its memory is read, in milliseconds. */
const SETTLE_MS = 3_000;

/** Mails after which a server is warm, and connections that are many. */
const [MAILS, CONNECTIONS] = [10_000, 2_000];

/** A large mail, in octets; all take it without being told to. */
const LARGE = 10_000_000;

/** Connections that are made at once. */
const AT_ONCE = 100;

/** What is obeyed, and the executable of an empty program. */
type Wanted = Pick<Settings, "subjects" | "rounds" | "restSeconds" | "folder"> & {
  readonly empty: string | null;
};

/** What a server has once it has settled: before, at most, and after a rest, in octets. */
interface Change {
  readonly before: number;
  readonly peak: number;
  readonly rested: number;
}

/** What a server has, in octets. */
interface Footprint {
  readonly subject: Subject;
  /** Before its first client, in each round. */
  readonly idle: readonly number[];
  /** With one idle connection, and with many. */
  readonly connected: { readonly one: number; readonly many: number };
  /** Around many mails. */
  readonly mails: Change;
  /** Around a large mail with an attachment, the second one that it gets. */
  readonly attachment: Change;
  /** Around a large text, the second mail that it gets. */
  readonly text: Change;
}

/** Measures each subject, in turn. */
export async function memory(wanted: Wanted) {
  const among = subjects.filter((subject) =>
    subject !== "sink" && wanted.subjects.includes(subject)
  );
  const empty: number[] = [];
  const idle = new Map<Subject, number[]>(among.map((subject) => [subject, []]));
  for (let round = 0; round < wanted.rounds; round++) {
    await using program = await begin(emptyProgram(wanted.empty));
    await pause(SETTLE_MS);
    empty.push(memoryOf(program.pid).resident);
    for (const [subject, octets] of idle) octets.push(await idleOf(subject, wanted));
  }
  say("idle servers are measured");
  const footprints: Promise<Footprint>[] = [];
  for (const subject of among) {
    // What rests does so while others are measured.
    const mails = await around(subject, { until: { messages: MAILS } }, null, wanted);
    const large = { octets: LARGE, connections: 1, until: { messages: 1 } };
    const attachment = await around(subject, { ...large, hasAttachment: true }, warmUp, wanted);
    const text = await around(subject, large, warmUp, wanted);
    const connected = await connectedOf(subject, wanted);
    say(`${subject} is measured, and rests`);
    footprints.push((async () => ({
      subject,
      idle: idle.get(subject)!,
      connected,
      mails: await mails(),
      attachment: await attachment(),
      text: await text(),
    }))());
  }
  const result = { empty, footprints: await Promise.all(footprints) };
  return { result, print: () => textOf(result, wanted) };
}

const warmUp: Partial<Order> = { connections: 1, until: { messages: 1 } };

async function idleOf(subject: Subject, { folder }: Wanted): Promise<number> {
  await using endpoint = await endpointOf(200);
  await using server = await start(subject, endpoint.origin, folder);
  await pause(SETTLE_MS);
  return memoryOf(server.pid).resident;
}

/**
 * Sends what is ordered, after something that does not count, and gives how to wait for the end of
 * the rest.
 */
async function around(
  subject: Subject,
  order: Partial<Order>,
  first: Partial<Order> | null,
  { folder, restSeconds }: Wanted,
): Promise<() => Promise<Change>> {
  await using processes = new AsyncDisposableStack();
  const endpoint = processes.use(await endpointOf(200));
  const server = processes.use(await start(subject, endpoint.origin, folder));
  const send = async (order: Partial<Order>) => {
    const load = await ask<Load>("load.ts", orderOf(server.port, { warmUpSeconds: 0, ...order }));
    if (load.refused > 0) throw new Error(`${subject} refuses a mail: ${load.refusal}`);
    return load.acceptedInAll;
  };
  let sent = 0;
  if (first !== null) sent += await send(first);
  await pause(SETTLE_MS);
  const before = memoryOf(server.pid).resident;
  forgetPeak(server.pid);
  sent += await send(order);
  await drained(endpoint, sent);
  const { peak } = memoryOf(server.pid);
  const [left, resting] = [processes.move(), pause(restSeconds * 1000)];
  return async () => {
    await using _ = left;
    await resting;
    return { before, peak, rested: memoryOf(server.pid).resident };
  };
}

async function connectedOf(subject: Subject, { folder }: Wanted) {
  await using endpoint = await endpointOf(200);
  await using server = await start(subject, endpoint.origin, folder);
  await using sockets = new AsyncDisposableStack();
  const connect = async () => void sockets.use(await greeted(server));
  await connect();
  await pause(SETTLE_MS);
  const one = memoryOf(server.pid).resident;
  for (let made = 0; made < CONNECTIONS; made += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, connect));
  }
  await pause(SETTLE_MS);
  return { one, many: memoryOf(server.pid).resident };
}

/** A connection that has said EHLO, and then nothing. */
async function greeted({ port }: Running): Promise<Deno.Conn> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  const buffer = new Uint8Array(1024);
  await socket.read(buffer);
  await socket.write(new TextEncoder().encode("EHLO idle.example\r\n"));
  if (await socket.read(buffer) === null || buffer[0] !== 0x32) {
    throw new Error(`The server refuses a connection: ${new TextDecoder().decode(buffer)}`);
  }
  return socket;
}

function textOf(
  { empty, footprints }: { empty: readonly number[]; footprints: readonly Footprint[] },
  { restSeconds }: Wanted,
): string {
  const rest = `rested for ${figure(restSeconds)} s`;
  const multiple = (octets: number) => `${figure(octets / LARGE)} x`;
  const change = (name: string, of: (footprint: Footprint) => Change): Row[] => [
    [`${name}: before`, (one) => megabytes(of(one).before)],
    ["  at peak", (one) => megabytes(of(one).peak)],
    [`  ${rest}`, (one) => megabytes(of(one).rested)],
  ];
  const large = (name: string, of: (footprint: Footprint) => Change): Row[] => [
    ...change(`${name} of ${megabytes(LARGE)}`, of),
    ["  peak less before, by its size", (one) => multiple(of(one).peak - of(one).before)],
    ["  rested less before", (one) => megabytes(of(one).rested - of(one).before)],
  ];
  type Row = readonly [what: string, of: (footprint: Footprint) => string];
  const rows: readonly Row[] = [
    ["idle", ({ idle }) => megabytes(median(idle))],
    ["  less an empty program", ({ idle }) => megabytes(median(idle) - median(empty))],
    ["1 idle connection", ({ connected }) => megabytes(connected.one)],
    [
      `  ${figure(CONNECTIONS)} more, less that`,
      ({ connected }) => megabytes(connected.many - connected.one),
    ],
    [
      "  less idle",
      ({ connected, idle }) => megabytes(connected.many - median(idle)),
    ],
    ...change(`${figure(MAILS)} mails of 4 KB`, ({ mails }) => mails),
    ...large("a mail with an attachment", ({ attachment }) => attachment),
    ...large("a text", ({ text }) => text),
  ];
  return table([
    [
      `an empty program: ${megabytes(median(empty))}`,
      ...footprints.map(({ subject }) => subject),
    ],
    ...rows.map(([what, of]) => [what, ...footprints.map(of)]),
  ]);
}
