// Types for `text/closest_string.js`, as far as they are used here; npm's build of @std has none.
export function closestString(givenWord: string, possibleWords: readonly string[]): string;
