// Types for `assert/*.js` of @std, as far as they are used here; npm's build of @std has none.
export function assert(condition: unknown, message?: string): asserts condition;
export function assertEquals<T>(actual: T, expected: T, message?: string): void;
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
export function assertMatch(actual: string, expected: RegExp, message?: string): void;
export function assertStringIncludes(actual: string, expected: string, message?: string): void;
export function assertRejects<E extends Error>(
  run: () => PromiseLike<unknown>,
  kind?: new (...args: never[]) => E,
  includes?: string,
): Promise<E>;
