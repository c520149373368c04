/** Flags, variables and files into a configuration, and all that can be wrong with them. */
import { formatListenAddress } from "../lib/address.ts";
import { configure, configureQueue } from "../lib/config.ts";
import { grammar, tieValues } from "../lib/flags.ts";
import { type Option, options, variableOf } from "../lib/options.ts";
import type { Order } from "../lib/order.ts";
import { assert, assertEquals } from "./assert.ts";
import { parseArgs } from "./std.ts";

type Dictionary = Readonly<Record<string, string>>;

const flagsOf = (args: readonly string[]) => parseArgs(tieValues(args), grammar);

function sources(env: Dictionary, files: Dictionary) {
  return {
    env: (name: string) => env[name],
    readTextFile: (path: string) => {
      if (path === "/forbidden") {
        throw new Deno.errors.PermissionDenied(
          "Permission denied (os error 13): readfile '/forbidden'",
        );
      }
      if (!Object.hasOwn(files, path)) throw new Deno.errors.NotFound("os error 2");
      return files[path];
    },
  };
}

const configured = (args: readonly string[], env: Dictionary = {}, files: Dictionary = {}) =>
  configure(flagsOf(args), sources(env, files));

function config(args: readonly string[], env: Dictionary = {}, files: Dictionary = {}) {
  const { config, faults } = configured(args, env, files);
  assertEquals(faults, []);
  return config;
}

const faultsOf = (args: readonly string[], env: Dictionary = {}, files: Dictionary = {}) =>
  configured(args, env, files).faults;

const URL = ["--url", "http://a.example/"];
const texts = (settings: readonly { text: string }[]) => settings.map(({ text }) => text);

Deno.test("configure() has a default for all but the URL", () => {
  assertEquals(config(URL), {
    command: "serve",
    messages: [],
    raw: false,
    isPrinted: false,
    lacksUrl: false,
    url: { text: URL[1], label: `--url "${URL[1]}"` },
    headers: [],
    template: null,
    preset: null,
    vars: {},
    attachments: { mode: "include", maxOctets: 1024 ** 3 },
    timeoutMs: 30_000,
    queue: null,
    maxStoreOctets: 1024 ** 3,
    concurrency: 4,
    addresses: [{ protocol: "SMTP", transport: "tcp", hostname: "127.0.0.1", port: 1025 }],
    socketMode: 0o660,
    proxies: { networks: [], unix: false },
    domain: "localhost",
    maxMessageOctets: 10 * 1024 * 1024,
    maxRecipients: 100,
    maxMessages: 10_000,
    maxCommands: 100,
    maxErrors: 20,
    maxConnections: 1_000,
    maxConnectionsPerAddress: 100,
    maxHeldOctets: 256 * 1024 * 1024,
    idleTimeoutMs: 300_000,
    messageTimeoutMs: 3_600_000,
    minRate: 100,
    standaloneLogging: false,
  });
});

const shown = ({ addresses }: ReturnType<typeof config>) => addresses.map(formatListenAddress);

/** Each option that has a value, with one, and where it is then found. */
const settings: [
  name: string,
  value: string,
  read: (c: ReturnType<typeof config>) => unknown,
  expected: unknown,
][] = [
  ["url", "https://b.example/{{sender}}", ({ url }) => url?.text, "https://b.example/{{sender}}"],
  ["url", "-", ({ url, isPrinted }) => [url, isPrinted], [null, true]],
  ["header", "X-A: b: c", ({ headers }) => texts(headers), ["X-A: b: c"]],
  ["template", "-{{body}}=", ({ template }) => template?.text, "-{{body}}="],
  ["preset", "slack", ({ preset }) => preset?.text, "slack"],
  ["attachments", "metadata", ({ attachments }) => attachments.mode, "metadata"],
  ["attachment-max-size", "1M", ({ attachments }) => attachments.maxOctets, 1024 ** 2],
  ["var", "a_B-1=x=y", ({ vars }) => vars, { "a_B-1": "x=y" }],
  ["timeout", "0.25", ({ timeoutMs }) => timeoutMs, 250],
  ["queue", "/var/spool/q", ({ queue }) => queue, "/var/spool/q"],
  ["queue", "none", ({ queue }) => queue, null],
  ["queue", "./none", ({ queue }) => queue, "./none"],
  ["queue-max-size", "2G", ({ maxStoreOctets }) => maxStoreOctets, 2 ** 31],
  ["concurrency", "7", ({ concurrency }) => concurrency, 7],
  ["host", "::", shown, ["[::]:1025"]],
  ["port", "0", shown, ["127.0.0.1:0"]],
  ["lmtp", "yes", shown, ["lmtp://127.0.0.1:1025"]],
  ["listen", "lmtp+unix:/run/x", shown, ["lmtp+unix:/run/x"]],
  ["socket-mode", "600", ({ socketMode }) => socketMode, 0o600],
  ["proxy-from", "10.0.0.0/8", ({ proxies }) => proxies, {
    ...{ networks: [{ octets: [10, 0, 0, 0], prefixLength: 8 }], unix: false },
  }],
  ["proxy-from", "unix", ({ proxies }) => proxies, { networks: [], unix: true }],
  ["domain", "mail.example.org", ({ domain }) => domain, "mail.example.org"],
  ["max-size", "500k", ({ maxMessageOctets }) => maxMessageOctets, 512_000],
  ["max-recipients", "7", ({ maxRecipients }) => maxRecipients, 7],
  ["max-messages", "7", ({ maxMessages }) => maxMessages, 7],
  ["max-commands", "7", ({ maxCommands }) => maxCommands, 7],
  ["max-errors", "7", ({ maxErrors }) => maxErrors, 7],
  ["max-connections", "7", ({ maxConnections }) => maxConnections, 7],
  ["max-connections-per-address", "7", (c) => c.maxConnectionsPerAddress, 7],
  ["max-memory", "2G", ({ maxHeldOctets }) => maxHeldOctets, 2 ** 31],
  ["idle-timeout", "1.5", ({ idleTimeoutMs }) => idleTimeoutMs, 1_500],
  ["message-timeout", "7200", ({ messageTimeoutMs }) => messageTimeoutMs, 7_200_000],
  ["min-rate", "1K", ({ minRate }) => minRate, 1_024],
  ["standalone-logging", "yes", ({ standaloneLogging }) => standaloneLogging, true],
];

