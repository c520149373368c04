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

Deno.test("opsgenie takes the longest envelope there is, and no header at all", async () => {
  // RFC 5321 section 4.5.3.1: 64 octets of a local part, 255 of a domain.
  const address = (at: number) => `${"a".repeat(64)}@${`${"b".repeat(59)}.`.repeat(4)}x${at}`;
  const { limits, valid, ...sent } = rules;
  const letter = {
    data: "\nText.\n",
    sender: address(0),
    recipients: Array.from({ length: 100 }, (_, at) => address(at)),
  };
  const request = await (await renderer("opsgenie", sent))(letter);
  limits(request);
  valid(request);
});
