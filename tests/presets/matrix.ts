/** What a homeserver of Matrix takes as a message in a room (client-server API 1.7 and later). */
import { assert, assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";
import { assertBeginsWith } from "./wording.ts";

/**
 * Octets of a whole event as canonical JSON with its signatures: "Size limits". What the server
 * adds, identifiers of up to 255 octets each, hashes, references and signatures, is left 15,000.
 */
const MAX_CONTENT_OCTETS = 65_536 - 15_000;

export const rules: Rules = {
  vars: { server: "https://matrix.example.org", room: "!abc:example.org", token: "syt_TOKEN" },
  sources: [
    "https://spec.matrix.org/latest/client-server-api/#sending-events-to-a-room",
    "https://spec.matrix.org/latest/client-server-api/#size-limits",
    "https://spec.matrix.org/latest/client-server-api/#user-and-room-mentions",
    "https://spec.matrix.org/latest/client-server-api/#mtext",
  ],
  valid({ request, headers, json, context }) {
    assertEquals(request.method, "PUT");
    assertEquals(headers.get("authorization"), "Bearer syt_TOKEN");
    // By the same transaction id a server knows a message that comes twice.
    assertEquals(
      request.url!.pathname,
      `/_matrix/client/v3/rooms/!abc%3Aexample.org/send/m.room.message/${context.id}`,
    );
    assertEquals(json.msgtype, "m.text");
    assert(json.body.trim() !== "");
  },
  limits({ json }) {
    // Canonical JSON has no blanks, and escapes as JSON.stringify does.
    const octets = new TextEncoder().encode(JSON.stringify(json)).length;
    assert(octets <= MAX_CONTENT_OCTETS, `${octets} octets`);
  },
  harmless({ json }) {
    // Without `formatted_body` nothing formats; with `m.mentions` names in the body call nobody.
    assertEquals(Object.keys(json), ["msgtype", "body", "m.mentions"]);
    assertEquals(json["m.mentions"], {});
  },
  tells({ json, context }) {
    assertBeginsWith(json.body, context.subject, "(no subject)");
    assertBeginsWith(json.body.slice(json.body.indexOf("\n\n")), context.body, "(no text)");
  },
};