/** What only queue tools have, and no variable sets. */
const queueSwitches = (options as readonly Option[]).filter(({ group }) => group === "Queue tools")
  .map(({ name }) => name);

/** Options that have no value on the command line, or one that is tied to them. */
const switches = options.filter(({ value }) => value === null).map(({ name }) => name as string);

/** Options whose flags do not take the place of all that variables set. */
const addUp = ["header", "var"];

const repeated = options.filter((option) => "repeats" in option).map(({ name }) => name as string);

for (const [name, value, read, expected] of settings) {
  const base = name === "url" ? [] : URL;
  const variable = variableOf(name);
  Deno.test(`--${name}, ${variable} and ${variable}_FILE set it to ${value}`, () => {
    assertEquals(read(config([...base, `--${name}=${value}`])), expected);
    if (!switches.includes(name)) {
      assertEquals(read(config([...base, `--${name}`, value])), expected);
      assertEquals(read(config([`--${name}`, value, ...base])), expected);
    }
    assertEquals(read(config(base, { [variable]: value })), expected);
    const file = { [`${variable}_FILE`]: "/run/it" };
    assertEquals(read(config(base, file, { "/run/it": value })), expected);
    assertEquals(read(config(base, file, { "/run/it": `\ufeff${value}\r\n` })), expected);
  });
  Deno.test(`${variable} wins over ${variable}_FILE`, () => {
    const env = { [variable]: value, [`${variable}_FILE`]: "/missing" };
    assertEquals(read(config(base, env)), expected);
  });
  if (addUp.includes(name)) continue;
  Deno.test(`--${name} wins over ${variable} and ${variable}_FILE`, () => {
    const other = {
      url: "http://c.example/",
      template: "c",
      attachments: "drop",
      timeout: "9",
      queue: "c",
      "queue-max-size": "9M",
      host: "c",
      port: "9",
      lmtp: "no",
      listen: "smtp://c:9",
      "socket-mode": "777",
      "proxy-from": "::1",
      domain: "c",
      "standalone-logging": "no",
    }[name] ?? "9";
    for (const env of [{ [variable]: value }, { [`${variable}_FILE`]: "/missing" }]) {
      assertEquals(
        read(config([...base, `--${name}=${other}`], env)),
        read(config([...base, `--${name}=${other}`])),
      );
    }
  });
}

Deno.test("every option with a value has a row above", () => {
  const rows = new Set(settings.map(([name]) => name));
  const missing = options.map(({ name }) => name).filter((name) => !rows.has(name as never));
  assertEquals(missing, ["template-file", ...queueSwitches, "help", "version"]);
});

Deno.test("an empty variable is one that is not set", () => {
  const empty = Object.fromEntries(
    options.flatMap(({ name }) => [[variableOf(name), ""], [`${variableOf(name)}_FILE`, ""]]),
  );
  assertEquals(config(URL, empty), config(URL));
  assertEquals(
    config([], { SMTP_PIGEON_URL: "", SMTP_PIGEON_URL_FILE: "/u" }, { "/u": "http://a.example" })
      .url?.text,
    "http://a.example",
  );
});

Deno.test("headers and variables repeat: as flags, or one a line", () => {
  const flags = config([...URL, "--header", "A: 1", "--var=x=1", "--header=B: 2", "--var", "y=2"]);
  assertEquals(texts(flags.headers), ["A: 1", "B: 2"]);
  assertEquals(flags.vars, { x: "1", y: "2" });
  const lines = config(URL, {
    SMTP_PIGEON_HEADER: "\nA: 1\r\n\n  B: 2  \n",
    SMTP_PIGEON_VAR_FILE: "/vars",
  }, { "/vars": "x=1\ny=2\n" });
  assertEquals(lines.headers, [
    { text: "A: 1", label: "SMTP_PIGEON_HEADER", isSecret: true },
    { text: "B: 2", label: "SMTP_PIGEON_HEADER", isSecret: true },
  ]);
  assertEquals(lines.vars, { x: "1", y: "2" });
});

/** What becomes of the lines of a variable, or of its file, beside flags. */
const additions: [
  option: "header" | "var",
  lines: string,
  flags: string[],
  sum: string[] | Dictionary,
][] = [
  ["header", "A: 1\nB: 2", ["C: 3"], ["A: 1", "B: 2", "C: 3"]],
  ["header", "A: 1\nB: 2\nC: 3", ["B: 4"], ["A: 1", "C: 3", "B: 4"]],
  ["header", "X-Token: 1", ["x-TOKEN: 2"], ["x-TOKEN: 2"]],
  ["header", "X-Token : 1\nX-Tokens: 2", ["X-Token:3"], ["X-Tokens: 2", "X-Token:3"]],
  // A name may come again: a flag takes the place of all its lines, and flags that of none but lines.
  ["header", "A: 1\na: 2\nB: 3", ["A: 4", "a: 5"], ["B: 3", "A: 4", "a: 5"]],
  ["header", "A: 1\nA: 2", ["B: 3"], ["A: 1", "A: 2", "B: 3"]],
  ["header", "Link: B: 1", ["B: 2"], ["Link: B: 1", "B: 2"]],
  ["var", "x=1\ny=2", ["z=3"], { x: "1", y: "2", z: "3" }],
  ["var", "x=1\ny=2", ["x=3"], { x: "3", y: "2" }],
  ["var", "x=a:b", ["x=c=d"], { x: "c=d" }],
  ["var", "x=1\nxy=2", ["x=3"], { x: "3", xy: "2" }],
];
for (const [option, lines, flags, sum] of additions) {
  Deno.test(`${JSON.stringify(lines)} and --${option} ${flags.join(", ")} add up`, () => {
    const args = [...URL, ...flags.flatMap((flag) => [`--${option}`, flag])];
    const variable = variableOf(option);
    for (
      const { headers, vars } of [
        config(args, { [variable]: lines }),
        config(args, { [`${variable}_FILE`]: "/run/it" }, { "/run/it": `${lines}\n` }),
      ]
    ) {
      assertEquals<unknown>(option === "header" ? texts(headers) : vars, sum);
    }
  });
}

