/** What becomes of a run of the server in the crash test, decided by chance before it begins. */
import { type Chance, Deck } from "../soak/chance.ts";
import type { Mood } from "./endpoint.ts";

/** Where the server is in its life when it is killed. */
export type Phase =
  /** It does not listen yet. */
  | "starting"
  /** Clients send at full speed. */
  | "accepting"
  /** No client is there, and what waits is delivered. */
  | "draining"
  /** It was told to stop. */
  | "stopping";

/** All phases, and how many of twenty runs end in each. */
const PHASE_COUNTS = new Map<Phase, number>([
  ["starting", 4],
  ["accepting", 9],
  ["draining", 4],
  ["stopping", 3],
]);

/** All phases. */
export const PHASES: readonly Phase[] = [...PHASE_COUNTS.keys()];

/** A moment that cannot be foreseen; each is reckoned from when the phase begins. */
export type Moment =
  /** After milliseconds. */
  | { readonly kind: "time"; readonly afterMs: number }
  /** Right when a client is told 250, after so many others. */
  | { readonly kind: "acceptance"; readonly count: number }
  /** Right when a POST has come, before it is answered, after so many others. */
  | { readonly kind: "post"; readonly count: number };

/** One run. */
export interface Plan {
  /** Where it is killed. */
  readonly phase: Phase;
  /** When it is killed; while it starts, as a part of how long that takes. */
  readonly kill: Moment | { readonly kind: "part"; readonly part: number };
  /** How long clients send before the phase begins, in milliseconds. */
  readonly loadMs: number;
  /** Clients at once. */
  readonly clients: number;
  /** `--queue-max-size` in octets where it is small; else null. */
  readonly room: number | null;
  /** How the endpoint is. */
  readonly mood: Mood;
  /** How it is later, and after how many milliseconds. */
  readonly later: { readonly mood: Mood; readonly afterMs: number };
}

/** Plans one run after the other. */
export class Planner {
  readonly #chance: Chance;
  readonly #phases: Deck<Phase>;
  readonly #moods: Deck<Mood>;
  readonly #isTight: Deck<boolean>;
  #plans = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.#phases = new Deck(PHASE_COUNTS, chance.child());
    const moods = new Map<Mood, number>([["kind", 3], ["slow", 2], ["fickle", 2], ["down", 1]]);
    this.#moods = new Deck(moods, chance.child());
    this.#isTight = new Deck(new Map([[false, 4], [true, 1]]), chance.child());
  }

  /** Decides; in the first run mail is sent for sure. */
  next(): Plan {
    const chance = this.#chance.child();
    const isFirst = ++this.#plans === 1;
    const phase = isFirst ? "accepting" : this.#phases.deal();
    const isTight = phase !== "starting" && !isFirst && this.#isTight.deal();
    const mood = this.#moods.deal();
    return {
      ...{ phase, mood },
      kill: isFirst ? { kind: "time", afterMs: 1_000 } : momentIn(phase, chance),
      loadMs: chance.between(50, 1_000),
      clients: chance.between(2, 8),
      room: isTight ? chance.size(2_500_000, 5_000_000) : null,
      later: {
        mood: chance.next() < 0.3 ? this.#moods.deal() : mood,
        afterMs: chance.between(50, 500),
      },
    };
  }
}

function momentIn(phase: Phase, chance: Chance): Plan["kill"] {
  switch (phase) {
    case "starting":
      return { kind: "part", part: chance.next() * 1.1 };
    case "accepting":
      return chance.pick<Moment>([
        { kind: "time", afterMs: chance.size(1, 1_000) },
        { kind: "time", afterMs: chance.between(400, 1_500) },
        { kind: "acceptance", count: chance.size(1, 200) },
        { kind: "post", count: chance.size(1, 100) },
      ]);
    case "draining":
      return chance.pick<Moment>([
        { kind: "time", afterMs: chance.size(1, 400) },
        { kind: "post", count: chance.size(1, 50) },
      ]);
    case "stopping":
      return { kind: "time", afterMs: chance.size(1, 300) };
  }
}
