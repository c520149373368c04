/**
 * What is left of Markdown in a text whose marks were escaped, and what such a text says. Written
 * from the chats' side, not from the filter's: what a backslash or a character that is not seen
 * defuses is taken out, and nothing that has a meaning may be left.
 */
import { assert, assertEquals } from "../assert.ts";
import { assertBeginsWith } from "./wording.ts";

/** Punctuation behind a backslash is itself (CommonMark 0.31 section 2.4). */
const ESCAPED = /\\([!-/:-@[-`{-~])/g;

/** Addresses that chats make links of by themselves, as they stand; marks in them are theirs. */
const LINK = /https?:\/\/[a-z0-9][^\s<>"'`|\\[\]]*/gi;

/**
 * Asserts that a text has no emphasis, code, spoiler, table, link or image, and no heading, quote,
 * list, rule or fence.
 */
export function assertUnformatted(text: string): void {
  const left = text.replace(ESCAPED, "x").replace(LINK, "x");
  assertEquals(/[*_~`|[\]]/.exec(left)?.[0], undefined, `formats: ${excerpt(left)}`);
  const block = /^[ \t]*(?:[#>+=-]|\d{1,9}[.)])/m.exec(left);
  assertEquals(block?.[0], undefined, `begins a block: ${excerpt(left)}`);
}

/**
 * Asserts that nothing stands in angle brackets that a chat takes for a tag: `<@1>`, `<#1>`,
 * `<:a:1>`, `<t:1>` (Discord, https://docs.discord.com/developers/reference#message-formatting);
 * `<!channel>`, `<url|text>` (Slack's, which Mattermost and in part Rocket.Chat know too).
 */
export function assertUntagged(text: string): void {
  const tag = /<(?:[@#!:/]|(?:a|t|id|sound):|[^\n<|>\u200b]+\|[^|\n>]+>)[^\n]{0,20}/.exec(text);
  assertEquals(tag?.[0], undefined, "is a tag");
}

/** Asserts that such a text says what `said` does, as `assertBeginsWith` compares. */
export function assertSays(told: string, said: string, instead: string): void {
  // In addresses of the web an `@` may be written as they can write it too.
  const at = (text: string) => text.replaceAll("%40", "@");
  assertBeginsWith(at(told.replace(ESCAPED, "$1")), at(said), instead);
}

/** Asserts that no backslash at the end would escape what the template writes behind the text. */
export function assertClosed(text: string): void {
  assert(!/(?<!\\)(?:\\\\)*\\$/.test(text), `ends in a backslash: ${excerpt(text.slice(-20))}`);
}

const excerpt = (text: string) => JSON.stringify(text.slice(0, 100));
