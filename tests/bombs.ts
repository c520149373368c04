/** Messages that are made to keep a reader busy, each of at most 10 MB. */

const MB = 1_000_000;

/** `piece` as often as it takes to fill `size`. */
const fill = (piece: string, size: number) => piece.repeat(Math.floor(size / piece.length));

const MIXED = "Subject: bomb\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
const UTF_7 = "Content-Type: text/plain; charset=utf-7\r\n\r\n";
const HTML = "Subject: bomb\r\nContent-Type: text/html\r\n\r\n";

/** Multiparts within each other. */
function nested(depth: number): string {
  const level = (_: unknown, depth: number) =>
    `Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n--b${depth}\r\n`;
  return `Subject: bomb\r\n${Array.from({ length: depth }, level).join("")}\r\nhello\r\n`;
}

/** A message, what its body begins with, and its warnings. */
export type Bomb = readonly [message: string, body: RegExp, ...warnings: RegExp[]];

const LONG_HEADER = /^The header is too long, only the start of it was read$/;
const MANY_PARTS = /^The message has too many parts, only the first 500 were read$/;
const NO_PART = /^The message has no part that could be found, its body is as received$/;
const LONG_UTF_7 = /^The text is too long to be read as UTF-7, read as UTF-8$/;
const LONG_NAMES = /^The names of attachments are too long to be decoded$/;
const LONG_HEADERS = /^The headers of the parts are too long, only the first parts were read$/;
const WORDS_ALONE = /^The HTML is too long or too deeply nested, only its words were read$/;

/** By what they are made of. */
export const bombs: Readonly<Record<string, Bomb>> = {
  "5,000 header fields": [
    `Subject: bomb\r\n${"X-Y: z\r\n".repeat(5_000)}\r\nhello\r\n`,
    /^hello\n$/,
    LONG_HEADER,
  ],
  "a header of 10 MB": [
    `Subject: bomb\r\nX: ${fill("long ", 9.9 * MB)}\r\n\r\nhello\r\n`,
    /^hello\n$/,
    LONG_HEADER,
  ],
  "a header of 10 MB of fields": [
    `Subject: bomb\r\n${fill("a:\r\n", 9.9 * MB)}\r\nhello\r\n`,
    /^hello\n$/,
    LONG_HEADER,
  ],
  "1,000 multiparts within each other": [
    nested(1_000),
    /^--b0\n/,
    MANY_PARTS,
    NO_PART,
  ],
  "multiparts within each other, 10 MB of them": [
    nested(150_000),
    /^--b0\n/,
    MANY_PARTS,
    NO_PART,
  ],
  "a million parts": [
    // Those that are read are empty.
    MIXED + "--b\r\n\r\n\r\n".repeat(1_000_000),
    /^--b\n/,
    MANY_PARTS,
    NO_PART,
  ],
  "a million parts of a character": [
    MIXED + "--b\n\nx\n".repeat(1_000_000),
    /^(?:x\n){498}x$/,
    MANY_PARTS,
  ],
  "parts without a header": [
    MIXED + fill("--b\r\n", 9.9 * MB),
    /^--b\n--b\n/,
    MANY_PARTS,
    NO_PART,
  ],
  "5 MB of line feeds": [`Subject: bomb\n\n${fill("\n", 5 * MB)}`, /^\n+$/],
  "5 MB of carriage returns": [`Subject: bomb\n\n${fill("\r", 5 * MB)}`, /^\n+$/],
  "4 MB of line ends in a part": [
    `${MIXED}--b\r\n\r\n${fill("\r\n", 4 * MB)}\r\n--b--\r\n`,
    /^\n+$/,
  ],
  "10 MB of HTML": [HTML + fill("<p>hello</p>", 9.9 * MB), /^hello\nhello\n/, WORDS_ALONE],
  "10 MB of tags within each other": [HTML + fill("<b>", 9.9 * MB) + "x", /^/, WORDS_ALONE],
  "half a MB of list items": [HTML + fill("<li>x", 0.5 * MB), /^x/],
  "quotes within quotes": [
    `${HTML}${"<blockquote>".repeat(400)}${"<br>x".repeat(100_000)}`,
    /^x\nx\n/,
    WORDS_ALONE,
  ],
  "10 MB of tags that never end": [HTML + fill("<", 9.9 * MB), /^<+$/, WORDS_ALONE],
  "10 MB in quoted-printable": [
    "Subject: bomb\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + fill("=41", 9.9 * MB),
    /^A+$/,
  ],
  "10 MB of UTF-7": [`Subject: bomb\r\n${UTF_7}${fill("+AOQ-", 9.9 * MB)}`, /^\+AOQ-/, LONG_UTF_7],
  "10 MB of UTF-7 as IMAP has it": [
    `Subject: bomb\r\n${UTF_7.replace("7", "7-imap")}${fill("&A-", 9.9 * MB)}`,
    /^&A-&A-/,
    LONG_UTF_7,
  ],
  "10 MB of UTF-7 in 400 parts": [
    MIXED + `--b\r\n${UTF_7}${"+AOQ-".repeat(5_000)}\r\n`.repeat(400),
    /^ä+$/,
    LONG_UTF_7,
  ],
  "10 MB of UTF-7 in the names of attachments": [
    MIXED + [
      `--b\r\n\r\nhello\r\n`,
      `--b\r\nContent-Type: a/b; name="=?utf-7?Q?${"+A-".repeat(200_000)}?="\r\n\r\n`.repeat(8),
      `--b\r\nContent-Type: a/b; name*=utf-7''${"+A-".repeat(200_000)}\r\n\r\n`.repeat(8),
    ].join(""),
    /^hello$/,
    LONG_NAMES,
    LONG_HEADERS,
  ],
  "10 MB of flowed lines": [
    "Subject: bomb\r\nContent-Type: text/plain; format=flowed\r\n\r\n" + fill("a \r\n", 9.9 * MB),
    /^a \na \n/,
  ],
  "words in 20,000 character sets": [
    `Subject: bomb\r\nX: ${
      Array.from({ length: 20_000 }, (_, n) => `=?x${n}?Q?a?=`).join(" ")
    }\r\n\r\nhello\r\n`,
    /^hello\n$/,
    LONG_HEADER,
    ...Array.from({ length: 49 }, (_, n) => new RegExp(`unknown character set "x${n}"`)),
    /^There are 1 more warnings$/,
  ],
};
