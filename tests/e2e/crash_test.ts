/**
 * That no crash loses a message: a few rounds of `deno task crash`, on the program that users run.
 */
import { assertEquals } from "../assert.ts";
import { crash } from "../crash.ts";

Deno.test("what was answered 250 outlives kill -9, octet for octet", async () => {
  // By this seed it is to be killed in each phase of its life.
  const said: string[] = [];
  const faults = await crash({ rounds: 5, seed: 5 }, (line) => said.push(line));
  assertEquals(faults, [], said.join("\n"));
});
