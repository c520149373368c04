import { assertEquals } from "../assert.ts";
import { cron, testHostile } from "./hostile.ts";
import { rules } from "./opsgenie.ts";
import { renderer } from "./rules.ts";

testHostile("opsgenie", rules);

Deno.test("opsgenie makes an alert of a mail of cron, in the EU too", async () => {
  const vars = { key: "k", eu: "yes", priority: "P1" };
  const { request, json } = await (await renderer("opsgenie", { vars }))(cron);
  assertEquals(request.url!.href, "https://api.eu.opsgenie.com/v2/alerts");
  assertEquals(json, {
    message: "Cron &lt;root@web1&gt; run-parts /etc/cron.daily",
    alias: "Cron <root@web1> run-parts /etc/cron.daily",
    description: '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/*.log" &amp; &lt;more&gt;',
    source: "root@web1.example.org",
    priority: "P1",
    details: { from: "root@web1.example.org (Cron Daemon)", to: "root@example.net" },
  });
});
