/**
 * Flags and environment into a typed configuration, reporting every fault at once. A flag wins over a
 * variable, a variable over a file that the variable with `_FILE` names, and that over the default.
 */
// @ts-types="./std/closest_string.d.ts"
import { closestString } from "npm:deno-std@1.4.0/text/closest_string.js";
import { fault, type Faults, isFaults, quote, type Setting } from "./fault.ts";
import {
  type CommandName,
  commands,
  type OptionName,
  options,
  type PresetName,
  presets,
  variableOf,
} from "./options.ts";

/** All that was asked for, in the units in which it is used. */
export interface Config {
  /** What to do. */
  readonly command: CommandName;
  /** Null to print requests instead of sending them. */
  readonly url: Setting | null;
  /** Header fields, `Name: value` each. */
  readonly headers: readonly Setting[];
  /** Null for the default payload. */
  readonly template: Setting | null;
  /** What `{{var.NAME}}` is. */
  readonly vars: Readonly<Record<string, string>>;
  /** Milliseconds that the endpoint may take, more than 0. */
  readonly timeoutMs: number;
  /** Address or name to listen at. */
  readonly host: string;
  /** 0 to 65535; 0 picks a free one. */
  readonly port: number;
  /** The server's name in its replies. */
  readonly domain: string;
  /** At least 1. */
  readonly maxMessageOctets: number;
  /** At least 1. */
  readonly maxRecipients: number;
  /** Whether log lines begin with date and time. */
  readonly standaloneLogging: boolean;
}

/** The command line as `parseArgs` of @std/cli returns it. */
export type Flags = Readonly<Record<string, unknown>> & { readonly _: readonly string[] };

/** Where settings come from beside the flags. */
export interface Sources {
  /** The value of a variable; undefined where it is not set. */
  readonly env: (name: string) => string | undefined;
  /** The text of a file; throws where it cannot be read. */
  readonly readTextFile: (path: string) => string;
}

/** What nobody has asked to change yet. */
export const fixed = {
  /** RFC 5321 section 4.5.3.1.4 asks for 512; extensions lengthen MAIL and RCPT. */
  maxLineOctets: 2_000,
  maxErrors: 20,
  maxConnections: 1_000,
  maxConnectionsPerAddress: 100,
  /** RFC 5321 section 4.5.3.2.7. */
  idleTimeoutMs: 300_000,
  graceMs: 10_000,
  maxAnswerOctets: 64 * 1024,
} as const;

/** Makes a configuration and says all that is wrong with it; where something is, do not use it. */
export function configure(flags: Flags, sources: Sources): { config: Config } & Faults {
  const faults = unknownOptions(flags);
  const settings = new Settings(flags, sources, faults);
  const command = settings.sound(commandOf(flags._), "render");
  const before = faults.length;
  const given = settings.one("url");
  const url = given?.text === "" ? null : given;
  if (given === null && faults.length === before && command !== "render") {
    faults.push(`Cannot ${command}: no endpoint is set, name one with --url`);
  }
  const config: Config = {
    command,
    url: url?.text === "-" ? null : url,
    headers: settings.many("header"),
    template: settings.template(),
    vars: Object.fromEntries(
      settings.many("var").map((setting) => settings.sound(parseVariable(setting), ["", ""])),
    ),
    timeoutMs: settings.sound(parseSeconds(settings.or("timeout")), 0),
    host: settings.sound(parseName(settings.or("host")), ""),
    port: settings.sound(parseInteger(settings.or("port"), 0, 65_535), 0),
    domain: settings.sound(parseName(settings.or("domain")), ""),
    maxMessageOctets: settings.sound(parseSize(settings.or("max-size")), 0),
    maxRecipients: settings.sound(parseInteger(settings.or("max-recipients"), 1, 100_000), 0),
    standaloneLogging: settings.sound(parseTruth(settings.or("standalone-logging")), false),
  };
  return { config, faults };
}

function unknownOptions({ unknown }: Flags): string[] {
  const known: readonly string[] = options.map(({ name }) => name);
  return listOf(unknown).map((word) => {
    const name = quote(word).slice(1, -1);
    return /^-[^-]$/.test(word)
      ? `Cannot use ${name}: no such option, see --help`
      : `Cannot use ${name}: no such option, the nearest is --${
        closestString(word.replace(/^-+(no-)?/, ""), known)
      }`;
  });
}

function commandOf([command = "serve", ...others]: readonly string[]): CommandName | Faults {
  const known = Object.keys(commands);
  if (!known.includes(command)) {
    const nearest = closestString(command, known);
    return fault(`Cannot run ${quote(command)}: no such command, the nearest is ${nearest}`);
  }
  if (others.length > 0) {
    return fault(`Cannot use ${quote(others[0])}: ${command} takes options only`);
  }
  return command as CommandName;
}

/** The values of a flag in order; none where it was not given. */
function listOf(given: unknown): readonly string[] {
  return Array.isArray(given) ? given : [];
}

/** A value and the name of what set it. */
interface Source {
  readonly text: string;
  readonly name: string;
  /** Whether a fault must not quote it. */
  readonly isSecret: boolean;
}

/** Looks settings up and collects the faults. */
class Settings {
  readonly #flags: Flags;
  readonly #sources: Sources;
  readonly #faults: string[];

  constructor(flags: Flags, sources: Sources, faults: string[]) {
    this.#flags = flags;
    this.#sources = sources;
    this.#faults = faults;
  }

