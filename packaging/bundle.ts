/**
 * Puts the program and the packages that it needs into JavaScript that needs nothing else, and so
 * leaves out what only tests and tools need, which `deno compile` may take from deno.lock.
 *
 * `deno task bundle` makes one file, dist/smtp-pigeon.js or the one that it is told, for `deno run` from
 * a disk or a URL. For compile.ts there are several: an executable reads a file to its end before it
 * begins with it, so what is loaded late stays apart. Names of functions are kept, for stack traces, and
 * the file to start with ends with the licences of what was put in.
 */
import { isBuiltin } from "node:module";
import { resolve } from "node:path";
import * as esbuild from "npm:esbuild@0.28.2";

const root = `${import.meta.dirname}/../`;

/** Makes one file. In the thread for large messages that file is run again. */
export async function bundleFile(file: string): Promise<void> {
  const contents = `
    if ("DedicatedWorkerGlobalScope" in globalThis) await import("./lib/worker.ts");
    else await import("./main.ts");
  `;
  await bundle({ stdin: { contents, resolveDir: root }, outfile: file }, file, "");
}

/** Makes several files in a folder: main.js to start with, and worker.js for the thread. */
export async function bundleParts(folder: string): Promise<void> {
  const entryPoints = { main: `${root}main.ts`, worker: `${root}lib/worker.ts` };
  const shape = { entryPoints, outdir: folder, splitting: true };
  await bundle(shape, `${folder}/main.js`, "./worker.js");
}

/** Bundles into a shape; `worker` is how the main file names the script of the thread. */
async function bundle(shape: esbuild.BuildOptions, main: string, worker: string): Promise<void> {
  const packages = await Deno.makeTempDir();
  try {
    await install(packages);
    const { metafile } = await esbuild.build({
      ...shape,
      absWorkingDir: packages,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "es2024",
      minifyWhitespace: true,
      minifySyntax: true,
      // Whole licences are appended.
      legalComments: "none",
      metafile: true,
      logLevel: "warning",
      loader: { ".mustache": "text" },
      plugins: [npm(packages), builtins, thread(worker)],
    });
    const notices = await Promise.all(foldersOf(metafile).map((path) => notice(packages, path)));
    await Deno.writeTextFile(main, commentOf(notices), { append: true });
  } finally {
    await esbuild.stop();
    await Deno.remove(packages, { recursive: true });
  }
}

/** Puts the packages that deno.lock names into a folder, where esbuild looks for them. */
async function install(folder: string): Promise<void> {
  const config = `${folder}/deno.json`;
  await Deno.writeTextFile(config, `{ "nodeModulesDir": "auto", "unstable": ["raw-imports"] }`);
  // A copy: older versions of Deno write more into it.
  await Deno.copyFile(`${root}deno.lock`, `${folder}/deno.lock`);
  const args = ["install", "--quiet", "--config", config, "--entrypoint", `${root}main.ts`];
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: folder }).spawn().status;
  if (!success) throw new Error(`Cannot install the packages: deno ${args.join(" ")}`);
}

/** Finds what `npm:` specifiers name. */
const npm = (packages: string): esbuild.Plugin => ({
  name: "npm",
  setup(build) {
    build.onResolve({ filter: /^npm:/ }, async ({ path, kind }) => {
      const [, name, inside] = /^npm:((?:@[^/]+\/)?[^@/]+)@[^/]+(.*)$/.exec(path)!;
      const { exports, module } = await manifest(`${packages}/node_modules/${name}`);
      // Else esbuild takes `main`, which cannot be bundled where it looks for its module system.
      const isOlder = exports === undefined && module !== undefined && inside === "";
      const file = isOlder ? `/${module.replace(/^\.?\//, "")}` : inside;
      return await build.resolve(name + file, { kind, resolveDir: packages });
    });
  },
});

/** Takes a module of Node when it is needed: imports are hoisted, and these take a while to load. */
const builtins: esbuild.Plugin = {
  name: "builtins",
  setup({ onLoad, onResolve }) {
    onResolve(
      { filter: /^[^./]/ },
      ({ path }) =>
        isBuiltin(path)
          ? { path: path.replace(/^(node:)?/, "node:"), namespace: "late" }
          : undefined,
    );
    onLoad({ filter: /./, namespace: "late" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule("${path}");`,
    }));
  },
};

/** Names the script of the thread as it is called here: esbuild does not follow such names. */
const thread = (worker: string): esbuild.Plugin => ({
  name: "thread",
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]lib[/\\]thread\.ts$/ }, async ({ path }) => {
      const parts = (await Deno.readTextFile(path)).split(`"./worker.ts"`);
      if (parts.length !== 2) throw new Error(`Cannot bundle ${path}: it names no worker.ts`);
      return { contents: parts.join(JSON.stringify(worker)), loader: "ts" };
    });
  },
});

/** The folders of the packages that something was taken from. */
function foldersOf({ inputs }: esbuild.Metafile): string[] {
  const folders = Object.keys(inputs).map((path) =>
    /.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]
  );
  return [...new Set(folders)].filter((folder) => folder !== undefined).sort();
}

/** Texts as a comment. In ASCII: for one letter more a runtime holds the whole file in twice the memory. */
function commentOf(texts: readonly string[]): string {
  const escape = (letter: string) => `\\u{${letter.codePointAt(0)!.toString(16)}}`;
  const inside = texts.join("\n\n").replaceAll("*/", "* /").replace(/\P{ASCII}/gu, escape);
  return `/*\n${inside}\n*/\n`;
}

/** What a package wants to be said of it wherever it goes. */
async function notice(packages: string, path: string): Promise<string> {
  const folder = `${packages}/${path}`;
  const { name, version, license, author } = await manifest(folder);
  const files = Array.from(Deno.readDirSync(folder), (entry) => entry.name);
  const file = files.find((name) => /^licen[cs]e(.mit)?(\.md|\.txt)?$/i.test(name));
  const text = file === undefined
    ? `By ${author}, ${license}`
    : await Deno.readTextFile(`${folder}/${file}`);
  return `${name} ${version}\n\n${text.trim()}`;
}

/** What bundling reads of a package.json. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly author?: string;
  /** Its doors, where it has such a list. */
  readonly exports?: unknown;
  /** What older bundlers begin with. */
  readonly module?: string;
}

async function manifest(folder: string): Promise<Manifest> {
  return JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
}

if (import.meta.main) {
  const [file = "dist/smtp-pigeon.js"] = Deno.args;
  await bundleFile(resolve(file));
  console.error(`Bundled ${file}`);
}
