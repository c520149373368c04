/**
 * What a store holds, as an operator reads it and as scripts do: rows of a table, a page about one
 * message, numbers; and the same as JSON, where moments are RFC 3339 in UTC.
 */
import type { Client } from "./mail.ts";
import { addressOf } from "./path.ts";
import { ahead, counted, size, span } from "./quantity.ts";
import type { Attempt, Entry, Letter, Stats } from "./store.ts";
import type { Column } from "./table.ts";
import { harmless, oneLine } from "./terminal.ts";
import { Timestamp } from "./timestamp.ts";

/** What a script is told, by name. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The columns of `entryRow`. */
export const ENTRY_COLUMNS: readonly Column[] = [
  // So much of a UUID version 7 holds its milliseconds and twelve random bits.
  { heading: "ID", least: 18, isCutPlainly: true },
  { heading: "AGE", isNumber: true },
  { heading: "SENDER", least: 8 },
  { heading: "RECIPIENTS", least: 8 },
  { heading: "DESTINATION", least: 7 },
  { heading: "TRIES", isNumber: true },
  { heading: "NEXT" },
  { heading: "LAST ANSWER", least: 9 },
];

/** One delivery in a table. */
export function entryRow(entry: Entry, nowMs: number): string[] {
  const [recipient, ...others] = entry.recipients;
  return [
    entry.id,
    span(nowMs - entry.receivedMs),
    entry.sender || "<>",
    others.length === 0 ? recipient : `${recipient} +${others.length}`,
    entry.destination.label.replace(/^https?:\/\//, ""),
    `${entry.attempts}`,
    nextOf(entry, nowMs),
    // Where there is little room, the number is what matters.
    entry.last?.reason.replace(/^endpoint (?:answered )?/, "") ?? "-",
  ].map(oneLine);
}

/** One delivery as JSON. */
export function entryJson(entry: Entry, nowMs: number): JsonObject {
  const { id, receivedMs, octets, sender, recipients, last } = entry;
  const message = { id, received: rfc3339(receivedMs), size: octets, sender, recipients };
  return { ...message, ...standingJson(entry, nowMs), last: attemptJson(last) };
}

/** All about one message, to be read. */
export function letterText({ mail, deliveries }: Letter, nowMs: number): string {
  const { reversePath, forwardPaths } = mail.envelope;
  const receivedMs = mail.receivedAt.getTime();
  const [recipient, ...others] = forwardPaths.map(addressOf);
  const facts = [
    ["Message", mail.id],
    ["Received", `${local(receivedMs)}, ${span(nowMs - receivedMs)} ago`],
    ["Size", `${mail.data.length} bytes`],
    ["Client", clientText(mail.client)],
    ["Sender", reversePath === null ? "<>" : addressOf(reversePath)],
    ["Recipients", recipient],
    ...others.map((other) => ["", other]),
  ];
  return [
    ...facts.map(([name, fact]) => `${name.padEnd(10)}  ${oneLine(fact)}`),
    ...deliveries.flatMap((delivery) => ["", ...deliveryLines(delivery, nowMs)]),
    "",
    harmless(new TextDecoder().decode(mail.data)),
  ].join("\n").replace(/(?<!\n)$/, "\n");
}

/** All about one message but what it says, as JSON. */
export function letterJson({ mail, deliveries }: Letter, nowMs: number): JsonObject {
  const { reversePath, forwardPaths } = mail.envelope;
  return {
    id: mail.id,
    received: rfc3339(mail.receivedAt.getTime()),
    size: mail.data.length,
    client: mail.client,
    sender: reversePath === null ? "" : addressOf(reversePath),
    recipients: forwardPaths.map(addressOf),
    deliveries: deliveries.map((delivery) => ({
      ...standingJson(delivery, nowMs),
      history: delivery.history.map(attemptJson),
    })),
  };
}

/** The columns of `statsRows`. */
export const STATS_COLUMNS: readonly Column[] = [
  { heading: "DESTINATION", least: 11 },
  { heading: "WAITING", isNumber: true },
  { heading: "SENDING", isNumber: true },
  { heading: "DEAD", isNumber: true },
  { heading: "NEXT" },
];

/** Each destination in a table. */
export function statsRows({ destinations }: Stats, nowMs: number): string[][] {
  return destinations.map(({ destination, waiting, sending, dead, nextMs }) => [
    oneLine(destination.label),
    ...[waiting, sending, dead].map(String),
    nextMs === null ? "-" : ahead(nextMs - nowMs),
  ]);
}

/** Which destinations take nothing, a line each. */
export function outageLines({ destinations }: Stats, nowMs: number): string[] {
  return destinations.flatMap(({ destination, outage }) =>
    outage === null ? [] : [oneLine(
      `${destination.label} is down for ${span(nowMs - outage.sinceMs)}, tried next ${
        ahead(outage.nextMs - nowMs)
      }: ${outage.reason}`,
    )]
  );
}

/** What there is in all, in one line. */
export function statsLine(
  { messages, octets, oldestMs, storeOctets }: Stats,
  nowMs: number,
): string {
  const oldest = oldestMs === null ? "" : `, the oldest ${span(nowMs - oldestMs)} ago`;
  return `${counted(messages, "message")} of ${size(octets)}${oldest}; the file has ${
    size(storeOctets)
  }`;
}

/** The numbers as JSON. */
export function statsJson(
  { messages, octets, oldestMs, storeOctets, destinations }: Stats,
  nowMs: number,
): JsonObject {
  return {
    messages,
    size: octets,
    oldest: oldestMs === null ? null : rfc3339(oldestMs),
    fileSize: storeOctets,
    destinations: destinations.map(({ nextMs, outage, ...counts }) => ({
      ...counts,
      next: nextJson(nextMs, nowMs),
      down: outage === null ? null : {
        since: rfc3339(outage.sinceMs),
        reason: outage.reason,
      },
    })),
  };
}

/** What is overdue is next now. */
const nextJson = (dueMs: number | null, nowMs: number) =>
  dueMs === null ? null : rfc3339(Math.max(dueMs, nowMs));

const rfc3339 = (ms: number) => new Date(ms).toISOString();

const local = (ms: number) => new Timestamp(new Date(ms)).local;

function nextOf({ standing, dueMs }: Pick<Entry, "standing" | "dueMs">, nowMs: number): string {
  return standing === "waiting" ? ahead((dueMs ?? nowMs) - nowMs) : standing;
}

function standingJson({ destination, standing, attempts, dueMs }: Entry, nowMs: number) {
  const next = nextJson(dueMs, nowMs);
  return { destination, state: standing, attempts, next };
}

function attemptJson(attempt: Attempt | null) {
  if (attempt === null) return null;
  const { atMs, elapsedMs, ...rest } = attempt;
  return { at: rfc3339(atMs), elapsedMs: Math.round(elapsedMs), ...rest };
}

function clientText({ address, hostname, tls, user }: Client): string {
  return [
    `${address ?? "a Unix socket"}${hostname === null ? "" : ` (${hostname})`}`,
    ...(tls ? ["TLS"] : []),
    ...(user === null ? [] : [`user ${user}`]),
  ].join(", ");
}

function deliveryLines(delivery: Letter["deliveries"][number], nowMs: number): string[] {
  const { destination, standing, attempts, dueMs, history } = delivery;
  const next = standing === "waiting" ? `, next attempt ${ahead((dueMs ?? nowMs) - nowMs)}` : "";
  const [first, ...latest] = history.map(attemptLines);
  const forgotten = attempts - history.length;
  return [
    oneLine(`To ${destination.label}: ${standing}, ${counted(attempts, "attempt")}${next}`),
    ...(first ?? []),
    ...(forgotten > 0 ? [`  (${counted(forgotten, "attempt")} not shown)`] : []),
    ...latest.flat(),
  ];
}

function attemptLines({ atMs, elapsedMs, label, reason, detail }: Attempt): string[] {
  return [
    oneLine(`${local(atMs)}  ${label}, ${Math.round(elapsedMs)} ms: ${reason}`),
    ...(detail === "" ? [] : [`  ${oneLine(detail)}`]),
  ].map((line) => `  ${line}`);
}
