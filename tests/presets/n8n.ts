/** What a Webhook node of n8n takes, and workflows find in it. */
import { assert, assertEquals } from "../assert.ts";
import type { Rules } from "./rules.ts";

/** Octets of a request, where N8N_PAYLOAD_SIZE_MAX says nothing else. Mails of the default --max-size fit. */
const MAX_OCTETS = 16 * 1024 * 1024;

export const rules: Rules = {
  url: "https://n8n.example.org/webhook/4d2d5c1f",
  vars: {},
  sources: [
    "https://docs.n8n.io/integrations/builtin/core-nodes/n8n-nodes-base.webhook/",
    "https://docs.n8n.io/hosting/configuration/environment-variables/endpoints/",
  ],
  valid({ request, headers, json }) {
    assertEquals([request.method, request.url!.href], [
      "POST",
      "https://n8n.example.org/webhook/4d2d5c1f",
    ]);
    // Only then the body is read, and is $json.body.
    assertEquals(headers.get("content-type"), "application/json");
    for (const list of [json.recipients, json.from, json.to, json.cc, json.attachments]) {
      assert(Array.isArray(list));
    }
  },
  limits({ octets }) {
    assert(octets.length <= MAX_OCTETS);
  },
  harmless({ json }) {
    // Expressions of a workflow are its own; what a mail says are values in known places.
    assertEquals(
      Object.keys(json).join(),
      "id,messageId,timestamp,sender,recipients,subject,from,to,cc,text,replyText,html,headers,attachments",
    );
    for (
      const value of [
        json.subject,
        json.text,
        json.replyText,
        json.html,
        ...Object.values(json.headers),
      ]
    ) {
      assertEquals(typeof value, "string");
    }
  },
  tells({ json, context }) {
    assertEquals([json.subject, json.text, json.html], [
      context.subject,
      context.body,
      context.html,
    ]);
    assertEquals([json.sender, json.recipients], [context.sender, context.recipients]);
    assertEquals(
      json.attachments.map(({ content }: { content: string }) => content),
      context.attachments.map(({ content }) => content),
    );
  },
};
