/** Where the program listens: several addresses, Unix sockets, LMTP; by clients that other people wrote. */
import nodemailer from "npm:nodemailer@10.0.12";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { Client } from "../client.ts";
import { Endpoint } from "../endpoint.ts";
import { inFolder, testInFolder } from "../machine.ts";
import { Pigeon, run } from "../pigeon.ts";
import { testWith } from "./program.ts";

const template = ["--template", '{"to": {{json.recipients}}, "client": {{json.client.address}}}'];

/** What the endpoint was told, in the order of the recipients: messages come as they like. */
const told = ({ received }: Endpoint) => received.map(({ text }) => text).toSorted();

testWith(["smtp-source"], "smtp-source delivers by SMTP and LMTP at once", async (program) => {
  await inFolder(async (folder) => {
    await using endpoint = new Endpoint();
    await using pigeon = await Pigeon.start([
      ...["--url", endpoint.origin, ...template],
      ...["--listen", `lmtp+unix:${folder}/lmtp.sock`, "--listen", `smtp+unix:${folder}/smtp.sock`],
    ]);
    for (
      const [to, ...where] of [
        ["tcp", `127.0.0.1:${pigeon.port}`],
        ["unix", `unix:${folder}/smtp.sock`],
        ["lmtp", "-L", `unix:${folder}/lmtp.sock`],
      ]
    ) {
      const { code, stderr } = await program("smtp-source", [
        ...["-s", "2", "-m", "4", "-r", "2", "-f", "a@example.org", "-t", to, ...where],
      ]);
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
    }
    const four = (to: string, client: string) =>
      Array.from({ length: 4 }, () => `{"to": ["2${to}","${to}"], "client": "${client}"}`);
    assertEquals(told(endpoint), [
      ...four("lmtp", ""),
      ...four("tcp", "127.0.0.1"),
      ...four("unix", ""),
    ]);
    assertEquals((await pigeon.stop()).code, 0);
    // Its sockets go with it.
    assertEquals(Array.from(Deno.readDirSync(folder)), []);
  });
});

Deno.test("nodemailer is answered by LMTP for each recipient", async () => {
  const statuses = [200, 406];
  await using endpoint = new Endpoint(() => new Response(null, { status: statuses.shift() }));
  await using pigeon = await Pigeon.start(["--url", endpoint.origin, ...template, "--lmtp"]);
  assertMatch(pigeon.log[0], /listening at lmtp:\/\/127\.0\.0\.1:\d+$/);
  const client = nodemailer.createTransport({ host: "127.0.0.1", port: pigeon.port, lmtp: true });
  const to = ["b@example.org", "c@example.org"];
  const { accepted } = await client.sendMail({ from: "a@example.org", to, text: "body" });
  assertEquals(accepted, to);
  const { rejected } = await client.sendMail({ from: "a@example.org", to, text: "body" });
  assertEquals(rejected, to);
  client.close();
  assertEquals(told(endpoint).length, 2);
});

testInFolder("a Unix socket has the mode that was asked for", async (folder) => {
  for (const [mode, ...flags] of [[0o660], [0o600, "--socket-mode", "600"]] as const) {
    const path = `${folder}/${mode}.sock`;
    await using _ = await Pigeon.start(["--url", "-", "--host", `unix:${path}`, ...flags]);
    const { isSocket, mode: found } = await Deno.stat(path);
    assertEquals({ isSocket, mode: found! & 0o777 }, { isSocket: true, mode });
  }
});

testInFolder(
  "a Unix socket that a killed server left is taken over, a live one is not",
  async (folder) => {
    const path = `${folder}/smtp.sock`;
    const flags = ["--url", "-", "--host", `unix:${path}`];
    await using killed = await Pigeon.start(flags);
    await killed.stop("SIGKILL");
    assert((await Deno.stat(path)).isSocket);
    await using alive = await Pigeon.start(flags);
    const { code, stderr } = await run(flags);
    assertEquals(code, 1);
    assertMatch(stderr, /^Cannot listen at smtp\+unix:\/.*smtp\.sock: Address already in use.*\n$/);
    using client = await Client.connectUnix(path);
    assertMatch(await client.reply(), /^220 /);
    assertMatch(await client.ask("QUIT"), /^221 /);
    assertEquals((await alive.stop()).code, 0);
  },
);

testInFolder("a file that is no socket is not removed", async (folder) => {
  const path = `${folder}/precious`;
  await Deno.writeTextFile(path, "data");
  const { code, stderr } = await run(["--url", "-", "--host", `unix:${path}`]);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^Cannot listen at smtp\+unix:\/.*precious: there is something that is no socket\n$/,
  );
  assertEquals(await Deno.readTextFile(path), "data");
});
