/** Requests and answers on paper. */
import type { Send } from "./delivery.ts";
import type { Observe } from "./event.ts";
import { concat, octetsOf } from "./octets.ts";
import type { HttpRequest } from "./request.ts";
import { harmless } from "./terminal.ts";
import type { Answer } from "./webhook.ts";

/** A request as octets, exactly: method and URL, header fields, an empty line and the body. */
export function exactRequest({ method, url, headers, body }: HttpRequest): Uint8Array {
  const fields = headers.map((pair) => pair.join(": "));
  const head = [`${method} ${url?.href ?? "-"}`, ...fields, "", ""].join("\n");
  return concat([octetsOf(head), typeof body === "string" ? new TextEncoder().encode(body) : body]);
}

/** The same, with a line end behind its body if that has none, so that another one may follow. */
export function formatRequest(request: HttpRequest): Uint8Array {
  const { body } = request;
  const isEnded = typeof body === "string" ? body.endsWith("\n") : body.at(-1) === LF;
  return isEnded ? exactRequest(request) : concat([exactRequest(request), Uint8Array.of(LF)]);
}

const LF = 0x0a;

/** An answer as text: status, time, header fields, an empty line and the body. */
export function formatAnswer({ status, statusText, elapsedMs, headers, body }: Answer): string {
  const head = `${status} ${statusText}`.trimEnd() + ` (${Math.round(elapsedMs)} ms)`;
  const fields = Array.from(headers, (pair) => pair.join(": "));
  // An endpoint is not trusted with the terminal of who reads what it answers.
  return harmless([head, ...fields, "", body.trimEnd(), ""].join("\n"));
}

/** Prints requests instead of sending them. `write` throws where it cannot write all of them. */
export function printer(write: (octets: Uint8Array) => void, observe: Observe): Send {
  return ({ id, request }) => {
    try {
      write(formatRequest(request));
      return Promise.resolve({ kind: "accepted", note: "printed", unsent: true });
    } catch (error) {
      const reason = "standard output takes no more";
      observe({ kind: "unsent", id, reason: `${reason}: ${(error as Error).message}` });
      return Promise.resolve({ kind: "deferred", reason, unsent: true });
    }
  };
}
