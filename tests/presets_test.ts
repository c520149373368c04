/**
 * All messages of `messages/` by all presets: each request is valid, within the limits of its service,
 * harmless, and tells what the message says. What that means for a service is in `presets/NAME.ts`. The
 * last test prints a table of it.
 */
import { assert, assertEquals } from "./assert.ts";
import { presets } from "../templates/index.ts";
import { properties, renderer, type Rules } from "./presets/rules.ts";

const messages = new URL("./messages/", import.meta.url);
const names = [...Deno.readDirSync(messages)].map(({ name }) => name)
  .filter((name) => name.endsWith(".eml")).sort();
const files = [...Deno.readDirSync(new URL("../templates/", import.meta.url))]
  .flatMap(({ name }) => name.endsWith(".mustache") ? name.replace(".mustache", "") : []).sort();

/** For each preset how many messages had each property, and the octets of the largest request. */
const table: [name: string, counts: number[], octets: number][] = [];

for (const name of files) {
  Deno.test(`the preset ${name} makes of all messages what its service takes`, async () => {
    const { rules }: { rules: Rules } = await import(`./presets/${name}.ts`);
    const render = await renderer(name, rules);
    const counts = properties.map(() => 0);
    const flaws: string[] = [];
    let largest = 0;
    for (const message of names) {
      const sent = await render({ data: Deno.readFileSync(new URL(message, messages)) });
      largest = Math.max(largest, sent.octets.length);
      for (const [at, property] of properties.entries()) {
        try {
          rules[property](sent);
          counts[at]++;
        } catch (error) {
          flaws.push(`${message} is not as "${property}" wants: ${(error as Error).message}`);
        }
      }
    }
    table.push([name, counts, largest]);
    assertEquals(flaws, []);
  });
}

Deno.test("each file of templates/ has its line in the index", () => {
  assertEquals(Object.keys(presets), files);
  assert(names.length >= 100);
});

Deno.test("the table of presets by property", () => {
  const cells = [["preset", ...properties, "largest request"]];
  for (const [name, counts, octets] of table) {
    cells.push([name, ...counts.map((count) => `${count}/${names.length}`), `${octets} octets`]);
  }
  console.log(cells.map((row) => row.map((cell) => cell.padEnd(16)).join("").trimEnd()).join("\n"));
  assertEquals(table.length, files.length);
});
