/**
 * A store told by a list of rows, and random stories that a real one has to tell the same way. Which of those
 * that are due at the same moment is claimed first is the store's to say; the list follows it.
 */
import fc from "npm:fast-check@4.10.2";
import type { Mail } from "../lib/mail.ts";
import type { Attempt, Claim, Entry, Settlement } from "../lib/store.ts";
import { assert, assertEquals } from "./assert.ts";
import type { Open, Opened } from "./store_contract.ts";

const NAMES = ["hook", "other"] as const;
const label = (name: string) => `https://${name}.example`;

/** What may happen. Moments are counted from the one that has come. */
type Step =
  | {
    readonly do: "put";
    readonly number: number;
    readonly names: readonly string[];
    lifeMs: number;
  }
  | { readonly do: "claim"; readonly name: string; readonly most: number; readonly leaseMs: number }
  | { readonly do: "settle"; which: number; kind: Settlement["kind"]; readonly afterMs: number }
  | { readonly do: "hasten"; readonly name: string; readonly afterMs: number }
  | { readonly do: "bury"; readonly name: string }
  | { readonly do: "shift"; readonly byMs: number; readonly lifetimeMs: number }
  | { readonly do: "retry" | "drop"; readonly numbers: readonly number[]; readonly dead: boolean }
  | { readonly do: "pass"; readonly ms: number };

const name = fc.constantFrom(...NAMES);
const number = fc.nat({ max: 7 });
const longMs = fc.nat({ max: 200 });
const act = <Word extends Step["do"]>(...words: readonly Word[]) => fc.constantFrom(...words);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: act("put"),
      number,
      names: fc.subarray([...NAMES], { minLength: 1 }),
      lifeMs: longMs,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: act("claim"), name, most: fc.nat({ max: 4 }), leaseMs: longMs }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: act("settle"),
      which: fc.nat({ max: 4 }),
      kind: fc.constantFrom(...["done", "waiting", "waiting", "dead", "untried"] as const),
      afterMs: fc.integer({ min: -5, max: 200 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: act("pass"), ms: fc.nat({ max: 30 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: act("hasten"),
      name,
      afterMs: fc.integer({ min: -10, max: 200 }),
    }),
  },
  fc.record({ do: act("bury"), name }),
  fc.record({
    do: act("shift"),
    byMs: fc.integer({ min: -50, max: 50 }),
    lifetimeMs: fc.nat({ max: 200 }),
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: act("retry", "drop"),
      numbers: fc.array(number, { maxLength: 3 }),
      dead: fc.boolean(),
    }),
  },
);

/** One delivery. */
interface Row {
  readonly mail: Mail;
  readonly name: string;
  /** Null where it is dead. */
  dueMs: number | null;
  /** Empty where nobody tries it. */
  lease: string;
  leasedMs: number;
  expiresMs: number;
  tries: number;
  history: Attempt[];
}

const idOf = (number: number) => `0000000${number}`;

/** What has to come to pass in some of the stories, lest they tell nothing. */
const NEWS = [
  "claimed anew",
  "settled",
  "settled too late",
  "hastened",
  "buried",
  "retried",
  "dropped while it was tried",
  "refused",
] as const;
type News = typeof NEWS[number];

/** The rows, and the moment. */
class Model {
  readonly #opened: Opened;
  readonly #tell: (news: News) => void;
  readonly #claims: Claim[] = [];
  #rows: Row[] = [];
  #nowMs = 1_640_995_200_000;

  /** A store that is empty, and who wants to know what comes to pass. */
  constructor(opened: Opened, tell: (news: News) => void) {
    this.#opened = opened;
    this.#tell = tell;
  }

