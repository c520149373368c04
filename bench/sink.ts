/**
 * An SMTP server that does nothing: it answers by what it is sent, reads no command and keeps no mail. What
 * the load reaches here is the most that it can measure elsewhere. It prints its port.
 */

const encode = (text: string) => new TextEncoder().encode(text);
const GREETING = encode("220 sink\r\n");
const OK = encode("250 OK\r\n");
const OPENED = encode("250 OK\r\n250 OK\r\n354 Go on\r\n");
const BYE = encode("221 Bye\r\n");
const [CR, LF, DOT] = [13, 10, 46];

async function converse(socket: Deno.Conn): Promise<void> {
  using _ = socket;
  const buffer = new Uint8Array(65_536);
  await socket.write(GREETING);
  let isData = false;
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) return;
    const [word, last] = [String.fromCharCode(...buffer.subarray(0, 4)), buffer[count - 3]];
    if (isData) {
      if (last !== DOT || buffer[count - 2] !== CR || buffer[count - 1] !== LF) continue;
      isData = false;
      await socket.write(OK);
    } else if (word === "MAIL") {
      isData = true;
      await socket.write(OPENED);
    } else if (word === "QUIT") {
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
