/**
 * The words of a command line into the form that `parseArgs` of @std/cli cannot misread. What an option
 * may be is for options.ts, what its value may be for config.ts.
 */
import { commands, options, others, tools } from "./options.ts";

/** Options without a value that ask for a page and end the program. */
const pages: readonly string[] = ["help", "version"];

const names: readonly string[] = options.map(({ name }) => name);

/** Options that are collected: a second value must be noticed even where only one can be used. */
const collected = names.filter((name) => !pages.includes(name));

/** How `parseArgs` of @std/cli has to read the words that `tieValues` returns. */
export const grammar = {
  string: ["_", "unknown", ...collected],
  boolean: pages,
  collect: ["unknown", ...collected],
};

/**
 * Writes each option in the one form that `parseArgs` cannot misread, `--name=value`, and each that
 * there is not as `--unknown=--name`. By itself the parser takes a value that begins with a dash for an
 * option, any value of a switch for "true", and a dot in a name for an object.
 *
 * @example
 * ```ts
 * import { tieValues } from "./flags.ts";
 * tieValues(["--url", "-", "-h"]); // ["--url=-", "--help=true"]
 * ```
 */
export function tieValues(args: readonly string[]): string[] {
  const tied: string[] = [];
  for (let at = 0; at < args.length; at++) {
    if (args[at] === "--") return [...tied, ...args.slice(at)];
    const option = readOption(args[at]);
    const next = args[at + 1];
    if (option === null) tied.push(args[at]);
    else if (!names.includes(option.name)) {
      tied.push(`--unknown=${option.written}`);
      // What follows is most likely its value, and no second fault.
      if (option.value === null && next !== undefined && !isCommand(next) && !/^-/.test(next)) at++;
    } else if (option.value !== null) tied.push(`--${option.name}=${option.value}`);
    else if (isSwitch(option.name)) tied.push(`--${option.name}=true`);
    else {
      // A known option is not the value of another one: that one's value was forgotten.
      const isValue = next !== undefined && !names.includes(readOption(next)?.name ?? "");
      tied.push(`--${option.name}=${isValue ? args[++at] : ""}`);
    }
  }
  return tied;
}

/** A word that begins with a dash, taken apart; null for any other. */
function readOption(word: string) {
  const [, written, dashes, name, value = null] = /^((--?)([^=]+))(?:=(.*))?$/s.exec(word) ?? [];
  if (written === undefined) return null;
  // A name with one dash is none of ours, but for -h.
  return { written, name: written === "-h" ? "help" : dashes === "--" ? name : "", value };
}

const isSwitch = (name: string) =>
  options.some((option) => option.name === name && option.value === null);

const isCommand = (word: string) =>
  [commands, others, tools].some((known) => Object.hasOwn(known, word));
