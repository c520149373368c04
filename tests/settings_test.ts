/** Where settings come from: what a flag takes the place of, and what it stands beside. */
import { Settings } from "../lib/settings.ts";
import { assertEquals } from "./assert.ts";

/** The texts of an option that flags and variables set. */
function texts(name: "header" | "var", flags: string[], variables: string): string[] {
  const env = (variable: string) =>
    variable === `SMTP_PIGEON_${name.toUpperCase()}` ? variables : undefined;
  const settings = new Settings({ _: [], [name]: flags }, { env, readTextFile: () => "" }, []);
  return settings.many(name).map(({ text }) => text);
}

Deno.test("a header of a flag takes the place of one of that name in any case", () => {
  assertEquals(texts("header", ["x-a: 1"], "X-A: 2\nX-B: 3"), ["X-B: 3", "x-a: 1"]);
});

Deno.test("a var of a flag takes the place of one of just that name", () => {
  assertEquals(texts("var", ["topic=b"], "Topic=a\ntopic=c"), ["Topic=a", "topic=b"]);
});
