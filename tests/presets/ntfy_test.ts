import { assertEquals } from "../assert.ts";
import { cron, letter, testHostile } from "./hostile.ts";
import { rules } from "./ntfy.ts";
import { renderer } from "./rules.ts";

testHostile("ntfy", rules);

Deno.test("ntfy shows a mail of cron", async () => {
  const url = "https://:tk_secret@ntfy.example.org/mails";
  const { request, headers, text } = await (await renderer("ntfy", { url, vars: {} }))(cron);
  assertEquals(request.url!.href, "https://ntfy.example.org/mails");
  assertEquals(headers.get("authorization"), `Basic ${btoa(":tk_secret")}`);
  assertEquals(
    [headers.get("title"), headers.get("tags"), headers.get("priority")],
    ["Cron <root@web1> run-parts /etc/cron.daily", "envelope", "default"],
  );
  assertEquals(
    text.trimEnd(),
    '/etc/cron.daily/logrotate:\nerror: skipping "/var/log/*.log" & <more>\n\n' +
      "— root@web1.example.org (Cron Daemon)",
  );
});

Deno.test("ntfy gets a title in octets of UTF-8", async () => {
  const { request, headers } = await (await renderer("ntfy", rules))(letter);
  assertEquals(request.headers.find(([name]) => name === "Title")![1], "Gr\xc3\xbc\xc3\x9fe");
  assertEquals(headers.get("title"), "Grüße");
});