  /** Does one thing with the store and the list, and compares. */
  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "put":
        await this.#put(step.number, step.names, step.lifeMs);
        break;
      case "claim":
        await this.#claim(step.name, step.most, step.leaseMs);
        break;
      case "settle":
        await this.#settle(step.which, step.kind, this.#nowMs + step.afterMs);
        break;
      case "hasten":
        await this.#hasten(step.name, this.#nowMs + step.afterMs);
        break;
      case "bury":
        await this.#bury(step.name);
        break;
      case "shift":
        await this.#shift(step.byMs, step.lifetimeMs);
        break;
      case "retry":
        await this.#retry(step.numbers, step.dead);
        break;
      case "drop":
        await this.#drop(step.numbers, step.dead);
        break;
      case "pass":
        this.#nowMs += step.ms;
        break;
    }
    const entries = await this.#opened.inventory.entries({ dead: false }, null, 100);
    assertEquals(entries, this.#sorted().map(entryOf));
  }

  /** Compares all that can be asked. */
  async compare(): Promise<void> {
    const { inventory } = this.#opened;
    const dead = await inventory.entries({ dead: true }, null, 100);
    assertEquals(dead, this.#sorted().filter(({ dueMs }) => dueMs === null).map(entryOf));
    const byId = Map.groupBy(this.#sorted(), ({ mail }) => mail.id);
    assertEquals(await inventory.ids("", 100), Array.from(byId.keys()));
    for (let number = 0; number < 8; number++) {
      const rows = byId.get(idOf(number));
      assertEquals(
        await inventory.find(idOf(number)),
        rows === undefined ? null : {
          mail: rows[0].mail,
          deliveries: rows.map((row) => ({ ...entryOf(row), history: row.history })),
        },
      );
    }
    const mails = Array.from(byId.values(), ([{ mail }]) => mail);
    const { storeOctets: _, ...stats } = await inventory.stats();
    assertEquals(stats, {
      messages: byId.size,
      octets: mails.reduce((sum, { data }) => sum + data.length, 0),
      oldestMs: least(mails.map(({ receivedAt }) => receivedAt.getTime())),
      destinations: NAMES.map((name) => {
        const rows = this.#rows.filter((row) => row.name === name).map(entryOf);
        const waiting = rows.filter(({ standing }) => standing === "waiting");
        return {
          destination: { name, label: label(name) },
          waiting: waiting.length,
          sending: rows.filter(({ standing }) => standing === "sending").length,
          dead: rows.filter(({ standing }) => standing === "dead").length,
          nextMs: least(waiting.map(({ dueMs }) => dueMs!)),
          outage: null,
        };
      }).filter(({ waiting, sending, dead }) => waiting + sending + dead > 0),
    });
    for (const name of NAMES) await this.#claim(name, 100, 10);
  }

  async #put(number: number, names: readonly string[], lifeMs: number): Promise<void> {
    const mail: Mail = {
      id: idOf(number),
      receivedAt: new Date(this.#nowMs - lifeMs),
      client: { address: null, port: null, tls: false, hostname: null, user: null },
      envelope: { reversePath: null, forwardPaths: [{ localPart: `${number}`, domain: null }] },
      data: new Uint8Array(number).fill(number),
    };
    const [first, ...rest] = names.map((name) => ({ name, label: label(name) }));
    const times = { nowMs: this.#nowMs, expiresMs: this.#nowMs + lifeMs };
    const put = this.#opened.store.put(mail, [first, ...rest], times);
    if (this.#rows.some((row) => row.mail.id === mail.id)) {
      const isRefused = await put.then(() => false, () => true);
      assert(isRefused, "the same message was put twice");
      return this.#tell("refused");
    }
    await put;
    const row = { mail, dueMs: this.#nowMs, lease: "", leasedMs: 0, tries: 0 };
    this.#rows.push(...names.map((name) => (
      { ...row, expiresMs: times.expiresMs, name, history: [] }
    )));
  }

  async #claim(name: string, most: number, leaseMs: number): Promise<void> {
    const nowMs = this.#nowMs;
    const { claims, nextMs } = await this.#opened.store.claim(name, most, { nowMs, leaseMs });
    const mine = this.#rows.filter((row) => row.name === name);
    const isFree = ({ dueMs, lease, leasedMs }: Row) =>
      dueMs !== null && (lease === "" ? dueMs <= nowMs : leasedMs <= nowMs);
    const free = mine.filter(isFree);
    assertEquals(claims.length, Math.min(most, free.length));
    const chosen = claims.map(({ mail }) => free.find((row) => row.mail.id === mail.id)!);
    assertEquals(new Set(chosen).size, chosen.length, "claimed twice");
    assertEquals(
      claims.map(({ lease: _, ...claim }) => claim),
      chosen.map(({ mail, tries, expiresMs }) => ({ mail, destination: name, tries, expiresMs })),
    );
    // Where one has its place whose lease ran out is the store's to say.
    const waiting = chosen.filter(({ lease }) => lease === "").map(({ dueMs }) => dueMs!);
    const left = free.filter((row) => row.lease === "" && !chosen.includes(row));
    const inOrder = [...waiting, ...left.map(({ dueMs }) => dueMs!).sort((a, b) => a - b)];
    assertEquals(inOrder, inOrder.toSorted((one, other) => one - other));
    if (chosen.some(({ lease }) => lease !== "")) this.#tell("claimed anew");
    chosen.forEach((row, at) => {
      row.lease = claims[at].lease;
      row.leasedMs = nowMs + leaseMs;
    });
    this.#claims.unshift(...claims);
    const next = least(
      mine.filter(({ dueMs }) => dueMs !== null)
        .map(({ dueMs, lease, leasedMs }) => lease === "" ? dueMs! : leasedMs),
    );
    // Anything that has come is as good as any other.
    if (next !== null && next <= nowMs) assert(nextMs !== null && nextMs <= nowMs, `${nextMs}`);
    else assertEquals(nextMs, next);
  }

  async #settle(which: number, kind: Settlement["kind"], dueMs: number): Promise<void> {
    const [claim] = this.#claims.splice(which % Math.max(this.#claims.length, 1), 1);
    if (claim === undefined) return;
    // It may be settled again, but others come first.
    this.#claims.push(claim);
    const attempt = attemptAt(this.#nowMs, claim.destination);
    await this.#opened.store.settle(
      claim,
      kind === "waiting"
        ? { kind, dueMs, attempt }
        : kind === "dead"
        ? { kind, attempt }
        : { kind },
    );
    const row = this.#rows.find(({ lease }) => lease === claim.lease);
    this.#tell(row === undefined ? "settled too late" : "settled");
    if (row === undefined) return;
    row.lease = "";
    if (kind === "done") this.#rows = this.#rows.filter((other) => other !== row);
    else if (kind !== "untried") fail(row, attempt, kind === "dead" ? null : dueMs);
  }

  async #hasten(name: string, untilMs: number): Promise<void> {
    await this.#opened.store.hasten(name, this.#nowMs, untilMs);
    for (const row of this.#rows) {
      if (row.name !== name || row.lease !== "" || row.dueMs === null) continue;
      if (row.dueMs > untilMs || row.dueMs <= this.#nowMs) continue;
      row.dueMs = this.#nowMs;
      this.#tell("hastened");
    }
  }

  async #bury(name: string): Promise<void> {
    const attempt = attemptAt(this.#nowMs, name);
    const buried = this.#rows.filter(({ lease, dueMs, expiresMs, ...row }) =>
      row.name === name && lease === "" && dueMs !== null && expiresMs <= this.#nowMs
    );
    assertEquals(await this.#opened.store.bury(name, attempt), buried.length);
    for (const row of buried) fail(row, attempt, null);
    if (buried.length > 0) this.#tell("buried");
  }

  async #shift(byMs: number, lifetimeMs: number): Promise<void> {
    this.#nowMs += byMs;
    await this.#opened.store.shift(byMs, this.#nowMs, lifetimeMs);
    for (const row of this.#rows) {
      if (row.dueMs !== null) row.dueMs += byMs;
      row.leasedMs += byMs;
      row.expiresMs = Math.min(row.expiresMs + byMs, this.#nowMs + lifetimeMs);
    }
  }

  async #retry(numbers: readonly number[], dead: boolean): Promise<void> {
    const times = { dueMs: this.#nowMs, expiresMs: this.#nowMs + 50 };
    const count = await this.#opened.inventory.retry(numbers.map(idOf), { dead }, times);
    const chosen = this.#selected(numbers, dead).filter(({ lease }) => lease === "");
    assertEquals(count, chosen.length);
    for (const row of chosen) {
      [row.dueMs, row.expiresMs, row.tries] = [times.dueMs, times.expiresMs, 0];
    }
    if (count > 0) this.#tell("retried");
  }

  async #drop(numbers: readonly number[], dead: boolean): Promise<void> {
    const chosen = this.#selected(numbers, dead);
    const count = await this.#opened.inventory.drop(numbers.map(idOf), { dead });
    assertEquals(count, chosen.length);
    this.#rows = this.#rows.filter((row) => !chosen.includes(row));
    if (chosen.some(({ lease }) => lease !== "")) this.#tell("dropped while it was tried");
  }

  #selected(numbers: readonly number[], dead: boolean): Row[] {
    return this.#rows.filter(({ mail, dueMs }) =>
      numbers.some((number) => idOf(number) === mail.id) && (!dead || dueMs === null)
    );
  }

  #sorted(): Row[] {
    const key = ({ mail, name }: Row) => `${mail.id} ${name}`;
    return this.#rows.toSorted((one, other) => key(one) < key(other) ? -1 : 1);
  }
}

