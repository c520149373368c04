import { assertEquals } from "../assert.ts";
import { cron, letter, testHostile } from "./hostile.ts";
import { rules } from "./zulip.ts";
import { renderer } from "./rules.ts";

testHostile("zulip", rules);

const fieldsOf = async (message: typeof cron) => {
  const { form } = await (await renderer("zulip", rules))(message);
  return Object.fromEntries([...form!].map(([name, [value]]) => [name, value]));
};

Deno.test("zulip shows a mail of cron", async () => {
  assertEquals(await fieldsOf(cron), {
    type: "stream",
    to: "mail & more",
    topic: "Cron <root@web1> run-parts /etc/cron.daily",
    content: "~~~text\nroot@web1.example.org (Cron Daemon)\n\n/etc/cron.daily/logrotate:\n" +
      'error: skipping "/var/log/*.log" & <more>\n~~~\n',
  });
});

Deno.test("zulip shows a letter with the first of its files", async () => {
  const { content } = await fieldsOf(letter);
  assertEquals(
    content,
    "~~~text\nJörg <joerg@example.org>\n📎 a&b.pdf …\n\nHallo Ännchen!\n~~~\n",
  );
});

Deno.test("zulip gets neither control characters nor the tab of a folded subject", async () => {
  const { topic } = await fieldsOf({ data: "Subject: \x1b[1ma\x1b[0m\x07\n\tb\x00\n\nText.\n" });
  assertEquals(topic, "a b");
});
