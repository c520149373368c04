/**
 * The thread that thread.ts hands large messages to: says that it is ready, then answers each message
 * with what it says.
 */
import { contentOf } from "./content.ts";
import { load } from "./parser.ts";
import type { Answer, Question } from "./thread.ts";

/** This thread's end of the wire; the global scope has types of a window only. */
const scope = globalThis as unknown as {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(kind: "message", listener: (event: MessageEvent<Question>) => void): void;
};

const parser = await load();

scope.addEventListener("message", ({ data: { data, needs } }) => {
  const parsed = contentOf(data, parser, needs);
  const answer: Answer = { ...parsed, body: parsed.body === parsed.text ? null : parsed.body };
  // Handed over without copying; no two share a buffer.
  const contents = parsed.attachments.map(({ content }) => content as Uint8Array<ArrayBuffer>);
  scope.postMessage(answer, contents.map(({ buffer }) => buffer));
});

scope.postMessage("ready", []);
