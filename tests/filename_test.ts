/** Names of attachments. */
import { distinct, filenameOf } from "../lib/filename.ts";
import { assert, assertEquals } from "./assert.ts";

const extensionOf = (type: string) =>
  ({ "image/png": "png", "a/b": "../x", "a/c": "" })[type] ?? "bin";

const names: [given: string, name: string][] = [
  ["report.pdf", "report.pdf"],
  ["Ünïcödé 漢字 😀.txt", "Ünïcödé 漢字 😀.txt"],
  ["/etc/passwd", "passwd"],
  ["..\\..\\boot.ini", "boot.ini"],
  ["C:\\Users\\me\\a.doc", "a.doc"],
  ["C:a.doc", "C_a.doc"],
  ["a/b\\c", "c"],
  ["a.txt:stream", "a.txt_stream"],
  ['<a>|"b"?*.txt', "_a___b___.txt"],
  ["a\r\nb\0\x1b.txt", "ab.txt"],
  ["invoice\u202egpj.exe", "invoicegpj.exe"],
  ["\u2066a\u2069\u200e.txt", "a.txt"],
  ["  a .txt . ", "a .txt"],
  [".htaccess", ".htaccess"],
  ["con", "_con"],
  ["NUL.txt", "_NUL.txt"],
  ["lpt1.tar.gz", "_lpt1.tar.gz"],
  ["console.log", "console.log"],
  ["\ud800.txt", "\ufffd.txt"],
  ["a".repeat(300) + ".pdf", "a".repeat(251) + ".pdf"],
  ["ä".repeat(200) + ".pdf", "ä".repeat(125) + ".pdf"],
  ["a." + "b".repeat(300), "a." + "b".repeat(253)],
  // Nothing is left of these.
  ...["", " ", ".", "..", "...", "/", "a/", "..\\", "\u202e", "\0"].map((given) =>
    [given, "attachment.bin"] as [string, string]
  ),
];
for (const [given, name] of names) {
  Deno.test(`filenameOf() makes ${JSON.stringify(name).slice(0, 40)} of ${JSON.stringify(given).slice(0, 40)}`, () => {
    assertEquals(filenameOf(given, "application/octet-stream", extensionOf), name);
  });
}

const types: [contentType: string, name: string][] = [
  ["message/rfc822", "message.eml"],
  ["text/calendar", "calendar.ics"],
  ["application/pgp-signature", "signature.asc"],
  ["application/pkcs7-signature", "smime.p7s"],
  ["application/x-pkcs7-mime", "smime.p7m"],
  ["application/ms-tnef", "winmail.dat"],
  ["image/png", "attachment.png"],
  ["x/unknown", "attachment.bin"],
  ["a/b", "attachment.x"],
  ["a/c", "attachment.bin"],
];
for (const [contentType, name] of types) {
  Deno.test(`filenameOf() calls a part in ${contentType} without a name ${name}`, () => {
    assertEquals(filenameOf("", contentType, extensionOf), name);
    assertEquals(filenameOf("given.txt", contentType, extensionOf), "given.txt");
  });
}

Deno.test("distinct() numbers names that come again, in any case", () => {
  assertEquals(distinct(["a.png", "A.PNG", "b", "a.png", "b", ".c", ".c", "a-2.png"]), [
    ...["a.png", "A-2.PNG", "b", "a-3.png", "b-2", ".c", ".c-2", "a-2-2.png"],
  ]);
  assertEquals(distinct(["x.tar.gz", "x.tar.gz"]), ["x.tar.gz", "x.tar-2.gz"]);
});

Deno.test("distinct() leaves room for the number in names that are as long as can be", () => {
  const name = `${"a".repeat(251)}.png`;
  assertEquals(distinct([name, name]), [name, `${"a".repeat(249)}-2.png`]);
});

Deno.test("distinct() takes no longer than it must for many of the same name", () => {
  const names = distinct(Array<string>(500).fill("a.png"));
  assert(new Set(names).size === 500 && names[499] === "a-500.png");
});
