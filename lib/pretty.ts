/** A request for a person at a terminal: its JSON laid out, and nothing in it that a terminal obeys. */
import { characters, octetsOf, utf8 } from "./octets.ts";
import type { HttpRequest } from "./request.ts";
import { harmless } from "./terminal.ts";

/** The request as text, with colours or without, and a line end behind it. */
export function prettyRequest(
  { method, url, headers, body }: HttpRequest,
  hasColours: boolean,
): string {
  const paint = (code: number, text: string) => hasColours ? `\x1b[${code}m${text}\x1b[0m` : text;
  const fields = headers.map(([name, value]) =>
    `${paint(DIM, `${name}:`)} ${harmless(utf8(octetsOf(value)) ?? value)}`
  );
  const head = `${paint(BOLD, method)} ${harmless(url?.href ?? "-")}`;
  return [head, ...fields, "", harmless(layOut(body)).trimEnd(), ""].join("\n");
}

const [BOLD, DIM] = [1, 2];

/** Columns that a level of JSON is moved by. */
const INDENT = 2;

function layOut(body: HttpRequest["body"]): string {
  const text = typeof body === "string" ? body : utf8(body) ?? characters(body);
  try {
    return JSON.stringify(JSON.parse(text), null, INDENT);
  } catch {
    return text;
  }
}
