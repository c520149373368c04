/** What is new in an answer: mails as their programs make them, and what is left of them. */
import { replyTextOf } from "../lib/reply_text.ts";
import { assert, assertEquals } from "./assert.ts";

const QUOTE = "> One\n> two\n>\n> three\n";

const mails: [name: string, mail: string, reply: string][] = [
  ["no answer", "Just a text.\nIn two lines.\n", "Just a text.\nIn two lines."],
  ["nothing", "", ""],
  [
    "Gmail",
    `Yes!\n\nOn Mon, Jan 3, 2022 at 10:10 AM Gordon Freeman <gordon@example.org> wrote:\n\n${QUOTE}`,
    "Yes!",
  ],
  [
    "Gmail, wrapped",
    `Yes!\n\nOn Mon, Jan 3, 2022 at 10:10 AM Gordon Freeman <\ngordon@example.org> wrote:\n\n${QUOTE}`,
    "Yes!",
  ],
  [
    "Apple Mail",
    `Yes!\n\n> On 3 Jan 2022, at 10:10, Gordon <gordon@example.org> wrote:\n> \n${QUOTE}`,
    "Yes!",
  ],
  [
    "Thunderbird",
    `Yes!\n\nOn 1/3/22 10:10 AM, Gordon Freeman wrote:\n${QUOTE}\n-- \nEli\n`,
    "Yes!",
  ],
  [
    "Thunderbird, below",
    `On 1/3/22 10:10 AM, Gordon Freeman wrote:\n${QUOTE}\nYes!\n\n-- \nEli\n`,
    "Yes!",
  ],
  [
    "German",
    `Ja!\n\nAm Mo., 3. Jan. 2022 um 10:10 Uhr schrieb Gordon <gordon@example.org>:\n\n${QUOTE}`,
    "Ja!",
  ],
  [
    "German, wrapped",
    `Ja!\n\nAm 03.01.2022 um 10:10 schrieb Gordon Freeman\n<gordon@example.org>:\n${QUOTE}`,
    "Ja!",
  ],
  [
    "French",
    `Oui\n\nLe lun. 3 janv. 2022 à 10:10, Gordon <gordon@example.org> a écrit :\n\n${QUOTE}`,
    "Oui",
  ],
  [
    "Spanish",
    `Sí\n\nEl lun, 3 ene 2022 a las 10:10, Gordon (<gordon@example.org>) escribió:\n${QUOTE}`,
    "Sí",
  ],
  [
    "Italian",
    `Sì\n\nIl giorno lun 3 gen 2022 alle ore 10:10 Gordon <gordon@example.org> ha scritto:\n${QUOTE}`,
    "Sì",
  ],
  [
    "Portuguese",
    `Sim\n\nEm seg., 3 de jan. de 2022 às 10:10, Gordon <g@example.org> escreveu:\n${QUOTE}`,
    "Sim",
  ],
  [
    "Dutch",
    `Ja\n\nOp ma 3 jan. 2022 om 10:10 schreef Gordon <gordon@example.org>:\n${QUOTE}`,
    "Ja",
  ],
  [
    "Swedish",
    `Ja\n\nDen mån 3 jan. 2022 kl 10:10 skrev Gordon <gordon@example.org>:\n${QUOTE}`,
    "Ja",
  ],
  [
    "Polish",
    `Tak\n\npon., 3 sty 2022 o 10:10 Gordon <gordon@example.org> napisał(a):\n${QUOTE}`,
    "Tak",
  ],
  [
    "Russian",
    `Да\n\nпн, 3 янв. 2022 г. в 10:10, Gordon <gordon@example.org> написал:\n${QUOTE}`,
    "Да",
  ],
  ["Chinese", `是\n\n在 2022年1月3日，10:10，Gordon <gordon@example.org> 写道：\n${QUOTE}`, "是"],
  [
    "Japanese",
    `はい\n\n2022年1月3日(月) 10:10 Gordon <gordon@example.org>のメッセージ:\n${QUOTE}`,
    "はい",
  ],
  ["quotes without a line above", `Yes!\n\n${QUOTE}`, "Yes!"],
  ["quotes without a line between", `Yes!\n${QUOTE}`, "Yes!"],
  ["quotes within quotes", `Yes!\n\nOn 3 Jan 2022, A wrote:\n> b\n>> c\n>>> d\n`, "Yes!"],
  [
    "old Outlook",
    "Yes!\n\n-----Original Message-----\nFrom: Gordon\nSent: Monday\nTo: Eli\n\nOne\n",
    "Yes!",
  ],
  ["old Outlook, German", "Ja!\n\n-----Ursprüngliche Nachricht-----\nVon: Gordon\n\nEins\n", "Ja!"],
  [
    "Outlook",
    "Yes!\n\n________________________________\nFrom: Gordon <gordon@example.org>\nSent: Monday, January 3, 2022 10:10 AM\nTo: Eli\nSubject: One\n\nOne\n",
    "Yes!",
  ],
  [
    "Outlook, French",
    "Oui\n\nDe : Gordon <gordon@example.org>\nEnvoyé : lundi 3 janvier 2022\nÀ : Eli\nObjet : Un\n\nUn\n",
    "Oui",
  ],
  [
    "Outlook in bold",
    "Yes!\n\n*From:* Gordon <gordon@example.org>\n*Sent:* Monday\n*To:* Eli\n\nOne\n",
    "Yes!",
  ],
  [
    "Yahoo, not quoted",
    "Yes!\n\n  On Monday, January 3, 2022, 10:10:20 AM GMT, Gordon <gordon@example.org> wrote:\n\n One\n two\n",
    "Yes!",
  ],
  [
    "an iPhone",
    `Yes!\n\nSent from my iPhone\n\n> On 3 Jan 2022, at 10:10, Gordon <gordon@example.org> wrote:\n> \n> One\n`,
    "Yes!",
  ],
  ["an iPhone, German", "Ja!\n\nVon meinem iPhone gesendet\n", "Ja!"],
  [
    "Outlook for phones",
    "Yes!\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\nFrom: Gordon <gordon@example.org>\nSent: Monday\n\nOne\n",
    "Yes!",
  ],
  ["a signature", "Yes!\n\n-- \nEli Vance\nBlack Mesa\n", "Yes!"],
  ["a signature without its blank", "Yes!\n--\nEli\n", "Yes!"],
  [
    "a long list behind two dashes",
    `Yes!\n--\n${"line\n".repeat(20)}`,
    `Yes!\n--\n${"line\n".repeat(20).trim()}`,
  ],
  [
    "answers between the lines",
    `On 3 Jan 2022, A wrote:\n> one?\n\nYes.\n\n> two?\n\nNo.\n`,
    "On 3 Jan 2022, A wrote:\n> one?\n\nYes.\n\n> two?\n\nNo.",
  ],
  ["answers above and below", `See below.\n\n> one?\n\nYes.\n`, "See below.\n\n> one?\n\nYes."],
  ["quotes alone", QUOTE, QUOTE.trim()],
  ["a signature alone", "-- \nEli\n", "-- \nEli"],
  [
    "a forwarded mail alone",
    "---------- Forwarded message ---------\nFrom: A <a@b>\nDate: Monday\n\nOne\n",
    "---------- Forwarded message ---------\nFrom: A <a@b>\nDate: Monday\n\nOne",
  ],
  [
    "somebody who tells of writing",
    "As I wrote:\nit works.\nShe wrote 3 letters: a, b and c.\n",
    "As I wrote:\nit works.\nShe wrote 3 letters: a, b and c.",
  ],
  [
    "a report with a field From",
    "From: the roof\nTo: the cellar\nAll well.\n",
    "From: the roof\nTo: the cellar\nAll well.",
  ],
  [
    "rules and headings",
    "Backup\n======\nok\n------\nSent 3 files\n",
    "Backup\n======\nok\n------\nSent 3 files",
  ],
];
for (const [name, mail, reply] of mails) {
  Deno.test(`replyTextOf() finds what is new in ${name}`, () => {
    assertEquals(replyTextOf(mail), reply);
  });
}

/** So long that what takes the square of it would never end. */
const LONG = 300_000;
const hostile: [name: string, text: string][] = [
  ["quotes", ">\n".repeat(LONG)],
  ["quotes and lines in turn", ">\nx\n".repeat(LONG)],
  ["attributions", "On 1 wrote:\n".repeat(LONG)],
  ["attributions without a beginning", "x 1\nx wrote 1:\n".repeat(LONG)],
  ["signatures", "-- \n".repeat(LONG)],
  ["phones", "Sent from my iPhone\n".repeat(LONG)],
  ["From fields", "From: x\n".repeat(LONG)],
  ["one line of blanks", `${" ".repeat(LONG)}wrote:`],
  ["one line of dashes", "-".repeat(LONG)],
  ["many lines of blanks and dashes", `${"-".repeat(290)}${" ".repeat(9)}\n`.repeat(LONG / 300)],
];
for (const [name, text] of hostile) {
  Deno.test(`replyTextOf() takes no longer than its text over ${name}`, () => {
    const start = performance.now();
    assert(replyTextOf(text).length <= text.length);
    const elapsedMs = performance.now() - start;
    assert(elapsedMs < 10_000, `it took ${elapsedMs} ms`);
  });
}
