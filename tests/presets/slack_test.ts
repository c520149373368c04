import { assertEquals } from "../assert.ts";
import { cron, letter, testHostile } from "./hostile.ts";
import { renderer } from "./rules.ts";
import { rules } from "./slack.ts";

testHostile("slack", rules);

Deno.test("slack shows a mail of cron as it is, and escapes it where it is marked up", async () => {
  const { json } = await (await renderer("slack", rules))(cron);
  assertEquals(json.text, "Cron &lt;root@web1&gt; run-parts /etc/cron.daily");
  assertEquals(json.blocks, [
    {
      type: "header",
      text: {
        type: "plain_text",
        emoji: false,
        text: "Cron <root@web1> run-parts /etc/cron.daily",
      },
    },
    {
      type: "section",
      text: {
        type: "plain_text",
        emoji: false,
        text: '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/*.log" & <more>',
      },
    },
    {
      type: "context",
      elements: [{
        type: "plain_text",
        emoji: false,
        text: "root@web1.example.org (Cron Daemon) → root@example.net",
      }],
    },
  ]);
});

Deno.test("slack counts what is attached", async () => {
  const { json } = await (await renderer("slack", rules))(letter);
  assertEquals(
    json.blocks[2].elements[0].text,
    "Jörg <joerg@example.org> → root@example.net, 2 attached",
  );
});

Deno.test("slack takes a message of which all is long", async () => {
  const sent = await (await renderer("slack", rules))({
    data: `From: "${"<".repeat(5000)}" <a@example.org>\nSubject: ${"&".repeat(50_000)}\n\na\n`,
    recipients: Array.from({ length: 100 }, (_, at) => `${"b".repeat(60)}@c${at}.example`),
  });
  rules.limits(sent);
});
