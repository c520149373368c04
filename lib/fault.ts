/** What went wrong where going wrong is expected: returned, not thrown. */

/** Faults, each one line: "Cannot <action>: <current state>, <wanted state>". */
export interface Faults {
  readonly faults: readonly string[];
}

/** Whether a result is faults. */
export function isFaults(result: unknown): result is Faults {
  return typeof result === "object" && result !== null && "faults" in result;
}

/** One fault. */
export function fault(text: string): Faults {
  return { faults: [text] };
}

/** A text that an operator set, and what to call it in a fault, such as `--port "25"`. */
export interface Setting {
  readonly text: string;
  readonly label: string;
}
