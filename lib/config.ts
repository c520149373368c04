/**
 * Flags and environment into a typed configuration, reporting every fault at once. A flag wins over a
 * variable, a variable over a file that the variable with `_FILE` names, and that over the default.
 */
// @ts-types="./std/closest_string.d.ts"
import { closestString } from "npm:deno-std@1.4.0/text/closest_string.js";
import { fault, type Faults, isFaults, type Setting } from "./fault.ts";
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
  readonly command: CommandName;
  /** Null to print requests instead of sending them. */
  readonly url: Setting | null;
  readonly headers: readonly Setting[];
  /** Null for the default payload. */
  readonly template: Setting | null;
  readonly vars: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly host: string;
  readonly port: number;
  readonly domain: string;
  readonly maxMessageOctets: number;
  readonly maxRecipients: number;
  readonly standaloneLogging: boolean;
}

/** The command line as `parseArgs` of @std/cli returns it. */
export type Flags = Readonly<Record<string, unknown>> & { readonly _: readonly string[] };

/** Where settings come from beside the flags. */
export interface Sources {
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
  const url = settings.one("url");
  if (url === null && command !== "render") {
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

function unknownOptions(flags: Flags): string[] {
  const known: readonly string[] = options.map(({ name }) => name);
  return Object.keys(flags).filter((name) => ![...known, "_", "h"].includes(name)).map((name) =>
    name.length === 1
      ? `Cannot use -${name}: no such option, see --help`
      : `Cannot use --${name}: no such option, the nearest is --${closestString(name, known)}`
  );
}

function commandOf([command = "serve", ...others]: readonly string[]): CommandName | Faults {
  const known = Object.keys(commands);
  if (!known.includes(command)) {
    const nearest = closestString(command, known);
    return fault(`Cannot run "${command}": no such command, the nearest is ${nearest}`);
  }
  if (others.length > 0) return fault(`Cannot use "${others[0]}": ${command} takes options only`);
  return command as CommandName;
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
    const given = this.#flags[name];
    if (Array.isArray(given)) return given.map((text) => flagSetting(name, text));
    const set = this.#fromEnvironment(name);
    return (set?.text.split("\n") ?? []).map((text) => text.trim()).filter((text) => text !== "")
      .map((text) => ({ text, label: set!.label }));
  }

  /** The value of an option, or null. */
  one(name: OptionName): Setting | null {
    const given = this.#flags[name];
    if (typeof given === "string") return flagSetting(name, given);
    if (given === true) return { text: "true", label: `--${name}` };
    return this.#fromEnvironment(name);
  }

  /** The template, from wherever: `--template-file` stands beside `--template`, above the environment. */
  template(): Setting | null {
    const { template, "template-file": path } = this.#flags;
    if (typeof path !== "string") return this.one("template");
    if (template !== undefined) {
      this.#faults.push(
        "Cannot use --template-file: --template is given too, only one can be used",
      );
    }
    return this.#fromFile(path, `--template-file "${path}"`);
  }

  /** The value of an option, or its default. */
  or(name: PresetName): Setting {
    return this.one(name) ?? flagSetting(name, presets[name]);
  }

  /** A value that was read; `instead` where it was not, and the faults are kept. */
  sound<Value>(value: Value | Faults, instead: Value): Value {
    if (!isFaults(value)) return value;
    this.#faults.push(...value.faults);
    return instead;
  }

  /** An empty variable is one that is not set, as service managers leave them behind. */
  #fromEnvironment(name: OptionName): Setting | null {
    const variable = variableOf(name);
    const text = this.#sources.env(variable);
    if (text) return { text, label: `${variable} "${text}"` };
    const path = this.#sources.env(`${variable}_FILE`);
    return path ? this.#fromFile(path, `${variable}_FILE`) : null;
  }

  /** The label does not quote what a file holds: it may be a secret. */
  #fromFile(path: string, label: string): Setting | null {
    try {
      return { text: this.#sources.readTextFile(path).replace(/\r?\n$/, ""), label };
    } catch (error) {
      const reason = error instanceof Deno.errors.NotFound
        ? "no such file"
        : (error as Error).message;
      this.#faults.push(`Cannot read "${path}" for ${label.split(" ")[0]}: ${reason}`);
      return null;
    }
  }
}

function flagSetting(name: string, text: string): Setting {
  return { text, label: name === "template" ? `--${name}` : `--${name} "${text}"` };
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
