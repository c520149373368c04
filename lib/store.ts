/**
 * Where messages wait until they are delivered: types only. A store keeps each message once and, for each
 * of its destinations, one delivery, which is waiting, being tried or dead; what is done is gone. Nothing
 * outside a store knows how it keeps them.
 *
 * A server uses the `Store` half, the tools of an operator the `Inventory` half, possibly from another
 * process at the same time. Moments are whole milliseconds since 1970, and come from whoever calls. Whatever
 * cannot be done for want of space or for a fault of the disk rejects with a `StoreError`, and has then not
 * been done in part either; but for `hasten` and `bury`, which can be asked for again.
 */
import type { Mail } from "./mail.ts";

/** A place where messages go. */
export interface Destination {
  /** Its key, the same for as long as its deliveries wait: who mends a URL means them too. */
  readonly name: string;
  /** What an operator calls it, without secrets. */
  readonly label: string;
}

/** One attempt of a delivery that was not the last one needed. */
export interface Attempt {
  /** When it began. */
  readonly atMs: number;
  /** How long it took. */
  readonly elapsedMs: number;
  /** Where it went, as `Destination.label` was then. */
  readonly label: string;
  /** What came of it, without secrets, such as `endpoint answered 503`. */
  readonly reason: string;
  /** What an operator wants to know beyond that, such as the start of the answer; may be empty. */
  readonly detail: string;
}

/** A delivery that is taken for one attempt, and nobody else's until its lease runs out. */
export interface Claim {
  /** Names this claim; no two of one run are alike. */
  readonly lease: string;
  /** The message. */
  readonly mail: Mail;
  /** The name of its destination. */
  readonly destination: string;
  /** Attempts since it was put, or retried by hand. */
  readonly tries: number;
  /** When it has waited long enough: an attempt that fails then is the last one. */
  readonly expiresMs: number;
}

/** What was claimed, and when to come again. */
export interface Claimed {
  /** The deliveries, those due first in front. */
  readonly claims: readonly Claim[];
  /** When the next delivery is due, or a lease runs out, also one just given; null where nothing waits. */
  readonly nextMs: number | null;
}

/** How an attempt ended. */
export type Settlement =
  /** Delivered: the delivery is gone, and with its last delivery the message. */
  | { readonly kind: "done" }
  /** To be tried again. */
  | { readonly kind: "waiting"; readonly dueMs: number; readonly attempt: Attempt }
  /** Not to be tried again, unless by hand. */
  | { readonly kind: "dead"; readonly attempt: Attempt }
  /** There was no attempt after all: it waits as it did before. */
  | { readonly kind: "untried" };

/** That a destination takes nothing at the moment, as far as a server can tell. */
export interface Outage {
  /** Since when. */
  readonly sinceMs: number;
  /** When it is tried next; until then nothing goes there. */
  readonly nextMs: number;
  /** What came of the latest attempt. */
  readonly reason: string;
}

/** What a server needs of a store. */
export interface Store {
  /**
   * Keeps a message, to be tried at once at each destination until it expires. Resolves once no crash can
   * lose it; rejects with a `StoreError` that is full where there is no space, and with one that is not
   * where a message of that id is kept already.
   */
  put(
    mail: Mail,
    destinations: readonly [Destination, ...Destination[]],
    times: { readonly nowMs: number; readonly expiresMs: number },
  ): Promise<void>;

  /**
   * Takes up to `most` deliveries of a destination that are due, those due first in front, for as long as
   * `leaseMs`. They may be fewer where their messages are large, but at least one where one is due. A probe
   * is one that was not tried before, where there is any.
   */
  claim(
    destination: string,
    most: number,
    how: { readonly nowMs: number; readonly leaseMs: number; readonly isProbe?: boolean },
  ): Promise<Claimed>;

  /**
   * Ends a claim. Where another one has been made since its lease ran out, or the message was dropped or
   * settled, nothing happens, and false is given. It outlives the end of the program, but perhaps not a loss of
   * power in the next moment: then there is another attempt.
   */
  settle(claim: Claim, settlement: Settlement): Promise<boolean>;

  /**
   * Makes deliveries of a destination due now that are due later, until `untilMs`; but none that is dead or
   * being tried.
   */
  hasten(destination: string, nowMs: number, untilMs: number): Promise<void>;

