/**
 * What stands in a tag: the name of a value, and filters behind it, as in `subject | default "none"`.
 * Mustache takes all of it for a name; what it means is read here, once for each template.
 */
import { fault, type Faults } from "./fault.ts";
import { type Argument, type Filter, type FilterName, filters } from "./filter.ts";
import { nearest } from "./nearest.ts";

/** What a tag asks for. */
export interface Expression {
  /** The name, or a path of names with dots between them. */
  readonly name: string;
  /** The same without `json.`, as limits name it. */
  readonly field: string;
  /** What is done to its value, in order. */
  readonly steps: readonly Step[];
  /** Characters of what is made of the value, where only the start of the value matters for them. */
  readonly most: number | null;
}

/** A filter with its arguments. */
export interface Step {
  /** What is done. */
  readonly filter: Filter;
  /** Such as the filter takes. */
  readonly args: readonly Argument[];
}

/** A filter and its arguments in the order in which they stand; a quoted text may hold anything. */
const WORD = /\s*(?:(\|)|"([^"]*)"|'([^']*)'|([^\s|"']+))/y;

/** Reads what stands in a tag. */
export function readExpression(text: string): Expression | Faults {
  const bar = text.indexOf("|");
  if (bar === -1) return { name: text, field: fieldOf(text), steps: [], most: Infinity };
  const steps: Step[] = [];
  for (const words of stepsOf(text.slice(bar))) {
    const step = words === null ? fault("has a quote that is not closed") : readStep(words);
    if ("faults" in step) return step;
    steps.push(step);
  }
  const name = text.slice(0, bar).trim();
  return { name, field: fieldOf(name), steps, most: mostOf(steps) };
}

const fieldOf = (name: string) => name.replace(/^json\./, "");

/** The names that are looked up for it, its own first. */
export function namesIn({ name, steps }: Expression): string[] {
  const args = steps.flatMap(({ args }) => args);
  return [name, ...args.flatMap((arg) => "name" in arg ? arg.name : [])];
}

/** A word of a tag, and whether it is in quotes. */
interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** The words behind each `|`; null where they cannot be told apart. */
function stepsOf(text: string): (Word[] | null)[] {
  const steps: Word[][] = [];
  const rest = text.trimEnd();
  for (WORD.lastIndex = 0; WORD.lastIndex < rest.length;) {
    const [, bar, double, single, plain] = WORD.exec(rest) ?? [];
    const quoted = double ?? single;
    if (bar !== undefined) steps.push([]);
    else if (quoted !== undefined) steps.at(-1)!.push({ text: quoted, isQuoted: true });
    else if (plain !== undefined) steps.at(-1)!.push({ text: plain, isQuoted: false });
    else return [null];
  }
  return steps;
}

const names = Object.keys(filters);

function readStep([first, ...others]: readonly Word[]): Step | Faults {
  if (first === undefined || first.isQuoted) {
    return fault("has no filter behind a |, must be one of " + names.join(", "));
  }
  const name = first.text;
  if (!Object.hasOwn(filters, name)) {
    return fault(`has no filter "${name}", the nearest is ${nearest(name, names)}`);
  }
  const filter: Filter = filters[name as FilterName];
  const args = others.map(readArgument);
  return filter.takes(args) ? { filter, args } : fault(`must give ${name} ${filter.usage}`);
}

function readArgument({ text, isQuoted }: Word): Argument {
  return isQuoted || /^\d+$/.test(text) ? { text } : { name: text };
}

function mostOf(steps: readonly Step[]): number | null {
  const at = steps.findIndex(({ filter }) => filter.isLocal === undefined);
  if (at === -1) return Infinity;
  const { filter, args: [first] } = steps[at];
  return filter.isCut && "text" in first ? Number(first.text) : null;
}
