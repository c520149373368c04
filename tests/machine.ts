/** What tests use of the machine that they run on. */

/** A folder of its own, gone afterwards; its path is short, as those of Unix sockets have to be. */
export async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "pigeon" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A test with such a folder. */
export function testInFolder(name: string, run: (folder: string) => Promise<void>): void {
  Deno.test(name, () => inFolder(run));
}

/** Whether the machine has IPv6. */
export const hasIpv6 = (() => {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
})();

/** A bound of time was missed: by a hiccup of the machine, or by what is too slow each time. */
class TooSlow extends Error {}

/** Holds that something took less than it may, both in milliseconds; to be called within `inTime`. */
export function assertWithin(tookMs: number, boundMs: number, what: string): void {
  if (tookMs >= boundMs) throw new TooSlow(`${what} ${tookMs} ms, at most ${boundMs} may it take`);
}

/** How often a bound of time may be missed. */
const ATTEMPTS = 3;

/**
 * Runs what has bounds of time, and anew where it missed one: the machine is shared, and stands still at
 * times. What is too slow by itself is so in each attempt.
 */
export async function inTime(run: () => Promise<void>): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof TooSlow) || attempt === ATTEMPTS) throw error;
    }
  }
}
