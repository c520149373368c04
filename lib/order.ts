/** What an operator wants of the queue: the words behind `smtp-pigeon queue`, and its switches. */
import { fault, type Faults, isFaults, quote } from "./fault.ts";
import { nearest } from "./nearest.ts";
import { type SwitchName, type ToolName, tools } from "./options.ts";

/** Which messages are meant. */
export interface Choice {
  /** Ids or their beginnings, none of them empty; or all messages. */
  readonly ids: readonly [string, ...string[]] | "all";
  /** Whether only what is dead of them is meant. */
  readonly dead: boolean;
}

/** What is to be done. */
export type Order =
  | { readonly tool: "list"; readonly dead: boolean; readonly json: boolean }
  | { readonly tool: "show"; readonly id: string; readonly form: "text" | "json" | "raw" }
  | { readonly tool: "retry"; readonly choice: Choice }
  /** `yes` has it done unasked. */
  | { readonly tool: "drop"; readonly choice: Choice; readonly yes: boolean }
  | { readonly tool: "stats"; readonly json: boolean };

/** Reads an order. `on` are the switches that were given. */
export function readOrder(
  [name, ...operands]: readonly string[],
  on: ReadonlySet<SwitchName>,
): Order | Faults {
  if (name === undefined) {
    return fault(`Cannot queue: no tool is named, must be one of ${names.join(", ")}`);
  }
  if (!isTool(name)) {
    const known = nearest(name, names);
    return fault(
      `Cannot run ${quote(`queue ${name}`)}: no such command, the nearest is queue ${known}`,
    );
  }
  const faults = misplaced(on, tools[name].switches, `queue ${name}`);
  const order = orderOf(name, operands, on);
  if (isFaults(order)) return { faults: [...faults, ...order.faults] };
  return faults.length > 0 ? { faults } : order;
}

/** Faults of switches that a command does not have. */
export function misplaced(
  on: ReadonlySet<SwitchName>,
  known: readonly SwitchName[],
  command: string,
): string[] {
  return Array.from(on).filter((name) => !known.includes(name))
    .map((name) => `Cannot use --${name}: ${command} has no such option, see --help`);
}

const names = Object.keys(tools);

const isTool = (name: string): name is ToolName => names.includes(name);

function orderOf(
  tool: ToolName,
  operands: readonly string[],
  on: ReadonlySet<SwitchName>,
): Order | Faults {
  const [dead, json] = [on.has("dead"), on.has("json")];
  const most = { "": 0, "ID": 1, "ID...": Infinity }[tools[tool].operands];
  if (operands.length > most) {
    const takes = most === 0 ? "options only" : "one ID";
    return fault(`Cannot use ${quote(operands[most])}: queue ${tool} takes ${takes}`);
  }
  // An empty word is a variable of a script that is not set, and each id begins with it.
  if (operands.includes("")) return fault(`Cannot use "": must be an ID or its beginning`);
  const [id, ...ids] = operands;
  switch (tool) {
    case "list":
      return { tool, dead, json };
    case "show":
      if (id === undefined) return fault("Cannot queue show: no message is named, must be an ID");
      if (json && on.has("raw")) {
        return fault("Cannot use --raw: --json is given too, only one can be used");
      }
      return { tool, id, form: json ? "json" : on.has("raw") ? "raw" : "text" };
    case "retry":
    case "drop": {
      if (on.has("all") && id !== undefined) {
        return fault(`Cannot use ${quote(id)}: --all is given too, only one can be used`);
      }
      if (!on.has("all") && id === undefined) {
        return fault(
          `Cannot queue ${tool}: no message is named, must be IDs, --all, or --all --dead`,
        );
      }
      const choice: Choice = { ids: on.has("all") ? "all" : [id, ...ids], dead };
      return tool === "retry" ? { tool, choice } : { tool, choice, yes: on.has("yes") };
    }
    case "stats":
      return { tool, json };
  }
}
