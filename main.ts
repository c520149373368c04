/**
 * smtp-pigeon: accepts mail over SMTP and delivers each message as an HTTP POST. This file reads the
 * command line and the environment, wires the rooms of `lib/` together, and owns signals and exit codes:
 * 0 for success, 1 for failure, 2 for usage.
 *
 * @module
 */
// @ts-types="./lib/std/parse_args.d.ts"
import { parseArgs } from "npm:deno-std@1.4.0/cli/parse_args.js";
// @ts-types="./lib/std/uuid_v7.d.ts"
import { generate } from "npm:deno-std@1.4.0/uuid/v7.js";
import manifest from "./deno.json" with { type: "json" };
import { Alarm } from "./lib/alarm.ts";
import {
  type Config,
  configure,
  configurePresets,
  configureQueue,
  fixed,
  type QueueConfig,
} from "./lib/config.ts";
import type { Surroundings } from "./lib/context.ts";
import { delivery } from "./lib/delivery.ts";
import type { Observe } from "./lib/event.ts";
import { fault, type Faults, isFaults, quote, unreadable } from "./lib/fault.ts";
import { grammar, tieValues } from "./lib/flags.ts";
import { optionsOf, readTemplateFile, startOf } from "./lib/front_matter.ts";
import { help } from "./lib/help.ts";
import { Lines } from "./lib/lines.ts";
import { logger } from "./lib/log.ts";
import type { Mail } from "./lib/mail.ts";
import { messagesIn } from "./lib/mbox.ts";
import { read } from "./lib/message.ts";
import { load, parseWithin } from "./lib/parser.ts";
import { listing, presetOf } from "./lib/preset.ts";
import { exactRequest, formatAnswer, formatRequest, printer } from "./lib/print.ts";
import type { Operator } from "./lib/queue_tool.ts";
import { replay } from "./lib/replay.ts";
import { type HttpRequest, type Target, target } from "./lib/request.ts";
import { DELIVERED_TIMES, QUEUED_TIMES, Room } from "./lib/room.ts";
import { sampleContexts, sampleMail } from "./lib/sample.ts";
import type { Setting } from "./lib/setting.ts";
import { listen } from "./lib/smtp.ts";
import { openSpool } from "./lib/spool.ts";
import { StoreError } from "./lib/store.ts";
import { openWorker, THREAD, Thread } from "./lib/thread.ts";
import { outcomeOf, post, webhook, type WebhookOptions } from "./lib/webhook.ts";
import { presets } from "./templates/index.ts";
import json from "./templates/json.mustache" with { type: "text" };

const { version } = manifest;

/** Presets are read when they are named, and this one is the default: what stands before it is left out. */
const DEFAULT_TEMPLATE = { text: json.slice(startOf(json)), label: "the default template" };

/** Runs the program and returns its exit code. */
async function main(args: readonly string[]): Promise<number> {
  surviveFaults();
  const flags = parseArgs(tieValues(args), grammar);
  if (flags.help || flags._[0] === "help") return print(encode(help(version)));
  if (flags.version) return print(encode(`smtp-pigeon ${version}\n`));

  const sources = { env, readTextFile: Deno.readTextFileSync };
  if (flags._[0] === "queue") return await queue(configureQueue(flags, sources));
  if (flags._[0] === "presets") return await tellPresets(configurePresets(flags));
  return await carry(configure(flags, sources));
}

/** Runs a command that is about messages on their way, which takes an endpoint and a template. */
async function carry({ config, faults }: { config: Config } & Faults): Promise<number> {
  const { command, vars, attachments } = config;
  const surroundings = { version, hostname, env, vars, attachments, now };
  const endpoint = await targetOf(config, surroundings);
  if (isFaults(endpoint) || faults.length > 0) {
    complain(isFaults(endpoint) ? [...faults, ...endpoint.faults] : faults);
    return 2;
  }
  complain(endpoint.warnings.map((warning) => `Warning: ${warning}`));

  const commands = { serve, render, test };
  return await commands[command](config, endpoint, surroundings);
}

/** Where to send, and what of a message, as a preset and the operator say it. */
async function targetOf(config: Config, surroundings: Surroundings): Promise<Target | Faults> {
  const { command, template, preset, lacksUrl } = config;
  const setting = preset === null ? template ?? DEFAULT_TEMPLATE : await presetOf(preset, presets);
  const file = isFaults(setting) ? setting : await readTemplateFile(setting);
  if (isFaults(file)) return file;
  const options = optionsOf(file, { ...config, version });
  if (isFaults(options)) return options;
  if (options.url === null && lacksUrl) {
    const where = file.docs === "" ? "" : `, see ${file.docs}`;
    return fault(`Cannot ${command}: no endpoint is set, name one with --url${where}`);
  }
  return await target(options, sampleContexts(surroundings));
}

