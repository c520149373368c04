/**
 * What somebody asks of a message. Most templates name a few fields of a context that has many, and what
 * nobody asks for is not computed: attachments are not decoded, addresses not read, checksums not made.
 */

/** Names of fields of a context, and of some fields in them; null for whatever there is. */
export type Needs = ReadonlySet<string> | null;

/** Whether one of these fields is asked for. */
export function isNeeded(needs: Needs, ...names: readonly string[]): boolean {
  return needs === null || names.some((name) => needs.has(name));
}

/** All that is asked for by these together. */
export function joined(needs: readonly Needs[]): Needs {
  const all = new Set<string>();
  for (const names of needs) {
    if (names === null) return null;
    for (const name of names) all.add(name);
  }
  return all;
}

/** What warnings are about: all that is decoded, and not what is only made of that. */
const OF_WARNINGS = [
  ...["body", "text", "html", "attachments"],
  ...["from", "to", "cc", "bcc", "replyTo"],
];

/** As JSON a field comes with all that it has; those of attachments are costly each. */
const OF_MANY = ["attachments", "files"];

/** Fields of fields that are costly. */
const INNER = ["checksum"];

/** What the names in a template ask for; each may be a path of names with dots between them. */
export function needsOf(names: Iterable<string>): Needs {
  const all = new Set<string>();
  for (const name of names) {
    const path = name.split(".");
    const isJson = path[0] === "json";
    if (isJson) path.shift();
    const isOf = (fields: readonly string[]) => fields.some((field) => path.includes(field));
    if (isJson && (path.length === 0 || isOf(OF_MANY))) return null;
    all.add(path[0]);
    if (path[0] === "files") all.add("attachments");
    if (isOf(["warnings"])) { for (const field of OF_WARNINGS) all.add(field); }
    for (const field of INNER) if (path.includes(field)) all.add(field);
  }
  return all;
}
