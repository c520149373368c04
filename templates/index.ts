/** The presets by their names. Each is a file of this folder, and has a line here. */

/** Loads the text of a preset. */
export type Load = () => Promise<{ readonly default: string }>;

/** All presets, in the order of their names. */
export const presets: Readonly<Record<string, Load>> = {
  json: () => import("./json.mustache", { with: { type: "text" } }),
};
