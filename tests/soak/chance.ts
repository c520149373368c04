/**
 * Chance that can be had again: everything random of a soak follows from its seed. What must not be left
 * to chance is dealt from a deck, so that any two stretches of a soak are of the same mix.
 */

/** A source of numbers that follow from a seed; not for secrets. */
export class Chance {
  #state: number;

  /** `seed` is an integer; those that are equal give equal numbers. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 to less than 1. */
  next(): number {
    // A Weyl sequence through a mixing function of 32 bits, after the finalizer of MurmurHash3.
    let x = this.#state = (this.#state + 0x9e3779b9) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
  }

  /** An integer, both ends among them. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** An integer, small ones far more often than big ones: each order of magnitude is as likely. */
  size(least: number, most: number): number {
    return Math.round(least * (most / least) ** this.next());
  }

  /** One of several. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.between(0, items.length - 1)];
  }

  /** Another source, which follows from this one. */
  child(): Chance {
    return new Chance(this.between(0, 2 ** 32 - 1));
  }
}

/** Deals items in random order, each as often as its count says before any of them comes again. */
export class Deck<Item> {
  readonly #cards: readonly Item[];
  readonly #chance: Chance;
  #left: Item[] = [];

  /** `counts` are integers, at least 1. */
  constructor(counts: ReadonlyMap<Item, number>, chance: Chance) {
    this.#cards = Array.from(counts).flatMap(([item, count]) => Array<Item>(count).fill(item));
    this.#chance = chance;
  }

  /** The next item. */
  deal(): Item {
    if (this.#left.length === 0) this.#left = [...this.#cards];
    return this.#left.splice(this.#chance.between(0, this.#left.length - 1), 1)[0];
  }
}
