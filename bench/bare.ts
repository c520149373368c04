/**
 * The least that a server like this can be on this runtime: it answers by what it is sent, as the sink does,
 * and POSTs the octets of each mail by fetch. It parses nothing, renders nothing, logs nothing, and has no
 * deadlines and no limits. What it reaches is the most that there is to reach. It is given the URL to POST
 * to, and prints its port.
 */

const encode = (text: string) => new TextEncoder().encode(text);
const GREETING = encode("220 bare\r\n");
const OK = encode("250 OK\r\n");
const FAILED = encode("451 failed\r\n");
const OPENED = encode("250 OK\r\n250 OK\r\n354 Go on\r\n");
const BYE = encode("221 Bye\r\n");
const END = "\r\n.\r\n";

const [url] = Deno.args;

async function converse(socket: Deno.Conn): Promise<void> {
  using _ = socket;
  const buffer = new Uint8Array(65_536);
  const decoder = new TextDecoder();
  await socket.write(GREETING);
  let data: string | null = null;
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) return;
    const text = decoder.decode(buffer.subarray(0, count));
    if (data !== null) {
      data += text;
      if (!data.endsWith(END)) continue;
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "message/rfc822" },
        body: data.slice(0, -END.length),
      });
      await response.text();
      data = null;
      await socket.write(response.ok ? OK : FAILED);
    } else if (text.startsWith("MAIL")) {
      data = "";
      await socket.write(OPENED);
    } else if (text.startsWith("QUIT")) {
      await socket.write(BYE);
    } else {
      await socket.write(OK);
    }
  }
}

if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(JSON.stringify({ port: listener.addr.port }));
  for await (const socket of listener) converse(socket).catch(() => {});
}