  /** All values of an option that repeats. */
  many(name: OptionName): readonly Setting[] {
    const given = this.#fromFlags(name);
    if (given.length > 0) return given.filter(({ text }) => text !== "");
    const set = this.#fromEnvironment(name);
    if (set === null) return [];
    return set.text.split("\n").map((line) => line.trim()).filter((line) => line !== "")
      .map((line) => setting({ ...set, text: line }));
  }

  /** The value of an option, or null. */
  one(name: OptionName): Setting | null {
    const given = this.#fromFlags(name);
    if (given.length > 1) {
      this.#faults.push(`Cannot use --${name}: given ${given.length} times, must be given once`);
    }
    if (given.length > 0) return given[0];
    const set = this.#fromEnvironment(name);
    return set === null ? null : setting(set, name);
  }

  /** The template, from wherever: `--template-file` stands beside `--template`, above the environment. */
  template(): Setting | null {
    const [path] = this.#fromFlags("template-file");
    if (path === undefined) {
      const template = this.one("template");
      return template?.text === "" ? null : template;
    }
    if (listOf(this.#flags.template).length > 0) {
      this.#faults.push(
        "Cannot use --template-file: --template is given too, only one can be used",
      );
    }
    if (this.one("template-file")?.text === "") return null;
    const text = this.#read(path.text, "--template-file");
    return text === null ? null : { text, label: path.label };
  }

  /** The value of an option, or its default. */
  or(name: PresetName): Setting {
    const set = this.one(name);
    // A flag without its value is a fault already; one is enough.
    return set === null || set.text === "" ? { text: presets[name], label: `--${name}` } : set;
  }

  /** A value that was read; `instead` where it was not, and the faults are kept. */
  sound<Value>(value: Value | Faults, instead: Value): Value {
    if (!isFaults(value)) return value;
    this.#faults.push(...value.faults);
    return instead;
  }

  #fromFlags(name: OptionName): readonly Setting[] {
    const texts = listOf(this.#flags[name]);
    const missing = `Cannot use --${name}: must have a value`;
    if (texts.includes("") && !this.#faults.includes(missing)) this.#faults.push(missing);
    return texts.map((text) => setting({ text, name: `--${name}`, isSecret: false }, name));
  }

  /** An empty variable is one that is not set, as service managers leave them behind. */
  #fromEnvironment(name: OptionName): Source | null {
    const variable = variableOf(name);
    const set = this.#sources.env(variable);
    if (set) return { text: set, name: variable, isSecret: false };
    const path = this.#sources.env(`${variable}_FILE`);
    const text = path ? this.#read(path, `${variable}_FILE`) : null;
    return text === null ? null : { text, name: `${variable}_FILE`, isSecret: true };
  }

  /** A file without the line end that editors put at its end, and the mark that some put before it. */
  #read(path: string, name: string): string | null {
    try {
      return this.#sources.readTextFile(path).replace(/^\ufeff/, "").replace(/\r?\n$/, "");
    } catch (error) {
      const reason = error instanceof Deno.errors.NotFound
        ? "no such file"
        : (error as Error).message.replace(/( \(os error \d+\))?(: \w+ '.*')?$/s, "");
      this.#faults.push(`Cannot read ${quote(path)} for ${name}: ${reason}`);
      return null;
    }
  }
}

/** A template is too long to be quoted, and its faults name a place in it. */
function setting({ text, name, isSecret }: Source, option?: OptionName): Setting {
  return { text, label: isSecret || option === "template" ? name : `${name} ${quote(text)}` };
}

const must = ({ label }: Setting, wanted: string) =>
  fault(`Cannot use ${label}: must be ${wanted}`);

function parseInteger(setting: Setting, least: number, most: number): number | Faults {
  const value = /^\d{1,9}$/.test(setting.text) ? Number(setting.text) : NaN;
  return value >= least && value <= most
    ? value
    : must(setting, `an integer from ${least} to ${most}`);
}

/** Milliseconds. */
function parseSeconds(setting: Setting): number | Faults {
  const seconds = /^\d{1,9}(\.\d{1,3})?$/.test(setting.text) ? Number(setting.text) : 0;
  return seconds > 0 && seconds <= 3600
    ? seconds * 1000
    : must(setting, "a number of seconds, more than 0 and at most 3600");
}

/** Octets. */
function parseSize(setting: Setting): number | Faults {
  const match = /^(\d{1,10})([KMG]?)$/i.exec(setting.text);
  const octets = match === null
    ? 0
    : Number(match[1]) * 1024 ** ["", "K", "M", "G"].indexOf(match[2].toUpperCase());
  return octets >= 1 && octets <= 2 ** 30
    ? octets
    : must(setting, "a number of bytes from 1 to 1G, such as 500K or 10M");
}

function parseName(setting: Setting): string | Faults {
  return /^[!-~]{1,255}$/.test(setting.text) ? setting.text : must(setting, "a name or an address");
}

function parseTruth(setting: Setting): boolean | Faults {
  if (/^(true|yes|on|1)$/i.test(setting.text)) return true;
  if (/^(false|no|off|0)$/i.test(setting.text)) return false;
  return must(setting, "true or false");
}

function parseVariable(setting: Setting): [name: string, value: string] | Faults {
  const match = /^([A-Za-z_][\w-]*)=(.*)$/s.exec(setting.text);
  return match === null ? must(setting, "NAME=VALUE") : [match[1], match[2]];
}
