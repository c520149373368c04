/** What Google Chat takes by the webhook of a space. */
import { assert, assertEquals } from "../assert.ts";
import type { Rules, Sent } from "./rules.ts";
import { assertBeginsWith, assertNoMarkup, unescaped } from "./wording.ts";

/** Octets of a message with its contents (spaces.messages.create); here of all its JSON. */
const MAX_OCTETS = 32_000;

const textOf = ({ json }: Sent): string =>
  json.cardsV2[0].card.sections[0].widgets[0].textParagraph.text;

/** The text of the card in its two parts: what is in bold, and the rest. */
function partsOf(sent: Sent): [subject: string, rest: string] {
  const [, subject, rest] = /^<b>(.*?)<\/b>\n(.*)$/s.exec(textOf(sent)) ?? [];
  assert(rest !== undefined, textOf(sent).slice(0, 200));
  return [subject, rest];
}

export const rules: Rules = {
  url: "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=KEY&token=TOKEN",
  vars: {},
  sources: [
    "https://developers.google.com/workspace/chat/quickstart/webhooks",
    "https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create",
    "https://developers.google.com/workspace/chat/format-messages",
    "https://developers.google.com/workspace/chat/api/reference/rest/v1/cards",
  ],
  valid(sent) {
    const { request, headers, json } = sent;
    assertEquals(request.method, "POST");
    // The quickstart sends this one.
    assert(/^application\/json/.test(headers.get("content-type")!));
    assertEquals(request.url!.search, "?key=KEY&token=TOKEN");
    // cardId is required where there are several cards; a section needs a widget.
    assertEquals(json.cardsV2.length, 1);
    assertEquals(json.cardsV2[0].card.sections[0].widgets.length, 1);
    // No text may be empty: the notifier of Grafana (googlechat.go) says so.
    assert(textOf(sent).trim() !== "" && json.fallbackText.trim() !== "");
  },
  limits({ octets }) {
    assert(octets.length <= MAX_OCTETS, `${octets.length} octets`);
  },
  harmless(sent) {
    // People are called from `text` alone, which the format page says of `<users/all>`.
    assertEquals(Object.keys(sent.json), ["fallbackText", "cardsV2"]);
    assertEquals(typeof sent.json.fallbackText, "string");
    // A card knows <b>, <i>, <u>, <s>, <font>, <a>, <time>, <br> and lists.
    partsOf(sent).forEach(assertNoMarkup);
  },
  tells(sent) {
    const [subject, rest] = partsOf(sent).map(unescaped);
    const { context } = sent;
    assertBeginsWith(subject, context.subject, "(no subject)");
    assertBeginsWith(sent.json.fallbackText, context.subject, "(no subject)");
    assertBeginsWith(rest.slice(rest.indexOf("\n\n")), context.body, "(no text)");
  },
};
