/** The least that a server can be on this runtime: it listens, and says so. */
if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.error(`listening at 127.0.0.1:${listener.addr.port}`);
  for await (const socket of listener) socket.close();
}
