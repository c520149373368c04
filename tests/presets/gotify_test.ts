import { assertEquals } from "../assert.ts";
import { cron, testHostile } from "./hostile.ts";
import { rules } from "./gotify.ts";
import { renderer } from "./rules.ts";

testHostile("gotify", rules);

Deno.test("gotify shows a mail of cron", async () => {
  const vars = { server: "http://127.0.0.1:8080", token: "t" };
  const { request, json } = await (await renderer("gotify", { vars }))(cron);
  assertEquals(request.url!.href, "http://127.0.0.1:8080/message");
  assertEquals(json, {
    title: "Cron <root@web1> run-parts /etc/cron.daily",
    message: '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/*.log" & <more>\n\n' +
      "— root@web1.example.org (Cron Daemon)",
    extras: { "client::display": { contentType: "text/plain" } },
  });
});
