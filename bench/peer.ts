/**
 * The peer: the same service as most people would write it, by npm's smtp-server, mailparser and
 * fetch. It is given the URL to POST to, and prints its port. It logs nothing, and spares itself
 * two things that many would leave in: a name is looked up for no client, and answers are read, so
 * that connections are reused.
 */
import type { AddressInfo } from "node:net";
import { SMTPServer } from "npm:smtp-server@3.21.6";
// The version that the server itself uses, so that both parse alike.
// @ts-types="./throughput/simple_parser.d.ts"
import { simpleParser } from "npm:mailparser@3.9.31";

const [url] = Deno.args;

if (import.meta.main) {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    size: 10 * 1024 ** 2,
    async onData(stream, session, callback) {
      try {
        const { text, subject } = await simpleParser(stream);
        const { mailFrom, rcptTo } = session.envelope;
        const response = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            id: crypto.randomUUID(),
            timestamp: new Date().toISOString(),
            sender: mailFrom === false ? "" : mailFrom.address,
            recipients: rcptTo.map(({ address }) => address),
            body: text,
            subject,
          }),
        });
        await response.text();
        if (!response.ok) throw new Error(`The endpoint answers ${response.status}`);
        callback(null);
      } catch (error) {
        callback(Object.assign(error as Error, { responseCode: 451 }));
      }
    },
  });
  server.on("error", (error) => console.error(error.message));
  server.listen(0, "127.0.0.1", () => {
    console.log(JSON.stringify({ port: (server.server.address() as AddressInfo).port }));
  });
}
