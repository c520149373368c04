/**
 * `deno task compile`: one executable for this machine. With `--all`, one for each system that Deno
 * compiles for; the Deno that runs this downloads a base runtime for each. What an executable may do is
 * decided here for good: no flag, variable or file can widen it later.
 */
import { bundleParts } from "./bundle.ts";

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
  // A quarter less memory under load, for a twentieth of the time at most (bench/README.md).
  "--v8-flags=--max-semi-space-size=4",
  // What is compiled needs no packages and no settings of a project, and takes none in.
  "--no-lock",
  "--no-config",
  // The thread that large messages are parsed in: nothing imports it.
  "--include=worker.js",
];

const targets = {
  "linux-x64": "x86_64-unknown-linux-gnu",
  "linux-arm64": "aarch64-unknown-linux-gnu",
  "macos-x64": "x86_64-apple-darwin",
  "macos-arm64": "aarch64-apple-darwin",
  "windows-x64.exe": "x86_64-pc-windows-msvc",
};

/** Compiles what was bundled into a folder. */
async function compile(parts: string, name: string, more: readonly string[]): Promise<boolean> {
  const output = `${import.meta.dirname}/../dist/${name}`;
  const args = ["compile", "--quiet", ...flags, ...more, "--output", output, "main.js"];
  const { success } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: parts,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  console.error(
    success ? `Compiled dist/${name}` : `Cannot compile dist/${name}: deno ${args.join(" ")}`,
  );
  return success;
}

const isWindows = Deno.build.os === "windows";
const results = Deno.args.includes("--all")
  ? Object.entries(targets).map(([name, target]) => [`smtp-pigeon-${name}`, "--target", target])
  : [[`smtp-pigeon${isWindows ? ".exe" : ""}`]];
const parts = await Deno.makeTempDir();
let failed = 0;
try {
  await bundleParts(parts);
  for (const [name, ...more] of results) if (!await compile(parts, name, more)) failed++;
} finally {
  await Deno.remove(parts, { recursive: true });
}
if (failed > 0) Deno.exit(1);
