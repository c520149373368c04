/**
 * A template context into the HTTP request that tells it: URL, header fields and body are templates
 * each, escaped for where they stand. All is parsed and tried once at start, so that a fault in a
 * template is the operator's at start and not the sender's at night.
 *
 * Whatever a message says, it cannot reach another server: the origin of the URL (RFC 6454) is fixed at
 * start. It cannot end a header field either, and JSON that would be broken is not sent.
 */
import { fault, type Faults, isFaults, type Setting } from "./fault.ts";
import { explain, isJson } from "./json.ts";
import type { TemplateContext } from "./context.ts";
import {
  compile,
  escapeFor,
  isJsonType,
  percentEncode,
  type Template,
  verbatim,
} from "./template.ts";

/** What makes a request, as an operator writes it. */
export interface RequestOptions {
  /** Template of an http or https URL; null to make requests that go nowhere. */
  readonly url: Setting | null;
  /** `Name: value` each; the value is a template. One named Content-Type replaces the default. */
  readonly headers: readonly Setting[];
  /** Template of the body. */
  readonly template: Setting;
  /** This program's version, for User-Agent. */
  readonly version: string;
}

/** One request, ready to be sent. */
export interface HttpRequest {
  /** The method. */
  readonly method: "POST";
  /** Null where it goes nowhere. */
  readonly url: URL | null;
  /** In order. Values are byte strings: UTF-8, one character an octet, as fetch wants them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The body as text; it is sent as UTF-8. */
  readonly body: string;
}

/** Where requests go and how they are made. */
export interface Target {
  /** The origin of the URL, without path, query or user: fit for a log. */
  readonly destination: string;
  /** Makes the request for one message; faults where a template fails on it. */
  readonly request: (context: TemplateContext, at: Date) => Promise<HttpRequest | Faults>;
}

/** Header fields that follow from the request itself (RFC 9110, RFC 9112). */
const FIXED = new Set(
  [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
  ],
);

/** `field-name ":" field-value` of RFC 9110 section 5. */
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*?)\s*$/s;

const DEFAULT_CONTENT_TYPE = "application/json";

/** The parsed templates of a target. */
interface Recipe {
  readonly options: RequestOptions;
  /** Null where requests go nowhere. */
  readonly url: UrlTemplate | null;
  readonly headers: readonly HeaderTemplate[];
  readonly body: Template;
}

interface UrlTemplate {
  readonly template: Template;
  /** What a fault calls it; without its text, which may hold secrets that no log should. */
  readonly name: string;
  /** The only origin that requests go to. */
  readonly origin: string;
  /** Segments of the path that an operator wrote as `.` or `..`. */
  readonly dotSegments: number;
}

interface HeaderTemplate {
  readonly name: string;
  readonly value: Template;
}

/**
 * Parses the templates and tries them on `samples`, the first of which decides the origin. Returns all
 * faults that it can find at once.
 */
export async function target(
  options: RequestOptions,
  samples: readonly [TemplateContext, ...TemplateContext[]],
): Promise<Target | Faults> {
  const recipe = parseRecipe(options, samples[0]);
  if (isFaults(recipe)) return recipe;
  const tries = await Promise.all(samples.map((sample) => make(recipe, sample, new Date(0))));
  return tries.find(isFaults) ?? {
    destination: recipe.url?.origin ?? "standard output",
    request: (context, at) => make(recipe, context, at),
  };
}

function parseRecipe(options: RequestOptions, sample: TemplateContext): Recipe | Faults {
  const url = options.url === null ? null : parseUrl(options.url, sample);
  const headers = options.headers.map(parseHeader);
  const sound = headers.filter((header): header is HeaderTemplate => !isFaults(header));
  const body = parsed(options.template);
  if (isFaults(url) || isFaults(body) || sound.length < headers.length) {
    return { faults: [url, ...headers, body].filter(isFaults).flatMap(({ faults }) => faults) };
  }
  // A request has one media type (RFC 9110 section 8.3): the last one given.
  const last = sound.findLast(isContentType);
  return {
    options,
    url,
    headers: sound.filter((header) => !isContentType(header) || header === last),
    body,
  };
}

function parsed({ text, label }: Setting): Template | Faults {
  const template = compile(text);
  return isFaults(template) ? fault(`Cannot use ${label}: ${template.faults}`) : template;
}

