/** Files and messages for tests of the store that is in a file. */
import { DatabaseSync } from "node:sqlite";
import type { Mail } from "../lib/mail.ts";
import type { Attempt, Claim, Destination } from "../lib/store.ts";
import { type SqliteOptions, SqliteStore } from "../lib/store/sqlite.ts";
import { assertEquals } from "./assert.ts";

/** Some moment. */
export const NOW = Date.UTC(2022, 0, 1);

/** Milliseconds. */
export const HOUR = 3_600_000;

const LIFE = 5 * 24 * HOUR;

/** Those of a message that is put at that moment. */
export const TIMES = { nowMs: NOW, expiresMs: NOW + LIFE };

/** What a server would say that has much space. */
export const OPTIONS: SqliteOptions = {
  maxOctets: 2 ** 30,
  nowMs: NOW,
  longestDelayMs: 24 * HOUR,
  lifetimeMs: LIFE,
};

/** A destination. */
export const HOOK: Destination = { name: "hook", label: "https://hook.example" };

/** An attempt that failed then. */
export const attemptAt = (atMs: number): Attempt => ({
  atMs,
  elapsedMs: 1,
  label: HOOK.label,
  reason: "endpoint answered 503",
  detail: "",
});

/** The id of a message of that number. */
export const idOf = (number: number) =>
  `017e1222-d800-7000-8000-${String(number).padStart(12, "0")}`;

/** A message of so many octets, which differ by its number. */
export function mailOf(number: number, octets = 100): Mail {
  return {
    id: idOf(number),
    receivedAt: new Date(NOW),
    client: { address: "192.0.2.1", port: 40_000, tls: false, hostname: null, user: null },
    envelope: {
      reversePath: null,
      forwardPaths: [{ localPart: "recipient", domain: "to.example" }],
    },
    data: octetsOf(number, octets),
  };
}

/** Octets that repeat nowhere soon. Loops, here and below: there are millions of them. */
function octetsOf(seed: number, length: number): Uint8Array {
  const octets = new Uint8Array(length);
  for (let at = 0; at < length; at++) octets[at] = at ^ at >> 8 ^ (at >> 16) * 3 ^ seed;
  return octets;
}

/** Runs a test with an empty folder, and removes it. */
export async function inFolder(run: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A store that is closed when a test is over. */
export interface Opened extends AsyncDisposable {
  /** It. */
  readonly store: SqliteStore;
}

/** Opens a store. */
export function open(path: string, options: Partial<SqliteOptions> = {}): Opened {
  const store = SqliteStore.open(path, { ...OPTIONS, ...options });
  return { store, [Symbol.asyncDispose]: () => store.close() };
}

/** Another connection, such as a tool has. */
export interface Connection extends Disposable {
  /** It. */
  readonly db: DatabaseSync;
}

/** Connects beside a store. */
export function connect(path: string): Connection {
  const db = new DatabaseSync(path);
  return { db, [Symbol.dispose]: () => db.close() };
}

/** The one number that a statement gives. */
export const numberOf = (db: DatabaseSync, sql: string) =>
  Object.values(db.prepare(sql).get()!)[0] as number;

/** Claims what is due. */
export async function claim(store: SqliteStore, nowMs = NOW): Promise<readonly Claim[]> {
  return (await store.claim(HOOK.name, 1_000, { nowMs, leaseMs: HOUR })).claims;
}

/** Claims what is due and has it delivered, as often as there is something. */
export async function deliver(store: SqliteStore, nowMs = NOW): Promise<readonly Mail[]> {
  const mails: Mail[] = [];
  for (;;) {
    const claims = await claim(store, nowMs);
    if (claims.length === 0) return mails;
    for (const claim of claims) {
      mails.push(claim.mail);
      await store.settle(claim, { kind: "done" });
    }
  }
}

/** Compares octets. */
export function assertOctets(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(actual.length, expected.length);
  for (let at = 0; at < actual.length; at++) {
    if (actual[at] !== expected[at]) throw new Error(`octet ${at} differs`);
  }
}

/** The names in a folder, in order. */
export const namesIn = (folder: string) =>
  Array.from(Deno.readDirSync(folder), ({ name }) => name).toSorted();
