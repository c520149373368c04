/** Where settings come from: what a flag takes the place of, and what it stands beside. */
import { Settings } from "../lib/settings.ts";
import { assertEquals } from "./assert.ts";

type Repeated = "header" | "var" | "listen" | "proxy-from";

/** The texts of an option that flags and variables set. */
function texts(name: Repeated, flags: readonly string[], variables: string): string[] {
  const env = (variable: string) =>
    variable === `SMTP_PIGEON_${name.toUpperCase().replace("-", "_")}` ? variables : undefined;
  const settings = new Settings({ _: [], [name]: flags }, { env, readTextFile: () => "" }, []);
  return settings.many(name).map(({ text }) => text);
}

Deno.test("a header of a flag takes the place of one of that name in any case", () => {
  assertEquals(texts("header", ["x-a: 1"], "X-A: 2\nX-B: 3"), ["X-B: 3", "x-a: 1"]);
});

Deno.test("a var of a flag takes the place of one of just that name", () => {
  assertEquals(texts("var", ["topic=b"], "Topic=a\ntopic=c"), ["Topic=a", "topic=b"]);
});

for (const name of ["listen", "proxy-from"] as const) {
  Deno.test(`--${name} has values without names: flags take the place of all`, () => {
    assertEquals(texts(name, ["c", "b"], "a\nb"), ["c", "b"]);
    assertEquals(texts(name, ["c"], "a"), ["c"]);
    assertEquals(texts(name, [], "a\n\n b \nb"), ["a", "b", "b"]);
    // A flag without its value is a fault, and takes the place of nothing.
    assertEquals(texts(name, [""], "a\nb"), ["a", "b"]);
  });
}

Deno.test("a flag is read from flags alone", () => {
  const env = () => "yes";
  const faults: string[] = [];
  const read = (flags: Record<string, readonly string[]>) =>
    new Settings({ _: [], ...flags }, { env, readTextFile: env }, faults).flag("json");
  assertEquals(read({}), null);
  assertEquals(read({ json: ["no"] }), { text: "no", label: '--json "no"' });
  assertEquals(faults, []);
  read({ json: ["no", "no"] });
  assertEquals(faults, ["Cannot use --json: given 2 times, must be given once"]);
});
