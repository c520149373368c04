/**
 * The messages of the crash test. Each has a number, and all of it follows from that and the seed
 * of the test, so that whoever meets it later can say what it has to be, octet for octet, without
 * having kept it.
 */
import { Chance } from "../soak/chance.ts";

/** What the program has to be told, since some letters go beyond it: `--max-size`, in octets. */
export const MAX_SIZE = 2_100_000;

/** What of a letter the program must refuse. */
export type Flaw =
  | "none"
  /** Over `MAX_SIZE`, and said so in MAIL. */
  | "too big as it says"
  /** Over `MAX_SIZE` without a word. */
  | "too big"
  /** Not one recipient that can be read. */
  | "unaddressed";

/** One message, and how it is sent. */
export interface Letter {
  /** No two letters of a test share one. */
  readonly number: number;
  /** What is wrong with it. */
  readonly flaw: Flaw;
  /** The command line that opens its transaction, without its end. */
  readonly mail: string;
  /** The reverse path as templates write it; empty for `<>`. */
  readonly sender: string;
  /** What RCPT says, one after another, mailboxes that cannot be read among them. */
  readonly paths: readonly string[];
  /** Those that can be read, in order; the first one tells the number. */
  readonly recipients: readonly string[];
  /** Whether it goes in chunks (RFC 3030); else, by DATA, it ends with CRLF. */
  readonly isChunked: boolean;
  /** The message. */
  readonly octets: Uint8Array<ArrayBuffer>;
}

/** By how many of two hundred letters. */
const FLAWS: readonly Flaw[] = [
  ...Array<Flaw>(193).fill("none"),
  ...Array<Flaw>(2).fill("too big as it says"),
  "too big",
  ...Array<Flaw>(4).fill("unaddressed"),
];

/** What stands for a mailbox that cannot be read. */
const UNREADABLE = ["<>", "<a b@crash.example>", "<@crash.example>", "<a@crash.example"];

const MAILBOXES = [
  "b@crash.example",
  '"odd @ \\" name"@crash.example',
  "postmaster",
  "x+y=z@[192.0.2.1]",
];

/** Makes the letter of a number. */
export function letterOf(seed: number, number: number): Letter {
  const chance = new Chance(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b));
  const flaw = chance.pick(FLAWS);
  const size = sizeOf(flaw, chance);
  const isUtf8 = chance.next() < 0.1;
  const sender = chance.pick([
    ...["", `s${number}@crash.example`, `s${number}@crash.example`, '"a\\"b"@crash.example'],
    isUtf8 ? `größe-日本-${number}@crash.example` : "s@crash.example",
  ]);
  const parameters = [
    ...(flaw === "too big as it says" || chance.next() < 0.2 ? [`SIZE=${size}`] : []),
    ...(isUtf8 ? ["SMTPUTF8"] : []),
    ...(chance.next() < 0.5 ? ["BODY=8BITMIME"] : []),
  ];
  const first = `${number}@crash.example`;
  const others = Array.from({ length: chance.between(0, 3) }, () => chance.pick(MAILBOXES));
  const recipients = flaw === "unaddressed" ? [] : [first, ...others];
  const paths = recipients.map((mailbox) => `<${mailbox}>`);
  if (flaw === "unaddressed" || chance.next() < 0.1) {
    paths.splice(chance.between(0, paths.length), 0, chance.pick(UNREADABLE));
  }
  const isChunked = chance.next() < 0.5;
  const octets = octetsOf(number, size, chance);
  if (!isChunked) octets.set([0x0d, 0x0a], octets.length - 2);
  return {
    ...{ number, flaw, sender, recipients, paths, isChunked, octets },
    mail: [`MAIL FROM:<${sender}>`, ...parameters].join(" "),
  };
}

/** The number of a letter that came with these recipients; null where it is none of this test. */
export function numberOf(recipients: readonly string[]): number | null {
  const [, number] = /^([1-9]\d{0,8})@crash\.example$/.exec(recipients[0] ?? "") ?? [];
  return number === undefined ? null : Number(number);
}

/** From how many octets to how many. Large messages are those that a crash can cut in two. */
const SIZES: readonly (readonly [least: number, most: number])[] = [
  ...[[100, 10_000], [100, 10_000], [100, 10_000]] as const,
  ...[[100, 600_000], [100, 600_000], [200_000, 600_000]] as const,
];

function sizeOf(flaw: Flaw, chance: Chance): number {
  switch (flaw) {
    case "too big as it says":
    case "too big":
      return MAX_SIZE + chance.between(1, 100_000);
    case "none":
    case "unaddressed":
      return chance.next() < 0.01 ? 2_000_000 : chance.size(...chance.pick(SIZES));
  }
}

/** Four octets each, so that text is made as fast as noise is. */
const words = (...texts: string[]) =>
  Uint32Array.from(
    texts,
    (text) => new DataView(new TextEncoder().encode(text).buffer).getUint32(0, true),
  );

/** Out of what messages are made; null is octets of all values. */
const MATTERS: readonly (Uint32Array | null)[] = [
  null,
  null,
  // What could be taken for the end of data, or for a stuffed dot.
  words("\r\n..", "\n.\r\n", ".\r\n.", "\r.\r\n", "\n.\n.", "\0\r\n.", "xx\r\n", "\r\r\n."),
  // UTF-8, byte order marks among it; where it is cut off within a character it is none.
  words("\ufeff\n", "日.", "éé", "😀", "mail", "\r\n..", "ÿ\0\n", "日x"),
  words("lore", "m ip", "sum ", "dolo", "r.\r\n", "sit ", "amet", "\r\n\r\n"),
];

function octetsOf(number: number, size: number, chance: Chance): Uint8Array<ArrayBuffer> {
  const heading = chance.next() < 0.8 ? `Subject: ${number}\r\n\r\n` : "";
  const matter = chance.pick(MATTERS);
  const body = new Uint32Array(Math.ceil((size - heading.length) / 4));
  // Marsaglia's xorshift: `Chance` would take longer than the program takes for the message.
  let x = chance.between(1, 2 ** 32 - 1) | 0;
  for (let at = 0; at < body.length; at++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    body[at] = matter === null ? x : matter[(x >>> 0) % matter.length];
  }
  const octets = new Uint8Array(size);
  octets.set(new TextEncoder().encode(heading));
  octets.set(new Uint8Array(body.buffer, 0, size - heading.length), heading.length);
  return octets;
}
