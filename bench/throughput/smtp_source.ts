/**
 * The load by smtp-source of Postfix, to check our own by. It waits for each reply before it says
 * more, tells no latencies and sends a number of mails; so that number is found by sending some,
 * and again, until the warm-up is over. Its length is that of the text; a header of a few lines
 * comes on top. The sink is nothing for it, as that answers commands that come together.
 */
import type { Load, Order } from "../load.ts";

const decoder = new TextDecoder();

/** Sends so many mails, and gives how long that took, in seconds. */
async function send(order: Order, messages: number): Promise<number> {
  const beganMs = performance.now();
  const { success, stderr } = await new Deno.Command("/usr/sbin/smtp-source", {
    args: [
      ...["-s", `${order.connections}`, "-l", `${order.octets}`, "-m", `${messages}`],
      ...order.messagesEach === 1 ? [] : ["-d"],
      ...["-f", "a@load.example", "-t", "b@load.example", `inet:127.0.0.1:${order.port}`],
    ],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(decoder.decode(stderr).trim());
  return (performance.now() - beganMs) / 1000;
}

/** Sends what is ordered, for about so long; what it cannot tell is NaN. */
export async function loadBySmtpSource(
  order: Order & { until: { seconds: number } },
): Promise<Load> {
  if (order.hasAttachment) throw new Error("smtp-source sends no attachments");
  const some = order.connections * 2;
  let warm = 0;
  let rate = 0;
  for (let left = order.warmUpSeconds; left > 0;) {
    // A tenth of a second of work, or else starting smtp-source would count.
    const messages = Math.max(some, Math.ceil(rate / 2));
    const took = await send(order, messages);
    rate = messages / took;
    warm += messages;
    left -= took;
  }
  const accepted = Math.max(some, Math.round(rate * order.until.seconds));
  const seconds = await send(order, accepted);
  return {
    accepted,
    seconds,
    rate: accepted / seconds,
    acceptedInAll: warm + accepted,
    refused: 0,
    refusal: "",
    latencyMs: { p50: NaN, p99: NaN, max: NaN },
    bySecond: [],
    cpuSeconds: NaN,
    elapsedSeconds: NaN,
  };
}
