/** Presets: templates for services, each in a file that says what it needs (front_matter.ts). */
import { fault, type Faults, isFaults } from "./fault.ts";
import { readTemplateFile, type TemplateFile } from "./front_matter.ts";
import { nearest } from "./nearest.ts";
import type { Setting } from "./setting.ts";

/** What loads the text of each, by their names. */
export type Presets = Readonly<Record<string, () => Promise<{ readonly default: string }>>>;

/** All of the preset that a setting names, as it is written. */
export async function presetOf(name: Setting, presets: Presets): Promise<Setting | Faults> {
  const { text, label } = name;
  if (!Object.hasOwn(presets, text)) {
    const known = nearest(text, Object.keys(presets));
    return fault(
      `Cannot use ${label}: no such preset, the nearest is ${known}; smtp-pigeon presets lists them`,
    );
  }
  return { text: (await presets[text]()).default, label };
}

/** A page on all of them, for whoever looks for a service. */
export async function listing(presets: Presets): Promise<string> {
  const entries = Object.entries(presets).map(async ([name, load]) => {
    const file = await readTemplateFile({ text: (await load()).default, label: name });
    return isFaults(file) ? file.faults : describe(name, file);
  });
  return (await Promise.all(entries)).map((lines) => `${lines.join("\n")}\n`).join("\n");
}

/** Columns before what is told. */
const INDENT = 16;

/** What a preset is for, what it must be given, and where to read on. */
function describe(name: string, { description, docs, url, vars }: TemplateFile): string[] {
  const lines = [
    description,
    ...(url === null ? ["--url URL"] : []),
    ...Object.entries(vars).map(([name, meaning]) => `--var ${name}=VALUE  ${meaning}`),
    docs,
  ].filter((line) => line !== "");
  return lines.map((line, at) => (at === 0 ? name : "").padEnd(INDENT) + line);
}
