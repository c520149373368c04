/**
 * Prints events, one line each, in the words of the original smtp-pigeon. A line begins with the id of
 * the message that it is about.
 */
import type { Event, Observe } from "./event.ts";
import { addressOf, type ReversePath } from "./path.ts";
import { ahead, span } from "./quantity.ts";
import { oneLine } from "./terminal.ts";
import { Timestamp } from "./timestamp.ts";
import { told } from "./webhook.ts";

/** How lines are printed. */
export interface LogOptions {
  /** Takes a line without its end. */
  readonly write: (line: string) => void;
  /** The moment to begin each line with; null where whoever collects the lines knows it. */
  readonly now: (() => Date) | null;
}

/** An observer that prints. */
export function logger({ write, now }: LogOptions): Observe {
  return (event) => {
    // Whatever a line quotes, it stays one line, and tells a terminal nothing.
    const line = oneLine("id" in event ? `${event.id}: ${words(event)}` : words(event));
    write(now === null ? line : `${localTime(now())} ${line}`);
  };
}

function words(event: Event): string {
  switch (event.kind) {
    case "listening":
      return `smtp-pigeon listening at ${event.address}`;
    case "stopping":
      return `smtp-pigeon stopping, ${event.connections} connection${
        event.connections === 1 ? "" : "s"
      } open`;
    case "accept failed":
      return `Cannot accept a connection: ${messageOf(event.error)}, trying again`;
    case "turned away":
      return `Connection from ${peerText(event.address)} turned away: ${event.reply.code} ${
        event.reply.lines[0]
      }`;
    case "proxy fault":
      return `Proxy connection from ${peerText(event.address)} ended: ${event.reason}`;
    case "session":
      return `New session from ${peerText(event.address)}`;
    case "mail":
      return `MAIL: ${pathText(event.reversePath)}`;
    case "recipient":
      return `RCPT: ${addressOf(event.forwardPath)}`;
    case "data":
      return `DATA: [redacted (${event.octets} bytes)]`;
    case "refused":
      return `Refused: ${event.reply.code} ${event.reply.lines[0]}`;
    case "answered":
      return `POST returned status: ${event.status} (${exchange(event)})${answerText(event)}`;
    case "unsent":
      return `Not sent: ${event.reason}`;
    case "unanswered":
      return `POST failed: ${event.reason} (${exchange(event)})`;
    case "queue":
      return `smtp-pigeon queue at ${event.file}: ${event.waiting} waiting, ${event.dead} dead`;
    case "queued":
      return "Queued";
    case "unqueued":
      return `Not queued: ${event.reason}`;
    case "postponed":
      return `Deferred: ${event.reason}, next attempt ${ahead(event.delayMs)}`;
    case "dead":
      return `Dead: ${event.reason}`;
    case "dropped":
      return "Removed by hand while it was delivered";
    case "throttled":
      return `${event.destination} asks to be left alone for ${span(event.delayMs)}`;
    case "buried":
      return `${event.destination} was down for too long: ${event.messages} messages are dead`;
    case "down":
      return `${event.destination} is down: ${event.reason}`;
    case "up":
      return `${event.destination} is up again`;
    case "queue fault":
      return `Queue fault: ${event.reason}, trying again`;
    case "clock jumped":
      return `The clock jumped ${event.byMs > 0 ? "forward" : "back"} by ${
        span(Math.abs(event.byMs))
      }, the queue follows`;
    case "reset":
      return `Session reset ${withPost(event.posted)}`.trimEnd();
    case "lost":
      return `Session ended within ${event.state}, message dropped`;
    case "logout":
      return "Session logout without POST";
    case "fault":
      return `Internal error: ${messageOf(event.error)}`;
  }
}

const peerText = (address: string | null) => address ?? "a Unix socket";

const pathText = (path: ReversePath) => path === null ? "<>" : addressOf(path);

const withPost = (posted: boolean | null) =>
  posted === null ? "" : posted ? "after POST" : "without POST";

const exchange = ({ destination, elapsedMs }: { destination: string; elapsedMs: number }) =>
  `${destination}, ${Math.round(elapsedMs)} ms`;

function answerText({ status, answer }: Event & { kind: "answered" }): string {
  const text = told(status, answer);
  return text === "" ? "" : `: ${text}`;
}

const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);

/** `2022-01-01 10:10:20` in this machine's time zone. */
const localTime = (date: Date) => new Timestamp(date).local.slice(0, 19).replace("T", " ");
