/** What to tell of presets: a few lines of each, for whoever looks for the service to send to. */
import type { TemplateFile } from "./front_matter.ts";

/** Columns before what is told. */
const INDENT = 16;

/** Lines on one preset: what it is for, what it must be given, and where to read on. */
export function describe(name: string, { description, docs, url, vars }: TemplateFile): string[] {
  const lines = [
    description,
    ...(url === null ? ["--url URL"] : []),
    ...Object.entries(vars).map(([name, meaning]) => `--var ${name}=VALUE  ${meaning}`),
    docs,
  ].filter((line) => line !== "");
  return lines.map((line, at) => (at === 0 ? name : "").padEnd(INDENT) + line);
}