Deno.test("a line whose place a flag takes may be wrong, another may not", () => {
  assertEquals(
    config([...URL, "--var", "x=1"], { SMTP_PIGEON_VAR: "x" }).vars,
    { x: "1" },
  );
  assertEquals(faultsOf([...URL, "--var", "x=1"], { SMTP_PIGEON_VAR: "y" }), [
    'Cannot use SMTP_PIGEON_VAR "y": must be NAME=VALUE',
  ]);
});

Deno.test("a flag without its value is a fault, and takes the place of no line", () => {
  const { config, faults } = configured([...URL, "--header="], { SMTP_PIGEON_HEADER: "A: 1" });
  assertEquals(faults, ["Cannot use --header: must have a value"]);
  assertEquals(texts(config.headers), ["A: 1"]);
});

for (const text of ["", "\n", "\r\n", "\ufeff", "\ufeff\n"]) {
  Deno.test(`a file of ${JSON.stringify(text)} holds no value; what repeats may have none`, () => {
    for (const [name] of settings) {
      const file = `${variableOf(name)}_FILE`;
      const base = name === "url" ? [] : URL;
      assertEquals(
        faultsOf(base, { [file]: "/run/it" }, { "/run/it": text }),
        repeated.includes(name)
          ? []
          : [`Cannot use ${file}: "/run/it" is empty, must hold a value`],
      );
    }
    const env = Object.fromEntries(repeated.map((name) => [`${variableOf(name)}_FILE`, "/run/it"]));
    assertEquals(config(URL, env, { "/run/it": text }), config(URL));
  });
}

Deno.test("a flag spares an empty file", () => {
  const spared = config([...URL, "--port", "0"], {
    SMTP_PIGEON_URL_FILE: "/run/it",
    SMTP_PIGEON_PORT_FILE: "/run/it",
  }, { "/run/it": "" });
  assertEquals([spared.url?.text, shown(spared)], [URL[1], ["127.0.0.1:0"]]);
});

const LMTP = "lmtp+unix:/run/x";
const OTHER = "smtp://[::1]:2525";

/** What is set, as flags and as variables, and where the server listens then. */
const places: [args: string[], env: Dictionary, addresses: string[]][] = [
  [[], {}, ["127.0.0.1:1025"]],
  [["--port", "0"], {}, ["127.0.0.1:0"]],
  [["--host", "::"], {}, ["[::]:1025"]],
  [["--host", "[::1]", "--port", "25"], {}, ["[::1]:25"]],
  [["--lmtp"], {}, ["lmtp://127.0.0.1:1025"]],
  [["--lmtp", "--host", "::1", "--port", "24"], {}, ["lmtp://[::1]:24"]],
  [["--lmtp=no"], {}, ["127.0.0.1:1025"]],
  [["--host", "unix:/run/y"], {}, ["smtp+unix:/run/y"]],
  [["--host", "unix:/run/y", "--lmtp"], {}, ["lmtp+unix:/run/y"]],
  // Alone, --listen takes the place of the default; beside what is set, it adds to it.
  [["--listen", LMTP], {}, [LMTP]],
  [["--listen", LMTP, "--listen", OTHER], {}, [LMTP, "[::1]:2525"]],
  [["--listen", LMTP, "--port", "25"], {}, ["127.0.0.1:25", LMTP]],
  [["--listen", LMTP, "--port", "1025"], {}, ["127.0.0.1:1025", LMTP]],
  [["--host", "127.0.0.1", "--listen", LMTP], {}, ["127.0.0.1:1025", LMTP]],
  [["--host", "unix:/run/y", "--listen", LMTP], {}, ["smtp+unix:/run/y", LMTP]],
  [["--lmtp", "--listen", OTHER], {}, ["lmtp://127.0.0.1:1025", "[::1]:2525"]],
  [["--listen", OTHER], { LISTEN: LMTP }, ["[::1]:2525"]],
  [[], { LISTEN: `${LMTP}\n\n ${OTHER}\n` }, [LMTP, "[::1]:2525"]],
  [["--port", "25"], { LISTEN: LMTP }, ["127.0.0.1:25", LMTP]],
  [["--listen", LMTP], { PORT: "25" }, ["127.0.0.1:25", LMTP]],
  [["--listen", LMTP], { HOST: "::1" }, ["[::1]:1025", LMTP]],
  [["--listen", LMTP], { HOST: "::1", PORT: "25" }, ["[::1]:25", LMTP]],
  [["--listen", LMTP], { LMTP: "yes" }, ["lmtp://127.0.0.1:1025", LMTP]],
  [["--listen", LMTP], { HOST: "", PORT: "", LMTP: "" }, [LMTP]],
  [["--host", "unix:/run/y"], { PORT: "" }, ["smtp+unix:/run/y"]],
];
const variables = (env: Dictionary) =>
  Object.fromEntries(Object.entries(env).map(([name, text]) => [`SMTP_PIGEON_${name}`, text]));
for (const [args, env, addresses] of places) {
  const set = [...args, ...Object.entries(env).map((entry) => entry.join("="))].join(" ");
  Deno.test(`"${set}" listens at ${addresses.join(" and ")}`, () => {
    assertEquals(shown(config([...URL, ...args], variables(env))), addresses);
  });
}

/** A Unix socket has no port, so that whoever sets both is mistaken in one of them. */
const ports: [args: string[], env: Dictionary, label: string][] = [
  [["--host", "unix:/run/y", "--port", "25"], {}, '--port "25"'],
  [["--host", "unix:/run/y", "--port", "1025"], {}, '--port "1025"'],
  [["--host", "unix:/run/y", "--port", "0", "--lmtp"], {}, '--port "0"'],
  [["--host", "unix:/run/y", "--port", "25", "--listen", LMTP], {}, '--port "25"'],
  [["--host", "unix:/run/y"], { PORT: "25" }, 'SMTP_PIGEON_PORT "25"'],
  [["--port", "25"], { HOST: "unix:/run/y" }, '--port "25"'],
  [[], { HOST: "unix:/run/y", PORT_FILE: "/port" }, "SMTP_PIGEON_PORT_FILE"],
];
for (const [args, env, label] of ports) {
  const set = [...args, ...Object.entries(env).map((entry) => entry.join("="))].join(" ");
  Deno.test(`"${set}" is a fault: a Unix socket has no port`, () => {
    assertEquals(faultsOf([...URL, ...args], variables(env), { "/port": "25" }), [
      `Cannot use ${label}: must be left out, since --host is a Unix socket`,
    ]);
  });
}

