/**
 * A template context into the HTTP request that tells it: URL, header fields and body are templates
 * each, escaped for where they stand. All is parsed and tried once at start, so that a fault in a
 * template is the operator's at start and not the sender's at night.
 *
 * Whatever a message says, it cannot reach another server (url.ts) nor end a header field, and JSON that
 * would be broken is not sent.
 */
import { type Body, type BodyRecipe, bodyRecipe, makeBody } from "./body.ts";
import type { TemplateContext } from "./context.ts";
import { verbatim } from "./escape.ts";
import { fault, type Faults, isFaults } from "./fault.ts";
import { joined, type Needs } from "./needs.ts";
import { characters } from "./octets.ts";
import { excerptOf } from "./place.ts";
import type { Limits } from "./scope.ts";
import type { Setting } from "./setting.ts";
import { parseTemplate, type Template } from "./template.ts";
import { unknownNames } from "./unknown.ts";
import { makeUrl, parseUrl, type UrlTemplate } from "./url.ts";
import { itemsOf } from "./value.ts";

/** How a request can be sent. */
export type Method = typeof methods[number];

/** All of them: those that have a body and are not for taking anything away. */
export const methods = ["POST", "PUT", "PATCH"] as const;

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
  /** POST where it is left out. */
  readonly method?: Method;
  /** Most characters of what the template of the body puts in the place of a name. */
  readonly limits?: Limits;
  /** In a form with files: template of the name of the field for an attachment. */
  readonly files?: Setting;
}

/** One request, ready to be sent. */
export interface HttpRequest {
  /** The method. */
  readonly method: Method;
  /** Null where it goes nowhere. */
  readonly url: URL | null;
  /** In order. Values are byte strings: UTF-8, one character an octet, as fetch wants them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** What is sent. */
  readonly body: Body["body"];
}

/** Where requests go and how they are made. */
export interface Target {
  /** The origin of the URL, without path, query or user: fit for a log. */
  readonly destination: string;
  /** What it asks of a context. */
  readonly needs: Needs;
  /** Names in its templates that mean nothing; a sentence each. */
  readonly warnings: readonly string[];
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

/** The parsed templates of a target. */
interface Recipe {
  readonly options: RequestOptions;
  /** Null where requests go nowhere. */
  readonly url: UrlTemplate | null;
  readonly headers: readonly HeaderTemplate[];
  readonly body: BodyRecipe;
}

interface HeaderTemplate {
  readonly name: string;
  readonly value: Template;
  /** The template of name and value, which has the offsets of the setting. */
  readonly whole: Template;
  readonly setting: Setting;
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
  const used = usesOf(recipe, samples[0]);
  const needs = used.map(({ template }) => template.needs);
  const warnings = [
    ...used.flatMap(({ template, setting, view }) => unknownNames(template, setting, view)),
    ...unusedLimits(recipe.body, options.limits ?? {}),
  ];
  for (const sample of samples) {
    const request = await make(recipe, sample, new Date(0), excerptOf);
    // What means nothing may be why there is no JSON.
    if (isFaults(request)) return { faults: [...warnings, ...request.faults] };
  }
  return {
    destination: recipe.url?.origin ?? "standard output",
    needs: joined(recipe.body.files === null ? needs : [...needs, new Set(["attachments"])]),
    warnings,
    request: (context, at) => make(recipe, context, at, () => ""),
  };
}

/** Limits of what no tag names; a sentence each. */
function unusedLimits({ setting, template }: BodyRecipe, limits: Limits): string[] {
  const named = Array.from(template.expressions.values(), ({ field }) => field);
  return Object.keys(limits).filter((name) => !named.includes(name))
    .map((name) => `${setting.label}: there is a limit for "${name}", which no tag names`);
}

/** All templates, each with what it is rendered with. */
function usesOf({ options, url, headers, body }: Recipe, sample: TemplateContext) {
  const [first] = itemsOf(sample.files);
  return [
    ...(url === null ? [] : [{ template: url.template, setting: options.url!, view: sample }]),
    ...headers.map(({ whole, setting }) => ({ template: whole, setting, view: sample })),
    { template: body.template, setting: body.setting, view: sample },
    ...(body.files === null || first === undefined
      ? []
      : [{ template: body.files, setting: options.files!, view: first }]),
  ];
}

function parseRecipe(options: RequestOptions, sample: TemplateContext): Recipe | Faults {
  const url = options.url === null ? null : parseUrl(options.url, sample);
  const headers = options.headers.map(parseHeader);
  const sound = headers.filter((header): header is HeaderTemplate => !isFaults(header));
  const template = parseTemplate(options.template, options.limits);
  const files = options.files === undefined ? null : parseTemplate(options.files);
  if (isFaults(url) || isFaults(template) || isFaults(files) || sound.length < headers.length) {
    const all = [url, ...headers, files, template].filter(isFaults);
    return { faults: all.flatMap(({ faults }) => faults) };
  }
  // A request has one media type (RFC 9110 section 8.3): the last one given.
  const last = sound.findLast(isContentType);
  return {
    options,
    url,
    headers: sound.filter((header) => !isContentType(header) || header === last),
    body: bodyRecipe(options.template, template, files, sample),
  };
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
  const template = parseTemplate({ ...setting, text: value });
  return isFaults(template) ? template : { name, value: template, whole, setting };
}

const isContentType = ({ name }: HeaderTemplate) => name.toLowerCase() === "content-type";

/** `show` makes an excerpt of the template where it fails; for an operator, not for a log. */
async function make(
  recipe: Recipe,
  context: TemplateContext,
  at: Date,
  show: typeof excerptOf,
): Promise<HttpRequest | Faults> {
  const { options: { version, method = "POST" } } = recipe;
  const destination = recipe.url === null ? NOWHERE : makeUrl(recipe.url, context);
  if (isFaults(destination)) return destination;
  const rendered = recipe.headers.map(({ name, value }) =>
    [name, fieldValue(value.render(context, verbatim))] as const
  );
  const given = new Map(rendered.map(([name, value]) => [name.toLowerCase(), value]));
  const wanted = given.get("content-type") || recipe.body.usualType;
  const made = await makeBody(recipe.body, context, wanted, show);
  if (isFaults(made)) return made;
  const { contentType, body } = made;
  const headers = rendered.map(([name, value]) =>
    [name, name.toLowerCase() === "content-type" ? contentType : value] as const
  );
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
  // A field of nothing says nothing, and some servers refuse it.
  const told = [...defaults, ...headers].filter(([, value]) => value !== "");
  return { method, url, headers: told, body };
}

const NOWHERE = { url: null, authorization: null };

/** A field value that cannot end its field (RFC 9110 section 5.5), as octets of UTF-8. */
function fieldValue(text: string): string {
  return characters(new TextEncoder().encode(text.replace(/\p{Cc}/gu, " ").trim()));
}
