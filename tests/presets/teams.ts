/** Microsoft Teams, by a workflow that posts the cards that it is sent. */
import { assert, assertEquals } from "../assert.ts";
import type { Rules, Sent } from "./rules.ts";
import { assertBeginsWith, octetsIn } from "./wording.ts";

/** 28 KB; Teams answers a card of more with "max allowed size is 28672 bytes". */
const MAX_OCTETS = 28 * 1024;

/** What Teams puts around the card: who posted it and by which workflow. An estimate. */
const AROUND = 2000;

interface Block {
  readonly type: string;
  readonly inlines: readonly { readonly type: string; readonly text: string }[];
}

const blocksOf = ({ json }: Sent): readonly Block[] => json.attachments[0].content.body;

const linesOf = (sent: Sent) => blocksOf(sent).map(({ inlines }) => inlines[0].text);

export const rules: Rules = {
  url: "https://prod-00.westeurope.logic.azure.com/workflows/0/triggers/manual/paths/invoke?sig=x",
  vars: {},
  sources: [
    "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using",
    "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook",
    "https://learn.microsoft.com/microsoftteams/limits-specifications-teams",
    "https://github.com/MicrosoftDocs/msteams-docs/issues/11274",
    "https://learn.microsoft.com/adaptive-cards/schema-explorer/text-run",
    "https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format",
    "https://github.com/microsoft/AdaptiveCards/issues/4914",
  ],
  valid(sent) {
    const { json, headers, request } = sent;
    assertEquals(request.method, "POST");
    assertEquals(headers.get("content-type"), "application/json");
    // The type must be "message", the attachments cards (connectors-using).
    assertEquals([json.type, json.attachments.length], ["message", 1]);
    const [{ contentType, content }] = json.attachments;
    assertEquals(contentType, "application/vnd.microsoft.card.adaptive");
    // RichTextBlock is of version 1.2; Teams shows up to 1.5.
    assertEquals([content.type, content.version], ["AdaptiveCard", "1.4"]);
    for (const { type, inlines } of blocksOf(sent)) {
      assertEquals([type, inlines.map(({ type }) => type)], ["RichTextBlock", ["TextRun"]]);
      assert(inlines[0].text !== "", "text is required (text-run)");
    }
  },
  limits({ json, octets }) {
    assert(octets.length <= MAX_OCTETS);
    // Where the workflow took 24,453 octets, Teams counted 28,897 (msteams-docs 11274). Taken to be
    // the card in a string of JSON, where a quote is four octets and a control character seven.
    const card = JSON.stringify(JSON.stringify(json.attachments[0]));
    assert(octetsIn(card) <= MAX_OCTETS - AROUND, `a message: 28 KB, this is ${octetsIn(card)}`);
    // Nor is it too much where all beyond ASCII is written as \\uXXXX in there.
    const ascii = card.replace(/[^\0-\x7f]/g, "1234567");
    assert(ascii.length <= MAX_OCTETS - AROUND, `a message: 28 KB, this is ${ascii.length}`);
  },
  harmless(sent) {
    const { json } = sent;
    // Markdown is for text blocks and facts, not for text runs; a mention needs an entity in the
    // "msteams" of the card.
    for (const { type } of blocksOf(sent)) assertEquals(type, "RichTextBlock");
    const [{ content }] = json.attachments;
    assertEquals(content.msteams, { width: "Full" });
    assertEquals(Object.keys(content).join(), "$schema,type,version,msteams,body");
    assertEquals(Object.keys(json).join(), "type,attachments");
    for (const { inlines: [run] } of blocksOf(sent)) {
      assertEquals("selectAction" in run, false, "nothing is a button");
    }
  },
  tells(sent) {
    const { context } = sent;
    const [subject, line, body] = linesOf(sent);
    assertBeginsWith(subject, context.subject, "(no subject)");
    assertBeginsWith(line, context.from.text || context.sender, "<>");
    assertBeginsWith(body, context.body, "(no text)");
  },
};
