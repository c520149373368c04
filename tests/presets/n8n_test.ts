import { assertEquals } from "../assert.ts";
import { letter, testHostile } from "./hostile.ts";
import { rules } from "./n8n.ts";
import { renderer } from "./rules.ts";

testHostile("n8n", rules);

Deno.test("n8n gets a letter with its files", async () => {
  const { json } = await (await renderer("n8n", rules))(letter);
  assertEquals([json.subject, json.from], ["Grüße", [{
    name: "Jörg",
    address: "joerg@example.org",
  }]]);
  assertEquals(json.attachments.length, 2);
  assertEquals(Object.keys(json.attachments[0]).sort(), [
    ...[
      "checksum",
      "content",
      "contentId",
      "contentType",
      "disposition",
      "filename",
      "isIncluded",
      "size",
    ],
  ]);
});

Deno.test("n8n gets no contents where they are left out", async () => {
  const render = await renderer("n8n", rules, { mode: "metadata", maxOctets: Infinity });
  const { json } = await render(letter);
  for (const { content, isIncluded, size } of json.attachments) {
    assertEquals([content, isIncluded, size > 0], ["", false, true]);
  }
});
