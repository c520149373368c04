import { assertEquals } from "../assert.ts";
import { rules } from "./discord.ts";
import { letter, testHostile } from "./hostile.ts";
import { renderer } from "./rules.ts";

testHostile("discord", rules);

const render = await renderer("discord", rules);

Deno.test("discord shows a letter", async () => {
  const { json } = await render(letter);
  assertEquals(json, {
    embeds: [{
      author: { name: "Jörg <joerg@example.org> → root@example.net" },
      title: "Grüße",
      description: "Hallo Ännchen!",
      footer: { text: `2 attached, ${json.embeds[0].footer.text.split(", ")[1]}` },
      timestamp: "2022-01-01T10:10:20Z",
    }],
    allowed_mentions: { parse: [] },
  });
});

/** What Discord makes more of than text. */
const marks = [
  "<@1> <@!1> <@&1> <#1> <:a:1> <a:b:1> </ping:1> <id:home> <t:0:F> @everyone @here",
  "# a\n## b\n-# c\n> d\n>>> e\n- f\n* g\n1. h",
  "||a|| __b__ ~~c~~ ***d*** `e` ``f`` ```g```",
  "[https://bank.example](https://evil.example) [a](<https://evil.example>)",
  "https://evil.example/[https://bank.example](https://evil.example)",
];

for (const mark of marks) {
  Deno.test(`discord shows ${JSON.stringify(mark)} as it is`, async () => {
    const sent = await render({ data: `Subject: ${mark.replaceAll("\n", " ")}\n\n${mark}\n` });
    rules.valid(sent);
    rules.harmless(sent);
    rules.tells(sent);
  });
}

Deno.test("discord takes a message of which all is long", async () => {
  const sent = await render({
    data: `From: "${"*".repeat(5000)}" <a@example.org>\nSubject: ${"*".repeat(5000)}\n\n` +
      `${"*".repeat(50_000)}\n`,
    recipients: Array.from({ length: 100 }, (_, at) => `${"b".repeat(60)}@c${at}.example`),
  });
  rules.limits(sent);
});
