/**
 * Settings into a typed configuration, reporting every fault at once: what each value may be, and the
 * units in which it is used. Where a value comes from is for settings.ts.
 */
import { type ListenAddress, parseHost, parseListenAddress, type Wanted } from "./address.ts";
import type { AttachmentPolicy } from "./context.ts";
import { fault, type Faults, quote } from "./fault.ts";
import { parseNetwork } from "./ip.ts";
import type { Setting } from "./setting.ts";
import { nearest } from "./nearest.ts";
import {
  type CommandName,
  commands,
  options,
  others,
  type PresetName,
  type SwitchName,
  tools,
} from "./options.ts";
import { misplaced, type Order, readOrder } from "./order.ts";
import type { Proxies } from "./proxied.ts";
import { type Flags, listOf, Settings, type Sources } from "./settings.ts";

/** All that was asked for, in the units in which it is used. */
export interface Config {
  /** What to do. */
  readonly command: CommandName;
  /** Files of messages to render; none for standard input. */
  readonly messages: readonly string[];
  /** Whether requests are printed exactly. */
  readonly raw: boolean;
  /** Null where none is set, or requests are printed. */
  readonly url: Setting | null;
  /** Whether requests are printed instead of sent. */
  readonly isPrinted: boolean;
  /** Whether one has to come from the template: none is set, and nothing else is wrong that tells why. */
  readonly lacksUrl: boolean;
  /** Header fields, `Name: value` each. */
  readonly headers: readonly Setting[];
  /** Null for that of the preset. */
  readonly template: Setting | null;
  /** The name of a preset; null for the default payload, where there is no template either. */
  readonly preset: Setting | null;
  /** Which attachments templates get. */
  readonly attachments: AttachmentPolicy;
  /** What `{{var.NAME}}` is. */
  readonly vars: Readonly<Record<string, string>>;
  /** Milliseconds that the endpoint may take, more than 0. */
  readonly timeoutMs: number;
  /** The file of the queue; null where there is none. */
  readonly queue: string | null;
  /** Octets that the messages in the queue may take, at least 1. */
  readonly maxStoreOctets: number;
  /** Deliveries from the queue to one destination at once, 1 to 1,000. */
  readonly concurrency: number;
  /** Where to listen; at least one. */
  readonly addresses: readonly ListenAddress[];
  /** The mode of Unix sockets, 0 to `0o777`. */
  readonly socketMode: number;
  /** Who passes connections on. */
  readonly proxies: Proxies;
  /** The server's name in its replies. */
  readonly domain: string;
  /** At least 1. */
  readonly maxMessageOctets: number;
  /** 1 to 10,000. */
  readonly maxRecipients: number;
  /** 1 to 999,999, which is all that LIMITS can say (RFC 9422). */
  readonly maxMessages: number;
  /** At least 1. */
  readonly maxCommands: number;
  /** At least 1. */
  readonly maxErrors: number;
  /** At least 1. */
  readonly maxConnections: number;
  /** At least 1. */
  readonly maxConnectionsPerAddress: number;
  /** At least 1. */
  readonly maxHeldOctets: number;
  /** Milliseconds, more than 0. */
  readonly idleTimeoutMs: number;
  /** Milliseconds, more than 0. */
  readonly messageTimeoutMs: number;
  /** Octets a second, at least 1. */
  readonly minRate: number;
  /** Whether log lines begin with date and time. */
  readonly standaloneLogging: boolean;
}

/** What is asked of the queue. */
export interface QueueConfig {
  /** What to do. */
  readonly order: Order;
  /** The file of the queue. */
  readonly queue: string;
}

/** What nobody has asked to change yet. */
export const fixed = {
  /** RFC 5321 section 4.5.3.1.4 asks for 512; extensions lengthen MAIL and RCPT. */
  maxLineOctets: 2_000,
  /** The specification of the PROXY protocol asks for at least 3 s (section 2). */
  proxyTimeoutMs: 10_000,
  graceMs: 10_000,
  maxAnswerOctets: 64 * 1024,
} as const;

