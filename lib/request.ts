/**
 * A template context into the HTTP request that tells it: URL, header fields and body are templates
 * each, escaped for where they stand. All is parsed and tried once at start, so that a fault in a
 * template is the operator's at start and not the sender's at night.
 *
 * Whatever a message says, it cannot reach another server (url.ts) nor end a header field, and JSON that
 * would be broken is not sent.
 */
import type { TemplateContext } from "./context.ts";
import { escapeFor, isJsonType, verbatim } from "./escape.ts";
import { fault, type Faults, isFaults } from "./fault.ts";
import type { Setting } from "./setting.ts";
import { explain, isJson } from "./json.ts";
import { joined, type Needs } from "./needs.ts";
import { characters } from "./octets.ts";
import { compile, parseTemplate, type Template } from "./template.ts";
import { makeUrl, parseUrl, type UrlTemplate } from "./url.ts";

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
  /** What it asks of a context. */
  readonly needs: Needs;
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
    needs: needsOfRecipe(recipe),
    request: (context, at) => make(recipe, context, at),
  };
}

function parseRecipe(options: RequestOptions, sample: TemplateContext): Recipe | Faults {
  const url = options.url === null ? null : parseUrl(options.url, sample);
  const headers = options.headers.map(parseHeader);
  const sound = headers.filter((header): header is HeaderTemplate => !isFaults(header));
  const body = parseTemplate(options.template);
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

function needsOfRecipe({ url, headers, body }: Recipe): Needs {
  const templates = [url?.template ?? [], headers.map(({ value }) => value), body].flat();
  return joined(templates.map(({ needs }) => needs));
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
  const whole = parseTemplate(setting);
  if (isFaults(whole)) return whole;
  const template = compile(value);
  return isFaults(template) ? template : { name, value: template };
}

const isContentType = ({ name }: HeaderTemplate) => name.toLowerCase() === "content-type";

async function make(
  recipe: Recipe,
  context: TemplateContext,
  at: Date,
): Promise<HttpRequest | Faults> {
  const { options: { version, template } } = recipe;
  const destination = recipe.url === null ? NOWHERE : makeUrl(recipe.url, context);
  if (isFaults(destination)) return destination;
  const headers = recipe.headers.map(({ name, value }) =>
    [name, fieldValue(value.render(context, verbatim))] as const
  );
  const given = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
  const contentType = given.get("content-type") ?? DEFAULT_CONTENT_TYPE;
  const body = recipe.body.render(context, escapeFor(contentType));
  if (isJsonType(contentType) && !isJson(body)) {
    const reason = await explain(body);
    return fault(
      `Cannot use ${template.label}: what it makes of a message is not JSON at ${reason}, ` +
        `must be for Content-Type ${contentType}`,
    );
  }
  const { url, authorization } = destination;
  // What every request carries unless a `--header` says otherwise.
  const defaults = [
    ["Content-Type", contentType],
    ["User-Agent", `smtp-pigeon/${version}`],
    // Standard Webhooks 1.0.0: the same id in every attempt, the moment of this one.
    ["webhook-id", context.id],
    ["webhook-timestamp", String(Math.floor(at.getTime() / 1000))],
    ...(authorization === null ? [] : [["Authorization", authorization]]),
  ].filter(([name]) => !given.has(name.toLowerCase())) as [string, string][];
  return { method: "POST", url, headers: [...defaults, ...headers], body };
}

const NOWHERE = { url: null, authorization: null };

/** A field value that cannot end its field (RFC 9110 section 5.5), as octets of UTF-8. */
function fieldValue(text: string): string {
  return characters(new TextEncoder().encode(text.replace(/\p{Cc}/gu, " ").trim()));
}
