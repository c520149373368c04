/**
 * A store in memory: what store.ts asks for, as plainly as it can be said. It forgets everything when the
 * process ends, so that nobody may be promised anything by it: it is for tests, and for who writes another
 * store. Each call looks through all messages, which is quick enough for some ten thousand, and does its
 * work at once, so that no two calls meet.
 */
import type { Mail } from "../mail.ts";
import { addressOf } from "../path.ts";
import type { Attempt, Destination, Entry, Inventory } from "../store.ts";
import type { Outage, Selection, Standing } from "../store.ts";
import { MAX_HISTORY, type Stats, type Store, StoreError } from "../store.ts";

interface Delivery {
  readonly mail: Mail;
  destination: Destination;
  /** Null where it is dead. */
  dueMs: number | null;
  /** Who tries it, and until when; null where nobody does. */
  lease: { readonly name: string; untilMs: number } | null;
  expiresMs: number;
  tries: number;
  attempts: number;
  history: readonly Attempt[];
}

const NEW = { lease: null, tries: 0, attempts: 0, history: [] };

/** Keeps messages for as long as the process lives. */
export class MemoryStore implements Store, Inventory {
  readonly #maxOctets: number;
  /** The deliveries of each message, by its id: at least one, in the order of their destinations. */
  readonly #messages = new Map<string, readonly Delivery[]>();
  readonly #outages = new Map<string, Outage | null>();
  #octets = 0;
  #version = 0;
  #isClosed = false;

  /** `maxOctets` is what all messages may have together. */
  constructor({ maxOctets }: { readonly maxOctets: number }) {
    this.#maxOctets = maxOctets;
  }

  /** Keeps a message. */
  readonly put: Store["put"] = (mail, destinations, { nowMs, expiresMs }) =>
    this.#do(() => {
      if (this.#messages.has(mail.id)) throw new StoreError("this message is in the queue already");
      const isFull = this.#octets + mail.data.length > this.#maxOctets;
      if (isFull) throw new StoreError("queue is full", isFull);
      const blank = { ...NEW, mail, dueMs: nowMs, expiresMs };
      const deliveries = destinations.map((destination) => ({ ...blank, destination }));
      deliveries.sort((one, other) => order(one.destination.name, other.destination.name));
      this.#messages.set(mail.id, deliveries);
      this.#octets += mail.data.length;
    });

  /** Takes deliveries that are due, or whose lease ran out. */
  readonly claim: Store["claim"] = (destination, most, { nowMs, leaseMs, isProbe }) =>
    this.#do(() => {
      const all = this.#to(destination);
      const ready = all.filter((delivery) => readyMs(delivery) <= nowMs)
        .sort((one, other) => readyMs(one) - readyMs(other));
      const [probe = ready[0]] = ready.filter(({ tries }) => tries === 0);
      const chosen = isProbe ? [probe].slice(0, ready.length) : ready.slice(0, most);
      const claims = chosen.map((delivery) => {
        const { mail, tries, expiresMs } = delivery;
        const lease = crypto.randomUUID();
        delivery.lease = { name: lease, untilMs: nowMs + leaseMs };
        return { lease, mail, destination, tries, expiresMs };
      });
      return { claims, nextMs: earliest(all.map(readyMs)) };
    });

  /** Ends a claim. */
  readonly settle: Store["settle"] = (claim, settlement) =>
    this.#do(() => {
      const delivery = this.#of([claim.mail.id]).find(({ lease }) => lease?.name === claim.lease);
      if (delivery === undefined) return false;
      delivery.lease = null;
      if (settlement.kind === "done") this.#remove([delivery]);
      else if (settlement.kind === "dead") record(delivery, settlement.attempt, null);
      else if (settlement.kind === "waiting") {
        record(delivery, settlement.attempt, settlement.dueMs);
      }
      return true;
    });

  /** Makes deliveries due now; those that are due already keep their place. */
  readonly hasten: Store["hasten"] = (destination, nowMs, untilMs) =>
    this.#do(() => {
      for (const delivery of this.#to(destination)) {
        const { dueMs } = delivery;
        if (dueMs !== null && dueMs > nowMs && dueMs <= untilMs) delivery.dueMs = nowMs;
      }
    });

  /** Makes those dead that have waited long enough. */
  readonly bury: Store["bury"] = (destination, attempt) =>
    this.#do(() => {
      const expired = this.#to(destination).filter(({ expiresMs }) => expiresMs <= attempt.atMs)
        .filter((delivery) => standing(delivery) === "waiting");
      for (const delivery of expired) record(delivery, attempt, null);
      return expired.length;
    });

  /** Follows a clock that jumped; so do leases. */
  readonly shift: Store["shift"] = (byMs, nowMs, lifetimeMs) =>
    this.#do(() => {
      for (const delivery of this.#all()) {
        if (delivery.dueMs !== null) delivery.dueMs += byMs;
        if (delivery.lease !== null) delivery.lease.untilMs += byMs;
        delivery.expiresMs = Math.min(delivery.expiresMs + byMs, nowMs + lifetimeMs);
      }
      for (const [destination, outage] of this.#outages) {
        if (outage === null) continue;
        const { sinceMs, nextMs, reason } = outage;
        const shifted = { sinceMs: sinceMs + byMs, nextMs: nextMs + byMs, reason };
        this.#outages.set(destination, shifted);
      }
    });

  /** Remembers an outage. */
  readonly report: Store["report"] = (destination, outage) =>
    this.#do(() => {
      this.#outages.set(destination, outage);
    });

  /** Counts the changes that came through the `Inventory` half. */
  readonly version: Store["version"] = () => this.#do(() => this.#version);

  /** Takes no more calls. */
  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  /** A page of deliveries. */
  readonly entries: Inventory["entries"] = (selection, after, most) =>
    this.#do(() => {
      const isBehind = ({ mail, destination: { name } }: Delivery) =>
        after === null || (order(mail.id, after.id) || order(name, after.destination)) > 0;
      return this.#of(this.#ids(), selection).filter(isBehind).slice(0, most).map(this.#entryOf);
    });

  /** Ids that begin with a text. */
  readonly ids: Inventory["ids"] = (prefix, most) =>
    this.#do(() => this.#ids().filter((id) => id.startsWith(prefix)).slice(0, most));

  /** A message. */
  readonly find: Inventory["find"] = (id) =>
    this.#do(() => {
      const found = this.#of([id]);
      const deliveries = found.map((one) => ({ ...this.#entryOf(one), history: one.history }));
      return found.length === 0 ? null : { mail: found[0].mail, deliveries };
    });

  /** Gives deliveries a new life. */
  readonly retry: Inventory["retry"] = (ids, selection, { dueMs, expiresMs }) =>
    this.#do(() => {
      this.#version++;
      const chosen = this.#of(ids, selection).filter(({ lease }) => lease === null);
      for (const one of chosen) Object.assign(one, { dueMs, expiresMs, tries: 0 });
      return chosen.length;
    });

  /** Removes deliveries. */
  readonly drop: Inventory["drop"] = (ids, selection) =>
    this.#do(() => {
      this.#version++;
      const chosen = this.#of(ids, selection);
      this.#remove(chosen);
      return chosen.length;
    });

  /** Counts. */
  readonly stats: Inventory["stats"] = () =>
    this.#do(() => {
      const destinations = Map.groupBy(this.#all(), ({ destination }) => destination.name);
      return {
        messages: this.#messages.size,
        octets: this.#octets,
        oldestMs: earliest(this.#all().map(({ mail }) => mail.receivedAt.getTime())),
        storeOctets: this.#octets,
        destinations: Array.from(destinations, ([name, deliveries]) => {
          const outage = this.#outages.get(name) ?? null;
          return { ...tally(deliveries, outage), outage };
        })
          .sort((one, other) => order(one.destination.name, other.destination.name)),
      };
    });

  #do<Result>(work: () => Result): Promise<Result> {
    return Promise.try(() => {
      if (this.#isClosed) throw new StoreError("queue is closed");
      return work();
    });
  }

  #ids = () => Array.from(this.#messages.keys()).sort(order);

  #all = () => Array.from(this.#messages.values()).flat();

  #to = (name: string) => this.#all().filter(({ destination }) => destination.name === name);

  #of(ids: readonly string[], { dead }: Selection = { dead: false }): Delivery[] {
    const deliveries = Array.from(new Set(ids)).flatMap((id) => this.#messages.get(id) ?? []);
    return deliveries.filter(({ dueMs }) => !dead || dueMs === null);
  }

  #entryOf = (delivery: Delivery) =>
    entryOf(delivery, this.#outages.get(delivery.destination.name) ?? null);

  /** Removes deliveries, and each message with its last one. */
  #remove(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      const { id, data } = delivery.mail;
      const left = this.#messages.get(id)!.filter((one) => one !== delivery);
      this.#messages.set(id, left);
      if (left.length > 0) continue;
      this.#messages.delete(id);
      this.#octets -= data.length;
    }
  }
}

