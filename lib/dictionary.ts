/**
 * Values by name, for templates: a name that is not there is `""`, so that a template need not ask, and
 * so is every name that JavaScript puts on objects by itself (`constructor`, `__proto__`, `toString`).
 */

/** A text for each name, read by name only. */
export type Dictionary = Readonly<Record<string, string>>;

/** A dictionary over a record; its names can be listed. */
export function dictionary(values: Readonly<Record<string, string>>): Dictionary {
  return new Proxy(values, {
    has: (_, name) => typeof name === "string",
    get: (values, name) =>
      typeof name === "string" ? (Object.hasOwn(values, name) ? values[name] : "") : undefined,
  });
}

/** A dictionary over a record of lower-case names, read in any case, as header fields are. */
export function anyCase(values: Readonly<Record<string, string>>): Dictionary {
  const inLowerCase = dictionary(values);
  return new Proxy(inLowerCase, {
    get: (values, name) =>
      typeof name === "string" ? values[name.toLowerCase()] : Reflect.get(values, name),
  });
}

/** A dictionary over a function, whose names cannot be listed. */
export function lookup(value: (name: string) => string | undefined): Dictionary {
  return new Proxy(Object.freeze({}), {
    has: (_, name) => typeof name === "string",
    get: (_, name) => typeof name === "string" ? value(name) ?? "" : undefined,
  });
}