/** Makes a configuration and says all that is wrong with it; where something is, do not use it. */
export function configure(flags: Flags, sources: Sources): { config: Config } & Faults {
  const faults = unknownOptions(flags);
  const settings = new Settings(flags, sources, faults);
  const command = settings.sound(commandOf(flags._), "render");
  const url = settings.one("url");
  const lacksNothingElse = faults.length === 0;
  const count = (name: PresetName, most: number) =>
    settings.sound(parseInteger(settings.or(name), 1, most), 0);
  const queue = queueOf(settings, sources);
  const maxStoreOctets = settings.sound(
    parseSize(settings.or("queue-max-size"), "1024G", "10M or 1G", "1M"),
    0,
  );
  const maxMessageOctets = settings.sound(parseSize(settings.or("max-size"), "1G"), 0);
  const switches = switchesOf(settings);
  const config: Config = {
    command,
    messages: flags._.slice(1),
    raw: switches.has("raw"),
    url: url === null || url.text === "-" || url.text === "" ? null : url,
    isPrinted: url?.text === "-",
    lacksUrl: url === null && lacksNothingElse && command !== "render",
    headers: settings.many("header"),
    ...settings.template(),
    attachments: {
      mode: settings.sound(parseMode(settings.or("attachments")), "include"),
      maxOctets: settings.sound(parseSize(settings.or("attachment-max-size"), "1G"), 0),
    },
    vars: Object.fromEntries(
      settings.many("var").map((setting) => settings.sound(parseVariable(setting), ["", ""])),
    ),
    timeoutMs: settings.sound(parseSeconds(settings.or("timeout"), 3600), 0),
    ...{ queue, maxStoreOctets },
    concurrency: count("concurrency", 1_000),
    addresses: addressesOf(settings),
    socketMode: settings.sound(parseFileMode(settings.or("socket-mode")), 0),
    proxies: proxiesOf(settings),
    domain: settings.sound(parseName(settings.or("domain")), ""),
    // A message that no queue could hold is refused for good, and not again and again.
    maxMessageOctets: queue === null
      ? maxMessageOctets
      : Math.min(maxMessageOctets, largestIn(maxStoreOctets)),
    maxRecipients: count("max-recipients", 10_000),
    maxMessages: count("max-messages", 999_999),
    maxCommands: count("max-commands", 1_000_000),
    maxErrors: count("max-errors", 1_000_000),
    maxConnections: count("max-connections", 1_000_000),
    maxConnectionsPerAddress: count("max-connections-per-address", 1_000_000),
    maxHeldOctets: settings.sound(parseSize(settings.or("max-memory"), "1024G"), 0),
    idleTimeoutMs: settings.sound(parseSeconds(settings.or("idle-timeout"), 3600), 0),
    messageTimeoutMs: settings.sound(parseSeconds(settings.or("message-timeout"), 86_400), 0),
    minRate: settings.sound(parseSize(settings.or("min-rate"), "1G", "100 or 4K"), 0),
    standaloneLogging: settings.sound(parseTruth(settings.or("standalone-logging")), false),
  };
  faults.push(...misplaced(switches, command === "render" ? ["raw"] : [], command));
  return { config, faults };
}

/** As `configure`, for `smtp-pigeon queue`: what only a server needs may be wrong, or not be there. */
export function configureQueue(
  flags: Flags,
  sources: Sources,
): { config: QueueConfig } & Faults {
  const faults = unknownOptions(flags);
  const settings = new Settings(flags, sources, faults);
  const read = readOrder(flags._.slice(1), switchesOf(settings));
  const order = settings.sound<Order>(read, { tool: "stats", json: false });
  const queue = queueOf(settings, sources);
  if (queue === null && faults.length === 0) {
    faults.push(`Cannot queue ${order.tool}: no queue is set, name one with --queue`);
  }
  return { config: { order, queue: queue ?? "" }, faults };
}

/** As `configure`, for `smtp-pigeon presets`, which takes the name of one at most. */
export function configurePresets(flags: Flags): { name: Setting | null } & Faults {
  const faults = unknownOptions(flags);
  const [, name, another] = flags._;
  if (another !== undefined) {
    faults.push(`Cannot use ${quote(another)}: presets takes one name`);
  }
  return { name: name === undefined ? null : { text: name, label: quote(name) }, faults };
}

function unknownOptions({ unknown }: Flags): string[] {
  const known: readonly string[] = options.map(({ name }) => name);
  return listOf(unknown).map((word) => {
    const name = quote(word).slice(1, -1);
    return /^-[^-]$/.test(word)
      ? `Cannot use ${name}: no such option, see --help`
      : `Cannot use ${name}: no such option, the nearest is --${
        nearest(word.replace(/^-+(no-)?/, ""), known)
      }`;
  });
}

