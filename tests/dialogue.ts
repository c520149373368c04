/**
 * Dialogues: what client and server say to each other, written down as RFC 5321 appendix D writes it,
 * for player.ts to hold the server to. A dialogue is a text file `dialogues/NAME.txt`:
 *
 * ```
 * # The first comment is the title: what is proven, and by which section of which RFC.
 * --max-size 100            a flag that the program needs for it
 * E: 503                    what the endpoint answers, one line a request, then 200; also
 *                           "silence" (no answer) and "unreachable" (nobody listens)
 * S: 220 localhost *        a line that the server says; `*` at the end is anything
 * C: NOOP                   a line that the client sends, with CRLF
 * C! "NOOP\n"               a JSON string sent as it is, one octet a character (U+0000 to U+00FF), or
 * C! [["x", 2000], "\r\n"]  an array of such strings and of [string, times]
 * C.                        the client closes its sending half
 * S.                        the server closes the connection
 * ```
 *
 * Client lines in a row are sent in one write. A dialogue that does not end with `S.` ends with the
 * client closing its half, and the server has nothing more to say then.
 *
 * The neighbour `NAME.request.json` holds the HTTP request that is expected, or an array of them:
 * method, path, the headers of interest and the whole body, with `<id>` and `<time>` for what differs
 * each time. Without a neighbour there must be no request. Bodies are made by `TEMPLATE`, which shows the
 * data of a message as it was received; the flag `--template` alone asks for the default payload.
 */
import { concat } from "../lib/octets.ts";
import { assertMatch } from "./assert.ts";

/** One dialogue, read. */
export interface Dialogue {
  /** The name of its file, without ending. */
  readonly name: string;
  readonly title: string;
  /** Flags of the program, beside those that every dialogue has. */
  readonly flags: readonly string[];
  readonly answers: readonly EndpointAnswer[];
  readonly turns: readonly Turn[];
  readonly requests: readonly ExpectedRequest[];
}

/** An HTTP status; no answer at all; or nobody there who could answer. */
export type EndpointAnswer = number | "silence" | "unreachable";

/** What one side does until the other has its turn. */
export type Turn =
  | { readonly kind: "client"; readonly octets: Uint8Array<ArrayBuffer> }
  | { readonly kind: "server"; readonly lines: readonly string[] }
  | { readonly kind: "client closes" }
  | { readonly kind: "server closes" };

/** A request as a neighbour file has it. */
export interface ExpectedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

const directory = new URL("./dialogues/", import.meta.url);

/** All dialogues, by name. */
export async function readDialogues(): Promise<readonly Dialogue[]> {
  const files = Array.from(Deno.readDirSync(directory), ({ name }) => name).toSorted();
  const names = files.filter((file) => file.endsWith(".txt")).map((file) => file.slice(0, -4));
  const known = names.flatMap((name) => [`${name}.txt`, `${name}.request.json`]);
  const strays = files.filter((file) => !known.includes(file));
  if (strays.length > 0) throw new Error(`no dialogue for ${strays.join(", ")}`);
  return await Promise.all(names.map(async (name) => {
    const text = await Deno.readTextFile(new URL(`${name}.txt`, directory));
    const neighbour = `${name}.request.json`;
    const requests = files.includes(neighbour)
      ? JSON.parse(await Deno.readTextFile(new URL(neighbour, directory)))
      : [];
    return parseDialogue(name, text, [requests].flat());
  }));
}

/** Reads one dialogue; throws at a line that it cannot read. */
export function parseDialogue(
  name: string,
  text: string,
  requests: readonly ExpectedRequest[] = [],
): Dialogue {
  const title: string[] = [];
  const flags: string[] = [];
  const answers: EndpointAnswer[] = [];
  const turns: Turn[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [, mark, rest] = /^(#|--[a-z-]+|[CSE]:|C!|C\.$|S\.$)(?: (.*))?$/s.exec(line) ?? [];
    switch (mark) {
      case "#":
        if (turns.length === 0) title.push(rest ?? "");
        break;
      case "E:":
        answers.push(answerOf(rest));
        break;
      case "C:":
        say(turns, new TextEncoder().encode(`${rest ?? ""}\r\n`));
        break;
      case "C!":
        say(turns, rawOctets(JSON.parse(rest)));
        break;
      case "S:":
        expect(turns, rest ?? "");
        break;
      case "C.":
        turns.push({ kind: "client closes" });
        break;
      case "S.":
        turns.push({ kind: "server closes" });
        break;
      default:
        if (mark !== undefined) flags.push(...rest === undefined ? [mark] : [mark, rest]);
        else if (line !== "") throw new Error(`${name}.txt:${index + 1}: cannot read "${line}"`);
    }
  }
  if (title.length === 0) throw new Error(`${name}.txt has no title`);
  if (!turns.some(({ kind }) => kind === "server")) throw new Error(`${name}.txt expects nothing`);
  return { name, title: title.join(" "), flags, answers, turns, requests };
}

function answerOf(text: string): EndpointAnswer {
  if (text === "silence" || text === "unreachable") return text;
  assertMatch(text, /^[2-5]\d\d$/);
  return Number(text);
}

function say(turns: Turn[], octets: Uint8Array<ArrayBuffer>): void {
  const last = turns.at(-1);
  if (last?.kind !== "client") turns.push({ kind: "client", octets });
  else turns.splice(-1, 1, { kind: "client", octets: concat([last.octets, octets]) });
}

function expect(turns: Turn[], line: string): void {
  const last = turns.at(-1);
  if (last?.kind !== "server") turns.push({ kind: "server", lines: [line] });
  else turns.splice(-1, 1, { kind: "server", lines: [...last.lines, line] });
}

type Raw = string | readonly (string | readonly [string, number])[];

function rawOctets(raw: Raw): Uint8Array<ArrayBuffer> {
  const parts = typeof raw === "string" ? [raw] : raw;
  const text = parts.map((part) => typeof part === "string" ? part : part[0].repeat(part[1]));
  return Uint8Array.from(text.join(""), (char) => {
    if (char > "\xff") throw new Error(`"${char}" is not an octet`);
    return char.charCodeAt(0);
  });
}

/** The template of the requests that neighbour files expect. */
const TEMPLATE = `{"id":{{json.id}},"timestamp":{{json.timestamp}},"sender":{{json.sender}},` +
  `"recipients":{{json.recipients}},"data":{{json.data}},` +
  `"client":{"hostname":{{json.client.hostname}},"user":{{json.client.user}}}}`;

/** The arguments of a program that shall hold this dialogue. */
export function argumentsOf({ flags }: Dialogue, url: string): string[] {
  const template = flags.includes("--template") ? [] : ["--template", TEMPLATE];
  return ["--url", url, ...template, ...flags.join("\n") === "--template" ? [] : flags];
}
