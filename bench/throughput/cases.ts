/** What is compared, and under which loads. */
import type { Order } from "../load.ts";
import { KILOBYTE, MEGABYTE } from "../queue/measure.ts";

/**
 * What takes the mails: this server without and with a queue, the peer, what forwards all unread,
 * and what does nothing at all.
 */
export const subjects = ["no queue", "queue", "peer", "bare", "sink"] as const;

/** One of them. */
export type Subject = typeof subjects[number];

/** Mails: texts, and the largest with an attachment. */
export const sizes = {
  "1 KB": { octets: KILOBYTE, hasAttachment: false },
  "4 KB": { octets: 4 * KILOBYTE, hasAttachment: false },
  "100 KB": { octets: 100 * KILOBYTE, hasAttachment: false },
  "5 MB": { octets: 5 * MEGABYTE, hasAttachment: true },
} as const satisfies Record<string, Pick<Order, "octets" | "hasAttachment">>;

/** The name of a size. */
export type Size = keyof typeof sizes;

/** Whether clients keep their connections, or have one for each mail. */
export const manners = ["kept", "each"] as const;

/** One of them. */
export interface Case {
  readonly size: Size;
  /** Clients that send at the same time. */
  readonly connections: number;
  readonly manner: typeof manners[number];
}

/** Every combination. */
export function product(
  sizes: readonly Size[],
  connections: readonly number[],
  manners: readonly Case["manner"][],
): Case[] {
  return sizes.flatMap((size) =>
    connections.flatMap((count) => manners.map((manner) => ({ size, connections: count, manner })))
  );
}

/** Each size as relays send it, and of the usual size what else there is. */
export const selection: readonly Case[] = [
  ...product(["1 KB"], [20], ["kept"]),
  ...product(["4 KB"], [1, 20, 200], ["kept"]),
  ...product(["4 KB"], [20], ["each"]),
  ...product(["100 KB"], [20], ["kept"]),
  ...product(["5 MB"], [1, 20], ["kept"]),
];

/** All of them. */
export const everything: readonly Case[] = product(
  Object.keys(sizes) as Size[],
  [1, 20, 200],
  manners,
);

/** The order of a load for a case, without where to and how long. */
export function orderFor({ size, connections, manner }: Case) {
  return { ...sizes[size], connections, messagesEach: manner === "each" ? 1 : null };
}
