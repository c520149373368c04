/** The README: every command line in it is one that the program takes. */
import { configure } from "../lib/config.ts";
import { isFaults } from "../lib/fault.ts";
import { filters } from "../lib/filter.ts";
import { grammar, tieValues } from "../lib/flags.ts";
import { optionsOf, readTemplateFile } from "../lib/front_matter.ts";
import { options } from "../lib/options.ts";
import { target } from "../lib/request.ts";
import { sampleContexts } from "../lib/sample.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { presets } from "../templates/index.ts";
import { parseArgs } from "./std.ts";

const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
const lessons = await Deno.readTextFile(new URL("../templates/README.md", import.meta.url));
const blocks = Array.from(readme.matchAll(/^```sh\n(.*?)^```$/gms), ([, block]) => block);
/** Those that start a server, each with the lines that belong to it. */
const commands = blocks.flatMap((block) =>
  Array.from(
    block.matchAll(/^smtp-pigeon --(?:url|preset|template)(?:.*\\\n)*.*/gm),
    ([all]) => all,
  )
);

const hasShell = await new Deno.Command("sh", { args: ["-c", ":"] }).output()
  .then(({ success }) => success, () => false);

/** The arguments that a shell makes of a command line. */
async function argumentsOf(command: string): Promise<string[]> {
  const script = `smtp_pigeon() { for a; do printf '%s\\0' "$a"; done; }\n` +
    command.replaceAll(/^smtp-pigeon/gm, "smtp_pigeon");
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
}

Deno.test("the README has recipes", () => assert(commands.length >= 10));

for (const command of commands) {
  const name = command.split("\n")[0];
  Deno.test({
    name: `the README's ${name} is accepted${hasShell ? "" : " (sh is not installed)"}`,
    ignore: !hasShell,
    async fn() {
      const flags = parseArgs(tieValues(await argumentsOf(command)), grammar);
      const { config, faults } = configure(flags, {
        env: () => undefined,
        readTextFile: () => "{}",
      });
      assertEquals(faults, []);
      const { preset, template } = config;
      // What is read from a file there is a preset that somebody has changed.
      const name = preset?.text ?? (template === null ? "json" : null);
      const text = name === null ? template!.text : (await presets[name]()).default;
      const file = await readTemplateFile({ text, label: "template" });
      assert(!isFaults(file));
      const options = optionsOf(file, { ...config, version: "0.0.0" });
      assert(!isFaults(options), JSON.stringify(options));
      assert(options.url !== null || config.isPrinted);
      const made = await target(
        options,
        sampleContexts({
          version: "0.0.0",
          hostname: () => "localhost",
          env: (name) => `value-of-${name}`,
          vars: config.vars,
        }),
      );
      assert(!isFaults(made), JSON.stringify(made));
      assertEquals(made.warnings, []);
    },
  });
}

for (const { name, value } of options) {
  Deno.test(`the README explains --${name}`, () => {
    assertStringIncludes(readme, value === null ? `\`--${name}\`` : `| \`--${name} `);
  });
}

for (const name of Object.keys(presets)) {
  Deno.test(`the README names the preset ${name}`, () => {
    assertStringIncludes(readme, `\`${name}\``);
  });
}

for (const name of Object.keys(filters)) {
  Deno.test(`the README and templates/README.md explain the filter ${name}`, () => {
    assertStringIncludes(readme, `\`${name}`);
    assert(new RegExp(`[|\`] ?${name}\\b`).test(lessons));
  });
}

for (
  const name of Object.keys(
    sampleContexts({ version: "", hostname: () => "", env: () => undefined, vars: {} })[0],
  )
) {
  Deno.test(`the README names the field ${name}`, () => {
    assertStringIncludes(readme.slice(readme.indexOf("## Templates")), `\`${name}`);
  });
}
