/** A request as a person sees it at a terminal. */
import { prettyRequest } from "../lib/pretty.ts";
import type { HttpRequest } from "../lib/request.ts";
import { assertEquals } from "./assert.ts";

const request = (parts: Partial<HttpRequest>): HttpRequest => ({
  ...{ method: "POST", url: null, headers: [], body: "" },
  ...parts,
});

const requests: [request: HttpRequest, text: string][] = [
  [request({}), "POST -\n\n\n"],
  [
    request({ method: "PUT", url: new URL("http://a.example/x"), body: "text\n\n" }),
    "PUT http://a.example/x\n\ntext\n",
  ],
  [
    request({ body: '{"a":[1,{}],"b":"c"}' }),
    'POST -\n\n{\n  "a": [\n    1,\n    {}\n  ],\n  "b": "c"\n}\n',
  ],
  // A byte string that is UTF-8, and one that is not.
  [request({ headers: [["X", "\u00c3\u00bc"], ["Y", "\u00fc"]] }), "POST -\nX: ü\nY: ü\n\n\n"],
  [request({ body: new TextEncoder().encode("A: ü\r\n\r\nb") }), "POST -\n\nA: ü\n\nb\n"],
  [request({ body: Uint8Array.of(0x41, 0xff) }), "POST -\n\nAÿ\n"],
  // What a terminal would obey.
  [
    request({ headers: [["X", "a\x1b[2J"]], body: "\x1b]0;x\x07\x9b31m" }),
    "POST -\nX: a\ufffd[2J\n\n\ufffd]0;x\ufffd\ufffd31m\n",
  ],
  [request({ body: '{"a":"\\u001b[2J\\u009b"}' }), 'POST -\n\n{\n  "a": "\\u001b[2J\ufffd"\n}\n'],
];
for (const [request, text] of requests) {
  Deno.test(`prettyRequest() shows ${JSON.stringify(text)}`, () => {
    assertEquals(prettyRequest(request, false), text);
  });
}

Deno.test("prettyRequest() has colours where they are wanted, around what is harmless", () => {
  assertEquals(
    prettyRequest(request({ headers: [["X", "a"]], body: "b" }), true),
    "\x1b[1mPOST\x1b[0m -\n\x1b[2mX:\x1b[0m a\n\nb\n",
  );
});
