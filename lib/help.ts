/** The help page, made from the table of options. */
import { commands, type Option, options, others, type Tool, tools } from "./options.ts";

const WIDTH = 78;

/** The whole page, ended by a line end. */
export function help(version: string): string {
  const groups = Map.groupBy<Option["group"], Option>(options, ({ group }) => group);
  return [
    `smtp-pigeon ${version}: accepts mail over SMTP, delivers each as an HTTP POST`,
    "",
    "Usage: smtp-pigeon [serve] --url URL [options]",
    "       smtp-pigeon render [options] [FILE...]",
    "       smtp-pigeon test --url URL [options]",
    "       smtp-pigeon queue list | show ID | retry ID... | drop ID... | stats",
    "       smtp-pigeon presets [NAME]",
    "",
    "Commands:",
    ...Object.entries(commands).flatMap(([name, text]) => entry(name, text)),
    ...Object.entries<Tool>(tools).flatMap(([name, { operands, help }]) =>
      entry(`queue ${name} ${operands}`.trimEnd(), help)
    ),
    ...entry("presets [NAME]", others.presets),
    ...Array.from(groups).flatMap((
      [group, options],
    ) => ["", `${group}:`, ...options.flatMap(line)]),
    "",
    "Options are environment variables too: SMTP_PIGEON_URL for --url, and",
    "SMTP_PIGEON_URL_FILE for a file that holds it. Flags win over variables;",
    "headers and vars of both add up. Those of queue tools are flags only, and of",
    "an ID its beginning will do, if no other one begins so.",
    "",
    "Examples:",
    "  Deliver local mail to a webhook:",
    "    smtp-pigeon --url https://my.endpoint.com/mail",
    "  See what would be sent, before there is an endpoint:",
    "    smtp-pigeon --url -",
    "  Answer 250 once a message is safe on this disk, and deliver it from there:",
    "    smtp-pigeon --url https://my.endpoint.com/mail --queue queue.db",
    "  See what waits, and have all of it sent now:",
    "    smtp-pigeon queue list --queue queue.db",
    "    smtp-pigeon queue retry --all --queue queue.db",
    "  Notify a phone by ntfy:",
    "    smtp-pigeon --preset ntfy --url https://ntfy.sh/my-topic",
    "",
  ].join("\n");
}

function line({ name, value, help, preset, repeats }: Option): string[] {
  const notes = [
    ...(repeats ? ["repeatable"] : []),
    ...(preset === undefined ? [] : [`default ${preset}`]),
  ];
  const text = notes.length === 0 ? help : `${help} (${notes.join(", ")})`;
  return entry(`--${name}${value === null ? "" : ` ${value}`}`, text);
}

/** A term and its text, wrapped beside it. */
function entry(term: string, text: string): string[] {
  const indent = 26;
  const lines = wrap(text, WIDTH - indent);
  const start = `  ${term}`;
  const fits = start.length < indent - 1;
  return [
    ...(fits ? [] : [start]),
    ...lines.map((line, index) => (fits && index === 0 ? start : "").padEnd(indent) + line),
  ];
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
