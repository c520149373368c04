import { assertEquals } from "../assert.ts";
import { rules } from "./full.ts";
import { letter, testHostile } from "./hostile.ts";
import { renderer } from "./rules.ts";

testHostile("full", rules);

Deno.test("full has attachments in base64", async () => {
  const { json, context } = await (await renderer("full", rules))(letter);
  for (const [at, { octets }] of context.attachments.entries()) {
    assertEquals(Uint8Array.fromBase64(json.attachments[at].content), octets());
  }
  assertEquals(json.attachments.length, 2);
});
