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

/** The locked versions of a package, those with other peers apart. */
const versionsOf = (name: string) =>
  Object.keys(npm).filter((key) => key.startsWith(`${name}@`)).map((key) =>
    key.slice(name.length + 1)
  );

for (const name of ["mailparser", "libmime", "iconv-lite", "html-to-text", "nodemailer"]) {
  Deno.test(`deno.lock holds exactly one version of ${name}, and our files name it`, () => {
    const named = Object.keys(specifiers).filter((key) => key.startsWith(`npm:${name}@`));
    assertEquals(named.length, 1);
    const version = specifiers[named[0]];
    assertEquals(named, [`npm:${name}@${version}`]);
    assertEquals(versionsOf(name), [version]);
  });
}

Deno.test("mailparser depends on what we share with it", () => {
  const { dependencies = [] } = npm[`mailparser@${versionsOf("mailparser")[0]}`];
  const shared = ["html-to-text", "iconv-lite", "libmime", "nodemailer"];
  assertEquals(shared.filter((name) => !dependencies.includes(name)), []);
});
