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
