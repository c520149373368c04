import { assertEquals } from "../assert.ts";
import { cron, testHostile } from "./hostile.ts";
import { rules } from "./pushover.ts";
import { renderer } from "./rules.ts";

testHostile("pushover", rules);

Deno.test("pushover shows a mail of cron", async () => {
  const vars = { token: "t", user: "u" };
  const { json } = await (await renderer("pushover", { vars }))(cron);
  assertEquals(json, {
    token: "t",
    user: "u",
    priority: 0,
    timestamp: 1641031820,
    title: "Cron <root@web1> run-parts /etc/cron.daily",
    message: '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/*.log" & <more>\n\n' +
      "— root@web1.example.org (Cron Daemon)",
  });
});
