/**
 * The judge of a soak: what clients know of their messages beside what the endpoint was sent. It is pure.
 *
 * "Exactly once" is counted by answers. An endpoint takes a message by answering 2xx, so a message that a
 * client was told 250 about has one such answer, and nobody else's has. A POST that the endpoint leaves
 * without an answer counts as none: `fetch` itself repeats it where the connection was a kept one, as HTTP
 * allows (RFC 9110 section 9.2.2 speaks of "means to detect", which webhook-id is), and the repeat has to
 * carry the same webhook-id. Once there was an answer, nothing may follow it.
 */

/** What a client knows of a message. */
export type Verdict =
  /** It was told 250. */
  | "accepted"
  /** It was told 4xx or 5xx, at whatever command. */
  | "refused"
  /** It sent all and heard nothing: either is right. */
  | "unknown"
  /** It never sent the end: nobody may ever see the message. */
  | "withdrawn";

/** A message as its client sees it. */
export interface Sent {
  /** Stands in the reverse path; no two messages share one. */
  readonly token: string;
  /** What kind of client sent it. */
  readonly role: string;
  /** Of the octets between the command and the end. */
  readonly digest: string;
  /** What its client knows. */
  readonly verdict: Verdict;
  /** The last reply about it; empty where there was none. */
  readonly reply: string;
}

/** A POST as the endpoint sees it. */
export interface Posted {
  /** The field webhook-id. */
  readonly id: string;
  /** From the reverse path. */
  readonly token: string;
  /** Of the octets of the message. */
  readonly digest: string;
  /** The status of the answer; null where the endpoint gave none. */
  readonly status: number | null;
}

/** All that is wrong, a sentence each; none where all is well. */
export function judge(sent: readonly Sent[], posted: readonly Posted[]): string[] {
  const posts = Map.groupBy(posted, ({ token }) => token);
  const tokens = new Set(sent.map(({ token }) => token));
  return [
    ...posted.filter(({ token }) => !tokens.has(token))
      .map(({ id, token }) => `POST ${id} is of no client's message: ${token}`),
    ...sent.flatMap((message) => faultsOf(message, posts.get(message.token) ?? [])),
  ];
}

function faultsOf(message: Sent, posts: readonly Posted[]): string[] {
  const { role, token, digest, verdict, reply } = message;
  const name = `${verdict} message ${token} (${role})`;
  const ids = new Set(posts.map(({ id }) => id));
  const answered = posts.filter(({ status }) => status !== null);
  const taken = posts.filter(({ status }) => status !== null && status >= 200 && status < 300);
  const faults: [isSo: boolean, what: string][] = [
    [posts.some((post) => post.digest !== digest), "was POSTed with other octets"],
    [ids.size > 1, `was POSTed under ${ids.size} ids`],
    [answered.length > 1, `was POSTed ${answered.length} times`],
    [verdict === "accepted" && taken.length === 0, "was never taken"],
    [
      verdict === "accepted" && ids.size === 1 && !reply.includes([...ids][0]),
      `was accepted under another id: ${reply}`,
    ],
    [verdict === "refused" && taken.length > 0, `was taken all the same: ${reply}`],
    [verdict === "withdrawn" && posts.length > 0, "was POSTed, and its end was never sent"],
  ];
  return faults.filter(([isSo]) => isSo).map(([, what]) => `${name} ${what}`);
}
