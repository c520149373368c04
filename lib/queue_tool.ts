/**
 * The tools of the queue. They go through a store bit by bit, so that a hundred thousand messages take
 * little more memory than a few hundred, and nobody who uses the store at the same time waits for long.
 */
import { quote } from "./fault.ts";
import {
  ENTRY_COLUMNS,
  entryJson,
  entryRow,
  letterJson,
  letterText,
  outageLines,
  STATS_COLUMNS,
  statsJson,
  statsLine,
  statsRows,
} from "./listing.ts";
import type { Choice, Order } from "./order.ts";
import { counted } from "./quantity.ts";
import { LIFETIME_MS } from "./retry.ts";
import type { Entry, Inventory, Selection } from "./store.ts";
import { type Column, layout } from "./table.ts";
import { jsonLine } from "./terminal.ts";

/** Who uses a tool, and how to talk to them. */
export interface Operator {
  /** Takes what was asked for; throws where nobody reads it any more. */
  readonly print: (octets: Uint8Array) => void;
  /** Takes what went wrong. */
  readonly complain: (fault: string) => void;
  /** Columns of the terminal that is printed to; null where it is none. */
  readonly width: number | null;
  /** Shows how far the work is, in the place of what it showed before; null where nobody looks. */
  readonly showProgress: ((text: string) => void) | null;
  /** Whether something is to be done; null where nobody can be asked. */
  readonly confirm: ((question: string) => boolean) | null;
  /** The time. */
  readonly now: () => Date;
}

/** Deliveries that are read at once. */
const PAGE = 500;

/** Messages that are changed at once: a server that wants to write meanwhile waits that long. */
const BATCH = 100;

/**
 * Does what is asked and gives the exit code: 0 where it is done, 1 where nothing was found or not all of
 * it, 2 where it needs to be confirmed and nobody can be asked. Throws what the store and `print` throw.
 */
export async function useTool(
  order: Order,
  inventory: Inventory,
  operator: Operator,
): Promise<number> {
  switch (order.tool) {
    case "list":
      return await list(order, inventory, operator);
    case "show":
      return await show(order, inventory, operator);
    case "retry":
      return await retry(order, inventory, operator);
    case "drop":
      return await drop(order, inventory, operator);
    case "stats":
      return await stats(order, inventory, operator);
  }
}

type Tool<Name> = (
  order: Order & { readonly tool: Name },
  inventory: Inventory,
  operator: Operator,
) => Promise<number>;

const list: Tool<"list"> = async ({ dead, json }, inventory, operator) => {
  let line: ReturnType<typeof layout> | null = null;
  for await (const entries of pages(inventory, { dead })) {
    const nowMs = operator.now().getTime();
    if (json) {
      printLines(operator, entries.map((entry) => jsonLine(entryJson(entry, nowMs))));
      continue;
    }
    const rows = entries.map((entry) => entryRow(entry, nowMs));
    const isFirst = line === null;
    line ??= layout(ENTRY_COLUMNS, rows, operator.width);
    printLines(operator, [...(isFirst ? [headings(ENTRY_COLUMNS)] : []), ...rows].map(line));
  }
  if (json) return 0;
  const rest = line === null
    ? [nothing({ dead })]
    : outageLines(await inventory.stats(), operator.now().getTime());
  if (rest.length > 0) printLines(operator, rest);
  return 0;
};

const show: Tool<"show"> = async ({ id, form }, inventory, operator) => {
  const whole = await wholeId(id, "show", inventory, operator);
  if (whole === null) return 1;
  const letter = await inventory.find(whole);
  if (letter === null) {
    // It was delivered in this moment.
    operator.complain(unknown(id, "show"));
    return 1;
  }
  switch (form) {
    case "text":
      operator.print(encode(letterText(letter, operator.now().getTime())));
      break;
    case "json":
      printLines(operator, [jsonLine(letterJson(letter, operator.now().getTime()))]);
      break;
    case "raw":
      operator.print(letter.mail.data);
  }
  return 0;
};

const retry: Tool<"retry"> = async ({ choice }, inventory, operator) => {
  const chosen = await choose(choice, "retry", inventory, operator);
  const count = await work(chosen, "Retrying", operator, (ids) => {
    const expiresMs = operator.now().getTime() + LIFETIME_MS;
    // In front of all that is due already.
    return inventory.retry(ids, choice, { dueMs: 0, expiresMs });
  });
  return conclude(choice, chosen, count, `Made ${deliveries(count)} due now`, operator);
};

const drop: Tool<"drop"> = async ({ choice, yes }, inventory, operator) => {
  const { confirm } = operator;
  if (!yes && confirm === null) {
    operator.complain("Cannot queue drop: nobody can be asked, confirm with --yes");
    return 2;
  }
  const chosen = await choose(choice, "drop", inventory, operator);
  const what = counted(chosen.count, choice.dead ? "dead letter" : "message");
  if (!yes && chosen.count > 0 && !confirm!(`Drop ${what}?`)) return 1;
  const count = await work(chosen, "Dropping", operator, (ids) => inventory.drop(ids, choice));
  return conclude(choice, chosen, count, `Dropped ${deliveries(count)}`, operator);
};

