/**
 * The values that templates see: fields and nothing that JavaScript puts behind them, `{{json.NAME}}`,
 * and the place of each item in its list.
 */

/** A value that is written as JSON, and so are the fields within it: `{{json.client.address}}`. */
export class Json {
  /** What it stands for. */
  readonly value: unknown;

  /** A value as JSON. */
  constructor(value: unknown) {
    this.value = value;
  }
}

/** An item with its place in its list. */
export class Item {
  /** The item itself. */
  readonly value: unknown;
  readonly #place: Readonly<Record<string, boolean | number>>;

  /** The item of that index in a list of so many. */
  constructor(value: unknown, index: number, count: number) {
    this.value = value;
    this.#place = { first: index === 0, last: index === count - 1, index, number: index + 1 };
  }

  /** `first`, `last`, `index` from 0 and `number` from 1; undefined for anything else. */
  place(name: string): boolean | number | undefined {
    return Object.hasOwn(this.#place, name) ? this.#place[name] : undefined;
  }
}

/** What can be said of the place of an item. */
export const places = ["first", "last", "index", "number"] as const;

/** The items of a list with their places. */
export function itemsOf(
  list: readonly unknown[] & { readonly text?: string },
): readonly Item[] {
  const items = list.map((item, index) => new Item(item, index, list.length));
  return Object.assign(items, { text: list.text });
}

/** A value without what is put around it here. */
export function bare(value: unknown): unknown {
  return value instanceof Item || value instanceof Json ? value.value : value;
}

/**
 * A field of a value; undefined where it has none of that name. What JavaScript puts behind a value is
 * functions (Deno has no `__proto__`); fields are the value's own, or read by an accessor of its class.
 */
export function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if (value instanceof Item) return value.place(name) ?? fieldOf(value.value, name);
  if (value instanceof Json) {
    const field = fieldOf(value.value, name);
    return field === undefined ? undefined : new Json(field);
  }
  const field: unknown = Reflect.get(value, name);
  return typeof field === "function" ? undefined : field;
}

/**
 * A value as text: nothing for what has no text. A list is its own text where it has one, else its
 * items with commas between them.
 */
export function print(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value ?? "");
  if (value instanceof Json) return JSON.stringify(value.value);
  if (value instanceof Item) return print(value.value);
  if (Array.isArray(value)) {
    const { text } = value as { text?: string };
    return text ?? value.map(print).filter((text) => text !== "").join(", ");
  }
  const { toString } = value;
  return typeof toString === "function" && toString !== Object.prototype.toString
    ? toString.call(value)
    : "";
}
