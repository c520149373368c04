/**
 * A template with what stands before it: front matter in YAML, between two lines of `---`, that says
 * how to send what the template makes. Presets are such files, and so may be any template.
 */
// @ts-types="./std/yaml.d.ts"
import type { parse as parseYaml } from "npm:deno-std@1.4.0/yaml/parse.js";
import { fault, type Faults, quote } from "./fault.ts";
import { nearest } from "./nearest.ts";
import { type Method, methods, type RequestOptions } from "./request.ts";
import type { Limits } from "./scope.ts";
import type { Setting } from "./setting.ts";

/** What a file says; of what it does not say there is nothing. */
export interface TemplateFile {
  /** What it is for, in a line. */
  readonly description: string;
  /** Where the service is documented: a URL. */
  readonly docs: string;
  /** A template of where to send, where that follows from variables. */
  readonly url: Setting | null;
  /** How to send it. */
  readonly method: Method;
  /** `Name: value` each, Content-Type among them. */
  readonly headers: readonly Setting[];
  /** How much the template prints of what it names. */
  readonly limits: Limits;
  /** The variables that it cannot do without, and what each of them is. */
  readonly vars: Readonly<Record<string, string>>;
  /** A template of the names of fields for files. */
  readonly files: Setting | null;
  /** The template itself. */
  readonly template: Setting;
}

/** The line before front matter. */
const FIRST = /^---[ \t]*\r?\n/;

/** Where the template begins in the text of a file: 0 where nothing stands before it. */
export function startOf(text: string): number {
  const [first] = FIRST.exec(text) ?? [""];
  const last = first === "" ? null : /^---[ \t]*(?:\r?\n|$)/m.exec(text.slice(first.length));
  return last === null ? 0 : first.length + last.index + last[0].length;
}

/** Reads a file. `setting` is all of it. */
export async function readTemplateFile(setting: Setting): Promise<TemplateFile | Faults> {
  const { text, label } = setting;
  const start = startOf(text);
  if (start === 0 && FIRST.test(text)) {
    return fault(
      `Cannot use ${label}: its front matter is not closed, must end with a line of ---`,
    );
  }
  if (start === 0) return fileOf({}, setting, setting);
  const lines = text.slice(0, start).trimEnd().split("\n");
  const { parse } = await import("npm:deno-std@1.4.0/yaml/parse.js") as { parse: typeof parseYaml };
  const cannot = (why: string) => fault(`Cannot use ${label}: its front matter ${why}`);
  let front: unknown;
  try {
    // An empty first line, so that lines are those of the file.
    front = parse(["", ...lines.slice(1, -1)].join("\n"), { schema: "core" }) ?? {};
  } catch (error) {
    return cannot(`is not YAML: ${(error as Error).message}`);
  }
  if (typeof front !== "object" || Array.isArray(front)) return cannot("must name values");
  const flaws = Object.entries(front!).flatMap(([name, value]) => flawsOf(name, value));
  if (flaws.length > 0) return { faults: flaws.flatMap((flaw) => cannot(flaw).faults) };
  const line = lines.length + 1;
  return fileOf(front as FrontMatter, setting, { ...setting, text: text.slice(start), line });
}

/** What may stand in front matter. */
interface FrontMatter {
  readonly description?: string;
  readonly docs?: string;
  readonly url?: string;
  readonly method?: Method;
  readonly "content-type"?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly limits?: Limits;
  readonly vars?: Readonly<Record<string, string>>;
  readonly files?: string;
}

/** What a value must be. */
interface Kind {
  readonly wanted: string;
  readonly is: (value: unknown) => boolean;
  /** Whether it is what is within the value, by names, that must be so. */
  readonly isWithin?: true;
}

const isText = (value: unknown) => typeof value === "string";
const text: Kind = { wanted: "a text", is: isText };
const quoted: Kind = { wanted: "a text in quotes", is: isText, isWithin: true };
const count: Kind = {
  wanted: "a number of characters",
  is: (value) => Number.isInteger(value) && Number(value) > 0,
  isWithin: true,
};

const KINDS: Readonly<Record<keyof FrontMatter, Kind>> = {
  description: text,
  docs: text,
  url: text,
  method: {
    wanted: methods.join(" or "),
    is: (value) => (methods as readonly unknown[]).includes(value),
  },
  "content-type": text,
  headers: quoted,
  limits: count,
  vars: quoted,
  files: text,
};

function flawsOf(name: string, value: unknown): string[] {
  if (!Object.hasOwn(KINDS, name)) {
    return [`has no ${quote(name)}, the nearest is ${nearest(name, Object.keys(KINDS))}`];
  }
  const { wanted, is, isWithin } = KINDS[name as keyof FrontMatter];
  if (!isWithin) return is(value) ? [] : [`must have ${wanted} for ${name}`];
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [`must have names and their values for ${name}`];
  }
  return Object.entries(value).filter(([, one]) => !is(one))
    .map(([key]) => `must have ${wanted} for ${name}: ${key}`);
}

function fileOf(front: FrontMatter, { label, isSecret }: Setting, template: Setting): TemplateFile {
  const setting = (name: string, text: string): Setting => ({
    text,
    label: `${name} of ${label}`,
    isSecret,
  });
  const headers = { "Content-Type": front["content-type"], ...front.headers };
  return {
    description: front.description ?? "",
    docs: front.docs ?? "",
    url: front.url === undefined ? null : setting("url", front.url),
    method: front.method ?? "POST",
    headers: Object.entries(headers).filter(([, value]) => value !== undefined)
      .map(([name, value]) => setting(`header ${name}`, `${name}: ${value}`)),
    limits: front.limits ?? {},
    vars: front.vars ?? {},
    files: front.files === undefined ? null : setting("files", front.files),
    template,
  };
}

/** What an operator adds to a file, or puts in the place of what it says. */
export interface Additions {
  /** Null to leave it to the file. */
  readonly url: Setting | null;
  /** Whether requests go nowhere, whatever the file says. */
  readonly isPrinted: boolean;
  /** They take the place of those of the same name. */
  readonly headers: readonly Setting[];
  /** The values of variables. */
  readonly vars: Readonly<Record<string, string>>;
  /** This program's version. */
  readonly version: string;
}

/** What makes a request of both; faults where variables are missing. */
export function optionsOf(file: TemplateFile, added: Additions): RequestOptions | Faults {
  const { template, method, limits } = file;
  const url = added.isPrinted ? null : added.url ?? file.url;
  const names = added.headers.map(nameOf);
  const headers = [
    ...file.headers.filter((header) => !names.includes(nameOf(header))),
    ...added.headers,
  ];
  const used = [url, template, file.files, ...headers].map((setting) => setting?.text ?? "").join(
    "\n",
  );
  const missing = Object.entries(file.vars).filter(([name]) =>
    !Object.hasOwn(added.vars, name) &&
    used.split(`var.${name}`).slice(1).some((behind) => !/^[\w-]/.test(behind))
  );
  if (missing.length > 0) {
    return {
      faults: missing.map(([name, meaning]) =>
        `Cannot use ${template.label}: it needs --var ${name}=VALUE, ${meaning}`
      ),
    };
  }
  const { version } = added;
  return { url, headers, template, version, method, limits, files: file.files ?? undefined };
}

/** Names of header fields have no case (RFC 9110 section 5.1). */
const nameOf = ({ text }: Setting) => text.split(":")[0].trim().toLowerCase();
