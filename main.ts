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
import { type Config, configure, fixed } from "./lib/config.ts";
import type { Surroundings } from "./lib/context.ts";
import { delivery } from "./lib/delivery.ts";
import type { Observe } from "./lib/event.ts";
import { type Faults, isFaults } from "./lib/fault.ts";
import { grammar, tieValues } from "./lib/flags.ts";
import { help } from "./lib/help.ts";
import { logger } from "./lib/log.ts";
import type { Mail } from "./lib/mail.ts";
import { read } from "./lib/message.ts";
import { load, parseHere } from "./lib/parser.ts";
import { formatAnswer, formatRequest, printer } from "./lib/print.ts";
import { replay } from "./lib/replay.ts";
import { type HttpRequest, type Target, target } from "./lib/request.ts";
import { sampleContexts, sampleMail } from "./lib/sample.ts";
import { listen, type Server } from "./lib/smtp.ts";
import { openWorker, THREAD, Thread } from "./lib/thread.ts";
import { outcomeOf, post, webhook, type WebhookOptions } from "./lib/webhook.ts";
import json from "./templates/json.mustache" with { type: "text" };

const { version } = manifest;

const DEFAULT_TEMPLATE = { text: json, label: "the default template" };

/** Runs the program and returns its exit code. */
async function main(args: readonly string[]): Promise<number> {
  surviveFaults();
  const flags = parseArgs(tieValues(args), grammar);
  if (flags.help || flags._[0] === "help") return print(encode(help(version)));
  if (flags.version) return print(encode(`smtp-pigeon ${version}\n`));

  const { config, faults } = configure(flags, { env, readTextFile: Deno.readTextFileSync });
  const surroundings = { version, hostname, env, vars: config.vars };
  const { url, headers, template } = config;
  const endpoint = await target(
    { url, headers, template: template ?? DEFAULT_TEMPLATE, version },
    sampleContexts(surroundings),
  );
  if (isFaults(endpoint) || faults.length > 0) {
    complain(isFaults(endpoint) ? [...faults, ...endpoint.faults] : faults);
    return 2;
  }

  const commands = { serve, render, test };
  return await commands[config.command](config, endpoint, surroundings);
}

type Command = (config: Config, endpoint: Target, surroundings: Surroundings) => Promise<number>;

/** Runs the server until a signal ends it. */
const serve: Command = async (config, endpoint, surroundings) => {
  const log = logger({
    write: (line) => complain([line]),
    now: config.standaloneLogging ? now : null,
  });
  const observe: Observe = (event) => {
    log(event);
    // The parser takes a while to load: begin when a client comes, not when its message is complete.
    // Whether that fails is for whoever reads a message to see.
    if (event.kind === "session") load().catch(() => {});
  };
  const send = config.url === null
    ? printer((octets) => write(Deno.stdout, octets), observe)
    : webhook(observe, sending(config));
  const thread = new Thread({ ...THREAD, parseHere, open: openWorker });
  const readMail = (mail: Mail) => read(mail, surroundings, thread.parse);
  const { addresses, socketMode, proxies } = config;
  const options = {
    ...{ addresses, socketMode, proxies, observe, now, uptimeMs },
    policy: config,
    limits: { ...fixed, ...config },
    courier: delivery(endpoint, readMail, send, observe, now),
    newId: generate,
  };
  let server: Server;
  try {
    server = await listen(options, untilSignal());
  } catch (error) {
    complain([(error as Error).message]);
    return 1;
  }
  await server.stopped;
  return 0;
};

/** Prints the request that the message on standard input would become. */
const render: Command = async (_config, endpoint, surroundings) => {
  const data = new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());
  const context = await replay(data, generate(), now(), surroundings);
  return printRequest(await endpoint.request(context, now()));
};

/** Sends the sample message to the endpoint and prints what it answers. */
const test: Command = async (config, endpoint, surroundings) => {
  const mail = sampleMail(generate(), now());
  const request = await endpoint.request(await read(mail, surroundings), now());
  if (isFaults(request) || config.url === null) return printRequest(request);
  const result = await post(request, sending(config), new AbortController().signal);
  if (result.kind === "silence") {
    complain([`Cannot reach ${endpoint.destination}: ${result.detail}`]);
    return 1;
  }
  const printed = print(encode(formatAnswer(result)));
  return outcomeOf(result.status).kind === "accepted" ? printed : 1;
};

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
  return { ...fixed, timeoutMs, fetch, now: uptimeMs };
}

function printRequest(request: HttpRequest | Faults): number {
  if (!isFaults(request)) return print(formatRequest(request));
  complain(request.faults);
  return 1;
}

/** Prints what was asked for, and gives the exit code: 0, also where the reader has seen enough. */
function print(octets: Uint8Array): number {
  try {
    write(Deno.stdout, octets);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) {
      complain([`Cannot write to standard output: ${(error as Error).message}`]);
      return 1;
    }
  }
  return 0;
}

/** Says what happened. Whoever reads it may be gone, or the disk full: mail goes on all the same. */
function complain(lines: readonly string[]): void {
  try {
    write(Deno.stderr, encode(lines.map((line) => `${line}\n`).join("")));
  } catch {
    // There is nobody left to tell.
  }
}

function write(stream: typeof Deno.stdout, octets: Uint8Array): void {
  for (let at = 0; at < octets.length;) at += stream.writeSync(octets.subarray(at));
}

const encode = (text: string) => new TextEncoder().encode(text);

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

if (import.meta.main) Deno.exit(await main(Deno.args));
