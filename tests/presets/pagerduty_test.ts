import { assertEquals } from "../assert.ts";
import { cron, testHostile } from "./hostile.ts";
import { rules } from "./pagerduty.ts";
import { renderer } from "./rules.ts";

testHostile("pagerduty", rules);

const { key } = rules.vars;

Deno.test("pagerduty makes an alert of a mail of cron", async () => {
  const { json } = await (await renderer("pagerduty", { vars: { key, severity: "info" } }))(cron);
  assertEquals(json, {
    routing_key: key,
    event_action: "trigger",
    dedup_key: "Cron <root@web1> run-parts /etc/cron.daily",
    payload: {
      summary: "Cron <root@web1> run-parts /etc/cron.daily",
      source: "root@web1.example.org",
      severity: "info",
      timestamp: "2022-01-01T10:10:20Z",
      custom_details: {
        from: "root@web1.example.org (Cron Daemon)",
        to: "root@example.net",
        body: '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/*.log" & <more>',
      },
    },
  });
});

const keys: [mail: string, vars: Record<string, string>, dedupKey: string][] = [
  ["Subject: Disk full\nMessage-ID: <1@x>\n\n", {}, "Disk full"],
  ["Message-ID: <1@x>\n\n", {}, "<1@x>"],
  ["\n", {}, "017e1506-9120-7000-8000-000000000000"],
  ["Subject: Disk full\nMessage-ID: <1@x>\n\n", { each: "mail" }, "<1@x>"],
  ["Subject: Disk full\n\n", { each: "mail" }, "017e1506-9120-7000-8000-000000000000"],
];
for (const [data, vars, dedupKey] of keys) {
  Deno.test(`pagerduty knows ${JSON.stringify(data)} as ${dedupKey} with ${JSON.stringify(vars)}`, async () => {
    const { json } = await (await renderer("pagerduty", { vars: { key, ...vars } }))({ data });
    assertEquals(json.dedup_key, dedupKey);
  });
}
