/** Requests and answers on paper. */
import type { Send } from "./delivery.ts";
import type { Observe } from "./event.ts";
import { concat, octetsOf } from "./octets.ts";
import type { HttpRequest } from "./request.ts";
import { harmless } from "./terminal.ts";
import type { Answer } from "./webhook.ts";

/** A request as octets: method and URL, header fields, an empty line, the body and a line end. */
export function formatRequest({ method, url, headers, body }: HttpRequest): Uint8Array {
  const lines = [
    `${method} ${url?.href ?? "-"}`,
    ...headers.map((pair) => pair.join(": ")),
    "",
    "",
  ];
  return concat([
    octetsOf(lines.join("\n")),
    new TextEncoder().encode(body.endsWith("\n") ? body : `${body}\n`),
  ]);
}

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
