/**
 * How long the database holds the event loop: preloaded into a server (`deno run --preload`), it times every
 * call of node:sqlite, and adds up those between which the event loop did not turn. On SIGUSR2 it prints
 * `held N: ` and a `Held` as JSON on standard error, N counting from 1, and begins anew.
 */
import { DatabaseSync, StatementSync } from "node:sqlite";

/** What node:sqlite took of the event loop, in milliseconds. */
export interface Held {
  /** The longest call. */
  readonly callMs: number;
  /** What that was: the start of its SQL. */
  readonly call: string;
  /** The calls of one turn of the event loop, at most. */
  readonly turnMs: number;
  /** All calls. */
  readonly sumMs: number;
  /** How many calls there were. */
  readonly calls: number;
  /** The time in which. */
  readonly elapsedMs: number;
}

let [callMs, turnMs, sumMs, calls, thisTurnMs] = [0, 0, 0, 0, 0];
let call = "";
let sinceMs = performance.now();
let told = 0;

function count(sql: string, tookMs: number): void {
  calls++;
  sumMs += tookMs;
  if (tookMs > callMs) [callMs, call] = [tookMs, sql.trim().slice(0, 40)];
  if (thisTurnMs === 0) setTimeout(() => thisTurnMs = 0, 0);
  thisTurnMs += tookMs;
  turnMs = Math.max(turnMs, thisTurnMs);
}

/** Methods of a database, which are given SQL, and of statements, which were. */
type Method = (this: { sourceSQL?: string }, ...args: unknown[]) => unknown;

function timed(method: Method): Method {
  return function (...args) {
    const startMs = performance.now();
    try {
      return method.apply(this, args);
    } finally {
      count(this.sourceSQL ?? String(args[0] ?? ""), performance.now() - startMs);
    }
  };
}

/** Replaces methods of a prototype by timed ones. */
function time(prototype: unknown, names: readonly string[]): void {
  const methods = prototype as Record<string, Method>;
  for (const name of names) methods[name] = timed(methods[name]);
}

function tell(): void {
  const nowMs = performance.now();
  const held: Held = { callMs, call, turnMs, sumMs, calls, elapsedMs: nowMs - sinceMs };
  const line = `held ${++told}: ${JSON.stringify(held)}\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(line));
  [callMs, turnMs, sumMs, calls] = [0, 0, 0, 0];
  call = "";
  sinceMs = nowMs;
}

/** Of rows that are read one by one each has its own time. */
function timedRows(iterate: Method): Method {
  const begin = timed(iterate);
  return function (...args) {
    const rows = begin.apply(this, args) as { next: Method };
    rows.next = timed(rows.next);
    return rows;
  };
}

const statements = StatementSync.prototype as unknown as Record<string, Method>;
time(statements, ["get", "run", "all"]);
statements.iterate = timedRows(statements.iterate);
time(DatabaseSync.prototype, ["exec", "prepare"]);
Deno.addSignalListener("SIGUSR2", tell);