function parseUrl(setting: Setting, sample: TemplateContext): UrlTemplate | Faults {
  const template = parsed(setting);
  if (isFaults(template)) return template;
  const text = template.render(sample, percentEncode);
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol)
    ? {
      template,
      name: setting.label.split(" ")[0],
      origin: url.origin,
      dotSegments: countDotSegments(text),
    }
    : fault(`Cannot use ${setting.label}: must be an http or https URL, or - to print requests`);
}

function parseHeader(setting: Setting): HeaderTemplate | Faults {
  const { text, label } = setting;
  const [, name, value] = HEADER.exec(text) ?? [];
  if (name === undefined) return fault(`Cannot use ${label}: must be "Name: value"`);
  if (FIXED.has(name.toLowerCase())) {
    return fault(
      `Cannot use ${label}: ${name} follows from the request itself, must be another name`,
    );
  }
  // A name cannot hold a tag, so that the columns of a fault can be those of the whole.
  const whole = parsed(setting);
  return isFaults(whole) ? whole : { name, value: compile(value) as Template };
}

const isContentType = ({ name }: HeaderTemplate) => name.toLowerCase() === "content-type";

async function make(
  { options, url: urlTemplate, headers: templates, body: template }: Recipe,
  context: TemplateContext,
  at: Date,
): Promise<HttpRequest | Faults> {
  const url = urlTemplate === null ? null : makeUrl(urlTemplate, context);
  if (isFaults(url)) return url;
  const headers = templates.map(({ name, value }) =>
    [name, fieldValue(value.render(context, verbatim))] as const
  );
  const given = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
  const contentType = given.get("content-type") ?? DEFAULT_CONTENT_TYPE;
  const body = template.render(context, escapeFor(contentType));
  if (isJsonType(contentType) && !isJson(body)) {
    return fault(
      `Cannot use ${options.template.label}: what it makes of a message is not JSON at ${await explain(
        body,
      )}, must be for Content-Type ${contentType}`,
    );
  }
  const defaults = [...defaultHeaders(options, context.id, at), ...credentialsOf(url)]
    .filter(([name]) => !given.has(name.toLowerCase()));
  return { method: "POST", url: withoutUser(url), headers: [...defaults, ...headers], body };
}

/**
 * The URL for one message. What is percent-encoded cannot leave its place, with one exception: a value
 * that is `.` or `..` is a step in the path however it is encoded (RFC 3986 section 5.2.4).
 */
function makeUrl(
  { template, name, origin, dotSegments }: UrlTemplate,
  context: TemplateContext,
): URL | Faults {
  const text = template.render(context, percentEncode);
  const url = URL.parse(text);
  if (url === null || url.origin !== origin) {
    return fault(`Cannot use ${name}: a message changes the server in it, must leave it alone`);
  }
  return countDotSegments(text) === dotSegments
    ? url
    : fault(`Cannot use ${name}: a message is a step in its path, must be a name`);
}

function countDotSegments(url: string): number {
  const path = url.split(/[?#]/)[0];
  return path.split(/[/\\]/).filter((segment) => /^(\.|%2e){1,2}$/i.test(segment)).length;
}

/** What every request carries unless a `--header` says otherwise. */
function defaultHeaders(
  { version }: RequestOptions,
  id: string,
  at: Date,
): (readonly [name: string, value: string])[] {
  return [
    ["Content-Type", DEFAULT_CONTENT_TYPE],
    ["User-Agent", `smtp-pigeon/${version}`],
    // Standard Webhooks 1.0.0: the same id in every attempt, the moment of this one.
    ["webhook-id", id],
    ["webhook-timestamp", String(Math.floor(at.getTime() / 1000))],
  ];
}

/**
 * The user of a URL, as Basic authentication (RFC 7617). Left in the URL, fetch would send it beside an
 * Authorization field that was given, and a receiver see neither.
 */
function credentialsOf(url: URL | null): (readonly [name: string, value: string])[] {
  if (url === null || url.username + url.password === "") return [];
  const octets = `${url.username}:${url.password}`
    .replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return [["Authorization", `Basic ${btoa(octets)}`]];
}

function withoutUser(url: URL | null): URL | null {
  if (url === null) return null;
  const bare = new URL(url);
  [bare.username, bare.password] = ["", ""];
  return bare;
}

/** A field value that cannot end its field (RFC 9110 section 5.5), as octets of UTF-8. */
function fieldValue(text: string): string {
  const octets = new TextEncoder().encode(text.replace(/\p{Cc}/gu, " ").trim());
  return Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
}
