/**
 * `deno task compile`: one executable for this machine. With `--all`, one for each system that Deno
 * compiles for; the Deno that runs this downloads a base runtime for each. What an executable may do is
 * decided here for good: no flag, variable or file can widen it later.
 */
const flags = [
  // Where to listen and where to POST is for whoever starts it to say.
  "--allow-net",
  // Settings and `{{env.NAME}}`.
  "--allow-env",
  // Files that settings name.
  "--allow-read",
  // Unix sockets, to make and to remove.
  "--allow-write",
  // `{{hostname}}`.
  "--allow-sys=hostname",
  // A server has nobody to ask.
  "--no-prompt",
  // Else it writes its cache to a file in /tmp whose name anyone can guess and take.
  "--no-code-cache",
  // The thread that large messages are parsed in: older versions of Deno do not find it themselves.
  "--include=lib/worker.ts",
];

const targets = {
  "linux-x64": "x86_64-unknown-linux-gnu",
  "linux-arm64": "aarch64-unknown-linux-gnu",
  "macos-x64": "x86_64-apple-darwin",
  "macos-arm64": "aarch64-apple-darwin",
  "windows-x64.exe": "x86_64-pc-windows-msvc",
};

const root = new URL("../", import.meta.url);

async function compile(name: string, more: readonly string[]): Promise<boolean> {
  const output = `dist/${name}`;
  const args = ["compile", "--quiet", ...flags, ...more, "--output", output, "main.ts"];
  const { success } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  console.error(
    success ? `Compiled ${output}` : `Cannot compile ${output}: deno ${args.join(" ")}`,
  );
  return success;
}

const isWindows = Deno.build.os === "windows";
const results = Deno.args.includes("--all")
  ? Object.entries(targets).map(([name, target]) => [`smtp-pigeon-${name}`, "--target", target])
  : [[`smtp-pigeon${isWindows ? ".exe" : ""}`]];
let failed = 0;
for (const [name, ...more] of results) if (!await compile(name, more)) failed++;
if (failed > 0) Deno.exit(1);
