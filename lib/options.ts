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
  readonly group: "Endpoint" | "Queue" | "SMTP" | "Limits" | "Queue tools" | "Other";
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
    name: "preset",
    value: "NAME",
    help: "send what a service expects, such as slack or ntfy; smtp-pigeon presets lists them",
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
    name: "attachments",
    value: "MODE",
    help:
      "what templates get of attachments: include (all), metadata (without their content) or drop (nothing)",
    preset: "include",
    group: "Endpoint",
  },
  {
    name: "attachment-max-size",
    value: "BYTES",
    help: "largest attachment whose content templates get; of a larger one they get the rest",
    preset: "1G",
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
    name: "queue",
    value: "FILE",
    help:
      "keep messages in this file until they are delivered, or none; where it is not set, $STATE_DIRECTORY/queue.db if systemd sets that",
    group: "Queue",
  },
  {
    name: "queue-max-size",
    value: "BYTES",
    help: "how much the messages in the queue may take; more are refused for a while",
    preset: "1G",
    group: "Queue",
  },
  {
    name: "concurrency",
    value: "COUNT",
    help: "how many messages of the queue are sent at once",
    preset: "4",
    group: "Queue",
  },
  {
    name: "host",
    value: "ADDRESS",
    help: "address to listen at; 0.0.0.0 or :: for all, unix:/PATH for a Unix socket",
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
    name: "lmtp",
    value: null,
    help: "speak LMTP at --host and --port: one reply for each recipient",
    preset: "no",
    group: "SMTP",
  },
  {
    name: "listen",
    value: "ADDRESS",
    help:
      "listen here too, or only here where --host, --port and --lmtp are not set: smtp://HOST:PORT, lmtp://HOST:PORT, smtp+unix:/PATH or lmtp+unix:/PATH",
    repeats: true,
    group: "SMTP",
  },
  {
    name: "socket-mode",
    value: "MODE",
    help: "who may connect to Unix sockets, as in chmod",
    preset: "660",
    group: "SMTP",
  },
  {
    name: "proxy-from",
    value: "NETWORK",
    help:
      "take the client's address from proxies there, by the PROXY protocol: an address, a network such as 10.0.0.0/8, or unix for Unix sockets",
    repeats: true,
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
    group: "Limits",
  },
  {
    name: "max-recipients",
    value: "COUNT",
    help: "most recipients of one message",
    preset: "100",
    group: "Limits",
  },
  {
    name: "max-messages",
    value: "COUNT",
    help: "most messages in one connection",
    preset: "10000",
    group: "Limits",
  },
  {
    name: "max-commands",
    value: "COUNT",
    help: "most commands in a row other than MAIL, RCPT, DATA, BDAT and QUIT",
    preset: "100",
    group: "Limits",
  },
  {
    name: "max-errors",
    value: "COUNT",
    help: "how many refused commands (5xx) end a connection",
    preset: "20",
    group: "Limits",
  },
  {
    name: "max-connections",
    value: "COUNT",
    help: "most connections at once",
    preset: "1000",
    group: "Limits",
  },
  {
    name: "max-connections-per-address",
    value: "COUNT",
    help: "most connections at once from one address; in IPv6 from one /64",
    preset: "100",
    group: "Limits",
  },
  {
    name: "max-memory",
    value: "BYTES",
    help: "how much memory the messages may take that come in and are delivered; more have to wait",
    preset: "256M",
    group: "Limits",
  },
  {
    name: "idle-timeout",
    value: "SECONDS",
    help: "how long a client may say nothing",
    preset: "300",
    group: "Limits",
  },
  {
    name: "message-timeout",
    value: "SECONDS",
    help: "how long a message may take from MAIL to its end",
    preset: "3600",
    group: "Limits",
  },
  {
    name: "min-rate",
    value: "BYTES",
    help: "how much of a message has to come each second, on the average of two idle timeouts",
    preset: "100",
    group: "Limits",
  },
  {
    name: "dead",
    value: null,
    help: "list, retry, drop: dead letters only",
    group: "Queue tools",
  },
  {
    name: "json",
    value: null,
    help: "list, show, stats: print JSON, one object a line",
    group: "Queue tools",
  },
  {
    name: "raw",
    value: null,
    help: "show, render: print octet for octet, the message as received or the request",
    group: "Queue tools",
  },
  {
    name: "all",
    value: null,
    help: "retry, drop: all messages instead of some",
    group: "Queue tools",
  },
  { name: "yes", value: null, help: "drop: do not ask", group: "Queue tools" },
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

/** The name of a switch of the queue tools: what it says is meant for once, so that no variable sets it. */
export type SwitchName = Extract<(typeof options)[number], { group: "Queue tools" }>["name"];

/** The name of an option that has a default. */
export type PresetName = Extract<(typeof options)[number], { preset: string }>["name"];

/** The defaults, as they would be given. */
export const presets = Object.fromEntries(
  options.filter((option) => "preset" in option).map(({ name, preset }) => [name, preset]),
) as Readonly<Record<PresetName, string>>;

/** What the program can be told to do, with a sentence for the help page. */
export const commands = {
  serve: "run the server (the default)",
  render: "print the request that a message would become: a file of one or many, or standard input",
  test: "send a sample message to the endpoint and print what it answers",
} as const;

/** The name of a command. */
export type CommandName = keyof typeof commands;

/** What the program does beside that. */
export const others = {
  queue: "look into the queue",
  presets: "list the presets, or print one",
} as const;

/** One of the tools that `smtp-pigeon queue` has. */
export interface Tool {
  /** What it is told behind its name; empty where nothing. */
  readonly operands: "" | "ID" | "ID...";
  /** Its switches. */
  readonly switches: readonly SwitchName[];
  /** What it is for. */
  readonly help: string;
}

/** What `smtp-pigeon queue` can be told to do, in the order of the help page. */
export const tools = {
  list: {
    operands: "",
    switches: ["dead", "json"],
    help: "list what waits for delivery, and what is dead",
  },
  show: {
    operands: "ID",
    switches: ["json", "raw"],
    help: "show a message: envelope, attempts, content",
  },
  retry: {
    operands: "ID...",
    switches: ["all", "dead"],
    help: "have messages sent now, and tried for another five days if need be",
  },
  drop: {
    operands: "ID...",
    switches: ["all", "dead", "yes"],
    help: "remove messages from the queue",
  },
  stats: { operands: "", switches: ["json"], help: "count what is in the queue" },
} as const satisfies Readonly<Record<string, Tool>>;

/** The name of a tool. */
export type ToolName = keyof typeof tools;

/** The environment variable of an option: `--max-size` is `SMTP_PIGEON_MAX_SIZE`. */
export function variableOf(name: string): string {
  return `SMTP_PIGEON_${name.toUpperCase().replaceAll("-", "_")}`;
}
