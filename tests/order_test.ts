/** The order of reading is the order of imports: ARCHITECTURE.md lists the files, the code obeys. */
import { assert, assertEquals } from "./assert.ts";

const root = new URL("../", import.meta.url);
const map = await Deno.readTextFile(new URL("ARCHITECTURE.md", root));
const listed = Array.from(map.matchAll(/^\d+\. `(lib\/[^`]+)`/gm), ([, path]) => path);

/** The files beside it that a file of `lib/` loads, at once or when they are needed. */
function importsOf(source: string, path = "lib/room.ts"): string[] {
  // Types of packages are no rooms.
  const specifiers = source.matchAll(
    /^(?:import|export|\})(?:.* from)? "(\.[^"]+(?<!\.d)\.ts)";$|\bimport\("(\.[^"]+)"\)/gm,
  );
  return Array.from(
    specifiers,
    ([, early, late]) =>
      new URL(early ?? late, new URL(path, root)).pathname.slice(root.pathname.length),
  );
}

Deno.test("every way to load a file is seen", () => {
  const source = [
    'import { a } from "./a.ts";',
    "import {",
    "  b,",
    '} from "./b.ts";',
    'import type { c } from "./c.ts";',
    'import * as d from "./d.ts";',
    'export { e } from "./e.ts";',
    'import "./f.ts";',
    '  return import("./g.ts");',
    '  const { h } = await import("./h.ts");',
    '// @ts-types="./types/i.d.ts"',
    'import type { i } from "./types/i.d.ts";',
    'import j from "npm:j@1.0.0";',
  ].join("\n");
  const files = ["a", "b", "c", "d", "e", "f", "g", "h"].map((name) => `lib/${name}.ts`);
  assertEquals(importsOf(source), files);
});

Deno.test("ARCHITECTURE.md lists every file of lib, once", () => {
  const files = ["lib/", "lib/store/"].flatMap((folder) =>
    Array.from(Deno.readDirSync(new URL(folder, root)))
      .filter(({ isFile }) => isFile).map(({ name }) => `${folder}${name}`)
  );
  assertEquals(listed.toSorted(), files.toSorted());
});

for (const [place, path] of listed.entries()) {
  Deno.test(`${path} imports only from files above it`, async () => {
    const source = await Deno.readTextFile(new URL(path, root));
    for (const imported of importsOf(source, path)) {
      assert(listed.slice(0, place).includes(imported), `${path} imports ${imported}`);
    }
  });
}

Deno.test("lib/mailparser.ts is loaded when it is needed, by lib/parser.ts alone", async () => {
  const loaders = [];
  for (const path of listed) {
    const source = await Deno.readTextFile(new URL(path, root));
    // Types alone load nothing.
    const code = source.replaceAll(/^(?:import|export) type .*$/gm, "");
    if (importsOf(code, path).includes("lib/mailparser.ts")) loaders.push(path);
    assertEquals(/ from "\.\/mailparser\.ts"/.test(code), false, path);
  }
  assertEquals(loaders, ["lib/parser.ts"]);
});
