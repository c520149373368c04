/** Requests and answers as a person sees them. */
import type { Event } from "../lib/event.ts";
import { formatAnswer, formatRequest, printer } from "../lib/print.ts";
import type { HttpRequest } from "../lib/request.ts";
import { assert, assertEquals } from "./assert.ts";

const decode = (octets: Uint8Array) => new TextDecoder().decode(octets);

const request = (parts: Partial<HttpRequest>): HttpRequest => ({
  method: "POST",
  url: null,
  headers: [],
  body: "",
  ...parts,
});

const requests: [request: HttpRequest, text: string][] = [
  [request({}), "POST -\n\n\n"],
  [
    request({
      url: new URL("http://a.example/ü?k=v"),
      headers: [["A", "b"], ["A", "c"]],
      body: "x",
    }),
    "POST http://a.example/%C3%BC?k=v\nA: b\nA: c\n\nx\n",
  ],
  [request({ headers: [["X", "\u00c3\u00bc"]], body: "ü😀\n" }), "POST -\nX: ü\n\nü😀\n"],
  [request({ body: "a\n\n" }), "POST -\n\na\n\n"],
];
for (const [request, text] of requests) {
  Deno.test(`formatRequest() writes ${JSON.stringify(text)}`, () => {
    assertEquals(decode(formatRequest(request)), text);
  });
}

const answer = (parts: Partial<Parameters<typeof formatAnswer>[0]>) =>
  formatAnswer({
    kind: "answer",
    status: 200,
    statusText: "OK",
    headers: new Headers({ "x-a": "b" }),
    body: "thanks",
    elapsedMs: 1.5,
    ...parts,
  });

Deno.test("formatAnswer() writes status, time, header and body", () => {
  assertEquals(answer({}), "200 OK (2 ms)\nx-a: b\n\nthanks\n");
  assertEquals(answer({ statusText: "", body: "a\r\n\tb\n\n" }), "200 (2 ms)\nx-a: b\n\na\n\tb\n");
});

Deno.test("formatAnswer() writes nothing that a terminal would obey", () => {
  assertEquals(
    answer({ statusText: "O\x1b[1mK", body: "a\x1b[31m\0b\x9bc\r\nd" }),
    "200 O\ufffd[1mK (2 ms)\nx-a: b\n\na\ufffd[31m\ufffdb\ufffdc\nd\n",
  );
});

Deno.test("printer() defers a message that cannot be printed", async () => {
  const events: Event[] = [];
  const send = printer(() => {
    throw new Error("no space left");
  }, (event) => events.push(event));
  const parcel = { id: "1", destination: "standard output", request: request({}) };
  assertEquals(await send(parcel, new AbortController().signal), {
    kind: "deferred",
    reason: "standard output takes no more",
    unsent: true,
  });
  const reason = "standard output takes no more: no space left";
  assertEquals(events, [{ kind: "unsent", id: "1", reason }]);
});

Deno.test("printer() prints the request and has the message accepted", async () => {
  const printed: string[] = [];
  const send = printer((octets) => printed.push(decode(octets)), () => assert(false));
  const parcel = { id: "1", destination: "standard output", request: request({ body: "ä" }) };
  assertEquals(await send(parcel, new AbortController().signal), {
    kind: "accepted",
    note: "printed",
    unsent: true,
  });
  assertEquals(printed, ["POST -\n\nä\n"]);
});
