/**
 * The message as it was received, for whoever reads mail by himself. What has limits is the header
 * of the request: common servers refuse fields that are too long.
 */
import { assert, assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";

/**
 * Octets that a header field may have: Apache's LimitRequestFieldSize is 8,190, a buffer of nginx's
 * large_client_header_buffers 8,192, name and line end within it.
 */
const MAX_FIELD = 8190;

/**
 * Octets that all header fields may have: half of Node's --max-http-header-size, 16 KiB, the least
 * of those three, as proxies in front add their own.
 */
const MAX_HEADER = 8192;

export const rules: Rules = {
  url: "https://my.application.com/mail",
  vars: {},
  sources: [
    "https://www.rfc-editor.org/rfc/rfc2046#section-5.2.1",
    "https://www.rfc-editor.org/rfc/rfc9110#section-5.5",
    "https://httpd.apache.org/docs/current/mod/core.html#limitrequestfieldsize",
    "https://nginx.org/en/docs/http/ngx_http_core_module.html#large_client_header_buffers",
    "https://nodejs.org/api/cli.html#--max-http-header-sizesize",
  ],
  valid({ headers, request }) {
    assertEquals(headers.get("content-type"), "message/rfc822");
    for (const [name, value] of request.headers) {
      // Visible characters, blanks, and octets of UTF-8 (obs-text).
      assert(/^[\x20-\x7e\x80-\xff]*$/.test(value), `${name}: ${value}`);
    }
    // That it can be sent at all.
    new Headers(request.headers.map(([name, value]) => [name, value]));
  },
  limits({ request }) {
    const sizes = request.headers.map(([name, value]) => `${name}: ${value}\r\n`.length);
    for (const [index, size] of sizes.entries()) {
      assert(size <= MAX_FIELD, `${request.headers[index][0]} has ${size} octets`);
    }
    const all = sizes.reduce((sum, size) => sum + size, 0);
    assert(all <= MAX_HEADER, `all have ${all} octets`);
  },
  harmless({ headers, request, context }) {
    // What is said of the message is said of it by the server, whatever the message says.
    assertEquals(headers.size, request.headers.length);
    const names = [
      ...["content-type", "user-agent", "webhook-id", "webhook-timestamp", "x-client-address"],
      ...["x-client-hostname", "x-envelope-from", "x-envelope-to"],
    ];
    for (const name of headers.keys()) assert(names.includes(name), name);
    assertEquals(headers.get("webhook-id"), context.id);
  },
  tells({ headers, octets, context }) {
    const { data } = context;
    assertEquals(octets, data === "" ? new Uint8Array(0) : data.toOctets());
    const [from, to] = ["x-envelope-from", "x-envelope-to"].map((name) => headers.get(name)!);
    assert(/^<.*>$/s.test(from), from);
    assertBegins(from.slice(1, -1), context.sender);
    assertBegins(to, context.recipients.join(", "));
  },
};

/** A text is whole, or cut where a `…` says so. */
function assertBegins(text: string, whole: string) {
  assert(text === whole || (text.endsWith("…") && whole.startsWith(text.slice(0, -1))), text);
}
