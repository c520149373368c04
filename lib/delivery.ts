/**
 * What every `Courier` of this program does: read the message, make the request of it, and hand that to
 * whatever sends. A template that fails on a message defers it, since the operator can mend the template.
 */
import type { TemplateContext } from "./context.ts";
import type { Observe } from "./event.ts";
import { type Faults, isFaults } from "./fault.ts";
import type { Courier, Mail, Outcome } from "./mail.ts";
import type { HttpRequest, Target } from "./request.ts";

/** A request for one message. */
export interface Parcel {
  /** The id of the message. */
  readonly id: string;
  /** Where it goes, fit for a log. */
  readonly destination: string;
  /** What tells the message. */
  readonly request: HttpRequest;
}

/** Sends a request and says what became of the message. It does not reject. */
export type Send = (parcel: Parcel, signal: AbortSignal) => Promise<Outcome>;

/** A courier that makes a request of each message and has it sent. */
export function delivery(
  target: Target,
  read: (mail: Mail) => Promise<TemplateContext>,
  send: Send,
  observe: Observe,
  now: () => Date,
): Courier {
  const { destination } = target;
  return async (mail, signal) => {
    const { id } = mail;
    const defer = (reason: string, detail: string): Outcome => {
      observe({ kind: "unsent", id, reason: detail });
      return { kind: "deferred", reason, unsent: true, detail };
    };
    let context: TemplateContext;
    try {
      context = await read(mail);
    } catch (error) {
      return defer("message cannot be read now", (error as Error).message);
    }
    let request: HttpRequest | Faults;
    try {
      request = await target.request(context, now());
    } catch (error) {
      // Such as a text that is longer than any can be.
      return defer("template fails on this message", (error as Error).message);
    }
    return isFaults(request)
      ? defer("template fails on this message", request.faults.join("; "))
      : await send({ id, destination, request }, signal);
  };
}
