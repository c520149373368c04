/** Requests and answers on paper, and a courier that prints instead of sending. */
import { isFaults } from "./fault.ts";
import type { Courier, Mail } from "./mail.ts";
import type { TemplateContext } from "./message.ts";
import { concat } from "./octets.ts";
import type { HttpRequest, Target } from "./request.ts";
import type { Answer } from "./webhook.ts";

/** A request as octets: method and URL, header fields, an empty line, the body and a line end. */
export function formatRequest({ method, url, headers, body }: HttpRequest): Uint8Array {
  const lines = [
    `${method} ${url?.href ?? "-"}`,
    ...headers.map((pair) => pair.join(": ")),
    "",
    "",
  ];
  const head = Uint8Array.from(lines.join("\n"), (char) => char.charCodeAt(0));
  return concat([head, new TextEncoder().encode(body.endsWith("\n") ? body : `${body}\n`)]);
}

/** An answer as text: status, time, header fields, an empty line and the body. */
export function formatAnswer({ status, statusText, elapsedMs, headers, body }: Answer): string {
  const fields = Array.from(headers, (pair) => pair.join(": "));
  const head = `${status} ${statusText}`.trimEnd() + ` (${Math.round(elapsedMs)} ms)`;
  return [head, ...fields, "", body.trimEnd(), ""].join("\n");
}

/** A courier that prints the request of each message and has it accepted. */
export function printer(
  target: Target,
  read: (mail: Mail) => Promise<TemplateContext>,
  write: (octets: Uint8Array) => void,
): Courier {
  return async (mail) => {
    const request = await target.request(await read(mail), new Date());
    if (isFaults(request)) return { kind: "deferred", reason: "template fails on this message" };
    write(formatRequest(request));
    return { kind: "accepted", note: "printed" };
  };
}