const attemptAt = (atMs: number, name: string): Attempt => ({
  atMs,
  elapsedMs: 0,
  label: label(name),
  reason: "no answer",
  detail: "",
});

function fail(row: Row, attempt: Attempt, dueMs: number | null): void {
  row.history = [...row.history, attempt];
  row.tries++;
  row.dueMs = dueMs;
}

function entryOf({ mail, name, dueMs, lease, history }: Row): Entry {
  return {
    id: mail.id,
    receivedMs: mail.receivedAt.getTime(),
    octets: mail.data.length,
    sender: "",
    recipients: [mail.envelope.forwardPaths[0].localPart],
    destination: { name, label: label(name) },
    standing: dueMs === null ? "dead" : lease === "" ? "waiting" : "sending",
    attempts: history.length,
    dueMs,
    last: history.at(-1) ?? null,
  };
}

const least = (moments: readonly number[]) =>
  moments.toSorted((one, other) => one - other)[0] ?? null;

/** Registers a test that tells random stories; none is longer than the attempts that are remembered. */
export function modelTest(sentence: string, open: Open): void {
  Deno.test(sentence, async () => {
    const told = new Map<News, number>(NEWS.map((news) => [news, 0]));
    const tell = (news: News) => told.set(news, told.get(news)! + 1);
    const stories = fc.array(step, { minLength: 1, maxLength: 80, size: "max" });
    await fc.assert(
      fc.asyncProperty(stories, async (steps) => {
        const folder = await Deno.makeTempDir({ prefix: "smtp-pigeon-store-" });
        try {
          await using opened = await open(folder, { maxOctets: 2 ** 30 });
          const model = new Model(opened, tell);
          for (const step of steps) await model.take(step);
          await model.compare();
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      }),
      // The limit is for what is found: there is no end to making it simpler.
      { numRuns: 80, interruptAfterTimeLimit: 20_000 },
    );
    for (const [news, times] of told) assert(times > 0, `nothing was ever ${news}`);
  });
}