type Command = (config: Config, endpoint: Target, surroundings: Surroundings) => Promise<number>;

/** Runs the server until a signal ends it. */
const serve: Command = async (config, endpoint, surroundings) => {
  // Until then lines are few, and a timer for them would cost an idle server 4 MB.
  let hasClients = false;
  const log = logger({
    write: (line) => hasClients ? standardError.say(line) : standardError.tell([line]),
    now: config.standaloneLogging ? now : null,
  });
  const observe: Observe = (event) => {
    log(event);
    // Whoever asks why a client left finds it said.
    if (event.kind === "logout") standardError.flush();
    // The parser takes a while to load: begin when a client comes, not when its message is complete.
    // Whether that fails is for whoever reads a message to see.
    if (event.kind === "session") {
      hasClients = true;
      load().catch(() => {});
    }
  };
  const send = config.isPrinted ? printer(show, observe) : webhook(observe, sending(config));
  const thread = new Thread({ ...THREAD, parseWithin, open: openWorker });
  const readMail = (mail: Mail) => read(mail, surroundings, thread.parse, endpoint.needs);
  const deliver = delivery(endpoint, readMail, send, observe, now);
  const { addresses, socketMode, proxies } = config;
  const common = { observe, uptimeMs };
  // Messages that leave the queue do not take the room of those that come in.
  const maxHeldOctets = config.maxHeldOctets / (config.queue === null ? 1 : 2);
  const signal = untilSignal();
  try {
    const route = { name: "default", label: endpoint.destination, courier: deliver };
    await using spool = config.queue === null ? null : await openSpool(
      config.queue,
      { ...fixed, ...config, ...common, maxHeldOctets, routes: [route], now },
      signal,
    );
    const server = await listen({
      ...{ addresses, socketMode, proxies, ...common, now, newId: generate },
      policy: config,
      limits: { ...fixed, ...config },
      room: new Room(maxHeldOctets),
      courier: spool?.courier ?? deliver,
      courierTimes: spool === null ? DELIVERED_TIMES : QUEUED_TIMES,
    }, signal);
    await server.stopped;
    return 0;
  } catch (error) {
    complain([(error as Error).message]);
    return 1;
  }
};

/** Prints the requests that the messages in files, or on standard input, would become. */
const render: Command = async (config, endpoint, surroundings) => {
  const codes: number[] = [];
  for (const file of config.messages.length === 0 ? [null] : config.messages) {
    const octets = file === null ? await readInput() : readFile(file);
    if (octets === null) codes.push(1);
    for (const message of octets === null ? [] : messagesIn(octets)) {
      const context = await replay(message, generate(), now(), surroundings);
      codes.push(await printRequest(await endpoint.request(context, now()), config));
    }
  }
  return Math.max(...codes);
};

async function readInput(): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());
}

/** Null where it cannot be read, which is said. */
function readFile(path: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    complain([`Cannot read ${quote(path)}: ${unreadable(error)}`]);
    return null;
  }
}

/** Sends the sample message to the endpoint and prints what it answers. */
const test: Command = async (config, endpoint, surroundings) => {
  const mail = sampleMail(generate(), now());
  const request = await endpoint.request(await read(mail, surroundings), now());
  if (isFaults(request) || request.url === null) return await printRequest(request, config);
  const result = await post(request, sending(config), new AbortController().signal);
  if (result.kind === "silence") {
    complain([`Cannot reach ${endpoint.destination}: ${result.detail}`]);
    return 1;
  }
  const printed = print(encode(formatAnswer(result)));
  return outcomeOf(result.status).kind === "accepted" ? printed : 1;
};

/** Lists the presets, or prints one. */
async function tellPresets({ name, faults }: { name: Setting | null } & Faults): Promise<number> {
  const preset = name === null ? null : await presetOf(name, presets);
  if (isFaults(preset) || faults.length > 0) {
    complain([...faults, ...(isFaults(preset) ? preset.faults : [])]);
    return 2;
  }
  return print(encode(preset?.text ?? await listing(presets)));
}

