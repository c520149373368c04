// Types for `uuid/v7.js`, as far as they are used here; npm's build of @std has none.
export function generate(): string;
