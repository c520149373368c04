/** A message from a file: nobody said who sends and who receives it, so its header is believed. */
import type { Address, Surroundings, TemplateContext } from "./context.ts";
import { read } from "./message.ts";

/** Reads a message; its sender and recipients are those of From, and of To, Cc and Bcc. */
export async function replay(
  data: Uint8Array,
  id: string,
  receivedAt: Date,
  surroundings: Surroundings,
): Promise<TemplateContext> {
  const client = { address: "127.0.0.1", port: 0, hostname: null, tls: false, user: null };
  const postmaster = { localPart: "postmaster", domain: null };
  const envelope = { reversePath: null, forwardPaths: [postmaster] as const };
  const context = await read({ id, receivedAt, client, envelope, data }, surroundings);
  const addresses = (list: readonly Address[]) =>
    list.map(({ address }) => address).filter((address) => address !== "");
  const recipients = addresses([...context.to, ...context.cc, ...context.bcc]);
  return {
    ...context,
    sender: addresses(context.from)[0] ?? "",
    recipients: recipients.length > 0 ? recipients : context.recipients,
  };
}
