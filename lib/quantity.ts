/** Times, sizes and counts as people say them: one number and its unit. */

const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1_000]] as const;

/** How long something took, in whole units: `59s`, `3m`, `2h`, `5d`; below a second `0s`. */
export function span(ms: number): string {
  const [unit, length] = UNITS.find(([, length]) => ms >= length) ?? UNITS[3];
  return `${Math.max(0, Math.floor(ms / length))}${unit}`;
}

/** How long something is ahead: `in 30s`, or `now` where it is not. */
export function ahead(ms: number): string {
  return ms <= 0 ? "now" : `in ${span(Math.ceil(ms / 1000) * 1000)}`;
}

/** Octets, with K, M or G for powers of 1024, as settings have them: `512`, `4.0K`, `12M`. */
export function size(octets: number): string {
  const power = Math.min(3, Math.floor(Math.log2(Math.max(octets, 1)) / 10));
  if (power === 0) return `${octets}`;
  const number = octets / 1024 ** power;
  return `${number < 10 ? number.toFixed(1) : Math.round(number)}${"KMG"[power - 1]}`;
}

/** A count and what is counted: `1 message`, `3 messages`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
