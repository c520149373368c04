/** What can be set on the command line or in the environment: the table behind parsing and help. */

/** One option. */
export interface Option {
  /** As it is written, without its dashes. */
  readonly name: string;
  /** What stands for its value in help; null where it takes none. */
  readonly value: string | null;
  /** What it is for. */
  readonly help: string;
  /** The default, as it would be given. */
  readonly preset?: string;
  /** Whether it can be given more than once; in a variable or a file, one a line. */
  readonly repeats?: true;
  /** Its heading on the help page. */
  readonly group: "Endpoint" | "SMTP" | "Other";
}

/** All options, in the order of the help page. */
export const options = [
  {
    name: "url",
    value: "URL",
    help:
      "where to POST (required to serve); a template. - prints each request instead of sending it",
    group: "Endpoint",
  },
  {
    name: "header",
    value: '"NAME: VALUE"',
    help: "add a header field; the value is a template. Content-Type replaces application/json",
    repeats: true,
    group: "Endpoint",
  },
  {
    name: "template",
    value: "TEXT",
    help: "what to POST: a Mustache template, escaped for the content type",
    group: "Endpoint",
  },
  {
    name: "template-file",
    value: "FILE",
    help: "read the template from a file",
    group: "Endpoint",
  },
  {
    name: "var",
    value: "NAME=VALUE",
    help: "set {{var.NAME}} for templates",
    repeats: true,
    group: "Endpoint",
  },
  {
    name: "timeout",
    value: "SECONDS",
    help: "how long the endpoint may take to answer",
    preset: "30",
    group: "Endpoint",
  },
  {
    name: "host",
    value: "ADDRESS",
    help: "address to listen at; 0.0.0.0 or :: for all",
    preset: "127.0.0.1",
    group: "SMTP",
  },
  {
    name: "port",
    value: "PORT",
    help: "port to listen at; 0 picks a free one",
    preset: "1025",
    group: "SMTP",
  },
  {
    name: "domain",
    value: "NAME",
    help: "the server's name in its replies",
    preset: "localhost",
    group: "SMTP",
  },
  {
    name: "max-size",
    value: "BYTES",
    help: "largest message taken; with K, M or G for powers of 1024",
    preset: "10M",
    group: "SMTP",
  },
  {
    name: "max-recipients",
    value: "COUNT",
    help: "most recipients of one message",
    preset: "100",
    group: "SMTP",
  },
  {
    name: "standalone-logging",
    value: null,
    help: "begin each log line with date and time",
    preset: "no",
    group: "Other",
  },
  { name: "help", value: null, help: "print this page", group: "Other" },
  { name: "version", value: null, help: "print the version", group: "Other" },
] as const satisfies readonly Option[];

/** The name of an option. */
export type OptionName = (typeof options)[number]["name"];

/** The name of an option that has a default. */
export type PresetName = Extract<(typeof options)[number], { preset: string }>["name"];

/** The defaults, as they would be given. */
export const presets = Object.fromEntries(
  options.filter((option) => "preset" in option).map(({ name, preset }) => [name, preset]),
) as Readonly<Record<PresetName, string>>;

/** What the program can be told to do, with a sentence for the help page. */
export const commands = {
  serve: "run the server (the default)",
  render: "print the request that a message on standard input would become",
  test: "send a sample message to the endpoint and print what it answers",
} as const;

/** The name of a command. */
export type CommandName = keyof typeof commands;

/** The environment variable of an option: `--max-size` is `SMTP_PIGEON_MAX_SIZE`. */
export function variableOf(name: string): string {
  return `SMTP_PIGEON_${name.toUpperCase().replaceAll("-", "_")}`;
}

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
  alias: {},
};

/**
 * Writes each option in the one form that `parseArgs` cannot misread, `--name=value`, and each that
 * there is not as `--unknown=--name`. By itself the parser takes a value that begins with a dash for an
 * option, any value of a switch for "true", and a dot in a name for an object.
 *
 * @example
 * ```ts
 * import { tieValues } from "./options.ts";
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

const isCommand = (word: string) => Object.hasOwn(commands, word);