/** Uses a tool on the queue. What it takes is not loaded for anything else. */
async function queue({ config, faults }: { config: QueueConfig } & Faults): Promise<number> {
  if (faults.length > 0) {
    complain(faults);
    return 2;
  }
  const { SqliteInventory } = await import("./lib/store/sqlite_inventory.ts");
  const { useTool } = await import("./lib/queue_tool.ts");
  try {
    const inventory = await SqliteInventory.open(config.queue);
    try {
      return await useTool(config.order, inventory, operator());
    } finally {
      inventory.close();
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    complain([`Cannot use the queue ${quote(config.queue)}: ${error.message}`]);
    return 1;
  }
}

/** Whoever sits at the terminal, or the script that does not. */
function operator(): Operator {
  const [isRead, isWatched] = [Deno.stdout.isTerminal(), Deno.stderr.isTerminal()];
  const say = (text: string) => write(Deno.stderr, encode(text));
  return {
    print,
    complain: (fault) => complain([fault]),
    // Terminals of some programs do not say how wide they are.
    width: isRead ? Deno.consoleSize().columns || 80 : null,
    showProgress: isWatched ? (text) => say(`\r${text}\x1b[K`) : null,
    confirm: isWatched && Deno.stdin.isTerminal()
      ? (question) => {
        say(`${question} [y/N] `);
        const answer = new Uint8Array(1024);
        const count = Deno.stdin.readSync(answer);
        return /^y(es)?\s*$/i.test(new TextDecoder().decode(answer.subarray(0, count ?? 0)));
      }
      : null,
    now,
  };
}

/** The last resort: a fault that escapes a library must not take other people's messages with it. */
function surviveFaults(): void {
  const survive = (event: globalThis.Event, error: unknown) => {
    event.preventDefault();
    complain([`Internal error: ${error instanceof Error ? error.message : error}`]);
  };
  addEventListener("error", (event) => survive(event, event.error));
  addEventListener("unhandledrejection", (event) => survive(event, event.reason));
}

const now = () => new Date();
const uptimeMs = () => performance.now();

function sending({ timeoutMs }: Config): WebhookOptions {
  return { ...fixed, timeoutMs, fetch, now: uptimeMs, alarm: new Alarm(uptimeMs), date: now };
}

async function printRequest(request: HttpRequest | Faults, { raw }: Config): Promise<number> {
  if (isFaults(request)) {
    complain(request.faults);
    return 1;
  }
  if (raw) return print(exactRequest(request));
  if (!Deno.stdout.isTerminal()) return print(formatRequest(request));
  const { prettyRequest } = await import("./lib/pretty.ts");
  return print(encode(prettyRequest(request, !Deno.noColor)));
}

/** Writes to standard output, after what the log has said so far: a terminal shows both. */
function show(octets: Uint8Array): void {
  standardError.flush();
  write(Deno.stdout, octets);
}

/** Prints what was asked for, and gives the exit code. Throws where it is not taken. */
function print(octets: Uint8Array): number {
  try {
    write(Deno.stdout, octets);
    return 0;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw error;
    throw new Error(`Cannot write to standard output: ${(error as Error).message}`);
  }
}

/** What ends the program early; that its reader has seen enough is no fault. */
function giveUp(error: unknown): number {
  if (error instanceof Deno.errors.BrokenPipe) return 0;
  complain([error instanceof Error ? error.message : String(error)]);
  return 1;
}

/** Whoever reads it may be gone, or the disk full: mail goes on all the same. */
const standardError = new Lines((text) => {
  try {
    write(Deno.stderr, encode(text));
  } catch {
    // There is nobody left to tell.
  }
});

/** Says at once what is wrong. */
function complain(lines: readonly string[]): void {
  standardError.tell(lines);
}

function write(stream: typeof Deno.stdout, octets: Uint8Array): void {
  for (let at = 0; at < octets.length;) at += stream.writeSync(octets.subarray(at));
}

const encoder = new TextEncoder();
const encode = (text: string) => encoder.encode(text);

/** An environment variable; one that must not be read is one that is not set. */
function env(variable: string): string | undefined {
  if (variable === "" || /[=\0]/.test(variable)) return undefined;
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}

/** The name of this machine; empty where it must not be read. */
function hostname(): string {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "hostname" });
  return state === "granted" ? Deno.hostname() : "";
}

/** Aborted by the first signal that asks the program to end; the second one ends it. */
function untilSignal(): AbortSignal {
  const controller = new AbortController();
  const signals: Deno.Signal[] = ["SIGINT", Deno.build.os === "windows" ? "SIGBREAK" : "SIGTERM"];
  const stop = () => {
    for (const signal of signals) Deno.removeSignalListener(signal, stop);
    controller.abort();
  };
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  return controller.signal;
}

if (import.meta.main) {
  const code = await main(Deno.args).catch(giveUp);
  standardError.flush();
  Deno.exit(code);
}
