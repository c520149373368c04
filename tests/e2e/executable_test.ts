/** What is in the executable and what is not, and the thread that it parses large messages in. */
import nodemailer from "npm:nodemailer@10.0.12";
import { assert, assertEquals } from "../assert.ts";
import { Endpoint } from "../endpoint.ts";
import { Pigeon } from "../pigeon.ts";
import { hasThread } from "./thread.ts";

const executable = Deno.env.get("SMTP_PIGEON_BIN");

/** Packages that tests and tools need, by names that no runtime has in it. */
const others = [
  "fast-check",
  "fake-timers",
  "smtp-connection",
  "smtp-server",
  "@esbuild/",
  "pure-rand",
  "undici-types",
];

for (const name of executable === undefined ? [] : others) {
  Deno.test(`the executable holds nothing of ${name}`, async () => {
    // One octet to a character, so that a name that is there is found.
    const text = new TextDecoder("latin1").decode(await Deno.readFile(executable!));
    assert(text.includes("smtp-pigeon"));
    assert(!text.includes(name));
  });
}

// What `deno compile` begins each executable with; a program that does nothing adds 2 KB to it.
const runtime = Deno.env.get("DENORT_BIN") || undefined;

if (executable !== undefined) {
  Deno.test({
    name: "the executable is at most 6 MB larger than one of an empty program",
    ignore: runtime === undefined,
    fn: async () => {
      const [{ size }, { size: empty }] = await Promise.all([executable, runtime!].map(Deno.stat));
      assert(size > empty);
      assert(size - empty <= 6_000_000, `it is ${size - empty} octets larger`);
    },
  });
}

Deno.test({
  name: "what takes long is parsed in a thread of its own, which is not there before",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using endpoint = new Endpoint();
    await using pigeon = await Pigeon.start(["--url", endpoint.origin]);
    const client = nodemailer.createTransport({ host: "127.0.0.1", port: pigeon.port });
    const send = async (text: string) => {
      const envelope = { from: "a@example.org", to: "b@example.org" };
      await client.sendMail({ ...envelope, text, textEncoding: "quoted-printable" });
    };
    await send("x\n");
    assertEquals(hasThread(pigeon.pid), false);
    const text = "0123456789\n".repeat(20_000);
    await send(text);
    client.close();
    assertEquals(JSON.parse((await endpoint.request(2)).text).body, text);
    assertEquals(hasThread(pigeon.pid), true);
  },
});
