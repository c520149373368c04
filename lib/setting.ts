/** What an operator set, and what to call it. */
import type { Source } from "./place.ts";

/** A text that an operator set; one that is the end of a file begins at a line of it. */
export interface Setting extends Source {
  /** What to call it in a fault, such as `--port "25"`; without the text where that may be a secret. */
  readonly label: string;
  /** Whether a fault must not show any of it. */
  readonly isSecret?: boolean;
}
