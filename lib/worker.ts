/**
 * The thread that thread.ts hands large messages to: says that it is ready, then answers each message
 * with what it says.
 */
import { contentOf, type File } from "./content.ts";
import { load } from "./parser.ts";
import type { Answer } from "./thread.ts";

/** This thread's end of the wire; the global scope has types of a window only. */
const scope = globalThis as unknown as {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(kind: "message", listener: (event: MessageEvent<Uint8Array>) => void): void;
};

const parser = await load();

scope.addEventListener("message", async ({ data }) => {
  const parsed = await contentOf(data, parser);
  const files = parsed.attachments.map(withOwnBuffer);
  const body = parsed.body === parsed.text ? null : parsed.body;
  const answer: Answer = { ...parsed, body, attachments: files.map(({ file }) => file) };
  scope.postMessage(answer, files.map(({ buffer }) => buffer));
});

scope.postMessage("ready", []);

/** A file that can be handed over without copying: whose octets share their buffer with nothing. */
function withOwnBuffer(file: File): { file: File; buffer: ArrayBuffer } {
  const octets = file.content as Uint8Array<ArrayBuffer>;
  const content = octets.length === octets.buffer.byteLength ? octets : octets.slice();
  return { file: { ...file, content }, buffer: content.buffer };
}
