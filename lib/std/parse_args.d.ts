// Types for `cli/parse_args.js`, as far as they are used here; npm's build of @std has none.
export function parseArgs(
  args: readonly string[],
  options: {
    readonly string: readonly string[];
    readonly boolean: readonly string[];
    readonly collect: readonly string[];
  },
): { readonly _: string[]; readonly [name: string]: unknown };
