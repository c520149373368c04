/**
 * What a template can do to a value before it is put anywhere: `{{subject | default "none" | cut 100}}`.
 * Each filter makes a text of a value, and says at start what is wrong with its arguments.
 */
import { cut, cutOctets } from "./cut.ts";
import { hmac } from "./hmac.ts";
import { isZone, letters, strftime, unknownLetter } from "./strftime.ts";
import { readDate, Timestamp } from "./timestamp.ts";
import { print } from "./value.ts";

/** An argument as it is written: a text in quotes or a number, or the name of a field. */
export type Argument = { readonly text: string } | { readonly name: string };

/** One filter. */
export interface Filter {
  /** How its arguments are written. */
  readonly usage: string;
  /** Whether it can be used with these. */
  readonly takes: (args: readonly Argument[]) => boolean;
  /** Makes the text; the arguments are the texts of those that it took. */
  readonly apply: (value: unknown, args: readonly string[]) => string;
  /** Whether the start of a text is all that matters to the start of what is made of it. */
  readonly isLocal?: true;
  /** Whether the first argument is how long the text is then at most. */
  readonly isCut?: true;
}

const none = (args: readonly Argument[]) => args.length === 0;

const length = (least: number) => ([first, ...others]: readonly Argument[]) =>
  others.length === 0 && isText(first, (text) => /^\d{1,9}$/.test(text) && Number(text) >= least);

function isText(argument: Argument | undefined, isSound: (text: string) => boolean): boolean {
  return argument !== undefined && "text" in argument && isSound(argument.text);
}

/** All filters by their names. */
export const filters = {
  cut: {
    isCut: true,
    usage: "a number of characters",
    takes: length(1),
    apply: (value, [most]) => cut(print(value), Number(most)),
  },
  bytes: {
    isCut: true,
    usage: "a number of bytes, at least 3",
    takes: length(3),
    apply: (value, [most]) => cutOctets(print(value), Number(most)),
  },
  default: {
    isLocal: true,
    usage: "a text in quotes or the name of a field",
    takes: (args) => args.length === 1,
    // A text of blanks is as good as none, to readers and to services.
    apply: (value, [instead]) => print(value).trim() === "" ? instead : print(value),
  },
  replace: {
    isLocal: true,
    usage: "two texts in quotes, the first of them not empty",
    takes: ([old, by, ...others]) =>
      isText(old, (text) => text !== "") && isText(by, () => true) && others.length === 0,
    apply: (value, [old, by]) => print(value).replaceAll(old, () => by),
  },
  upper: {
    isLocal: true,
    usage: "nothing",
    takes: none,
    apply: (value) => print(value).toUpperCase(),
  },
  lower: {
    isLocal: true,
    usage: "nothing",
    takes: none,
    apply: (value) => print(value).toLowerCase(),
  },
  date: {
    usage: `a form with % before the letters ${letters}, and a zone such as "Europe/Berlin"`,
    takes: ([form, zone, ...others]) =>
      isText(form, (text) => unknownLetter(text) === null) && others.length === 0 &&
      (zone === undefined || isText(zone, isZone)),
    apply: (value, [form, zone = "UTC"]) => {
      const moment = value instanceof Timestamp ? value : readDate(print(value));
      // What is no date is better seen than lost.
      return moment === null ? print(value) : strftime(moment.toDate(), form, zone);
    },
  },
  html: {
    isLocal: true,
    usage: "nothing",
    takes: none,
    apply: (value) => escapeHtml(print(value)),
  },
  plain: { isLocal: true, usage: "nothing", takes: none, apply: (value) => plain(print(value)) },
  markdown: {
    isLocal: true,
    usage: "nothing",
    takes: none,
    apply: (value) => escapeMarkdown(print(value)),
  },
  detail: { usage: "nothing", takes: none, apply: (value) => detailOf(print(value)) },
  hmac: {
    usage: "a key, and what is signed behind the value",
    takes: (args) => args.length === 1 || args.length === 2,
    apply: (value, [key, more = ""]) => hmac(key, print(value) + more),
  },
} as const satisfies Readonly<Record<string, Filter>>;

/** The name of a filter. */
export type FilterName = keyof typeof filters;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** For text between tags; the three that chats with HTML of their own know too. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>]/g, (char) => ENTITIES[char]);
}

/** What begins or ends a form of Markdown (CommonMark 0.31, and the chats that have their own). */
const MARKS = /[\\`*_~|[\]]/g;

/** What is one at the beginning of a line only: headings, quotes, lists, rules. */
const LINE_MARKS = /^([ \t]*)(?:([#>+-])|(\d{1,9})([.)])|(?==))/gm;

/**
 * What calls people, `@channel`, but not `root@host`; and what chats make links, times and tags of, which no
 * backslash stops. Mattermost takes off dots and dashes before an `@`, so that only a letter protects.
 */
const MENTIONS = /(?<![\p{L}\p{N}])@(?=\S)|<(?=[@#!:/\w]|$)/gu;

/** Addresses of the web, as far as chats take them for that. */
const URLS = /(https?:\/\/[a-z0-9][^\s<>"'`|\\[\]]*)/i;

/** Nothing that is seen, but parts what would mean something together. */
const ZERO_WIDTH_SPACE = "\u200b";

/** Leaves addresses of the web as they are: chats make links of them, with all backslashes in them. */
function escapeMarkdown(text: string): string {
  const pieces = text.split(URLS).map((piece, index) =>
    index % 2 === 1 ? piece.replace(/(?<![a-z0-9])@/gi, "%40") : piece.replace(MARKS, "\\$&")
      .replace(MENTIONS, `$&${ZERO_WIDTH_SPACE}`)
  );
  return pieces.join("").replace(LINE_MARKS, (_, blanks, mark, number, end) => {
    if (mark !== undefined) return `${blanks}\\${mark}`;
    return number === undefined ? blanks + ZERO_WIDTH_SPACE : `${blanks}${number}\\${end}`;
  });
}

/** What colours a terminal or moves its cursor (ECMA-48 section 5.4): cron mails are full of it. */
// deno-lint-ignore no-control-regex
const TERMINAL = /\x1b\[[0-?]*[ -/]*[@-~]/g;

/** What is no text: control characters but for the line end, and noncharacters. */
const UNPRINTABLE = /[^\P{Cc}\n]|\p{Cs}|\p{Noncharacter_Code_Point}/gu;

/** What chats see in text without any markup: who is called, and where a block of code ends. */
const CALLS = /(?<![\w.+-])@(?=[\w*])|^(?=[ ]*(?:```|~~~))/gm;

/** Text and nothing else, without blank lines around it. */
function plain(text: string): string {
  return text.replace(TERMINAL, "").replaceAll("\t", " ").replace(UNPRINTABLE, "")
    .trimEnd().replace(/^\s*\n/, "").replace(CALLS, `$&${ZERO_WIDTH_SPACE}`);
}

/** The subaddress of an address (RFC 5233): what stands behind the first `+` of its local part. */
function detailOf(address: string): string {
  const localPart = address.slice(0, Math.max(0, address.lastIndexOf("@")));
  const plus = localPart.indexOf("+");
  return plus === -1 ? "" : localPart.slice(plus + 1);
}
