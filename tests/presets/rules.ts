/**
 * What holds a preset to what its service has published: `NAME.ts` beside this file has the rules of a
 * service, each with its source, and `../presets_test.ts` renders all messages of `../messages` by all
 * presets.
 */
import { assert } from "../assert.ts";
import type { AttachmentPolicy, TemplateContext } from "../../lib/context.ts";
import { isFaults } from "../../lib/fault.ts";
import { optionsOf, readTemplateFile } from "../../lib/front_matter.ts";
import { isJsonType } from "../../lib/escape.ts";
import type { Mail } from "../../lib/mail.ts";
import { read } from "../../lib/message.ts";
import { type HttpRequest, target } from "../../lib/request.ts";
import { sampleContexts } from "../../lib/sample.ts";

/** A file in a form. */
export interface SentFile {
  readonly filename: string;
  readonly contentType: string;
  readonly octets: Uint8Array;
}

/** A request, read as a service reads it. */
export interface Sent {
  readonly request: HttpRequest;
  /** By lower-case name; the last of several, as text. */
  readonly headers: ReadonlyMap<string, string>;
  /** The body as it is sent. */
  readonly octets: Uint8Array;
  /** The same as UTF-8. */
  readonly text: string;
  /** What JSON says; undefined where it is none. */
  // deno-lint-ignore no-explicit-any
  readonly json: any;
  /** The fields of a form in order; null where it is none. */
  readonly form: ReadonlyMap<string, (string | SentFile)[]> | null;
  /** The message, uncut. */
  readonly context: TemplateContext;
}

/** What a service wants. Each of the four throws where a request is not that. */
export interface Rules {
  /** What a user gives by `--url`; left out where the preset knows. */
  readonly url?: string;
  /** What a user gives by `--var`. */
  readonly vars: Readonly<Record<string, string>>;
  /** Where the rules are published. */
  readonly sources: readonly string[];
  /** Required fields, types, header rules. */
  valid(sent: Sent): void;
  /** Sizes and counts. */
  limits(sent: Sent): void;
  /** What a mail must not do: ping, format, inject. */
  harmless(sent: Sent): void;
  /** Subject and text, or how they begin, are in it. */
  tells(sent: Sent): void;
}

/** The four, in order. */
export const properties = ["valid", "limits", "harmless", "tells"] as const;

/** Asserts that a request is all that a service wants. */
export function assertRight(rules: Rules, sent: Sent): void {
  for (const property of properties) rules[property](sent);
}

/** What a mail says of itself, for tests that make one up. */
export interface Letter {
  /** The whole message; lines may end with LF. */
  readonly data: string | Uint8Array;
  readonly sender?: string;
  readonly recipients?: readonly string[];
}

const templates = new URL("../../templates/", import.meta.url);

/** What renders messages by a preset. */
export async function renderer(
  name: string,
  { url, vars }: Pick<Rules, "url" | "vars">,
  attachments?: AttachmentPolicy,
): Promise<(letter: Letter) => Promise<Sent>> {
  const surroundings = {
    ...{ version: "1.2.3", hostname: () => "pigeon.example", env: () => undefined },
    ...{ vars, attachments },
  };
  const text = await Deno.readTextFile(new URL(`${name}.mustache`, templates));
  const file = await readTemplateFile({ text, label: name });
  assert(!isFaults(file), isFaults(file) ? file.faults.join("\n") : "");
  const given = url === undefined ? null : { text: url, label: "--url" };
  const options = optionsOf(file, {
    ...{ url: given, isPrinted: false, headers: [], vars },
    version: "1.2.3",
  });
  assert(!isFaults(options), isFaults(options) ? options.faults.join("\n") : "");
  assert(options.url !== null, `${name} has no url, and none is given`);
  const made = await target(options, sampleContexts(surroundings));
  assert(!isFaults(made), isFaults(made) ? made.faults.join("\n") : "");
  assert(made.warnings.length === 0, made.warnings.join("\n"));
  return async (letter) => {
    const context = await read(mailOf(letter), surroundings);
    const request = await made.request(context, new Date("2022-01-01T10:10:21Z"));
    assert(!isFaults(request), isFaults(request) ? request.faults.join("\n") : "");
    return await sentOf(request, context);
  };
}

function mailOf(
  { data, sender = "lamp@example.org", recipients = ["root@example.net"] }: Letter,
): Mail {
  const path = (address: string) => {
    const at = address.lastIndexOf("@");
    return at === -1
      ? { localPart: address, domain: null }
      : { localPart: address.slice(0, at), domain: address.slice(at + 1) };
  };
  const [first, ...others] = recipients.map(path);
  return {
    id: "017e1506-9120-7000-8000-000000000000",
    receivedAt: new Date("2022-01-01T10:10:20.999Z"),
    client: { address: "192.0.2.1", port: 40000, hostname: "lamp", tls: false, user: null },
    envelope: {
      reversePath: sender === "" ? null : path(sender),
      forwardPaths: [first, ...others],
    },
    data: typeof data === "string"
      ? new TextEncoder().encode(data.replace(/\r?\n/g, "\r\n"))
      : data,
  };
}

async function sentOf(request: HttpRequest, context: TemplateContext): Promise<Sent> {
  const octets = typeof request.body === "string"
    ? new TextEncoder().encode(request.body)
    : request.body;
  const text = new TextDecoder().decode(octets);
  const headers = new Map(request.headers.map(([name, value]) => [
    name.toLowerCase(),
    new TextDecoder().decode(Uint8Array.from(value, (char) => char.charCodeAt(0))),
  ]));
  const contentType = headers.get("content-type")!;
  return {
    ...{ request, headers, octets, text, context },
    json: isJsonType(contentType) ? JSON.parse(text) : undefined,
    form: await formOf(contentType, octets),
  };
}

/** A form as the platform reads it. */
async function formOf(contentType: string, octets: Uint8Array<ArrayBuffer>): Promise<Sent["form"]> {
  if (!/^multipart\/form-data|^application\/x-www-form-urlencoded/.test(contentType)) return null;
  const data = await new Response(octets, { headers: { "Content-Type": contentType } }).formData();
  const fields = new Map<string, (string | SentFile)[]>();
  for (const [name, value] of data) {
    const field = typeof value === "string" ? value : {
      filename: value.name,
      contentType: value.type,
      octets: new Uint8Array(await value.arrayBuffer()),
    };
    fields.set(name, [...fields.get(name) ?? [], field]);
  }
  return fields;
}
