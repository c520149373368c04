/**
 * Two messages to try templates on: a rich one, with all that tends to break a template, and a bare
 * one, which lacks all that a message can lack. `smtp-pigeon test` sends the rich one.
 *
 * What mailparser would make of them is written out here, so that a server need not load it to start;
 * a test compares.
 */
import { type File, nothing } from "./content.ts";
import type { Surroundings, TemplateContext } from "./context.ts";
import { sectionsOf } from "./header.ts";
import type { Mail } from "./mail.ts";
import { assemble } from "./message.ts";

const TEXT = `It's a "sample": back\\slash, <tag> & ümläut.\nSecond line.\n`;
const HTML = `<p>It's a "sample": back\\slash, &lt;tag&gt; &amp; ümläut.<br>Second line.</p>\n`;

const RICH = `From: "Gordon Freeman" <gordon@example.org>
To: Eli Vance <eli@example.net>, Isaac Kleiner <isaac@example.net>
Cc: barney@example.com
Reply-To: Gordon <reply@example.org>
Subject: smtp-pigeon sample: "quotes", back\\slash, <tag> & ümläut
Date: Sat, 01 Jan 2022 10:10:19 +0000
Message-ID: <sample@example.org>
In-Reply-To: <earlier@example.org>
References: <earliest@example.org> <earlier@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=mixed

--mixed
Content-Type: multipart/alternative; boundary=alternative

--alternative
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

${TEXT}
--alternative
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

${HTML}
--alternative--

--mixed
Content-Type: text/csv; name="report.csv"
Content-Disposition: attachment; filename="report.csv"

a,b
1,2
--mixed
Content-Type: image/gif
Content-Disposition: inline; filename="dot.gif"
Content-ID: <dot@example.org>
Content-Transfer-Encoding: base64

R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7
--mixed--
`;

const octets = (text: string) => new TextEncoder().encode(text.replaceAll("\n", "\r\n"));

const CLIENT = { address: "127.0.0.1", port: 49152, hostname: "localhost", tls: false, user: null };

/** The rich message as it would arrive. */
export function sampleMail(id: string, receivedAt: Date): Mail {
  return {
    id,
    receivedAt,
    client: CLIENT,
    envelope: {
      reversePath: { localPart: "gordon", domain: "example.org" },
      forwardPaths: [
        { localPart: "eli", domain: "example.net" },
        { localPart: "isaac", domain: "example.net" },
      ],
    },
    data: octets(RICH),
  };
}

function bareMail(id: string, receivedAt: Date): Mail {
  return {
    id,
    receivedAt,
    client: { ...CLIENT, hostname: null },
    envelope: { reversePath: null, forwardPaths: [{ localPart: "root", domain: null }] },
    data: new Uint8Array(0),
  };
}

const ATTACHMENTS: readonly File[] = [{
  filename: "report.csv",
  contentType: "text/csv",
  size: 8,
  contentId: "",
  disposition: "attachment",
  checksum: "a64a34aacbdacd17c0c52c867be14c6b9dab76b5e7348392eb829431fbba3a33",
  content: "YSxiDQoxLDI=",
}, {
  filename: "dot.gif",
  contentType: "image/gif",
  size: 42,
  contentId: "dot@example.org",
  disposition: "inline",
  checksum: "ef1955ae757c8b966c83248350331bd3a30f658ced11f387f8ebf05ab3368629",
  content: "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
}];

/** The contexts of the rich and the bare message. */
export function sampleContexts(surroundings: Surroundings): [TemplateContext, TemplateContext] {
  // Nothing that differs from message to message is the same in both.
  const rich = sampleMail("017e1506-9120-7000-8000-000000000000", new Date("2022-01-01T10:10:20Z"));
  const bare = bareMail("017e1506-a0c0-7fff-bfff-ffffffffffff", new Date("2022-01-01T10:10:24Z"));
  const { fields, body, warnings } = sectionsOf(rich.data);
  return [
    assemble(rich, body, {
      headers: fields,
      body: TEXT,
      text: TEXT,
      html: HTML,
      replyText: TEXT.trim(),
      from: [{ name: "Gordon Freeman", address: "gordon@example.org" }],
      to: [
        { name: "Eli Vance", address: "eli@example.net" },
        { name: "Isaac Kleiner", address: "isaac@example.net" },
      ],
      cc: [{ name: "", address: "barney@example.com" }],
      bcc: [],
      replyTo: [{ name: "Gordon", address: "reply@example.org" }],
      attachments: ATTACHMENTS,
      warnings,
    }, surroundings),
    assemble(bare, bare.data, nothing, surroundings),
  ];
}
