/**
 * The lock file: what lib/mailparser.ts uses beside mailparser must be what mailparser itself uses, or
 * there would be two of each, and one part of a message would be read by another version than the next.
 */
import { assertEquals } from "./assert.ts";

interface Lock {
  /** The version that each specifier stands for. */
  readonly specifiers: Readonly<Record<string, string>>;
  /** Packages by name and version. A dependency without a version is the only one of its name. */
  readonly npm: Readonly<Record<string, { readonly dependencies?: readonly string[] }>>;
}

const { specifiers, npm }: Lock = JSON.parse(
  await Deno.readTextFile(new URL("../deno.lock", import.meta.url)),
);

const named = (name: string) =>
  Object.keys(specifiers).filter((key) => key.startsWith(`npm:${name}@`));

/** What mailparser uses; a version is there where others use another one. */
const [mailparser] = Object.keys(npm).filter((key) => key.startsWith("mailparser@"));
const { dependencies = [] } = npm[mailparser];

for (const name of ["libmime", "iconv-lite", "html-to-text", "nodemailer"]) {
  Deno.test(`our files name the version of ${name} that mailparser uses`, () => {
    const version = specifiers[named(name)[0]];
    assertEquals(named(name), [`npm:${name}@${version}`]);
    const versions = Object.keys(npm).filter((key) => key.startsWith(`${name}@`));
    const used = dependencies.filter((key) => key === name || key.startsWith(`${name}@`));
    assertEquals(used, [versions.length === 1 ? name : `${name}@${version}`]);
    assertEquals(versions.includes(`${name}@${version}`), true);
  });
}

Deno.test("our files name one version of mailparser", () => {
  assertEquals(named("mailparser").length, 1);
  assertEquals(`npm:${mailparser}`, named("mailparser")[0]);
});
