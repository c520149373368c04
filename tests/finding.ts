/**
 * Inputs for which a property did not hold, one JSON file each. `fuzz.ts` writes them, and
 * `properties_test.ts` tries each of them for ever. Their folder is there once there is one.
 */
import type { Plain } from "./property.ts";

/** An input that was found. */
export interface Finding {
  /** The name of the property that did not hold. */
  readonly property: string;
  /** What was seen, in one line, for whoever reads the file. */
  readonly seen: string;
  /** The input. */
  readonly input: Plain;
}

/** Where they are kept. */
export const FINDINGS = new URL("findings/", import.meta.url);

/** Keeps a finding; gives the name of its file, which is the same for the same input. */
export async function keep(finding: Finding, folder: URL = FINDINGS): Promise<string> {
  const { property, input } = finding;
  const told = new TextEncoder().encode(JSON.stringify([property, input]));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", told)).toHex();
  const words = property.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const name = `${words.slice(0, 6).join("-")}-${digest.slice(0, 8)}.json`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(new URL(name, folder), `${JSON.stringify(finding, null, 2)}\n`);
  return name;
}

/** All that are kept, by the names of their files. */
export function findings(folder: URL = FINDINGS): readonly (readonly [string, Finding])[] {
  let files;
  try {
    files = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return files.filter((name) => name.endsWith(".json")).toSorted().map((name) =>
    [name, JSON.parse(Deno.readTextFileSync(new URL(name, folder)))] as const
  );
}
