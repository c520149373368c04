// Types for `yaml/parse.js`, as far as they are used here; npm's build of @std has none.
export function parse(text: string, options?: { readonly schema?: "core" }): unknown;
