/**
 * What a template sees of a context: its fields and nothing that JavaScript puts behind them,
 * `{{json.NAME}}`, and `first`, `last` and `index` beside each item of a list.
 */

/**
 * What names mean at one place of a template: the fields of a value, then those of what is around it.
 * It stands in for Mustache's own context, whose lookup finds what JavaScript puts behind every value,
 * `constructor` and `join`, calls it if it can be called, and fails for `hasOwnProperty`.
 */
export class Scope {
  /** The value whose fields are looked up first. */
  readonly view: unknown;
  /** What is around it. */
  readonly parent: Scope | undefined;

  /** The outermost scope has no parent. */
  constructor(view: unknown, parent: Scope | undefined) {
    this.view = view;
    this.parent = parent;
  }

  /** The scope inside a section. */
  push(view: unknown): Scope {
    return new Scope(view, this);
  }

  /** What a name, or a path of names with dots between them, stands for. */
  lookup(name: string): unknown {
    const value = name === "." ? this.view : this.#find(name.split("."));
    return Array.isArray(value) ? itemsOf(value) : value;
  }

  #find(path: readonly string[]): unknown {
    const { view, parent } = this;
    const value = path[0] === "json"
      ? path.slice(1).reduce<unknown>(fieldOf, new Json(bare(view)))
      : path.reduce(fieldOf, view);
    return value !== undefined || parent === undefined ? value : parent.#find(path);
  }
}

/** A value without what a scope puts around it. */
function bare(view: unknown): unknown {
  return view instanceof Item || view instanceof Json ? view.value : view;
}

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
class Item {
  readonly value: unknown;
  readonly place: { readonly first: boolean; readonly last: boolean; readonly index: number };

  constructor(value: unknown, index: number, count: number) {
    this.value = value;
    this.place = { first: index === 0, last: index === count - 1, index };
  }
}

function itemsOf(list: readonly unknown[] & { readonly text?: string }): readonly Item[] {
  const items = list.map((item, index) => new Item(item, index, list.length));
  return Object.assign(items, { text: list.text });
}

/**
 * A field of a value; undefined where it has none of that name. What JavaScript puts behind a value is
 * functions (Deno has no `__proto__`); fields are the value's own, or read by an accessor of its class.
 */
function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if (value instanceof Item) return fieldOf(value.place, name) ?? fieldOf(value.value, name);
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
