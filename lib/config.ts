/**
 * Settings into a typed configuration, reporting every fault at once: what each value may be, and the
 * units in which it is used. Where a value comes from is for settings.ts.
 */
// @ts-types="./std/closest_string.d.ts"
import { closestString } from "npm:deno-std@1.4.0/text/closest_string.js";
import { fault, type Faults, quote } from "./fault.ts";
import type { Setting } from "./setting.ts";
import { type CommandName, commands, options } from "./options.ts";
import { type Flags, listOf, Settings, type Sources } from "./settings.ts";

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
  if (url === null && faults.length === 0 && command !== "render") {
    faults.push(`Cannot ${command}: no endpoint is set, name one with --url`);
  }
  const config: Config = {
    command,
    url: url === null || url.text === "-" || url.text === "" ? null : url,
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
