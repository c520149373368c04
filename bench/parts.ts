/** What benchmarks of several parts have in common: they say what each found, and leave nothing behind. */

/** What a part found: as data, and as a text to read. */
export interface Findings {
  readonly result: unknown;
  readonly print: () => string;
}

/** What was asked for. */
interface Asked<Part extends string> {
  readonly parts: readonly Part[];
  /** Where to make a folder for what is measured. */
  readonly folder: string;
  readonly isJson: boolean;
}

/**
 * Measures the parts that were asked for, in a folder that is removed afterwards, and gives the exit code:
 * 0, 1 for failure, or 2 where `asked` says why that cannot be.
 */
export async function measureParts<Part extends string, Wanted extends Asked<Part>>(
  asked: Wanted | string,
  usage: string,
  measure: (part: Part, wanted: Wanted) => Promise<Findings>,
): Promise<number> {
  if (typeof asked === "string") {
    console.error(`${asked}\n${usage}`);
    return 2;
  }
  const folder = await Deno.makeTempDir({ dir: asked.folder, prefix: "bench" });
  try {
    const results: Record<string, unknown> = {};
    for (const part of asked.parts) {
      const { result, print } = await measure(part, { ...asked, folder });
      results[part] = result;
      if (!asked.isJson) console.log(`\n${print()}\n`);
    }
    if (asked.isJson) console.log(JSON.stringify(results, null, 2));
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
