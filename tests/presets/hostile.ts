/**
 * Messages made to call people, to format, to break out of where they are put, and to be too long
 * for any chat or phone, by what is bad about each; some that only are large; and two that are as they
 * should be.
 */
import { assertRight, type Letter, renderer, type Rules } from "./rules.ts";

const from = "From: Lamp <lamp@example.org>\n";

/** A message with one text for its subject and its body, and so for the name of who sent it. */
const saying = (text: string): Letter => ({
  data: `From: "${text.replace(/["\\\n]/g, "")}" <lamp@example.org>\n` +
    `Subject: ${text.replaceAll("\n", " ")}\nContent-Type: text/plain; charset=utf-8\n\n${text}\n`,
});

const longText = (text: string): Letter => ({
  data: `${from}Subject: ${text.slice(0, 5000)}\nContent-Type: text/plain; charset=utf-8\n\n` +
    `${text}\n`,
});

const attachments = Array.from(
  { length: 50 },
  (_, at) =>
    `--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename="@all <b>${at}` +
    `${" @all".repeat(60)}"\n\na,b\n`,
).join("");

/** All of them by a phrase each. */
const hostile: Readonly<Record<string, Letter>> = {
  "nothing at all": { data: "", sender: "" },
  "no subject": { data: `${from}\nText.\n` },
  "only blanks": { data: `From: \nSubject:   \n\n   \n\n \n`, sender: "" },
  "only what is not seen": saying("\u200b\u200b"),
  "calls": saying(
    "@all @here @room @channel @**all** @_**Ann** @*admins* <@U1> <!here> <users/all> @ann",
  ),
  "calls at the beginning of lines": saying("@everyone\n@ann\n(@all)\n<@all>\n/poll a\n/me b"),
  "HTML": saying("</b><a href='tg://user?id=1'>x</a> &lt; &amp;amp; & <users/all> </textarea>"),
  "Markdown": saying(
    "**a** _b_ ~c~ `d` [e](https://evil.example) ![f](https://evil.example/g.png)",
  ),
  "ends of blocks of code": saying("a\n~~~\n@**all**\n```\n@**all**\n  ~~~\n~~~~\n````\n~~~ text"),
  "encoded words within what is decoded": {
    data: `${from}Subject: =?utf-8?q?=3D=3Futf-8=3Fq=3F=3D0Aa=3F=3D?=\n\nText.\n`,
  },
  "JSON": saying('", "parse_mode": "", "x": "\\'),
  "a form": saying("&to=everybody&type=direct&content=%0A~~~%0A"),
  "line ends of a header": { data: `${from}Subject: =?utf-8?q?a=0D=0AActions=3A_b?=\n\nText.\n` },
  "tabs where it is folded": { data: `${from}Subject: a\n\tb\tc\n\na\tb\n` },
  "control characters": saying("a\x00b\x07c\x1b[31;1mred\x1b[0m\x7f\x85\u2028d\ufffe\ufdd0"),
  "right to left": saying("\u202egnp.exe \u2067a\u2069"),
  "very much text": longText("It goes on and on. ".repeat(200_000)),
  "very many <": longText("<".repeat(100_000)),
  "very many &": longText("&".repeat(100_000)),
  "very many quotes": longText('"'.repeat(100_000)),
  "very many backslashes": longText("\\".repeat(100_000)),
  "very many backticks": longText("`".repeat(100_000)),
  "very many lines": longText("\n~~~".repeat(50_000)),
  "very many calls": longText(" @a".repeat(50_000)),
  "very many emoji": longText("👩‍👩‍👧‍👦🏳️‍🌈".repeat(20_000)),
  "very many letters of three octets": longText("語".repeat(50_000)),
  "very many accents": longText("Lamp: a" + "\u0301".repeat(50_000)),
  "very many control characters": longText("a" + "\x01".repeat(50_000)),
  "a sender with a long name": {
    data: `From: "${"<&Lamp ".repeat(2000)}" <lamp@example.org>\nSubject: a\n\nText.\n`,
  },
  "many recipients with long addresses": {
    data: `${from}To: ${
      Array.from({ length: 100 }, (_, at) => `${"a".repeat(60)}@${"b".repeat(60)}${at}.example`)
        .join(",\n ")
    }\nSubject: a\n\nText.\n`,
    sender: `${"c".repeat(64)}@${"d".repeat(63)}.${"e".repeat(63)}.example`,
    recipients: Array.from({ length: 100 }, (_, at) => `${"a".repeat(60)}@b${at}.example`),
  },
  "many attachments with long names": {
    data: `${from}Subject: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n` +
      `${attachments}--b--\n`,
  },
};

/** Tests that a preset makes of each of them what its service takes. */
export function testHostile(name: string, rules: Rules): void {
  for (const [what, letter] of Object.entries(hostile)) {
    Deno.test(`${name} takes a message of ${what}`, async () => {
      assertRight(rules, await (await renderer(name, rules))(letter));
    });
  }
}

/** Letters to a hundred recipients with megabytes of body, for services that want all of it. */
export function* largeLetters() {
  const recipients = Array.from({ length: 100 }, (_, at) => `${"x".repeat(60)}${at}@example.net`);
  for (const piece of ["<", "👩‍👩‍👧‍👦", "a\u0301\u0323"]) {
    yield {
      data: `Subject: ${piece.repeat(9000)}\nContent-Type: text/plain; charset=utf-8\n\n${
        `${piece.repeat(9)}\n`.repeat(20_000)
      }`,
      recipients,
    };
  }
}

/** A mail as cron sends it. */
export const cron: Letter = {
  data: `From: root@web1.example.org (Cron Daemon)
To: root@web1.example.org
Subject: Cron <root@web1> run-parts /etc/cron.daily
Content-Type: text/plain; charset=utf-8

/etc/cron.daily/logrotate:
error: skipping "/var/log/*.log" & <more>
`,
  sender: "root@web1.example.org",
};

/** A letter with two files. */
export const letter: Letter = {
  data: `From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Hallo Ännchen!
--b
Content-Type: application/pdf; name="a&b.pdf"
Content-Disposition: attachment; filename="a&b.pdf"

x
--b
Content-Type: text/csv
Content-Disposition: attachment; filename="c.csv"

x
--b--
`,
};
