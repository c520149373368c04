/**
 * Looks settings up: a flag wins over a variable, and a variable over a file that the variable with
 * `_FILE` names. Each setting knows what to call itself in a fault.
 */
import { type Faults, isFaults, quote, unreadable } from "./fault.ts";
import type { Setting } from "./setting.ts";
import { type OptionName, options, type PresetName, presets, variableOf } from "./options.ts";

/** The command line as `parseArgs` of @std/cli returns it. */
export type Flags = Readonly<Record<string, unknown>> & { readonly _: readonly string[] };

/** Where settings come from beside the flags. */
export interface Sources {
  /** The value of a variable; undefined where it is not set. */
  readonly env: (name: string) => string | undefined;
  /** The text of a file; throws where it cannot be read. */
  readonly readTextFile: (path: string) => string;
}

/** The values of a flag in order; none where it was not given. */
export function listOf(given: unknown): readonly string[] {
  return Array.isArray(given) ? given : [];
}

/** Options that hold secrets more often than not: faults do not quote what variables set them to. */
const SECRET: readonly OptionName[] = ["url", "header"];

/** Options of which there may be none. */
const REPEATED: readonly string[] = options.filter((option) => "repeats" in option)
  .map(({ name }) => name);

/** How values are named, of options whose values have names. */
const NAMED: { readonly [option: string]: (text: string) => string } = {
  // Names of header fields have no case (RFC 9110 section 5.1), those of variables do.
  header: (text) => text.split(":")[0].trim().toLowerCase(),
  var: (text) => text.split("=")[0],
};

/** Options that say what to send. */
const TEMPLATES = ["template", "template-file", "preset"] as const;

/** A value and the name of what set it. */
interface Source {
  readonly text: string;
  readonly name: string;
  /** Whether a fault must not quote it. */
  readonly isSecret: boolean;
}

/** Looks settings up and collects the faults. */
export class Settings {
  readonly #flags: Flags;
  readonly #sources: Sources;
  readonly #faults: string[];

  /** `faults` gets what is wrong with what is looked up. */
  constructor(flags: Flags, sources: Sources, faults: string[]) {
    this.#flags = flags;
    this.#sources = sources;
    this.#faults = faults;
  }

  /**
   * All values of an option that repeats. Of values that have a name a flag takes the place of a variable's
   * line of the same name; else flags take the place of them all.
   */
  many(name: OptionName): readonly Setting[] {
    const given = this.#fromFlags(name).filter(({ text }) => text !== "");
    const nameOf = NAMED[name];
    if (nameOf === undefined && given.length > 0) return given;
    const names = given.map(({ text }) => nameOf?.(text));
    const set = this.#fromEnvironment(name);
    const lines = (set?.text ?? "").split("\n").map((line) => line.trim())
      .filter((line) => line !== "").map((line) => setting({ ...set!, text: line }));
    return [...lines.filter((line) => !names.includes(nameOf?.(line.text))), ...given];
  }

  /** The value of a flag, or null. */
  flag(name: OptionName): Setting | null {
    const given = this.#fromFlags(name);
    if (given.length > 1) {
      this.#complain(`Cannot use --${name}: given ${given.length} times, must be given once`);
    }
    return given[0] ?? null;
  }

  /** The value of an option, or null. */
  one(name: OptionName): Setting | null {
    const given = this.flag(name);
    if (given !== null) return given;
    const set = this.#fromEnvironment(name);
    return set === null ? null : setting(set, name);
  }

  /**
   * The template or the preset, from wherever: one of `--template`, `--template-file` and `--preset`, or
   * else one of the variables.
   */
  template(): { readonly template: Setting | null; readonly preset: Setting | null } {
    const [path] = this.#fromFlags("template-file");
    const given = TEMPLATES.filter((name) => listOf(this.#flags[name]).length > 0);
    if (given.length === 0) {
      const [template, preset] = [this.#set("template"), this.#set("preset")];
      if (template !== null && preset !== null) this.#complainOfTwo(template.name, preset.name);
      return {
        template: template && setting(template, "template"),
        preset: preset && setting(preset),
      };
    }
    if (given.length > 1) this.#complainOfTwo(`--${given[1]}`, `--${given[0]}`);
    const of = (name: OptionName) => {
      const one = given.includes(name as typeof TEMPLATES[number]) ? this.one(name) : null;
      return one?.text === "" ? null : one;
    };
    if (path === undefined) return { template: of("template"), preset: of("preset") };
    if (of("template-file") === null) return { template: null, preset: null };
    const text = this.#read(path.text, "--template-file");
    return { template: text === null ? null : { text, label: path.label }, preset: null };
  }

  /** What the environment sets; null where it sets nothing. */
  #set(name: OptionName): Source | null {
    const set = this.#fromEnvironment(name);
    return set?.text === "" ? null : set;
  }

  #complainOfTwo(one: string, other: string): void {
    this.#complain(`Cannot use ${one}: ${other} is given too, only one can be used`);
  }

  /** The value of an option, or its default. */
  or(name: PresetName): Setting {
    const set = this.one(name);
    // A flag without its value is a fault already; one is enough.
    return set === null || set.text === "" ? { text: presets[name], label: `--${name}` } : set;
  }

  /** A value that was read; `instead` where it was not, and the faults are kept. */
  sound<Value>(value: Value | Faults, instead: Value): Value {
    if (!isFaults(value)) return value;
    this.#faults.push(...value.faults);
    return instead;
  }

  /** What is looked up twice is wrong once. */
  #complain(fault: string): void {
    if (!this.#faults.includes(fault)) this.#faults.push(fault);
  }

  #fromFlags(name: OptionName): readonly Setting[] {
    const texts = listOf(this.#flags[name]);
    if (texts.includes("")) this.#complain(`Cannot use --${name}: must have a value`);
    return texts.map((text) => setting({ text, name: `--${name}`, isSecret: false }, name));
  }

  /** An empty variable is one that is not set, as service managers leave them behind. */
  #fromEnvironment(name: OptionName): Source | null {
    const variable = variableOf(name);
    const set = this.#sources.env(variable);
    if (set) return { text: set, name: variable, isSecret: SECRET.includes(name) };
    const path = this.#sources.env(`${variable}_FILE`);
    const text = path ? this.#read(path, `${variable}_FILE`) : null;
    if (text === "" && !REPEATED.includes(name)) {
      this.#complain(`Cannot use ${variable}_FILE: ${quote(path!)} is empty, must hold a value`);
      return null;
    }
    return text === null ? null : { text, name: `${variable}_FILE`, isSecret: true };
  }

  /** A file without the line end that editors put at its end, and the mark that some put before it. */
  #read(path: string, name: string): string | null {
    try {
      return this.#sources.readTextFile(path).replace(/^\ufeff/, "").replace(/\r?\n$/, "");
    } catch (error) {
      this.#complain(`Cannot read ${quote(path)} for ${name}: ${unreadable(error)}`);
      return null;
    }
  }
}

/** A template is too long to be quoted, and its faults show a place in it. */
function setting({ text, name, isSecret }: Source, option?: OptionName): Setting {
  if (option === "template") return { text, label: name };
  return isSecret ? { text, label: name, isSecret } : { text, label: `${name} ${quote(text)}` };
}
