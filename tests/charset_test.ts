/**
 * Every label of the WHATWG Encoding Standard (https://encoding.spec.whatwg.org/#names-and-labels), in the
 * text of a message, in words of its header and in the name of a file.
 */
import { sampleMail } from "../lib/sample.ts";
import { read } from "../lib/message.ts";
import { assert, assertEquals } from "./assert.ts";

/** An encoding, a text in it as hexadecimal octets, that text, and all labels of the encoding. */
const encodings: [name: string, octets: string, text: string, labels: string][] = [
  ["Big5", "bacf", "磁", "big5 big5-hkscs cn-big5 csbig5 x-x-big5"],
  ["EUC-JP", "a5c7", "デ", "cseucpkdfmtjapanese euc-jp x-euc-jp"],
  [
    "EUC-KR",
    "b0a1",
    "가",
    "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949",
  ],
  ["gb18030", "b4c5", "磁", "gb18030"],
  [
    "GBK",
    "b4c5",
    "磁",
    "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk",
  ],
  ["IBM866", "8f", "П", "866 cp866 csibm866 ibm866"],
  ["ISO-2022-JP", "1b2442254725231b2842", "ディ", "csiso2022jp iso-2022-jp"],
  ["ISO-8859-10", "fe", "þ", "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6"],
  ["ISO-8859-13", "e0", "ą", "iso-8859-13 iso8859-13 iso885913"],
  ["ISO-8859-14", "f0", "ŵ", "iso-8859-14 iso8859-14 iso885914"],
  ["ISO-8859-15", "a4", "€", "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9"],
  ["ISO-8859-16", "e3", "ă", "iso-8859-16"],
  [
    "ISO-8859-2",
    "b3",
    "ł",
    "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
  ],
  [
    "ISO-8859-3",
    "e6",
    "ĉ",
    "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
  ],
  [
    "ISO-8859-4",
    "e6",
    "æ",
    "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
  ],
  [
    "ISO-8859-5",
    "bf",
    "П",
    "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
  ],
  [
    "ISO-8859-6",
    "c7",
    "ا",
    "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
  ],
  [
    "ISO-8859-7",
    "e1",
    "α",
    "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek",
  ],
  [
    "ISO-8859-8",
    "e0",
    "א",
    "csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 visual",
  ],
  ["ISO-8859-8-I", "e0", "א", "csiso88598i iso-8859-8-i logical"],
  ["KOI8-R", "f0", "П", "cskoi8r koi koi8 koi8-r koi8_r"],
  ["KOI8-U", "a4", "є", "koi8-ru koi8-u"],
  ["macintosh", "8e", "é", "csmacintosh mac macintosh x-mac-roman"],
  [
    "replacement",
    "e9",
    "é",
    "csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement",
  ],
  [
    "Shift_JIS",
    "8366",
    "デ",
    "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
  ],
  ["UTF-16BE", "00e9", "é", "unicodefffe utf-16be"],
  ["UTF-16LE", "e900", "é", "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le"],
  [
    "UTF-8",
    "c3a9",
    "é",
    "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
  ],
  ["windows-1250", "9a", "š", "cp1250 windows-1250 x-cp1250"],
  ["windows-1251", "cf", "П", "cp1251 windows-1251 x-cp1251"],
  [
    "windows-1252",
    "e9",
    "é",
    "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252",
  ],
  ["windows-1253", "e1", "α", "cp1253 windows-1253 x-cp1253"],
  [
    "windows-1254",
    "fd",
    "ı",
    "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 windows-1254 x-cp1254",
  ],
  ["windows-1255", "e0", "א", "cp1255 windows-1255 x-cp1255"],
  ["windows-1256", "c7", "ا", "cp1256 windows-1256 x-cp1256"],
  ["windows-1257", "f0", "š", "cp1257 windows-1257 x-cp1257"],
  ["windows-1258", "f0", "đ", "cp1258 windows-1258 x-cp1258"],
  ["windows-874", "a1", "ก", "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874"],
  ["x-mac-cyrillic", "8f", "П", "x-mac-cyrillic x-mac-ukrainian"],
  ["x-user-defined", "e9", "é", "x-user-defined"],
];

/** What nobody reads as the standard has it: one decodes nothing, the other to no letters. */
const UNREAD = ["replacement", "x-user-defined"];

/** What has no such letters, so that whoever claims it is doubted. */
const WITHOUT_LETTERS = ["ascii", "us-ascii"];

/**
 * What the standard says of UTF-16 without an order of its octets; messages that do not tell by a mark are
 * big-endian (RFC 2781 section 4.3).
 */
const UNORDERED = ["unicode", "ucs-2", "utf-16"];

async function contextOf(label: string, octets: Uint8Array) {
  const base64 = octets.toBase64();
  const percent = Array.from(octets, (octet) => `%${octet.toString(16).padStart(2, "0")}`).join("");
  const data = new TextEncoder().encode(
    `Subject: =?${label}?B?${base64}?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
      `--b\r\nContent-Type: text/plain; charset="${label}"\r\n` +
      `Content-Transfer-Encoding: base64\r\n\r\n${base64}\r\n` +
      `--b\r\nContent-Type: text/csv\r\n` +
      `Content-Disposition: attachment; filename*=${label}''${percent}\r\n\r\nx\r\n--b--\r\n`,
  );
  return await read({ ...sampleMail("1", new Date(0)), data }, {
    ...{ version: "1", hostname: () => "", env: () => undefined, vars: {} },
  });
}

for (const [name, hexadecimal, text, labels] of encodings) {
  Deno.test(`read() reads ${name} by each of its labels`, async () => {
    for (const label of labels.split(" ")) {
      const octets = Uint8Array.fromHex(hexadecimal);
      const isSwapped = UNORDERED.includes(label);
      const { subject, body, attachments, warnings } = await contextOf(
        label,
        isSwapped ? octets.reverse() : octets,
      );
      assertEquals([label, subject, body], [label, text, text]);
      assertEquals([label, attachments.map(({ filename }) => filename)], [label, [text]]);
      assertEquals([label, warnings.length > 0], [
        label,
        UNREAD.includes(name) || WITHOUT_LETTERS.includes(label),
      ]);
    }
  });
}

Deno.test("read() knows all encodings of the standard", () => {
  const labels = encodings.flatMap(([, , , labels]) => labels.split(" "));
  assert(
    encodings.length === 40 && new Set(labels).size === labels.length && labels.length === 228,
  );
});

const spelled: [label: string, octets: number[], text: string][] = [
  ["windows_1250", [0x9a], "š"],
  ["x-windows-1250", [0x9a], "š"],
  ["big-5", [0xba, 0xcf], "磁"],
  ["utf-8//translit", [0xc3, 0xa9], "é"],
];
for (const [label, octets, text] of spelled) {
  Deno.test(`read() knows what ${label} means`, async () => {
    const { body, warnings } = await contextOf(label, Uint8Array.from(octets));
    assertEquals([body, warnings], [text, []]);
  });
}
