/**
 * What somebody wrote anew in an answer: its text without the earlier mail that mail programs quote below
 * (or above) it, and without a signature. Nothing standardises that, so this is what is common: `>` before
 * lines (RFC 3676 section 4.5) under a line such as "On Monday, Gordon wrote:", the header block of
 * Outlook, and "-- " before a signature (RFC 3676 section 4.3).
 *
 * Each line is looked at a few times, however many there are.
 */

/** Characters of a line that can be one of these; longer ones are what somebody wrote. */
const MAX_LENGTH = 300;

/** Gives the text that is new; where nothing would be left, or it is woven into the old, all of it. */
export function replyTextOf(text: string): string {
  const lines = text.split("\n");
  const before = lines.slice(0, earlierMail(lines));
  const reply = withoutSignature(withoutQuotes(before)).join("\n").trim();
  return reply === "" ? text.trim() : reply;
}

const isBlank = (line: string) => line.trim() === "";
const isQuoted = (line: string) => line.startsWith(">");
const isMatch = (line: string | undefined, pattern: RegExp) =>
  line !== undefined && line.length <= MAX_LENGTH && pattern.test(line);

/** One of several words or phrases, as mail programs have them in many languages. */
const oneOf = (...words: readonly string[]) => `(?:${words.join("|").replace(/[().]/g, "\\$&")})`;

/** A line that says that an earlier mail begins. */
const SEPARATOR = new RegExp(
  `^\\s*-{3,}\\s*${
    oneOf(
      ...["original message", "original appointment", "forwarded message"],
      ...["ursprüngliche nachricht", "weitergeleitete nachricht", "message d'origine"],
      ...["message original", "mensaje original", "messaggio originale", "mensagem original"],
      ...["oorspronkelijk bericht", "oprindelig meddelelse", "ursprungligt meddelande"],
      ...["opprinnelig melding", "wiadomość oryginalna", "původní zpráva"],
      ...["исходное сообщение", "原始邮件", "元のメッセージ", "원본 메시지"],
    )
  }\\s*-{3,}\\s*$`,
  "i",
);

/** The fields of the block that Outlook puts before an earlier mail. */
const FROM = new RegExp(
  `^\\*?${
    oneOf(
      ...["from", "von", "de", "da", "van", "från", "fra", "lähettäjä", "od", "от"],
      ...["发件人", "差出人", "보낸 사람"],
    )
  }\\s?[:：]\\*?\\s*\\S`,
  "i",
);
const SENT = new RegExp(
  `^\\*?${
    oneOf(
      ...["sent", "date", "gesendet", "datum", "envoyé", "enviado", "enviado el", "fecha"],
      ...["inviato", "data", "enviada", "enviada em", "verzonden", "skickat", "sendt", "dato"],
      ...["lähetetty", "wysłano", "odesláno", "отправлено", "дата"],
      ...["发送时间", "日期", "送信日時", "보낸 날짜"],
    )
  }\\s?[:：]`,
  "i",
);

/** How many lines below From the other field is at most: an address may be wrapped. */
const BLOCK = 4;

/** The line at which an earlier mail begins that is not quoted line by line; the number of lines without. */
function earlierMail(lines: readonly string[]): number {
  for (let at = 0; at < lines.length; at++) {
    const isBlock = isMatch(lines[at], FROM) &&
      lines.slice(at + 1, at + 1 + BLOCK).some((line) => isMatch(line, SENT));
    if (isBlock || isMatch(lines[at], SEPARATOR)) return isRule(lines[at - 1]) ? at - 1 : at;
    const start = attributionStart(lines, at);
    if (start !== null && !isQuoted(nextText(lines, at + 1))) return start;
  }
  return lines.length;
}

/** The line of underscores that Outlook puts before its block. */
const isRule = (line: string | undefined) => isMatch(line, /^_{10,}\s*$/);

/** The next line that is not blank; behind the last one there is nothing to tell. */
function nextText(lines: readonly string[], from: number): string {
  return lines.slice(from, from + BLOCK).find((line) => !isBlank(line)) ?? ">";
}

