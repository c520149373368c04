/**
 * A table whose rows come bit by bit: how wide its columns are is decided by the first rows. On a
 * terminal it is as wide as that, and cells are cut; anywhere else whole cells matter more than
 * straight columns.
 */
import { columnsOf, cut } from "./terminal.ts";

/** One column of a table. */
export interface Column {
  /** What stands above it. */
  readonly heading: string;
  /** How far it may be narrowed, in columns of the terminal; without it, its cells are always whole. */
  readonly least?: number;
  /** Whether it holds numbers, which stand below each other by their ends. */
  readonly isNumber?: true;
  /** Whether the beginning of a cell is as good as all of it, so that no mark need tell of the rest. */
  readonly isCutPlainly?: true;
}

/** What stands between two columns. */
const GAP = "  ";

/** A cell that is longer than this moves the rest of its row, where it cannot be cut. */
const WIDEST = 40;

/**
 * Gives what makes a line of the cells of a row, without line end. `rows` are the first ones; `width` is
 * that of the terminal, null where there is none.
 */
export function layout(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | null,
): (cells: readonly string[]) => string {
  const natural = columns.map(({ heading }, at) =>
    rows.reduce((most, cells) => Math.max(most, columnsOf(cells[at])), heading.length)
  );
  const widths = width === null
    ? natural.map((width) => Math.min(width, WIDEST))
    : fitted(natural, columns, width - GAP.length * (columns.length - 1));
  return (cells) =>
    cells.map((cell, at) => {
      const { least, isNumber, isCutPlainly } = columns[at];
      const isWhole = width === null || least === undefined;
      const shown = isWhole ? cell : cut(cell, widths[at], isCutPlainly && "");
      const space = " ".repeat(Math.max(0, widths[at] - columnsOf(shown)));
      return isNumber ? space + shown : shown + space;
    }).join(GAP).trimEnd();
}

/** Narrows the widest column again and again until all have room; the last one gets what is left over. */
function fitted(natural: readonly number[], columns: readonly Column[], room: number): number[] {
  const widths = [...natural];
  const excess = () => widths.reduce((sum, width) => sum + width, -room);
  while (excess() > 0) {
    const [widest] = widths.map((width, at) => ({ width, at }))
      .filter(({ width, at }) => width > (columns[at].least ?? width))
      .toSorted((a, b) => b.width - a.width);
    if (widest === undefined) return widths;
    widths[widest.at]--;
  }
  widths[widths.length - 1] -= excess();
  return widths;
}
