/**
 * The body of a request: text that a template makes, escaped for its media type; a form with files; or a
 * message octet for octet. JSON that would be broken is a fault, which says where in the template.
 */
import type { TemplateContext } from "./context.ts";
import { escapeFor, isFormType, isJsonType, verbatim } from "./escape.ts";
import { fault, type Faults } from "./fault.ts";
import { type FormFile, formOf } from "./form.ts";
import { explain, isJson, withoutLastCommas } from "./json.ts";
import { OctetText } from "./octets.ts";
import { type excerptOf, positionOf } from "./place.ts";
import { alwaysMakesJson } from "./proof.ts";
import type { Setting } from "./setting.ts";
import { soleName, type Template } from "./template.ts";
import { itemsOf } from "./value.ts";

/** What makes a body. */
export interface BodyRecipe {
  /** The template as it was set. */
  readonly setting: Setting;
  /** The same, parsed. */
  readonly template: Template;
  /** The names of the fields for attachments in a form; null where there are none. */
  readonly files: Template | null;
  /** The field whose octets are the body; null where the body is text. */
  readonly octets: "data" | "rawBody" | null;
  /** The media type where nothing else is said. */
  readonly usualType: string;
  /** Whether it makes JSON of every message. */
  readonly isProven: boolean;
}

/** A body, ready to be sent. */
export interface Body {
  /** Its media type; of a form with the boundary between its parts. */
  readonly contentType: string;
  /** As octets, or as text that is sent as UTF-8. */
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** What is known of a template before there is a message; `sample` has the fields that all of them have. */
export function bodyRecipe(
  setting: Setting,
  template: Template,
  files: Template | null,
  sample: TemplateContext,
): BodyRecipe {
  const name = soleName(template);
  const octets = name === "data" || name === "rawBody" ? name : null;
  const usualType = octets === null ? "application/json" : OCTET_TYPES[octets];
  const isProven = alwaysMakesJson(template, sample);
  return { setting, template, files, octets, usualType, isProven };
}

const OCTET_TYPES = { data: "message/rfc822", rawBody: "application/octet-stream" };

/** Makes the body of that media type; `show` makes an excerpt of the template for a fault. */
export async function makeBody(
  { setting, template, files, octets, isProven }: BodyRecipe,
  context: TemplateContext,
  contentType: string,
  show: typeof excerptOf,
): Promise<Body | Faults> {
  const escape = escapeFor(contentType);
  if (escape === verbatim && octets !== null) {
    return { contentType, body: octetsOf(context[octets]) };
  }
  const rendered = template.render(context, escape);
  const isForm = isFormType(contentType);
  if (!isForm && !isJsonType(contentType)) return { contentType, body: rendered };
  const isSound = isProven || isJson(rendered);
  const text = isSound ? rendered : withoutLastCommas(rendered);
  if (!isSound && !isJson(text)) {
    const { offset, reason } = await explain(rendered);
    const origin = template.originOf(offset, context, escape);
    const place = positionOf(setting, origin);
    return fault(
      `Cannot use ${setting.label}: at ${place} it makes of a message what is not JSON (${reason}), ` +
        `must be for Content-Type ${contentType}${setting.isSecret ? "" : show(setting, origin)}`,
    );
  }
  if (!isForm) return { contentType, body: text };
  const fields: unknown = JSON.parse(text);
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    return fault(
      `Cannot use ${setting.label}: must make a JSON object for Content-Type ${contentType}`,
    );
  }
  return await formOf(fields, files === null ? [] : filesFor(files, context));
}

function octetsOf(text: unknown): Uint8Array<ArrayBuffer> {
  return text instanceof OctetText ? text.toOctets() : new Uint8Array(0);
}

/** The attachments whose content is given, each with the name of its field, if it gets one. */
function filesFor(name: Template, { files }: TemplateContext): FormFile[] {
  return itemsOf(files).flatMap((item, index) => {
    const { filename, contentType, octets } = files[index];
    const field = name.render(item, verbatim);
    return field === "" ? [] : { field, filename, contentType, content: octets() };
  });
}
