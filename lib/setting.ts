/** What an operator set, and what to call it. */

/** A text that an operator set. */
export interface Setting {
  /** What was set. */
  readonly text: string;
  /** What to call it in a fault, such as `--port "25"`; without the text where that may be a secret. */
  readonly label: string;
}
