import { assertEquals } from "../assert.ts";
import { letter, testHostile } from "./hostile.ts";
import { calledBy, rules } from "./mattermost.ts";
import { renderer } from "./rules.ts";

testHostile("mattermost", rules);

const render = await renderer("mattermost", rules);

Deno.test("mattermost shows a letter", async () => {
  const { json } = await render(letter);
  assertEquals(
    json.text,
    "#### Grüße\nJörg <\u200bjoerg@example.org> → root@example.net, 2 attached\n\nHallo Ännchen!",
  );
});

/** What calls people in Mattermost. */
const calls = [
  "@channel",
  "(@here)",
  "a.@all",
  "-@here",
  "_@all",
  "+@channel",
  ":@ann:",
  "https://@channel",
  "https://_.@channel",
];

for (const call of calls) {
  Deno.test(`mattermost calls nobody for ${call}`, async () => {
    assertEquals(calledBy(call).length > 0, true);
    const sent = await render({ data: `Subject: ${call}\n\nDear all,\n${call}\n` });
    rules.harmless(sent);
    rules.tells(sent);
  });
}

/** What becomes something else before Mattermost looks at Markdown. */
const tags = [
  "<!channel> <!here> <!all> <@ann>",
  "<https://evil.example/|https://bank.example>)",
  "<a|b>",
];

for (const tag of tags) {
  Deno.test(`mattermost makes nothing of ${tag}`, async () => {
    const sent = await render({ data: `Subject: ${tag}\n\n${tag}\n` });
    rules.harmless(sent);
    rules.tells(sent);
  });
}

Deno.test("mattermost keeps the addresses in a text", async () => {
  const url = "https://www.example.com/a_b_c?d=e&f=*g*#h";
  const { json } = await render({ data: `Subject: a\n\nSee ${url}.\n` });
  assertEquals(json.text.split("\n\n")[1], `See ${url}.\n`);
});

Deno.test("mattermost makes nothing of the addresses of recipients", async () => {
  const sent = await render({
    data: "Subject: a\n\nb\n",
    recipients: ['"@channel [a](https://evil.example) **b**"@example.net'],
  });
  rules.harmless(sent);
});
