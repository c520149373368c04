import { assertEquals } from "../assert.ts";
import { rules } from "./home-assistant.ts";
import { cron, letter, testHostile } from "./hostile.ts";
import { renderer } from "./rules.ts";

testHostile("home-assistant", rules);

Deno.test("home-assistant gets a mail of cron as a title and a message", async () => {
  const { json } = await (await renderer("home-assistant", rules))(cron);
  assertEquals(json, {
    title: "Cron <root@web1> run-parts /etc/cron.daily",
    message: '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/*.log" & <more>\n\n' +
      "— root@web1.example.org (Cron Daemon)",
    subject: "Cron <root@web1> run-parts /etc/cron.daily",
    text: '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/*.log" & <more>\n',
    from: "root@web1.example.org",
    to: ["root@example.net"],
    timestamp: "2022-01-01T10:10:20Z",
    files: [],
  });
});

Deno.test("home-assistant gets the names of files", async () => {
  const { json } = await (await renderer("home-assistant", rules))(letter);
  assertEquals(json.files.length, 2);
});