/** When a delivery can be claimed: never where it is dead. */
const readyMs = ({ dueMs, lease }: Delivery) => lease?.untilMs ?? dueMs ?? Infinity;

const standing = ({ dueMs, lease }: Delivery): Standing =>
  dueMs === null ? "dead" : lease === null ? "waiting" : "sending";

/** Remembers an attempt and what it means; where there are too many, the second one is forgotten. */
function record(delivery: Delivery, attempt: Attempt, dueMs: number | null): void {
  const { destination, history } = delivery;
  const kept = history.length < MAX_HISTORY ? history : history.toSpliced(1, 1);
  delivery.history = [...kept, attempt];
  delivery.attempts++;
  delivery.tries++;
  delivery.dueMs = dueMs;
  delivery.destination = { ...destination, label: attempt.label };
}

function entryOf(delivery: Delivery, outage: Outage | null): Entry {
  const { mail: { id, receivedAt, envelope, data }, destination, dueMs, attempts } = delivery;
  return {
    id,
    receivedMs: receivedAt.getTime(),
    octets: data.length,
    sender: envelope.reversePath === null ? "" : addressOf(envelope.reversePath),
    recipients: envelope.forwardPaths.map(addressOf),
    destination,
    standing: standing(delivery),
    attempts,
    dueMs: dueMs === null ? null : Math.max(dueMs, outage?.nextMs ?? 0),
    last: delivery.history.at(-1) ?? null,
  };
}

/** Counts the deliveries of one destination. */
function tally(
  deliveries: readonly Delivery[],
  outage: Outage | null,
): Omit<Stats["destinations"][number], "outage"> {
  const of = (wanted: Standing) => deliveries.filter((one) => standing(one) === wanted);
  return {
    destination: deliveries.at(-1)!.destination,
    waiting: of("waiting").length,
    sending: of("sending").length,
    dead: of("dead").length,
    nextMs: earliest(of("waiting").map((one) => Math.max(readyMs(one), outage?.nextMs ?? 0))),
  };
}

/** The least of some moments; null where there is none, or none that ever comes. */
function earliest(moments: readonly number[]): number | null {
  const least = moments.reduce((one, other) => Math.min(one, other), Infinity);
  return least === Infinity ? null : least;
}

const order = (one: string, other: string) => one < other ? -1 : one > other ? 1 : 0;