function commandOf([command = "serve", ...operands]: readonly string[]): CommandName | Faults {
  if (!Object.hasOwn(commands, command)) {
    const known = Object.hasOwn(tools, command)
      ? `queue ${command}`
      : nearest(command, [...Object.keys(commands), ...Object.keys(others)]);
    return fault(`Cannot run ${quote(command)}: no such command, the nearest is ${known}`);
  }
  if (operands.length > 0 && command !== "render") {
    return fault(`Cannot use ${quote(operands[0])}: ${command} takes options only`);
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
function parseSeconds(setting: Setting, most: number): number | Faults {
  const seconds = /^\d{1,9}(\.\d{1,3})?$/.test(setting.text) ? Number(setting.text) : 0;
  return seconds > 0 && seconds <= most
    ? seconds * 1000
    : must(setting, `a number of seconds, more than 0 and at most ${most}`);
}

/** Octets of the largest message that an empty queue of so many octets takes: its file has more than that. */
const largestIn = (octets: number) => Math.floor(0.99 * octets) - 128 * 1024;

/** Octets; `least` and `most` are written as settings are. */
function parseSize(
  setting: Setting,
  most: string,
  such = "500K or 10M",
  least = "1",
): number | Faults {
  const octets = octetsOf(setting.text);
  return octets >= octetsOf(least) && octets <= octetsOf(most)
    ? octets
    : must(setting, `a number of bytes from ${least} to ${most}, such as ${such}`);
}

/** 0 for what is no size. */
function octetsOf(text: string): number {
  const [, number = "0", unit = ""] = /^(\d{1,10})([KMG]?)$/i.exec(text) ?? [];
  return Number(number) * 1024 ** ["", "K", "M", "G"].indexOf(unit.toUpperCase());
}

function parseMode(setting: Setting): AttachmentPolicy["mode"] | Faults {
  const mode = MODES.find((mode) => mode === setting.text);
  return mode ?? must(setting, "include, metadata or drop");
}

const MODES = ["include", "metadata", "drop"] as const;

/** The mode of a file, in octal. */
function parseFileMode(setting: Setting): number | Faults {
  return /^0?[0-7]{3}$/.test(setting.text)
    ? parseInt(setting.text, 8)
    : must(setting, "three octal digits, such as 660");
}

/** Those of `--listen`, and that of `--host`, `--port` and `--lmtp` where one of these or no other is set. */
function addressesOf(settings: Settings): ListenAddress[] {
  const address = (setting: Setting, read: ListenAddress | Wanted): ListenAddress[] => {
    const found = settings.sound("wanted" in read ? must(setting, read.wanted) : read, null);
    return found === null ? [] : [found];
  };
  const listed = settings.many("listen");
  const [host, port] = [settings.or("host"), settings.or("port")];
  const protocol = settings.sound(parseTruth(settings.or("lmtp")), false) ? "LMTP" : "SMTP";
  const number = settings.sound(parseInteger(port, 0, 65_535), 0);
  const isNamed = protocol === "LMTP" || settings.one("host") !== null ||
    settings.one("port") !== null;
  const read = parseHost(host.text, number, protocol);
  const isPortAtFault = "wanted" in read && !("wanted" in parseHost(host.text, 0, protocol));
  const own = isNamed || listed.length === 0 ? address(isPortAtFault ? port : host, read) : [];
  if (own.some(({ transport }) => transport === "unix") && settings.one("port") !== null) {
    settings.sound(must(port, "left out, since --host is a Unix socket"), null);
  }
  return [
    ...own,
    ...listed.flatMap((setting) => address(setting, parseListenAddress(setting.text))),
  ];
}

/** The file of the queue: `--queue`, or a file in the directory that systemd makes for a service. */
function queueOf(settings: Settings, { env }: Sources): string | null {
  const set = settings.one("queue");
  if (set === null || set.text === "") {
    // There may be several (systemd.exec(5)); the first one is as good as any.
    const [directory] = env("STATE_DIRECTORY")?.split(":") ?? [];
    return directory ? `${directory}/queue.db` : null;
  }
  if (set.text === "none") return null;
  // SQLite has uses of its own for :memory: and file:; and what SMTP_PIGEON_QUEUE_FILE names may be taken
  // for the queue itself, and is then no text.
  return settings.sound(
    /^:memory:$|^file:|[\p{Cc}\ufffd]/iu.test(set.text)
      ? must(set, "the path of a file, or none")
      : set.text,
    null,
  );
}

/** The switches of the queue tools that are on. */
function switchesOf(settings: Settings): ReadonlySet<SwitchName> {
  const names = options.filter(({ group }) => group === "Queue tools")
    .map(({ name }) => name as SwitchName);
  return new Set(names.filter((name) => {
    const setting = settings.flag(name);
    return setting !== null && setting.text !== "" && settings.sound(parseTruth(setting), false);
  }));
}

function proxiesOf(settings: Settings): Proxies {
  const given = settings.many("proxy-from");
  const wanted = "an address, a network such as 10.0.0.0/8 (no bits behind its prefix), or unix";
  const networks = given.filter(({ text }) => text !== "unix").map((setting) =>
    settings.sound(parseNetwork(setting.text) ?? must(setting, wanted), null)
  );
  return {
    networks: networks.filter((network) => network !== null),
    unix: given.some(({ text }) => text === "unix"),
  };
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