Deno.test("an LMTP server on port 25 is a fault, however it is asked for", () => {
  const asked: [args: string[], env: Dictionary, label: string][] = [
    [["--lmtp", "--port", "25"], {}, '--port "25"'],
    [["--port", "25"], { LMTP: "yes" }, '--port "25"'],
    [["--lmtp"], { PORT: "00025" }, 'SMTP_PIGEON_PORT "00025"'],
    [["--lmtp", "--host", "::1", "--port", "25"], {}, '--port "25"'],
    [["--listen", "lmtp://127.0.0.1:25"], {}, '--listen "lmtp://127.0.0.1:25"'],
    [["--port", "24", "--listen", "lmtp://[::1]:25"], {}, '--listen "lmtp://[::1]:25"'],
    [[], { LISTEN: "lmtp://a:25" }, 'SMTP_PIGEON_LISTEN "lmtp://a:25"'],
  ];
  for (const [args, env, label] of asked) {
    assertEquals(faultsOf([...URL, ...args], variables(env)), [
      `Cannot use ${label}: must be at another port, as 25 is not for LMTP (RFC 2033 section 5)`,
    ]);
  }
  // What is wrong with the host is said of the host.
  assertEquals(faultsOf([...URL, "--lmtp", "--port", "25", "--host", "a b"]), [
    'Cannot use --host "a b": must be a name, an IP address or unix:/PATH',
  ]);
  assertEquals(shown(config([...URL, "--port", "25"])), ["127.0.0.1:25"]);
});

Deno.test("proxies are all those that are named", () => {
  const { proxies } = config([...URL, "--proxy-from", "unix", "--proxy-from", "::1"], {
    SMTP_PIGEON_PROXY_FROM: "10.0.0.0/8",
  });
  const one = [...Array.from({ length: 15 }, () => 0), 1];
  assertEquals(proxies, { networks: [{ octets: one, prefixLength: 128 }], unix: true });
  const set = config(URL, { SMTP_PIGEON_PROXY_FROM: "10.0.0.0/8\nunix\n192.0.2.1" }).proxies;
  assertEquals(set, {
    networks: [
      { octets: [10, 0, 0, 0], prefixLength: 8 },
      { octets: [192, 0, 2, 1], prefixLength: 32 },
    ],
    unix: true,
  });
});

Deno.test("each address and network that is wrong is a fault of its own", () => {
  assertEquals(
    faultsOf([...URL, "--listen", "x", "--listen", LMTP], { SMTP_PIGEON_PROXY_FROM: "a\n::1\nb" })
      .map((fault) => fault.split(": must be")[0]),
    [
      'Cannot use --listen "x"',
      'Cannot use SMTP_PIGEON_PROXY_FROM "a"',
      'Cannot use SMTP_PIGEON_PROXY_FROM "b"',
    ],
  );
});

Deno.test("a template may come from a file, by flag or by variable", () => {
  const files = { "/t": "a\nb\n\n" };
  const flag = config([...URL, "--template-file", "/t"], { SMTP_PIGEON_TEMPLATE: "other" }, files);
  assertEquals(flag.template, { text: "a\nb\n", label: '--template-file "/t"' });
  const variable = config(URL, { SMTP_PIGEON_TEMPLATE_FILE: "/t" }, files);
  assertEquals(variable.template, { text: "a\nb\n", label: "SMTP_PIGEON_TEMPLATE_FILE" });
  const both = config([...URL, "--template", "x"], { SMTP_PIGEON_TEMPLATE_FILE: "/missing" });
  assertEquals(both.template, { text: "x", label: "--template" });
});

const commands: [args: string[], command: string][] = [
  [URL, "serve"],
  [["serve", ...URL], "serve"],
  [[...URL, "serve"], "serve"],
  [[...URL, "--", "serve"], "serve"],
  [["render"], "render"],
  [["--standalone-logging", "render"], "render"],
  [["test", ...URL], "test"],
];
for (const [args, command] of commands) {
  Deno.test(`"${args.join(" ")}" runs ${command}`, () => {
    assertEquals(config(args).command, command);
  });
}

/** What stands on the command line, and what is wrong with it. */
type Row = [args: string[], fault: string | null];

const taken = (name: string, value: string): Row => [[`--${name}`, value], null];
const refused = (name: string, value: string, wanted: string): Row => [
  [`--${name}`, value],
  `Cannot use --${name} "${value}": must be ${wanted}`,
];

const seconds = [["timeout", 3_600], ["idle-timeout", 3_600], ["message-timeout", 86_400]] as const;

const sizes = [
  ["max-size", "1G", 2 ** 30, "500K or 10M", "1"],
  ["min-rate", "1G", 2 ** 30, "100 or 4K", "1"],
  // As many as can be written in octets.
  ["max-memory", "1024G", 9_999_999_999, "500K or 10M", "1"],
  ["queue-max-size", "1024G", 9_999_999_999, "10M or 1G", "1M"],
] as const;

const counts = [
  ["concurrency", 1_000],
  ["max-recipients", 10_000],
  ["max-messages", 999_999],
  ["max-commands", 1_000_000],
  ["max-errors", 1_000_000],
  ["max-connections", 1_000_000],
  ["max-connections-per-address", 1_000_000],
] as const;

