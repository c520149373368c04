import { assertEquals } from "../assert.ts";
import { cron, letter, testHostile } from "./hostile.ts";
import { rules } from "./telegram.ts";
import { renderer } from "./rules.ts";

testHostile("telegram", rules);

const chat = { token: "1:a", chat: "@mails" };

Deno.test("telegram shows a mail of cron", async () => {
  const { json } = await (await renderer("telegram", { vars: chat }))(cron);
  assertEquals(json, {
    chat_id: "@mails",
    parse_mode: "HTML",
    link_preview_options: { is_disabled: true },
    text: "<b>Cron &lt;root@web1&gt; run-parts /etc/cron.daily</b>\n" +
      "root@web1.example.org (Cron Daemon)\n\n" +
      '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/*.log" &amp; &lt;more&gt;',
  });
});

Deno.test("telegram shows a letter with the first of its files", async () => {
  const { json } = await (await renderer("telegram", { vars: chat }))(letter);
  assertEquals(
    json.text,
    "<b>Grüße</b>\nJörg &lt;joerg@example.org&gt;\n📎 a&amp;b.pdf …\n\nHallo Ännchen!",
  );
});

Deno.test("telegram has room for 3,399 characters that are entities", async () => {
  const data = `Subject: a\n\n${"<".repeat(3999)}\n`;
  const { json } = await (await renderer("telegram", { vars: chat }))({ data });
  assertEquals(json.text.split("\n\n")[1], "&lt;".repeat(3399) + "…");
});
