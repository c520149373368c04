/** The server as a process: what a client is told, what the endpoint gets, what the log says. */
import nodemailer from "npm:nodemailer@10.0.12";
import { assertEquals, assertMatch } from "../assert.ts";
import { Endpoint } from "../endpoint.ts";
import { Pigeon } from "../pigeon.ts";

Deno.test("serve delivers a message as the default payload", async () => {
  await using endpoint = new Endpoint();
  await using pigeon = await Pigeon.start(["--url", `${endpoint.origin}/mail`]);
  const client = nodemailer.createTransport({ host: "127.0.0.1", port: pigeon.port });
  await client.sendMail({
    from: "a@example.org",
    to: "b@example.org",
    subject: "It's",
    text: "x\n",
  });
  client.close();
  const { method, path, headers, text } = await endpoint.request();
  assertEquals([method, path], ["POST", "/mail"]);
  assertEquals(headers.get("content-type"), "application/json");
  const { id, timestamp, ...rest } = JSON.parse(text);
  assertEquals(headers.get("webhook-id"), id);
  assertMatch(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assertEquals(rest, {
    sender: "a@example.org",
    recipients: ["b@example.org"],
    body: "x\n",
    subject: "It's",
  });
  assertMatch(await pigeon.logged(/POST returned/), /^[0-9a-f-]{36}: POST returned status: 200 /);
  assertEquals((await pigeon.stop()).code, 0);
});

Deno.test("serve delivers what a client left behind that did not wait for an answer", async () => {
  await using endpoint = new Endpoint();
  await using pigeon = await Pigeon.start(["--url", endpoint.origin]);
  for (let count = 1; count <= 10; count++) {
    const client = await Deno.connect({ hostname: "127.0.0.1", port: pigeon.port });
    const session =
      `HELO x\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nSubject: ${count}\n\nhi\n.\nQUIT\n`;
    await client.write(new TextEncoder().encode(session));
    client.close();
    assertEquals(JSON.parse((await endpoint.request(count)).text).subject, String(count));
  }
});
