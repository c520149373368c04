import { assertEquals } from "../assert.ts";
import { rules } from "./alertmanager.ts";
import { cron, testHostile } from "./hostile.ts";
import { renderer } from "./rules.ts";

testHostile("alertmanager", rules);

Deno.test("alertmanager gets an alert of a mail of cron", async () => {
  const vars = { server: "https://alerts.example.org/am", alertname: "Cron", severity: "info" };
  const { request, json } = await (await renderer("alertmanager", { vars }))(cron);
  assertEquals(request.url!.href, "https://alerts.example.org/am/api/v2/alerts");
  assertEquals(json, [{
    labels: {
      alertname: "Cron",
      severity: "info",
      from: "root@web1.example.org",
      subject: "Cron < root@web1> run-parts /etc/cron.daily",
    },
    annotations: {
      summary: "Cron < root@web1> run-parts /etc/cron.daily",
      description: '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/*.log" & < more>',
    },
    startsAt: "2022-01-01T10:10:20Z",
  }]);
});
