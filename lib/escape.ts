/**
 * Values made harmless where they are put: which characters a place gives a meaning to follows from its
 * media type, and is decided here alone.
 */

/** Makes a value harmless where it is put. */
export type Escape = (text: string) => string;

/** How values are escaped in a body of this media type (RFC 9110 section 8.3.1). */
export function escapeFor(contentType: string): Escape {
  const type = mediaTypeOf(contentType);
  if (isJsonType(type) || isFormType(type)) return escapeJson;
  if (type === "text/html" || /[/+]xml$/.test(type)) return escapeMarkup;
  if (type === "application/x-www-form-urlencoded") return percentEncode;
  return verbatim;
}

/** Whether a body of this media type has to be JSON. */
export function isJsonType(contentType: string): boolean {
  return /^(application|text)\/json$|\+json$/.test(mediaTypeOf(contentType));
}

/** Whether a body of this media type is a form with files, whose template makes JSON of its fields. */
export function isFormType(contentType: string): boolean {
  return mediaTypeOf(contentType) === "multipart/form-data";
}

const mediaTypeOf = (contentType: string) => contentType.split(";")[0].trim().toLowerCase();

/** For use inside a JSON string (RFC 8259 section 7). */
export const escapeJson: Escape = (text): string => JSON.stringify(text).slice(1, -1);

/** For use in HTML and XML, in text and in quoted attributes. */
export const escapeMarkup: Escape = (text): string =>
  text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
    // XML 1.0 section 2.2 has no way to write these.
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu, "\ufffd");

/** For use in a URL or a form (RFC 3986 section 2.1). */
export const percentEncode: Escape = (text): string => encodeURIComponent(text.toWellFormed());

/** For text that has no syntax. */
export const verbatim: Escape = (text): string => text;
