/**
 * The ledger of the crash test: what clients know of their messages beside what the endpoint was
 * sent, and what is wrong between the two. It is pure.
 *
 * A message is delivered at least once if it was answered 250, and not at all if it was refused. Of
 * one that had no answer either is right. More than once is right only where a run of the server
 * ended before it could note that the endpoint had taken the message; within one run nothing is
 * taken twice.
 */
import type { Flaw } from "./letter.ts";

/** What a client knows of a message. */
export type Verdict =
  /** It was told 250. */
  | "accepted"
  /** It was told 4xx or 5xx. */
  | "refused"
  /** It sent the end, or began to, and heard nothing. */
  | "unanswered"
  /** It never sent the end. */
  | "withdrawn";

/** All verdicts. */
export const VERDICTS: readonly Verdict[] = ["accepted", "refused", "unanswered", "withdrawn"];

/** A message as its client sees it. */
export interface Sent {
  readonly number: number;
  readonly flaw: Flaw;
  /** Octets. */
  readonly size: number;
  /** The run of the server that it was sent to. */
  readonly run: number;
  /** Whether the queue of that run was small enough to be full at times. */
  readonly isTight: boolean;
  readonly verdict: Verdict;
  /** The last reply about it; empty where there was none. */
  readonly reply: string;
}

/** A POST as the endpoint sees it. */
export interface Posted {
  /** Of the message; null where it is of nobody's. */
  readonly number: number | null;
  /** The field webhook-id. */
  readonly id: string;
  /** The run of the server that sent it. */
  readonly run: number;
  /** In what it is not the message that was sent; null where it is that one. */
  readonly difference: string | null;
  /** Whether the endpoint took it. */
  readonly isTaken: boolean;
}

/** What came of some messages. */
export interface Judgement {
  /** All that is wrong, a sentence each. */
  readonly faults: readonly string[];
  /** Messages that were taken more than once. */
  readonly doubled: number;
  /** How often they were taken beyond the first time. */
  readonly duplicates: number;
  /** Accepted messages that were first taken in a later run than the one that accepted them. */
  readonly outliving: number;
  /** Messages without an answer that were delivered. */
  readonly survivors: number;
}

/** Judges all messages since the queue was last empty, now that it is empty again. */
export function judge(sent: readonly Sent[], posted: readonly Posted[]): Judgement {
  const posts = Map.groupBy(posted, ({ number }) => number);
  const numbers = new Set(sent.map(({ number }) => number));
  const strangers = posted.filter(({ number }) => number === null || !numbers.has(number));
  const repeats = sent.map(({ number }) => taken(posts.get(number)).length - 1)
    .filter((repeats) => repeats > 0);
  return {
    faults: [
      ...strangers.map(({ number, id, run }) =>
        number === null
          ? `POST ${id} of run ${run} is of no client's message`
          : `POST ${id} of run ${run} is of message ${number}, which was done with, or never sent`
      ),
      ...sent.flatMap((message) => faultsOf(message, posts.get(message.number) ?? [])),
    ],
    doubled: repeats.length,
    duplicates: repeats.reduce((sum, count) => sum + count, 0),
    outliving: sent.filter(({ number, run, verdict }) => {
      const [first] = taken(posts.get(number));
      return verdict === "accepted" && first !== undefined && first.run > run;
    }).length,
    survivors: sent.filter(({ number, verdict }) => verdict === "unanswered" && posts.has(number))
      .length,
  };
}

const taken = (posts: readonly Posted[] = []) => posts.filter(({ isTaken }) => isTaken);

function faultsOf(message: Sent, posts: readonly Posted[]): string[] {
  const { number, flaw, size, run, isTight, verdict, reply } = message;
  const kind = flaw === "none" ? "" : `${flaw}, `;
  const name = `${verdict} message ${number} (${kind}${size} octets, run ${run})`;
  const ids = new Set(posts.map(({ id }) => id));
  const takers = taken(posts).map(({ run }) => run);
  const refusal = isTight ? /^(421|452 4\.3\.1) / : /^421 /;
  const faults: [isSo: boolean, what: string][] = [
    [verdict === "accepted" && takers.length === 0, `was lost: ${reply}`],
    [verdict === "refused" && posts.length > 0, `was delivered all the same: ${reply}`],
    [verdict === "withdrawn" && posts.length > 0, "was delivered, and its end was never sent"],
    [verdict === "accepted" && flaw !== "none", `should have been refused: ${reply}`],
    [
      verdict === "refused" && flaw === "none" && !refusal.test(reply),
      `was refused for no good reason: ${reply}`,
    ],
    [ids.size > 1, `was delivered under ${ids.size} ids`],
    [
      verdict === "accepted" && ids.size === 1 && !reply.includes(`(${[...ids][0]})`),
      `was accepted under another id than ${[...ids][0]}: ${reply}`,
    ],
    [new Set(takers).size < takers.length, `was taken twice in one run: ${takers.join(", ")}`],
  ];
  const differences = posts.map(({ difference }) => difference)
    .filter((difference) => difference !== null)
    .map((difference) => `${name} was delivered with ${difference}`);
  return [
    ...faults.filter(([isSo]) => isSo).map(([, what]) => `${name} ${what}`),
    ...new Set(differences),
  ];
}
