/** The order of reading is the order of imports: ARCHITECTURE.md lists the files, the code obeys. */
import { assert, assertEquals } from "./assert.ts";

const root = new URL("../", import.meta.url);
const map = await Deno.readTextFile(new URL("ARCHITECTURE.md", root));
const listed = Array.from(map.matchAll(/^\d+\. `(lib\/[^`]+)`/gm), ([, path]) => path);

Deno.test("ARCHITECTURE.md lists every file of lib, once", () => {
  const files = Array.from(Deno.readDirSync(new URL("lib/", root)))
    .filter(({ isFile }) => isFile).map(({ name }) => `lib/${name}`);
  assertEquals(listed.toSorted(), files.toSorted());
});

for (const [place, path] of listed.entries()) {
  Deno.test(`${path} imports only from files above it`, async () => {
    const source = await Deno.readTextFile(new URL(path, root));
    // Types of packages are no rooms.
    for (
      const [, specifier] of source.matchAll(
        /^(?:import|export|\}).* from "(\.[^"]+(?<!\.d)\.ts)";$/gm,
      )
    ) {
      const imported = `lib/${specifier.replace("./", "")}`;
      assert(listed.slice(0, place).includes(imported), `${path} imports ${imported}`);
    }
  });
}
