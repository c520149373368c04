/** Numbers out of many runs, and tables of them. */

/** The value that a share of the others does not exceed; of numbers in order, NaN where there are none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? NaN;
}

/** The middle one, or between the middle two; NaN where there are none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Such as `12,345`, `1.23` or `0.012`: three digits that count, or all before the point. */
export function figure(number: number): string {
  const digits = Math.abs(number) >= 100 || number === 0
    ? 0
    : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(number))));
  return number.toLocaleString("en-US", {
    minimumFractionDigits: Math.min(digits, 4),
    maximumFractionDigits: Math.min(digits, 4),
  });
}

/** Octets in megabytes of 1,000,000. */
export function megabytes(octets: number): string {
  return `${figure(octets / 1e6)} MB`;
}

/** Rows under each other, the first cell to the left and all others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  return rows.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  ")
  ).join("\n");
}
