import { assertEquals } from "../assert.ts";
import { cron, letter, testHostile } from "./hostile.ts";
import { rules } from "./google-chat.ts";
import { renderer } from "./rules.ts";

testHostile("google-chat", rules);

const textOf = async (message: typeof cron) => {
  const { json } = await (await renderer("google-chat", rules))(message);
  return json.cardsV2[0].card.sections[0].widgets[0].textParagraph.text;
};

Deno.test("google-chat shows a mail of cron", async () => {
  assertEquals(
    await textOf(cron),
    "<b>Cron &lt;root@web1&gt; run-parts /etc/cron.daily</b>\n" +
      "root@web1.example.org (Cron Daemon)\n\n" +
      '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/*.log" &amp; &lt;more&gt;',
  );
});

Deno.test("google-chat shows a letter with the first of its files", async () => {
  assertEquals(
    await textOf(letter),
    "<b>Grüße</b>\nJörg &lt;joerg@example.org&gt;\n📎 a&amp;b.pdf …\n\nHallo Ännchen!",
  );
});