  /**
   * Makes those that wait for a destination, and that have expired by the time of the attempt, dead by it,
   * though it was not theirs: what it says, it says of the destination. Those that are being tried stay.
   * Gives how many they were.
   */
  bury(destination: string, attempt: Attempt): Promise<number>;

  /**
   * Follows a clock that jumped by `byMs` to `nowMs`: what was due in an hour still is. Nothing expires
   * later than after `lifetimeMs`. What was received and tried stays.
   */
  shift(byMs: number, nowMs: number, lifetimeMs: number): Promise<void>;

  /** Lets operators know of an outage, or that there is none. It is forgotten when a server starts. */
  report(destination: string, outage: Outage | null): Promise<void>;

  /** Differs from what it was once somebody else has changed the store. */
  version(): Promise<number>;

  /** Finishes what is begun and lets go of the store; what is asked for later rejects with a `StoreError`. */
  close(): Promise<void>;
}

/** Where a delivery stands. It is being sent until that is settled or somebody else claims it. */
export type Standing = "waiting" | "sending" | "dead";

/** One delivery, as an operator sees it. */
export interface Entry {
  /** The id of the message. */
  readonly id: string;
  /** When it was received. */
  readonly receivedMs: number;
  /** Octets of the message. */
  readonly octets: number;
  /** Envelope sender; empty for `<>`. */
  readonly sender: string;
  /** Envelope recipients, in order. */
  readonly recipients: readonly string[];
  /** Where it goes. */
  readonly destination: Destination;
  /** Waiting, being tried, or dead. */
  readonly standing: Standing;
  /** All attempts so far. */
  readonly attempts: number;
  /** When it is tried next, at the earliest: not before an outage is thought to be over; null where it is dead. */
  readonly dueMs: number | null;
  /** The latest attempt; null before the first one. */
  readonly last: Attempt | null;
}

/** One message, as an operator sees it. */
export interface Letter {
  /** The message. */
  readonly mail: Mail;
  /** Its deliveries that are not done, each with its latest attempts, up to `MAX_HISTORY`, oldest first. */
  readonly deliveries: readonly (Entry & { readonly history: readonly Attempt[] })[];
}

/** Attempts of one delivery that are remembered, the first one and the latest. */
export const MAX_HISTORY = 50;

/** A store in numbers. */
export interface Stats {
  /** Messages. */
  readonly messages: number;
  /** Octets of them all. */
  readonly octets: number;
  /** When the oldest was received; null where there is none. */
  readonly oldestMs: number | null;
  /** Octets that the store takes where it is. */
  readonly storeOctets: number;
  /** Deliveries of each destination, by name. */
  readonly destinations: readonly {
    readonly destination: Destination;
    readonly waiting: number;
    readonly sending: number;
    readonly dead: number;
    /** When the next one that waits is tried, at the earliest; null where none does. */
    readonly nextMs: number | null;
    /** Null where none is known of. */
    readonly outage: Outage | null;
  }[];
}

/** Which deliveries are meant. */
export interface Selection {
  /** Dead ones only, or all. */
  readonly dead: boolean;
}

/** What the tools of an operator need of a store. */
export interface Inventory {
  /** Up to `most` deliveries behind `after`, in the order of ids (that of time) and destinations. */
  entries(
    selection: Selection,
    after: { readonly id: string; readonly destination: string } | null,
    most: number,
  ): Promise<readonly Entry[]>;

  /** Ids that begin with a text, up to `most`, in order. */
  ids(prefix: string, most: number): Promise<readonly string[]>;

  /** A message; null where there is none of that id. */
  find(id: string): Promise<Letter | null>;

  /**
   * Makes the selected deliveries of these messages due at `dueMs`, with a new life and all their retries before
   * them; those that are being tried stay as they are. Gives how many there were.
   */
  retry(
    ids: readonly string[],
    selection: Selection,
    times: { readonly dueMs: number; readonly expiresMs: number },
  ): Promise<number>;

  /** Removes the selected deliveries of these messages, whatever they are at. Gives how many there were. */
  drop(ids: readonly string[], selection: Selection): Promise<number>;

  /** Counts. */
  stats(): Promise<Stats>;
}

/** That a store could not do what was asked. */
export class StoreError extends Error {
  /** Whether it is for want of space. */
  readonly isFull: boolean;

  /** `message` is fit for a log, and names no path. */
  constructor(message: string, isFull = false) {
    super(message);
    this.name = "StoreError";
    this.isFull = isFull;
  }
}
