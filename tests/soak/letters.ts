/**
 * Messages to soak with, made of chance: what people and programs send, what is hard to read, and what
 * tries to be two messages. Each holds its token, so that no two are of the same octets.
 */
import type { Chance } from "./chance.ts";

/** Makes a message; lines end with CRLF unless the message is about line ends. */
export type Letter = (token: string, chance: Chance) => string;

const header = (token: string, ...fields: string[]) =>
  [
    `From: Søren <${token}@soak.example>`,
    "To: b@soak.example",
    `Subject: ${token} =?UTF-8?Q?gr=C3=BC=C3=9Fe?=`,
    `Message-ID: <${token}@soak.example>`,
    ...fields,
    "",
    "",
  ].join("\r\n");

const WORDS = [
  "mail",
  "Größe",
  ".",
  "..",
  ".dot",
  "naïve",
  "<b>",
  '"',
  "\\",
  "日本",
  "=3D",
  "From ",
];

function lines(octets: number, chance: Chance): string {
  // Long texts repeat themselves: what matters is how much there is.
  const page = Array.from(
    { length: 40 },
    () =>
      Array.from({ length: chance.between(0, 12) }, () => chance.pick(WORDS)).join(" ") + "\r\n",
  );
  const text = page.join("");
  return text.repeat(Math.ceil(octets / text.length)).slice(0, octets) + "\r\n";
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function base64(octets: number, chance: Chance): string {
  const letters = Array.from({ length: 76 }, () => chance.pick([...BASE64])).join("");
  return `${letters}\r\n`.repeat(Math.ceil(octets / 78));
}

function multipart(kind: string, parts: readonly string[]): string {
  return `Content-Type: multipart/${kind}; boundary="=${kind}"\r\n\r\n` +
    parts.map((part) => `--=${kind}\r\n${part}\r\n`).join("") + `--=${kind}--\r\n`;
}

/** A few lines of text, 200 octets to 20 KB. */
export const text: Letter = (token, chance) =>
  header(token, "Content-Type: text/plain; charset=utf-8") + lines(chance.size(40, 20_000), chance);

/** As little as there can be; ASCII only, so that each character is one octet. */
export const note: Letter = (token, chance) =>
  `Subject: ${token}\r\n\r\n.\r\n..\r\n${".a\r\n".repeat(chance.between(1, 60))}`;

/** What a mail program makes: text, HTML, and sometimes a file or two. */
export const rich: Letter = (token, chance) => {
  const html = `<p>${lines(chance.size(40, 40_000), chance)}</p>`;
  const body = multipart("alternative", [
    `Content-Type: text/plain; charset=utf-8\r\n\r\n${lines(chance.size(40, 20_000), chance)}`,
    `Content-Type: text/html; charset=utf-8\r\n\r\n${html}`,
  ]);
  const file = (name: string) =>
    `Content-Type: application/octet-stream; name="${name}"\r\nContent-Transfer-Encoding: base64\r\n` +
    `\r\n${base64(chance.size(100, 100_000), chance)}`;
  const files = ["a.bin", "b ü.bin"].slice(0, chance.between(0, 2)).map(file);
  return header(token, "MIME-Version: 1.0").slice(0, -2) + multipart("mixed", [body, ...files]);
};

/** A scan or a film: one file of 100 KB to 3 MB. */
export const big: Letter = (token, chance) =>
  header(token, "MIME-Version: 1.0").slice(0, -2) + multipart("mixed", [
    "\r\nsee attachment",
    "Content-Type: application/pdf; name=scan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
    base64(chance.between(100_000, 3_000_000), chance),
  ]);

/** Messages that take long to read, or much to keep. None is big. */
export const bomb: Letter = (token, chance) => {
  const bombs: (() => string)[] = [
    () => header(token, ...Array.from({ length: 5_000 }, (_, i) => `X-${i}: ${i}`)) + "x\r\n",
    () => header(token, `X-Long: ${"=?utf-8?Q?a?= ".repeat(10_000)}`) + "x\r\n",
    () => header(token, `To: ${"a@b.example, ".repeat(5_000)}c@d.example`) + "x\r\n",
    () => {
      const depth = chance.between(100, 500);
      const opening = (i: number) =>
        `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`;
      return header(token, "MIME-Version: 1.0").slice(0, -2) +
        Array.from({ length: depth }, (_, i) => opening(i)).join("") + "\r\nx\r\n";
    },
    () =>
      header(token, "MIME-Version: 1.0").slice(0, -2) +
      multipart("mixed", Array<string>(chance.between(500, 5_000)).fill("\r\nx")),
    () =>
      header(token, "Content-Type: text/html") + "<div>".repeat(chance.between(1_000, 20_000)) +
      "x\r\n",
    () => header(token, "Content-Type: text/html") + "&lt;".repeat(50_000) + "\r\n",
    () =>
      header(token, "Content-Transfer-Encoding: quoted-printable") + " ".repeat(200_000) + "x\r\n",
    () => header(token) + "\n".repeat(200_000) + "x\r\n",
    () => header(token) + "\r".repeat(200_000) + "x\r\n",
  ];
  return chance.pick(bombs)();
};

/** What some server has taken for the end of data, or could (CVE-2023-51764 to 51766). */
const FALSE_ENDS = [
  "\n.\n",
  "\n.\r\n",
  "\r\n.\n",
  "\r\n.\r",
  "\r.\r",
  "\r.\r\n",
  "\r.\n",
  "\n.\r",
  "\0\r\n.\0\r\n",
  "\r\n\0.\r\n",
  "\r\n.\0\n",
  "\r\r\n.\r\r\n",
];

/** A message with others in it, behind ends that are none. Its dots are stuffed for CRLF only. */
export const smuggler: Letter = (token, chance) => {
  const inner = "MAIL FROM:<smuggled@soak.example>\r\nRCPT TO:<b@soak.example>\r\nDATA\r\n" +
    `Subject: smuggled by ${token}\r\n\r\nx`;
  const ends = Array.from({ length: chance.between(1, 6) }, () => chance.pick(FALSE_ENDS));
  return header(token) + "x" + ends.map((end) => end + inner).join("") + "\r\n";
};
