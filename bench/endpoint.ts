/**
 * The endpoint: an HTTP server in a process of its own that reads each request to its end and answers it at
 * once. It is given the status to answer with, and prints its port. What it is asked under `/bench/` is not
 * counted: `/bench/count` gives the requests that were answered 2xx so far, `/bench/status/N` changes the
 * status.
 */

let status = Number(Deno.args[0] ?? 200);
let count = 0;

if (import.meta.main) {
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => console.log(JSON.stringify({ port })),
  }, async (request) => {
    const [, order] = request.url.split("/bench/");
    if (order === "count") return new Response(String(count));
    if (order !== undefined) {
      status = Number(order.replace("status/", ""));
      return new Response();
    }
    await request.bytes();
    if (status < 300) count++;
    // A destination that is down is tried again after a second, so that a benchmark need not wait.
    const headers = status === 503 ? { "retry-after": "1" } : undefined;
    return new Response("thanks", { status, headers });
  });
}
