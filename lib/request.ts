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
import type { TemplateContext } from "./message.ts";
import {
  compile,
  type Escape,
  escapeFor,
  isJsonType,
  percentEncode,
  type Template,
  verbatim,
  type View,
  viewOf,
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
  readonly method: "POST";
  /** Null where it goes nowhere. */
  readonly url: URL | null;
  /** In order. Values are byte strings: UTF-8, one character an octet, as fetch wants them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
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
  readonly url: Template | null;
  /** The only origin that requests go to; null where they go nowhere. */
  readonly origin: string | null;
  readonly headers: readonly HeaderTemplate[];
  readonly body: Template;
  readonly contentType: string;
}

interface HeaderTemplate {
  readonly name: string;
  readonly value: Template;
}

/**
 * Parses the templates and tries them on `samples`, the first of which decides the origin and the
 * content type. Returns all faults that it can find at once.
 */
export async function target(
  options: RequestOptions,
  samples: readonly [TemplateContext, ...TemplateContext[]],
): Promise<Target | Faults> {
  const recipe = parseRecipe(options, viewOf(samples[0]));
  if (isFaults(recipe)) return recipe;
  const tries = await Promise.all(samples.map((sample) => make(recipe, sample, new Date(0))));
  return tries.find(isFaults) ?? {
    destination: recipe.origin ?? "standard output",
    request: (context, at) => make(recipe, context, at),
  };
}

function parseRecipe(options: RequestOptions, sample: View): Recipe | Faults {
  const url = options.url === null ? NOWHERE : parseUrl(options.url, sample);
  const headers = options.headers.map(parseHeader);
  const sound = headers.filter((header): header is HeaderTemplate => !isFaults(header));
  const contentType = sound.findLast(isContentType)?.value.render(sample) ?? DEFAULT_CONTENT_TYPE;
  const body = parsed(options.template, escapeFor(contentType));
  if (isFaults(url) || isFaults(body) || sound.length < headers.length) {
    return { faults: [url, ...headers, body].filter(isFaults).flatMap(({ faults }) => faults) };
  }
  return { options, ...url, headers: sound, body, contentType };
}

const NOWHERE = { url: null, origin: null };

function parsed({ text, label }: Setting, escape: Escape): Template | Faults {
  const template = compile(text, escape);
  return isFaults(template) ? fault(`Cannot use ${label}: ${template.faults}`) : template;
}

function parseUrl(setting: Setting, sample: View): { url: Template; origin: string } | Faults {
  const url = parsed(setting, percentEncode);
  if (isFaults(url)) return url;
  const rendered = URL.parse(url.render(sample));
  return rendered !== null && /^https?:$/.test(rendered.protocol)
    ? { url, origin: rendered.origin }
    : fault(`Cannot use ${setting.label}: must be an http or https URL, or - to print requests`);
}

function parseHeader({ text, label }: Setting): HeaderTemplate | Faults {
  const [, name, value] = HEADER.exec(text) ?? [];
  if (name === undefined) return fault(`Cannot use ${label}: must be "Name: value"`);
  if (FIXED.has(name.toLowerCase())) {
    return fault(`Cannot use ${label}: ${name} follows from the request itself`);
  }
  const template = parsed({ text: value, label }, verbatim);
  return isFaults(template) ? template : { name, value: template };
}

const isContentType = ({ name }: HeaderTemplate) => name.toLowerCase() === "content-type";

async function make(
  recipe: Recipe,
  context: TemplateContext,
  at: Date,
): Promise<HttpRequest | Faults> {
  const { options, headers, contentType } = recipe;
  const view = viewOf(context);
  try {
    const url = recipe.url === null ? null : new URL(recipe.url.render(view));
    if (url !== null && url.origin !== recipe.origin) {
      return fault(`Cannot use ${options.url?.label}: a message must not choose the server`);
    }
    const body = recipe.body.render(view);
    if (isJsonType(contentType) && !isJson(body)) {
      return fault(`Cannot use ${options.template.label}: not JSON at ${await explain(body)}`);
    }
    return {
      method: "POST",
      url,
      headers: [
        ...defaultHeaders(recipe, context.id, at),
        ...headers.map(({ name, value }) => [name, fieldValue(value.render(view))] as const),
      ],
      body,
    };
  } catch (error) {
    return fault(`Cannot use ${options.template.label}: ${(error as Error).message}`);
  }
}

/** What every request carries unless a `--header` says otherwise. */
function defaultHeaders({ options, headers }: Recipe, id: string, at: Date): [string, string][] {
  const defaults: [string, string][] = [
    ["Content-Type", DEFAULT_CONTENT_TYPE],
    ["User-Agent", `smtp-pigeon/${options.version}`],
    // Standard Webhooks 1.0.0: the same id in every attempt, the moment of this one.
    ["webhook-id", id],
    ["webhook-timestamp", String(Math.floor(at.getTime() / 1000))],
  ];
  const given = new Set(headers.map(({ name }) => name.toLowerCase()));
  return defaults.filter(([name]) => !given.has(name.toLowerCase()));
}

/** A field value that cannot end its field (RFC 9110 section 5.5), as octets of UTF-8. */
function fieldValue(text: string): string {
  const octets = new TextEncoder().encode(text.replace(/\p{Cc}/gu, " ").trim());
  return Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
}