const stats: Tool<"stats"> = async ({ json }, inventory, operator) => {
  const counts = await inventory.stats();
  const nowMs = operator.now().getTime();
  if (json) printLines(operator, [jsonLine(statsJson(counts, nowMs))]);
  else if (counts.messages === 0) printLines(operator, [nothing({ dead: false })]);
  else {
    const rows = statsRows(counts, nowMs);
    const line = layout(STATS_COLUMNS, rows, operator.width);
    printLines(operator, [
      statsLine(counts, nowMs),
      "",
      ...[headings(STATS_COLUMNS), ...rows].map(line),
      ...outageLines(counts, nowMs),
    ]);
  }
  return 0;
};

/** Messages that something is to be done to. */
interface Chosen {
  /** How many there are. */
  readonly count: number;
  /** Their ids, up to `BATCH` at once, each once. */
  readonly batches: Iterable<readonly string[]>;
  /** Whether all that were named are among them. */
  readonly isComplete: boolean;
}

/** Looks for what was chosen, and complains of what is not there. */
async function choose(
  { ids, dead }: Choice,
  tool: "retry" | "drop",
  inventory: Inventory,
  operator: Operator,
): Promise<Chosen> {
  if (ids === "all") {
    // All before anybody is asked: what comes in after the question was not meant by it.
    const all = (await Array.fromAsync(everyId(inventory, { dead }))).flat();
    return { count: all.length, batches: batchesOf(all), isComplete: true };
  }
  const found = new Set<string | null>();
  for (const beginning of ids) found.add(await wholeId(beginning, tool, inventory, operator));
  const isComplete = !found.delete(null);
  const whole = Array.from(found as Set<string>);
  return { count: whole.length, batches: batchesOf(whole), isComplete };
}

/** Changes messages, batch by batch, and gives how many deliveries they had that were changed. */
async function work(
  { count, batches }: Chosen,
  name: string,
  operator: Operator,
  change: (ids: readonly string[]) => Promise<number>,
): Promise<number> {
  const showProgress = count > BATCH ? operator.showProgress : null;
  let [done, changed] = [0, 0];
  try {
    for await (const ids of batches) {
      showProgress?.(`${name}: ${done} of ${count}`);
      changed += await change(ids);
      done += ids.length;
    }
  } finally {
    showProgress?.("");
  }
  return changed;
}

/**
 * Says what was done, and gives the exit code: to have nothing to do for all is no failure, but each that
 * was named has to be there.
 */
function conclude(
  { ids, dead }: Choice,
  { count, isComplete }: Chosen,
  changed: number,
  done: string,
  operator: Operator,
): number {
  if (ids === "all" && count === 0) printLines(operator, [nothing({ dead })]);
  else if (count > 0) printLines(operator, [done]);
  return ids === "all" || isComplete && changed > 0 ? 0 : 1;
}

/** The id that begins so, if exactly one does. */
async function wholeId(
  beginning: string,
  tool: "show" | "retry" | "drop",
  inventory: Inventory,
  { complain }: Operator,
): Promise<string | null> {
  const [id, other] = await inventory.ids(beginning, 2);
  if (id === undefined) {
    complain(unknown(beginning, tool));
    return null;
  }
  if (id === beginning || other === undefined) return id;
  complain(`Cannot ${tool} ${quote(beginning)}: ${id} and ${other} begin so, must be one of them`);
  return null;
}

const unknown = (id: string, tool: string) =>
  `Cannot ${tool} ${quote(id)}: no such message in the queue`;

/** All ids of a selection, each once: the deliveries of a message stand side by side. */
async function* everyId(
  inventory: Inventory,
  selection: Selection,
): AsyncGenerator<readonly string[]> {
  let last: string | null = null;
  for await (const entries of pages(inventory, selection)) {
    const ids = new Set(entries.map(({ id }) => id));
    if (last !== null) ids.delete(last);
    last = entries[entries.length - 1].id;
    yield* batchesOf(Array.from(ids));
  }
}

function* batchesOf(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += BATCH) yield ids.slice(at, at + BATCH);
}

/**
 * All deliveries of a selection, as many at once as are read at once, and at least one. A page that is not
 * full is the last one: what comes in meanwhile does not make this endless.
 */
async function* pages(
  inventory: Inventory,
  selection: Selection,
): AsyncGenerator<readonly Entry[]> {
  let after: Parameters<Inventory["entries"]>[1] = null;
  for (;;) {
    const entries: readonly Entry[] = await inventory.entries(selection, after, PAGE);
    if (entries.length > 0) yield entries;
    if (entries.length < PAGE) return;
    const { id, destination } = entries[entries.length - 1];
    after = { id, destination: destination.name };
  }
}

/** What is said where a selection is empty. */
const nothing = ({ dead }: Selection) => dead ? "No message is dead" : "The queue is empty";

const headings = (columns: readonly Column[]) => columns.map(({ heading }) => heading);

const deliveries = (count: number) => counted(count, "delivery", "deliveries");

const printLines = ({ print }: Operator, lines: readonly string[]) =>
  print(encode(lines.map((line) => `${line}\n`).join("")));

const encode = (text: string) => new TextEncoder().encode(text);
