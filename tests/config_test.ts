/** Flags, variables and files into a configuration, and all that can be wrong with them. */
import { configure } from "../lib/config.ts";
import { grammar, tieValues } from "../lib/flags.ts";
import { options, variableOf } from "../lib/options.ts";
import { assertEquals } from "./assert.ts";
import { parseArgs } from "./std.ts";

type Dictionary = Readonly<Record<string, string>>;

function configured(args: readonly string[], env: Dictionary = {}, files: Dictionary = {}) {
  return configure(parseArgs(tieValues(args), grammar), {
    env: (name) => env[name],
    readTextFile: (path) => {
      if (path === "/forbidden") {
        throw new Deno.errors.PermissionDenied(
          "Permission denied (os error 13): readfile '/forbidden'",
        );
      }
      if (!Object.hasOwn(files, path)) throw new Deno.errors.NotFound("os error 2");
      return files[path];
    },
  });
}

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
    url: { text: URL[1], label: `--url "${URL[1]}"` },
    headers: [],
    template: null,
    vars: {},
    timeoutMs: 30_000,
    host: "127.0.0.1",
    port: 1025,
    domain: "localhost",
    maxMessageOctets: 10 * 1024 * 1024,
    maxRecipients: 100,
    standaloneLogging: false,
  });
});

