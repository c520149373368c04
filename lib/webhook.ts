/**
 * Sending by HTTP POST, and the one table that says what an HTTP status means for a message. Redirects
 * are not followed, since that would turn a POST into a GET or hand a message to a server that nobody
 * named (RFC 9110 section 15.4).
 */
import type { Alarm } from "./alarm.ts";
import type { Send } from "./delivery.ts";
import type { Observe } from "./event.ts";
import type { Outcome } from "./mail.ts";
import type { HttpRequest } from "./request.ts";
import { retryAfterMs } from "./retry.ts";

/** What sending obeys and uses. */
export interface WebhookOptions {
  /** Milliseconds for the whole exchange, from connecting to the end of the answer. */
  readonly timeoutMs: number;
  /** Octets of an answer that are read, after decompression. */
  readonly maxAnswerOctets: number;
  /** The platform's, or one with its own proxy or certificates. */
  readonly fetch: typeof fetch;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  /** Tells when an endpoint has taken too long. */
  readonly alarm: Alarm;
  /** The time of day: some endpoints say until when they want to be left alone. */
  readonly date: () => Date;
}

/** What an endpoint answered. */
export interface Answer {
  /** An answer came. */
  readonly kind: "answer";
  /** Its status, 200 to 599. */
  readonly status: number;
  /** The reason phrase; often empty. */
  readonly statusText: string;
  /** Its header fields. */
  readonly headers: Headers;
  /** The body as text, cut after the limit. */
  readonly body: string;
  /** Milliseconds from the start to the end of the answer, or to where reading it ended. */
  readonly elapsedMs: number;
}

/** That no answer came, and why. */
export interface Silence {
  /** No answer came. */
  readonly kind: "silence";
  /** Fit for a reply: says nothing of the inside of a network. */
  readonly reason: string;
  /** Fit for the log of the operator; without the URL, which may hold secrets. */
  readonly detail: string;
  /** Milliseconds from the start to the fault. */
  readonly elapsedMs: number;
}

/** Statuses that speak of this message, which would be refused again however often it came. */
const REJECTED = new Set([400, 406, 410, 413, 415, 422]);

/** What an HTTP status says about a message; all that is neither success nor refusal may heal. */
export function outcomeOf(status: number): Outcome {
  const note = `endpoint answered ${status}`;
  if (status >= 200 && status < 300) return { kind: "accepted", note };
  return { kind: REJECTED.has(status) ? "rejected" : "deferred", reason: note };
}

/** Characters of an answer that are told. */
const TOLD_LENGTH = 200;

/**
 * What an operator is told of an answer's body: the start, where it was no success. Of a success it says
 * nothing that helps, and many a service answers with the very message it was sent, which a log must not
 * hold.
 */
export function told(status: number, body: string): string {
  return outcomeOf(status).kind === "accepted" ? "" : [...body].slice(0, TOLD_LENGTH).join("");
}

/** What an answer means for a message, with all that it says. */
function judge(answer: Answer, now: Date): Outcome {
  const outcome = { ...outcomeOf(answer.status), detail: told(answer.status, answer.body) };
  if (outcome.kind !== "deferred") return outcome;
  const waitMs = retryAfterMs(answer.headers.get("retry-after"), now);
  return waitMs === null ? outcome : { ...outcome, retryAfterMs: waitMs };
}

/** Sends one request and reads the answer. It does not reject; `signal` ends it early. */
export async function post(
  request: HttpRequest,
  options: WebhookOptions,
  signal: AbortSignal,
): Promise<Answer | Silence> {
  const { timeoutMs, maxAnswerOctets, now, alarm } = options;
  const start = now();
  const abort = new AbortController();
  const stop = () => abort.abort("stopped");
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const call = alarm.after(timeoutMs, () => abort.abort("timeout"));
  try {
    if (request.url === null) throw new TypeError("the request has no URL");
    const response = await options.fetch(request.url, {
      method: request.method,
      headers: request.headers.map(([name, value]) => [name, value]),
      body: request.body,
      redirect: "manual",
      signal: abort.signal,
    });
    // The status is the answer; a body that breaks off or never ends takes nothing from it.
    const body = await readText(response, maxAnswerOctets);
    const { status, statusText, headers } = response;
    return { kind: "answer", status, statusText, headers, body, elapsedMs: now() - start };
  } catch (error) {
    return {
      kind: "silence",
      ...explain(error, abort.signal, timeoutMs),
      elapsedMs: now() - start,
    };
  } finally {
    alarm.cancel(call);
    signal.removeEventListener("abort", stop);
  }
}

function explain(error: unknown, signal: AbortSignal, timeoutMs: number) {
  if (signal.reason === "timeout") {
    const reason = `endpoint gave no answer within ${timeoutMs / 1000} s`;
    return { reason, detail: reason };
  }
  if (signal.reason === "stopped") {
    return { reason: "server is stopping", detail: "server is stopping" };
  }
  const { message, cause } = error as Error;
  const detail = cause instanceof Error ? cause.message : message;
  return {
    reason: "endpoint could not be reached",
    // Runtimes differ in how often they say it.
    detail: [...new Set(withoutUrls(detail).split(": "))].join(": "),
  };
}

/** A URL has no blanks, but it can have parentheses. */
function withoutUrls(text: string): string {
  return text.replace(/ for url \(\S+\)/g, "").replace(/\bhttps?:\/\/\S+/g, "the endpoint");
}

/** Reads a body to its end, so that the connection is used again, or to the limit. */
async function readText(response: Response, limit: number): Promise<string> {
  try {
    // One call instead of a stream, for nearly all: that saves 100 of 240 µs that an exchange takes.
    return response.ok && isShort(response, limit)
      ? await response.text()
      : await readStart(response.body, limit);
  } catch {
    // Of a success nobody is told more than its status.
    return "";
  }
}

/**
 * Whether a body has no more octets than the limit, by its Content-Length. With Transfer-Encoding that says
 * nothing (RFC 9112 section 6.3), and with Content-Encoding nothing of what comes out.
 */
function isShort({ headers }: Response, limit: number): boolean {
  const length = headers.get("content-length");
  return length !== null && Number(length) <= limit &&
    !headers.has("transfer-encoding") && !headers.has("content-encoding");
}

/** Reads the start of a body, or all of it; what comes before a fault is enough. */
async function readStart(body: ReadableStream<Uint8Array> | null, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let octets = 0;
  try {
    for await (const chunk of body ?? []) {
      text += decoder.decode(chunk.subarray(0, limit - octets), { stream: true });
      octets += chunk.length;
      if (octets >= limit) break;
    }
  } catch {
    // What has come is enough.
  }
  return text + decoder.decode();
}

/** Sends requests over HTTP and judges the answers. */
export function webhook(observe: Observe, options: WebhookOptions): Send {
  return async ({ id, destination, request }, signal) => {
    const result = await post(request, options, signal);
    const { elapsedMs } = result;
    if (result.kind === "silence") {
      observe({ kind: "unanswered", id, destination, reason: result.detail, elapsedMs });
      return { kind: "deferred", reason: result.reason, detail: result.detail };
    }
    const { status, body: answer } = result;
    observe({ kind: "answered", id, destination, status, answer, elapsedMs });
    return judge(result, options.date());
  };
}
