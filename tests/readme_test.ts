/** The README: every command line in it is one that the program takes. */
import { configure } from "../lib/config.ts";
import { grammar, tieValues } from "../lib/flags.ts";
import { options } from "../lib/options.ts";
import { target } from "../lib/request.ts";
import { sampleContexts } from "../lib/sample.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { parseArgs } from "./std.ts";

const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
const blocks = Array.from(readme.matchAll(/^```sh\n(.*?)^```$/gms), ([, block]) => block);
const commands = blocks.filter((block) => /^smtp-pigeon --url/m.test(block));

const hasShell = await new Deno.Command("sh", { args: ["-c", ":"] }).output()
  .then(({ success }) => success, () => false);

/** The arguments that a shell makes of a command line. */
async function argumentsOf(command: string): Promise<string[]> {
  const script = `smtp_pigeon() { for a; do printf '%s\\0' "$a"; done; }\n` +
    command.replaceAll(/^smtp-pigeon/gm, "smtp_pigeon");
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
}

Deno.test("the README has recipes", () => assert(commands.length >= 7));

for (const command of commands) {
  const name = command.split("\n")[0];
  Deno.test({
    name: `the README's ${name} is accepted${hasShell ? "" : " (sh is not installed)"}`,
    ignore: !hasShell,
    async fn() {
      const flags = parseArgs(tieValues(await argumentsOf(command)), grammar);
      const { config, faults } = configure(flags, {
        env: () => undefined,
        readTextFile: () => assert(false) as never,
      });
      assertEquals(faults, []);
      const made = await target(
        {
          url: config.url,
          headers: config.headers,
          template: config.template ?? { text: "{}", label: "default" },
          version: "0.0.0",
        },
        sampleContexts({
          version: "0.0.0",
          hostname: () => "localhost",
          env: (name) => `value-of-${name}`,
          vars: config.vars,
        }),
      );
      assert("request" in made, JSON.stringify(made));
    },
  });
}

for (const { name, value } of options) {
  Deno.test(`the README explains --${name}`, () => {
    assertStringIncludes(readme, value === null ? `\`--${name}\`` : `| \`--${name} `);
  });
}