/** Each option that has a value, with one, and where it is then found. */
const settings: [
  name: string,
  value: string,
  read: (c: ReturnType<typeof config>) => unknown,
  expected: unknown,
][] = [
  ["url", "https://b.example/{{sender}}", ({ url }) => url?.text, "https://b.example/{{sender}}"],
  ["url", "-", ({ url }) => url, null],
  ["header", "X-A: b: c", ({ headers }) => texts(headers), ["X-A: b: c"]],
  ["template", "-{{body}}=", ({ template }) => template?.text, "-{{body}}="],
  ["var", "a_B-1=x=y", ({ vars }) => vars, { "a_B-1": "x=y" }],
  ["timeout", "0.25", ({ timeoutMs }) => timeoutMs, 250],
  ["host", "::", ({ host }) => host, "::"],
  ["port", "0", ({ port }) => port, 0],
  ["domain", "mail.example.org", ({ domain }) => domain, "mail.example.org"],
  ["max-size", "500k", ({ maxMessageOctets }) => maxMessageOctets, 512_000],
  ["max-recipients", "7", ({ maxRecipients }) => maxRecipients, 7],
  ["standalone-logging", "yes", ({ standaloneLogging }) => standaloneLogging, true],
];
for (const [name, value, read, expected] of settings) {
  const base = name === "url" ? [] : URL;
  const variable = variableOf(name);
  Deno.test(`--${name}, ${variable} and ${variable}_FILE set it to ${value}`, () => {
    assertEquals(read(config([...base, `--${name}=${value}`])), expected);
    if (name !== "standalone-logging") {
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
  if (name === "header" || name === "var") continue;
  Deno.test(`--${name} wins over ${variable} and ${variable}_FILE`, () => {
    const other = {
      url: "http://c.example/",
      template: "c",
      timeout: "9",
      host: "c",
      port: "9",
      domain: "c",
      "max-size": "9",
      "max-recipients": "9",
      "standalone-logging": "no",
    }[name]!;
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
  assertEquals(missing, ["template-file", "help", "version"]);
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
    { text: "A: 1", label: "SMTP_PIGEON_HEADER" },
    { text: "B: 2", label: "SMTP_PIGEON_HEADER" },
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
  Deno.test(`a file of ${JSON.stringify(text)} holds no value, but it may hold no header`, () => {
    for (const [name] of settings) {
      const file = `${variableOf(name)}_FILE`;
      const base = name === "url" ? [] : URL;
      assertEquals(
        faultsOf(base, { [file]: "/run/it" }, { "/run/it": text }),
        name === "header" || name === "var"
          ? []
          : [`Cannot use ${file}: "/run/it" is empty, must hold a value`],
      );
    }
    const env = { SMTP_PIGEON_HEADER_FILE: "/run/it", SMTP_PIGEON_VAR_FILE: "/run/it" };
    const { headers, vars } = config(URL, env, { "/run/it": text });
    assertEquals([headers, vars], [[], {}]);
  });
}

Deno.test("a flag spares an empty file", () => {
  const { url, port } = config([...URL, "--port", "0"], {
    SMTP_PIGEON_URL_FILE: "/run/it",
    SMTP_PIGEON_PORT_FILE: "/run/it",
  }, { "/run/it": "" });
  assertEquals([url?.text, port], [URL[1], 0]);
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

const values: [args: string[], fault: string | null][] = [
  ...["0", "1", "25", "65535", "00025"].map((v): [string[], null] => [["--port", v], null]),
  ...["-1", "65536", "smtp", "1.5", "0x10", "1e3", " 25", "25 ", "1000000000000", "२५"].map((
    v,
  ): [string[], string] => [
    ["--port", v],
    `Cannot use --port "${v}": must be an integer from 0 to 65535`,
  ]),
  ...["0.001", "1", "30", "3600", "3600.000"].map((
    v,
  ): [string[], null] => [["--timeout", v], null]),
  ...["0", "0.000", "-1", "3600.001", "1s", "1e3", ".5", "5.", "0.0001", "NaN", "Infinity"].map((
    v,
  ): [string[], string] => [
    ["--timeout", v],
    `Cannot use --timeout "${v}": must be a number of seconds, more than 0 and at most 3600`,
  ]),
  ...["1", "1K", "10m", "1G", "1073741824"].map((v): [string[], null] => [["--max-size", v], null]),
  ...["0", "0M", "2G", "1073741825", "1.5M", "10MB", "10 M", "-1", "M", "9999999999G"].map((
    v,
  ): [string[], string] => [
    ["--max-size", v],
    `Cannot use --max-size "${v}": must be a number of bytes from 1 to 1G, such as 500K or 10M`,
  ]),
  ...["1", "100000"].map((v): [string[], null] => [["--max-recipients", v], null]),
  ...["0", "100001", "many"].map((v): [string[], string] => [
    ["--max-recipients", v],
    `Cannot use --max-recipients "${v}": must be an integer from 1 to 100000`,
  ]),
  ...["::1", "0.0.0.0", "localhost"].map((v): [string[], null] => [["--host", v], null]),
  ...["a b", "ü", " "].map((v): [string[], string] => [
    ["--host", v],
    `Cannot use --host "${v}": must be a name or an address`,
  ]),
  [["--domain", "a\r\nb"], 'Cannot use --domain "a b": must be a name or an address'],
  ...["a=", "_=1", "a-b=1", "a=\n"].map((v): [string[], null] => [["--var", v], null]),
  ...["a", "=1", "1a=1", "a b=1", "ü=1", "a.b=1"].map((v): [string[], string] => [
    ["--var", v],
    `Cannot use --var "${v}": must be NAME=VALUE`,
  ]),
  ...["true", "YES", "on", "1", "false", "No", "off", "0"].map((v): [string[], null] => [
    [`--standalone-logging=${v}`],
    null,
  ]),
  ...["maybe", "2", "y"].map((v): [string[], string] => [
    [`--standalone-logging=${v}`],
    `Cannot use --standalone-logging "${v}": must be true or false`,
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
  [["--port", "1", "--port", "2"], "Cannot use --port: given 2 times, must be given once"],
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
  for (const command of ["serve", "test"]) {
    assertEquals(faultsOf([command]), [
      `Cannot ${command}: no endpoint is set, name one with --url`,
    ]);
  }
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
  assertEquals(faultsOf(["--port", "smtp"]), [
    "Cannot serve: no endpoint is set, name one with --url",
    'Cannot use --port "smtp": must be an integer from 0 to 65535',
  ]);
  assertEquals(config(["render"]).url, null);
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
      'Cannot use --var "x": must be NAME=VALUE',
      'Cannot use --timeout "0": must be a number of seconds, more than 0 and at most 3600',
      "Cannot use --host: must have a value",
      'Cannot use --port "x": must be an integer from 0 to 65535',
      'Cannot use SMTP_PIGEON_MAX_SIZE "huge": must be a number of bytes from 1 to 1G, such as 500K or 10M',
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
  const names = ["PORT", "TIMEOUT", "MAX_SIZE", "MAX_RECIPIENTS", "HOST", "DOMAIN", "VAR"];
  const env = Object.fromEntries(names.map((name) => [`SMTP_PIGEON_${name}_FILE`, "/secret"]));
  const faults = faultsOf(URL, env, { "/secret": "s3 cret" });
  assertEquals(faults.length, names.length);
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