const values: Row[] = [
  ...["0", "1", "25", "65535", "00025"].map((v) => taken("port", v)),
  ...["-1", "65536", "smtp", "1.5", "0x10", "1e3", " 25", "25 ", "1000000000000", "२५"].map((v) =>
    refused("port", v, "an integer from 0 to 65535")
  ),
  ...seconds.flatMap(([name, most]) => [
    ...["0.001", "1", "30", `${most}`, `${most}.000`].map((v) => taken(name, v)),
    ...["0", "0.000", "-1", `${most}.001`, "1s", "1e3", ".5", "5.", "0.0001", "NaN", "Infinity"]
      .map((v) => refused(name, v, `a number of seconds, more than 0 and at most ${most}`)),
  ]),
  ...sizes.flatMap(([name, most, octets, such, least]) => [
    ...[least, "1024k", "10m", most, `${octets}`].map((v) => taken(name, v)),
    ...["0", "0M", "1.5M", "10MB", "10 M", "-1", "M", "9999999999G", "99999999999"].map((v) =>
      refused(name, v, `a number of bytes from ${least} to ${most}, such as ${such}`)
    ),
  ]),
  refused("queue-max-size", "1023K", "a number of bytes from 1M to 1024G, such as 10M or 1G"),
  // One octet, or the least that can be written, over the most.
  refused("max-size", "1073741825", "a number of bytes from 1 to 1G, such as 500K or 10M"),
  refused("min-rate", "1073741825", "a number of bytes from 1 to 1G, such as 100 or 4K"),
  ...["queue.db", "/a b/ü", "C:\\q.db", "none", "-", "file", "x:memory:"].map((v) =>
    taken("queue", v)
  ),
  ...[":memory:", "file:q.db", "FILE:///q?mode=memory", "\ufffd"].map((v) =>
    refused("queue", v, "the path of a file, or none")
  ),
  [["--queue", "a\nb"], 'Cannot use --queue "a b": must be the path of a file, or none'],
  [["--queue", ""], "Cannot use --queue: must have a value"],
  [["--queue", "a", "--queue", "a"], "Cannot use --queue: given 2 times, must be given once"],
  refused("queue-max-size", "1025G", "a number of bytes from 1M to 1024G, such as 10M or 1G"),
  refused("max-memory", "1025G", "a number of bytes from 1 to 1024G, such as 500K or 10M"),
  ...counts.flatMap(([name, most]) => [
    ...["1", "7", "007", `${most}`].map((v) => taken(name, v)),
    ...["0", `${most + 1}`, "-1", "1.5", "1K", "many", " 1", "9999999999"].map((v) =>
      refused(name, v, `an integer from 1 to ${most}`)
    ),
  ]),
  ...["000", "600", "0660", "777"].map((v) => taken("socket-mode", v)),
  ...["66", "7777", "1660", "00660", "668", "0o660", "rw-rw----"].map((v) =>
    refused("socket-mode", v, "three octal digits, such as 660")
  ),
  ...["unix", "127.0.0.1", "::1", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"].map((v) =>
    taken("proxy-from", v)
  ),
  ...["UNIX", "unix:/run/x", "localhost", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10", "*"].map((
    v,
  ) =>
    refused(
      "proxy-from",
      v,
      "an address, a network such as 10.0.0.0/8 (no bits behind its prefix), or unix",
    )
  ),
  ...["smtp://[::1]:0", "lmtp://localhost:24", "smtp+unix:/run/x"].map((v) => taken("listen", v)),
  ...["127.0.0.1:1025", "2525", "unix:/run/x", "http://127.0.0.1:1025"].map((v) =>
    refused(
      "listen",
      v,
      "an address such as smtp://127.0.0.1:1025, lmtp://[::1]:24, smtp+unix:/PATH or lmtp+unix:/PATH",
    )
  ),
  refused("listen", "smtp://a:65536", "at a port from 0 to 65535"),
  refused("listen", "smtp+unix:x", "an absolute path, such as /run/smtp-pigeon/smtp.sock"),
  ...["::1", "[::1]", "0.0.0.0", "localhost", "unix:/run/x"].map((v) => taken("host", v)),
  ...["a b", "ü", " ", "127.1", "127.0.0.1:25"].map((v) =>
    refused("host", v, "a name, an IP address or unix:/PATH")
  ),
  refused("host", "unix:x", "an absolute path, such as /run/smtp-pigeon/smtp.sock"),
  [["--domain", "a\r\nb"], 'Cannot use --domain "a b": must be a name or an address'],
  ...["a=", "_=1", "a-b=1", "a=\n"].map((v): [string[], null] => [["--var", v], null]),
  ...["a", "=1", "1a=1", "a b=1", "ü=1", "a.b=1"].map((v): [string[], string] => [
    ["--var", v],
    `Cannot use --var "${v}": must be NAME=VALUE`,
  ]),
  ...["standalone-logging", "lmtp"].flatMap((name) => [
    ...["true", "YES", "on", "1", "false", "No", "off", "0"].map((v): Row => [
      [`--${name}=${v}`],
      null,
    ]),
    ...["maybe", "2", "y"].map((v): Row => [
      [`--${name}=${v}`],
      `Cannot use --${name} "${v}": must be true or false`,
    ]),
  ]),
  [["--standalone-logging="], "Cannot use --standalone-logging: must have a value"],
  // Options that there are not.
  [["--prot", "25"], "Cannot use --prot: no such option, the nearest is --port"],
  [["--prot=25"], "Cannot use --prot: no such option, the nearest is --port"],
  [["--Port", "25"], "Cannot use --Port: no such option, the nearest is --port"],
  [["-port", "25"], "Cannot use -port: no such option, the nearest is --port"],
  [["--headers", "A: b"], "Cannot use --headers: no such option, the nearest is --header"],
  [
    ["--templatefile", "x"],
    "Cannot use --templatefile: no such option, the nearest is --template-file",
  ],
  [["--no-help"], "Cannot use --no-help: no such option, the nearest is --help"],
  [
    ["--no-standalone-logging"],
    "Cannot use --no-standalone-logging: no such option, the nearest is --standalone-logging",
  ],
  [["--port.x=1"], "Cannot use --port.x: no such option, the nearest is --port"],
  [["--prot\n=1"], "Cannot use --prot : no such option, the nearest is --port"],
  [["-p", "25"], "Cannot use -p: no such option, see --help"],
  [["-p=25"], "Cannot use -p: no such option, see --help"],
  [["-v"], "Cannot use -v: no such option, see --help"],
  [["-"], 'Cannot run "-": no such command, the nearest is test'],
  [["sever"], 'Cannot run "sever": no such command, the nearest is serve'],
  [["constructor"], 'Cannot run "constructor": no such command, the nearest is serve'],
  [["queu", "list"], 'Cannot run "queu": no such command, the nearest is queue'],
  [["drop", "1"], 'Cannot run "drop": no such command, the nearest is queue drop'],
  ...queueSwitches.flatMap((name): Row[] => [
    [[`--${name}`], `Cannot use --${name}: serve has no such option, see --help`],
    [["test", `--${name}=yes`], `Cannot use --${name}: test has no such option, see --help`],
    [[`--${name}=no`], null],
    [[`--${name}=maybe`], `Cannot use --${name} "maybe": must be true or false`],
  ]),
  [["serve", "now"], 'Cannot use "now": serve takes options only'],
  [["--", "--port"], 'Cannot run "--port": no such command, the nearest is test'],
  // Values that are missing or too many.
  [["--port"], "Cannot use --port: must have a value"],
  [["--port", ""], "Cannot use --port: must have a value"],
  [["--port="], "Cannot use --port: must have a value"],
  [["--port", "--domain", "x"], "Cannot use --port: must have a value"],
  [["--port", "--domain=x"], "Cannot use --port: must have a value"],
  [["--port", "--standalone-logging"], "Cannot use --port: must have a value"],
  [["--header"], "Cannot use --header: must have a value"],
  [["--template", ""], "Cannot use --template: must have a value"],
  [["--template-file", ""], "Cannot use --template-file: must have a value"],
  ...[["host", "a"], ["port", "1"], ["domain", "a"], ["socket-mode", "600"], ["min-rate", "1"]]
    .map(([name, value]): Row => [
      [`--${name}`, value, `--${name}`, value],
      `Cannot use --${name}: given 2 times, must be given once`,
    ]),
  [["--lmtp", "--lmtp"], "Cannot use --lmtp: given 2 times, must be given once"],
  [["--url", "x"], "Cannot use --url: given 2 times, must be given once"],
  [
    ["--standalone-logging", "--standalone-logging"],
    "Cannot use --standalone-logging: given 2 times, must be given once",
  ],
  [
    ["--template-file", "/t", "--template-file", "/t"],
    "Cannot use --template-file: given 2 times, must be given once",
  ],
  [
    ["--template-file", "/t", "--template", "x"],
    "Cannot use --template-file: --template is given too, only one can be used",
  ],
  // Values that begin with a dash.
  [["--template", "--- {{subject}} ---"], null],
  [["--template", "--"], null],
  [["--header", "-: x"], null],
  [["--var", "a=--port"], null],
  [["--domain", "-x"], null],
  // Files.
  [["--template-file", "/missing"], 'Cannot read "/missing" for --template-file: no such file'],
  [
    ["--template-file", "/forbidden"],
    'Cannot read "/forbidden" for --template-file: Permission denied',
  ],
  [["--template-file", "a\nb"], 'Cannot read "a b" for --template-file: no such file'],
];
for (const [args, fault] of values) {
  Deno.test(`${JSON.stringify(args)} is ${fault === null ? "taken" : "refused"}`, () => {
    const expected = fault === null ? [] : [fault];
    assertEquals(faultsOf([...URL, ...args], {}, { "/t": "x" }), expected);
  });
}

