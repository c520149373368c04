import { assertEquals } from "../assert.ts";
import { letter, testHostile } from "./hostile.ts";
import { renderer } from "./rules.ts";
import { rules } from "./teams.ts";

testHostile("teams", rules);

Deno.test("teams shows a letter", async () => {
  const { json } = await (await renderer("teams", rules))(letter);
  assertEquals(json.attachments[0].content.body, [
    {
      type: "RichTextBlock",
      inlines: [{ type: "TextRun", weight: "Bolder", size: "Medium", text: "Grüße" }],
    },
    {
      type: "RichTextBlock",
      spacing: "None",
      inlines: [{
        type: "TextRun",
        isSubtle: true,
        text: "Jörg <joerg@example.org> → root@example.net, 2 attached",
      }],
    },
    {
      type: "RichTextBlock",
      inlines: [{ type: "TextRun", fontType: "Default", text: "Hallo Ännchen!" }],
    },
  ]);
});

Deno.test("teams shows what programs write in another font, where that is wanted", async () => {
  const { json } = await (await renderer("teams", { ...rules, vars: { font: "Monospace" } }))(
    letter,
  );
  assertEquals(json.attachments[0].content.body[2].inlines[0].fontType, "Monospace");
});

Deno.test("teams has room for everything at its worst at once", async () => {
  const worst = "\x01".repeat(4000);
  const sent = await (await renderer("teams", rules))({
    data: `From: "${worst}" <a@example.org>\nSubject: a${worst}\n\na${worst}\n`,
    recipients: Array.from({ length: 100 }, (_, at) => `"${"\\\\".repeat(30)}"@b${at}.example`),
  });
  rules.limits(sent);
});
