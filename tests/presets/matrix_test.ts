import { assertEquals } from "../assert.ts";
import { cron, letter, testHostile } from "./hostile.ts";
import { rules } from "./matrix.ts";
import { renderer } from "./rules.ts";

testHostile("matrix", rules);

Deno.test("matrix shows a mail of cron", async () => {
  const { json } = await (await renderer("matrix", rules))(cron);
  assertEquals(
    json.body,
    "Cron <root@web1> run-parts /etc/cron.daily\nroot@web1.example.org (Cron Daemon)\n\n" +
      '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/*.log" & <more>',
  );
});

Deno.test("matrix shows a letter with the first of its files", async () => {
  const { json } = await (await renderer("matrix", rules))(letter);
  assertEquals(json.body, "Grüße\nJörg <joerg@example.org>\n📎 a&b.pdf …\n\nHallo Ännchen!");
});
