import { assertEquals } from "../assert.ts";
import { cron, testHostile } from "./hostile.ts";
import { renderer } from "./rules.ts";
import { rules } from "./rocketchat.ts";

testHostile("rocketchat", rules);

const render = await renderer("rocketchat", rules);

Deno.test("rocketchat shows a mail of cron", async () => {
  const { json } = await render(cron);
  assertEquals(json, {
    attachments: [{
      title: "Cron <root@web1> run-parts /etc/cron.daily",
      fields: [{
        title: "root@web1.example.org (Cron Daemon) → root@example.net",
        value: '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/\\*.log" & <\u200bmore>\n',
      }],
      ts: "2022-01-01T10:10:20Z",
    }],
  });
});

Deno.test("rocketchat makes nothing of links and pictures", async () => {
  const sent = await render({
    data: "Subject: [a](https://evil.example)\n\n![a](https://evil.example/b.png)\n" +
      "<https://evil.example|https://bank.example> <t:1630360800:R>\n@all @here @ann\n",
  });
  rules.harmless(sent);
  rules.tells(sent);
});

Deno.test("rocketchat makes nothing of the addresses of recipients", async () => {
  const sent = await render({
    data: "Subject: a\n\nb\n",
    recipients: ['"@channel [a](https://evil.example) **b**"@example.net'],
  });
  rules.harmless(sent);
});
