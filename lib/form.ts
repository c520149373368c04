/**
 * A form with files (`multipart/form-data`, RFC 7578). Its template makes a JSON object, each member of
 * which is a field: what escapes values in JSON keeps them apart here too.
 */

/** A file in a form. */
export interface FormFile {
  /** The name of its field. */
  readonly field: string;
  /** Its own name. */
  readonly filename: string;
  /** Its media type. */
  readonly contentType: string;
  /** What is in it. */
  readonly content: Uint8Array<ArrayBuffer>;
}

/** A form, ready to be sent. */
export interface Form {
  /** Its media type, with the boundary between its parts. */
  readonly contentType: string;
  /** Fields and files, in order. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Puts a form together. A text or a number is sent as it is, a list or an object as JSON, and of null
 * there is no field.
 */
export async function formOf(fields: object, files: readonly FormFile[]): Promise<Form> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) continue;
    form.append(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  for (const { field, filename, contentType, content } of files) {
    // Some readers look for the next parameter inside of quotes too.
    const name = filename.replaceAll(";", "_");
    form.append(field, new File([content], name, { type: contentType }));
  }
  const response = new Response(form);
  return { contentType: response.headers.get("content-type")!, body: await response.bytes() };
}