/** How a line begins such as "On Monday, 3 January, Gordon wrote:". */
const STARTER = new RegExp(
  `^\\s*(?:${
    oneOf("on", "am", "le", "el", "il", "em", "op", "den", "dnia", "w dniu", "dne", "在")
  }\\s|\\p{L}{2,4}(?:\\.,?|,)\\s|\\d)`,
  "iu",
);

/** How it ends. */
const WROTE = new RegExp(
  `[\\s,>)\\]]${
    oneOf(
      ...["wrote", "schrieb", "a écrit", "escribió", "ha scritto", "escreveu", "schreef"],
      ...["skrev", "kirjoitti", "napisał", "napisał(a)", "pisze", "napsal", "napsal(a)"],
      ...["пишет", "написал", "написал(а)", "пише", "írta", "yazdı"],
      ...["写道", "のメッセージ", "작성"],
    )
  }(?=[\\s:：])[^:：]*[:：]\\s*$`,
  "iu",
);

/** Its last character, also as it is wide in East Asia. */
const COLON = new RegExp("[:：]\\s*$");

/** Lines over which it is wrapped at most. */
const WRAPPED = 3;

/** The line in which such a sentence begins that ends in this one; null where none does. */
function attributionStart(lines: readonly string[], end: number): number | null {
  if (!isMatch(lines[end], COLON)) return null;
  for (let start = end; start >= 0 && start > end - WRAPPED; start--) {
    if (isBlank(lines[start]) || isQuoted(lines[start])) return null;
    const whole = lines.slice(start, end + 1).join(" ").replaceAll(">\u306e", "> \u306e");
    // It tells of a date or an address.
    if (isMatch(whole, STARTER) && isMatch(whole, WROTE) && /[\d@]/.test(whole)) return start;
  }
  return null;
}

/** Without the lines that are quoted, if all of them stand together above or below the rest. */
function withoutQuotes(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex(isQuoted);
  if (first === -1) return lines;
  const last = lines.findLastIndex(isQuoted);
  // An answer between the lines means nothing without them.
  if (lines.slice(first, last).some((line) => !isQuoted(line) && !isBlank(line))) return lines;
  const said = lines.slice(0, first).findLastIndex((line) => !isBlank(line));
  const above = lines.slice(0, attributionStart(lines, said) ?? first);
  const below = lines.slice(last + 1);
  const isNew = (lines: readonly string[]) => !withoutSignature(lines).every(isBlank);
  return isNew(above) && isNew(below) ? lines : isNew(below) ? below : above;
}

/** Lines of a signature at most: what is longer is no signature. */
const SIGNATURE = 12;

/** What telephones and their programs put below. */
const SENT_FROM = new RegExp(
  `^(?:${
    oneOf(
      ...["sent from my", "sent from mail", "sent from yahoo", "sent from outlook", "sent with"],
      ...["get outlook for", "gesendet mit", "gesendet von", "envoyé de", "envoyé depuis"],
      ...["enviado desde", "inviato da", "enviado do", "verzonden vanaf", "verstuurd vanaf"],
      ...["skickat från", "sendt fra", "wysłane z", "отправлено с"],
    )
  }|von meinem .{1,40} gesendet)(?=\\s|$)`,
  "iu",
);

/** Without the lines behind "-- ", and the line of a telephone. */
function withoutSignature(lines: readonly string[]): readonly string[] {
  const written = (end: number) => lines.slice(0, end).findLastIndex((line) => !isBlank(line)) + 1;
  const end = written(lines.length);
  const dashes = lines.slice(0, end).findLastIndex((line) => /^-- ?$/.test(line));
  const isSignature = dashes !== -1 && end - dashes <= SIGNATURE + 1;
  const rest = isSignature ? written(dashes) : end;
  const isSent = rest > 0 && isMatch(lines[rest - 1], SENT_FROM);
  return isSignature || isSent ? lines.slice(0, isSent ? rest - 1 : rest) : lines;
}