Deno.test("a URL has to be named, but not to render", () => {
  const lacksUrl = (...args: string[]) => configured(args).config.lacksUrl;
  assertEquals([lacksUrl(), lacksUrl("test"), lacksUrl("render")], [true, true, false]);
  assertEquals([lacksUrl(...URL), lacksUrl("--url", "-")], [false, false]);
  assertEquals(faultsOf(["--url"]), ["Cannot use --url: must have a value"]);
  assertEquals(faultsOf(["--url", ""]), ["Cannot use --url: must have a value"]);
  assertEquals(faultsOf(["--url="]), ["Cannot use --url: must have a value"]);
  // What else is wrong may be why no URL was found.
  assertEquals(faultsOf(["--urll", "http://a.example/"]), [
    "Cannot use --urll: no such option, the nearest is --url",
  ]);
  assertEquals(faultsOf(["http://a.example/"]), [
    'Cannot run "http://a.example/": no such command, the nearest is serve',
  ]);
  assertEquals(faultsOf([], { SMTP_PIGEON_URL_FILE: "/missing" }), [
    'Cannot read "/missing" for SMTP_PIGEON_URL_FILE: no such file',
  ]);
  // Nobody's URL is lost in a port.
  assert(lacksUrl("--port", "smtp"));
  assertEquals(faultsOf(["--port", "smtp"]), [
    'Cannot use --port "smtp": must be an integer from 0 to 65535',
  ]);
  assertEquals(config(["render"]).url, null);
});

Deno.test("no message may be larger than the queue", () => {
  const octets = (...args: string[]) => config([...URL, ...args]).maxMessageOctets;
  const small = ["--queue-max-size", "1M"];
  assertEquals(octets(...small), 10 * 1024 ** 2);
  assertEquals(octets("--queue", "q.db", ...small), Math.floor(0.99 * 1024 ** 2) - 128 * 1024);
  assertEquals(octets("--queue", "q.db", ...small, "--max-size", "1000"), 1000);
});

Deno.test("configure() reports every fault at once", () => {
  assertEquals(
    faultsOf(
      ["--prot=1", "serve", "--port", "x", "--timeout", "0", "--var", "x", "-q", "--host"],
      { SMTP_PIGEON_MAX_SIZE: "huge", SMTP_PIGEON_URL_FILE: "/missing" },
    ),
    [
      "Cannot use --prot: no such option, the nearest is --port",
      "Cannot use -q: no such option, see --help",
      'Cannot read "/missing" for SMTP_PIGEON_URL_FILE: no such file',
      'Cannot use SMTP_PIGEON_MAX_SIZE "huge": must be a number of bytes from 1 to 1G, such as 500K or 10M',
      'Cannot use --var "x": must be NAME=VALUE',
      'Cannot use --timeout "0": must be a number of seconds, more than 0 and at most 3600',
      "Cannot use --host: must have a value",
      'Cannot use --port "x": must be an integer from 0 to 65535',
    ],
  );
});

