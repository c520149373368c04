/**
 * The template of a URL. Whatever a message says, it cannot reach another server: the origin (RFC 6454)
 * is fixed at start, and no value leaves the place in the URL that an operator gave it.
 */
import type { TemplateContext } from "./context.ts";
import { percentEncode } from "./escape.ts";
import { fault, type Faults, isFaults } from "./fault.ts";
import type { Setting } from "./setting.ts";
import { parseTemplate, type Template } from "./template.ts";

/** A URL that is still to be made. */
export interface UrlTemplate {
  /** Makes its text. */
  readonly template: Template;
  /** What a fault calls it; without its text, which may hold secrets that no log should. */
  readonly name: string;
  /** The only origin that requests go to. */
  readonly origin: string;
  /** Segments of the path that an operator wrote as `.` or `..`. */
  readonly dotSegments: number;
  /** The same for all messages; null where the template names anything. */
  readonly fixed: Destination | null;
}

/** Where a request goes and who asks. */
export interface Destination {
  /** Without its user. */
  readonly url: URL;
  /** The user of the URL, as the value of an Authorization field; null where it names none. */
  readonly authorization: string | null;
}

/** Parses the template of a URL; `sample` decides the origin. */
export function parseUrl(setting: Setting, sample: TemplateContext): UrlTemplate | Faults {
  const template = parseTemplate(setting);
  if (isFaults(template)) return template;
  const text = template.render(sample, percentEncode);
  const url = URL.parse(text);
  // `https:///path` would parse too, with the path's first segment as its host.
  return url !== null && /^https?:\/\/[^\s/?#\\]/i.test(text)
    ? {
      template,
      name: setting.label.split(" ")[0],
      origin: url.origin,
      dotSegments: countDotSegments(text),
      // To make and check a URL takes longer than the rest of a request does.
      fixed: template.needs?.size === 0 ? withoutUser(new URL(url)) : null,
    }
    : fault(`Cannot use ${setting.label}: must be an http or https URL, or - to print requests`);
}

/**
 * The URL for one message. What is percent-encoded cannot leave its place, with one exception: a value
 * that is `.` or `..` is a step in the path however it is encoded (RFC 3986 section 5.2.4).
 */
export function makeUrl(
  { template, name, origin, dotSegments, fixed }: UrlTemplate,
  context: TemplateContext,
): Destination | Faults {
  if (fixed !== null) return fixed;
  const text = template.render(context, percentEncode);
  const url = URL.parse(text);
  if (url === null || url.origin !== origin) {
    return fault(`Cannot use ${name}: a message changes the server in it, must leave it alone`);
  }
  return countDotSegments(text) === dotSegments
    ? withoutUser(url)
    : fault(`Cannot use ${name}: a message is a step in its path, must be a name`);
}

function countDotSegments(url: string): number {
  const path = url.split(/[?#]/)[0];
  return path.split(/[/\\]/).filter((segment) => /^(\.|%2e){1,2}$/i.test(segment)).length;
}

/**
 * The user becomes Basic authentication (RFC 7617). Left in the URL, fetch would send it beside an
 * Authorization field that was given, and a receiver see neither.
 */
function withoutUser(url: URL): Destination {
  const { username, password } = url;
  if (username + password === "") return { url, authorization: null };
  const octets = `${username}:${password}`
    .replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  [url.username, url.password] = ["", ""];
  return { url, authorization: `Basic ${btoa(octets)}` };
}
