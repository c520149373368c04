/**
 * The crowd of a soak: guests, who come and go in the roles that a deck deals, and residents, who stay as
 * idle as they may. From the same seed come the same clients in the same order; what they meet depends on
 * how fast machine and program are.
 */
import { type Chance, Deck } from "./chance.ts";
import type { Sent } from "./judge.ts";
import type { Letter } from "./letters.ts";
import { Message, type RoleName, roles } from "./roles.ts";

/** Connections at once; together below the 100 that one address may have, those that linger among them. */
const GUESTS = 50;
const RESIDENTS = 10;

/**
 * Big files that come at once, at the beginning. What an allocator keeps follows from the most that it ever
 * had to give, which chance would else decide: the C library returns only what is free at the end of its heap.
 */
const TIDE = 16;

/** How long a client may stay away before the next visit, in milliseconds. */
const MAX_PAUSE_MS = 500;

/** All clients of one program. */
export class Crowd {
  /** The messages of clients that have left. */
  readonly sent: Sent[] = [];
  /** Clients that have come, by their role. */
  readonly clients = new Map<RoleName, number>();
  /** What clients met that no client should, a sentence each. */
  readonly faults: string[] = [];
  readonly #port: number;
  readonly #deck: Deck<RoleName>;
  readonly #guests: Chance;
  readonly #residents: Chance;
  readonly #tide: Chance;
  #open = 0;
  #letters = 0;

  /** `port` is the program's, on the loopback interface. */
  constructor(port: number, chance: Chance) {
    this.#port = port;
    const counts = Object.entries(roles).map(([name, { count }]) =>
      [name as RoleName, count] as const
    );
    this.#deck = new Deck(new Map(counts), chance.child());
    this.#guests = chance.child();
    this.#residents = chance.child();
    this.#tide = chance.child();
  }

  /** Clients that are here now. */
  get open(): number {
    return this.#open;
  }

  /** Comes for a time, and resolves when the last client has left. */
  async come(seconds: number): Promise<void> {
    const over = AbortSignal.timeout(seconds * 1000);
    const visits = async (role: () => RoleName, chances: Chance) => {
      while (!over.aborted) {
        const chance = chances.child();
        await this.visit(role(), chance, over);
        await new Promise((resolve) => setTimeout(resolve, chance.between(0, MAX_PAUSE_MS)));
      }
    };
    await Promise.all([
      ...Array.from({ length: TIDE }, () => this.visit("a big file", this.#tide.child(), over)),
      ...Array.from({ length: GUESTS }, () => visits(() => this.#deck.deal(), this.#guests)),
      ...Array.from({ length: RESIDENTS }, () => visits(() => "idle", this.#residents)),
    ]);
  }

  /** One client from its coming to its leaving; gives the messages that it had. */
  async visit(role: RoleName, chance: Chance, over: AbortSignal): Promise<readonly Sent[]> {
    this.clients.set(role, (this.clients.get(role) ?? 0) + 1);
    this.#open++;
    const messages: Message[] = [];
    const write = (letter: Letter) => {
      const token = `soak-${++this.#letters}`;
      const message = new Message(token, role, letter(token, chance));
      messages.push(message);
      return message;
    };
    try {
      await roles[role].play({ port: this.#port, chance, over, write });
    } catch (error) {
      this.faults.push(`client (${role}): ${(error as Error).message}`);
    }
    this.#open--;
    const sent = messages.map(({ sent }) => sent);
    this.sent.push(...sent);
    return sent;
  }
}