Deno.test("a fault does not quote what SMTP_PIGEON_URL and SMTP_PIGEON_HEADER are set to", () => {
  const { url, headers } = config([], {
    SMTP_PIGEON_URL: "s3cret",
    SMTP_PIGEON_HEADER: "s3cret\nA: s3cret",
  });
  assertEquals(url!.label, "SMTP_PIGEON_URL");
  assertEquals(headers.map(({ label }) => label), ["SMTP_PIGEON_HEADER", "SMTP_PIGEON_HEADER"]);
  // What is no secret is easier to find where it is quoted.
  assertEquals(faultsOf(URL, { SMTP_PIGEON_PORT: "smtp" }), [
    'Cannot use SMTP_PIGEON_PORT "smtp": must be an integer from 0 to 65535',
  ]);
});

Deno.test("a fault does not quote what a file holds", () => {
  // Any header, template and preset is taken here, and nearly any queue.
  const names = new Set(settings.map(([name]) => name)).difference(
    new Set(["url", "header", "template", "preset", "queue"]),
  );
  const files = Array.from(names, (name) => `${variableOf(name)}_FILE`);
  const env = Object.fromEntries(files.map((file) => [file, "/secret"]));
  const faults = faultsOf(URL, env, { "/secret": "s3 cret" });
  assertEquals(
    faults.map((fault) => fault.split(":")[0]).toSorted(),
    files.map((file) => `Cannot use ${file}`).toSorted(),
  );
  assertEquals(faults.filter((fault) => fault.includes("cret")), []);
  const { url, headers } = config([], {
    SMTP_PIGEON_URL_FILE: "/secret",
    SMTP_PIGEON_HEADER_FILE: "/secret",
  }, { "/secret": "s3 cret" });
  assertEquals([url!.label, headers[0].label], ["SMTP_PIGEON_URL_FILE", "SMTP_PIGEON_HEADER_FILE"]);
});

Deno.test("a fault is one line, however long and odd the value", () => {
  const [fault] = faultsOf([...URL, "--port", `a\r\n\x1b[31m\u2028${"b".repeat(10_000)}`]);
  assertEquals(
    fault,
    `Cannot use --port "a [31m ${"b".repeat(193)}…": must be an integer from 0 to 65535`,
  );
});

const state: [env: Dictionary, args: string[], queue: string | null][] = [
  [{}, [], null],
  [{ STATE_DIRECTORY: "" }, [], null],
  [{ STATE_DIRECTORY: "/var/lib/a" }, [], "/var/lib/a/queue.db"],
  [{ STATE_DIRECTORY: "/var/lib/a:/var/lib/b" }, [], "/var/lib/a/queue.db"],
  [{ STATE_DIRECTORY: "/var/lib/a" }, ["--queue", "b"], "b"],
  [{ STATE_DIRECTORY: "/var/lib/a" }, ["--queue", "none"], null],
  [{ STATE_DIRECTORY: "/var/lib/a", SMTP_PIGEON_QUEUE: "b" }, [], "b"],
  [{ STATE_DIRECTORY: "/var/lib/a", SMTP_PIGEON_QUEUE: "none" }, [], null],
  [{ STATE_DIRECTORY: "/var/lib/a", SMTP_PIGEON_QUEUE: "" }, [], "/var/lib/a/queue.db"],
];
for (const [env, args, queue] of state) {
  Deno.test(`the queue of ${JSON.stringify(env)} and "${args.join(" ")}" is ${queue}`, () => {
    assertEquals(config([...URL, ...args], env).queue, queue);
  });
}

Deno.test("a queue that SMTP_PIGEON_QUEUE_FILE names is not taken for the name of one", () => {
  const file = "SQLite format 3\0\x10\0\ufffd";
  assertEquals(faultsOf(URL, { SMTP_PIGEON_QUEUE_FILE: "/q" }, { "/q": file }), [
    "Cannot use SMTP_PIGEON_QUEUE_FILE: must be the path of a file, or none",
  ]);
});

function ordered(args: string, env: Dictionary = {}, files: Dictionary = {}) {
  const words = (args.match(/\S+/g) ?? []).map((word) => word === "''" ? "" : word);
  return configureQueue(flagsOf(["queue", ...words]), sources(env, files));
}

const orders: [args: string, order: Order][] = [
  ["list", { tool: "list", dead: false, json: false }],
  ["list --dead", { tool: "list", dead: true, json: false }],
  ["--json list --dead=no", { tool: "list", dead: false, json: true }],
  ["show 01", { tool: "show", id: "01", form: "text" }],
  ["show --json 01", { tool: "show", id: "01", form: "json" }],
  ["show 01 --raw", { tool: "show", id: "01", form: "raw" }],
  ["show 01 --raw --json=no", { tool: "show", id: "01", form: "raw" }],
  ["show -- -1", { tool: "show", id: "-1", form: "text" }],
  ["retry 01", { tool: "retry", choice: { ids: ["01"], dead: false } }],
  ["retry 01 02 --dead 01", { tool: "retry", choice: { ids: ["01", "02", "01"], dead: true } }],
  ["retry --all", { tool: "retry", choice: { ids: "all", dead: false } }],
  ["retry --all --dead", { tool: "retry", choice: { ids: "all", dead: true } }],
  ["drop 01", { tool: "drop", choice: { ids: ["01"], dead: false }, yes: false }],
  ["drop --all --yes", { tool: "drop", choice: { ids: "all", dead: false }, yes: true }],
  ["drop 01 --dead --yes", { tool: "drop", choice: { ids: ["01"], dead: true }, yes: true }],
  ["stats", { tool: "stats", json: false }],
  ["stats --json", { tool: "stats", json: true }],
];
for (const [args, order] of orders) {
  Deno.test(`"queue ${args}" is understood`, () => {
    assertEquals(ordered(`--queue q ${args}`), { config: { order, queue: "q" }, faults: [] });
  });
}

const misunderstood: [args: string, ...faults: string[]][] = [
  ["", "Cannot queue: no tool is named, must be one of list, show, retry, drop, stats"],
  ["lits", 'Cannot run "queue lits": no such command, the nearest is queue list'],
  ["valueOf", 'Cannot run "queue valueOf": no such command, the nearest is queue list'],
  ["''", 'Cannot run "queue ": no such command, the nearest is queue list'],
  ["list 01", 'Cannot use "01": queue list takes options only'],
  ["stats now", 'Cannot use "now": queue stats takes options only'],
  ["show", "Cannot queue show: no message is named, must be an ID"],
  ["show 01 02", 'Cannot use "02": queue show takes one ID'],
  ["show ''", 'Cannot use "": must be an ID or its beginning'],
  ["show 01 --raw --json", "Cannot use --raw: --json is given too, only one can be used"],
  ["retry", "Cannot queue retry: no message is named, must be IDs, --all, or --all --dead"],
  ["drop --yes", "Cannot queue drop: no message is named, must be IDs, --all, or --all --dead"],
  [
    "drop --dead --yes",
    "Cannot queue drop: no message is named, must be IDs, --all, or --all --dead",
  ],
  ["drop --all=no", "Cannot queue drop: no message is named, must be IDs, --all, or --all --dead"],
  // A variable of a script that is empty is not all messages.
  ["drop ''", 'Cannot use "": must be an ID or its beginning'],
  ["drop 01 '' --yes", 'Cannot use "": must be an ID or its beginning'],
  ["retry --all 01", 'Cannot use "01": --all is given too, only one can be used'],
  ["drop 01 --all", 'Cannot use "01": --all is given too, only one can be used'],
  ["list --all", "Cannot use --all: queue list has no such option, see --help"],
  [
    "retry --json --raw",
    "Cannot use --json: queue retry has no such option, see --help",
    "Cannot use --raw: queue retry has no such option, see --help",
    "Cannot queue retry: no message is named, must be IDs, --all, or --all --dead",
  ],
  ["retry --all --yes", "Cannot use --yes: queue retry has no such option, see --help"],
  ["stats --dead", "Cannot use --dead: queue stats has no such option, see --help"],
  ["list --json --json", "Cannot use --json: given 2 times, must be given once"],
  ["list --json=", "Cannot use --json: must have a value"],
  ["list --json=maybe", 'Cannot use --json "maybe": must be true or false'],
  ["--jsn list", "Cannot use --jsn: no such option, the nearest is --json"],
  [
    "lits --json --jsn",
    "Cannot use --jsn: no such option, the nearest is --json",
    'Cannot run "queue lits": no such command, the nearest is queue list',
  ],
];
for (const [args, ...faults] of misunderstood) {
  Deno.test(`"queue ${args}" is refused`, () => {
    assertEquals(ordered(`${args} --queue=q`).faults, faults);
  });
}

Deno.test("a queue has to be named for its tools, and nothing else", () => {
  for (const tool of ["list", "stats"]) {
    for (const queue of ["", "none"]) {
      const env: Dictionary = queue === ""
        ? {}
        : { STATE_DIRECTORY: "/s", SMTP_PIGEON_QUEUE: queue };
      assertEquals(ordered(tool, env).faults, [
        `Cannot queue ${tool}: no queue is set, name one with --queue`,
      ]);
    }
  }
  assertEquals(ordered("list --queue").faults, ["Cannot use --queue: must have a value"]);
  // Where it was looked for in vain, that is the fault.
  assertEquals(ordered("list", { SMTP_PIGEON_QUEUE_FILE: "/missing" }).faults, [
    'Cannot read "/missing" for SMTP_PIGEON_QUEUE_FILE: no such file',
  ]);
  const { config, faults } = ordered("list", { STATE_DIRECTORY: "/s" });
  assertEquals([config.queue, faults], ["/s/queue.db", []]);
});

Deno.test("queue tools do not look at what only a server needs", () => {
  const env = {
    SMTP_PIGEON_URL_FILE: "/missing",
    SMTP_PIGEON_TEMPLATE_FILE: "/forbidden",
    SMTP_PIGEON_PORT: "smtp",
    SMTP_PIGEON_HEADER: "{{",
    SMTP_PIGEON_QUEUE: "q",
  };
  assertEquals(ordered("list", env).faults, []);
});

Deno.test("no variable is a switch of a queue tool", () => {
  const env = Object.fromEntries(queueSwitches.map((name) => [variableOf(name), "yes"]));
  assertEquals(ordered("list --queue=q", env).config.order, {
    ...{ tool: "list", dead: false, json: false },
  });
  assertEquals(ordered("drop 1 --queue=q", env).config.order, {
    ...{ tool: "drop", choice: { ids: ["1"], dead: false }, yes: false },
  });
  assertEquals(config(URL, env), config(URL));
});

const ties: [args: string[], tied: string[]][] = [
  [[], []],
  [["--url", "-"], ["--url=-"]],
  [["--url=-"], ["--url=-"]],
  [["--url", "--x"], ["--url=--x"]],
  [["--url", "--help"], ["--url=", "--help=true"]],
  [["-h"], ["--help=true"]],
  [["--help"], ["--help=true"]],
  [["--help=false"], ["--help=false"]],
  [["--help", "serve"], ["--help=true", "serve"]],
  [["--version"], ["--version=true"]],
  [["--", "--help"], ["--", "--help"]],
  [["--_=1"], ["--unknown=--_"]],
  [["--unknown", "serve"], ["--unknown=--unknown", "serve"]],
  [["--__proto__=1", "--constructor.a=1"], ["--unknown=--__proto__", "--unknown=--constructor.a"]],
  [["--x", "queue", "--y", "list"], ["--unknown=--x", "queue", "--unknown=--y", "list"]],
  [["--all", "--queue", "x", "--json=no"], ["--all=true", "--queue=x", "--json=no"]],
  [["--x", "value", "--y", "--help"], ["--unknown=--x", "--unknown=--y", "--help=true"]],
];
for (const [args, tied] of ties) {
  Deno.test(`tieValues() writes ${JSON.stringify(args)} plainly`, () => {
    assertEquals(tieValues(args), tied);
  });
}

Deno.test("--help and --version are read wherever they stand, and can be taken back", () => {
  const read = (...args: string[]) => {
    const { help, version } = parseArgs(tieValues(args), grammar);
    return [help, version];
  };
  assertEquals(read(), [false, false]);
  assertEquals(read("serve", "-h"), [true, false]);
  assertEquals(read("--nonsense", "x", "--help"), [true, false]);
  assertEquals(read("--url", "x", "--version"), [false, true]);
  assertEquals(read("--help=false"), [false, false]);
  assertEquals(read("--", "--help"), [false, false]);
  assertEquals(read("--template", "-h"), [true, false]);
});
