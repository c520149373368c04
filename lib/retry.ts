/**
 * When a delivery that failed is tried again: a calculation. The first delays are short, since most
 * endpoints that fail are back in a moment; the later ones are long, and all of them differ a
 * little, so that what failed together does not come back together. An endpoint that says when to
 * come again is heeded, within limits (RFC 9110 section 10.2.3).
 */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long a delivery is tried; RFC 5321 section 4.5.4.1 asks for at least 4 to 5 days. */
export const LIFETIME_MS: number = 5 * DAY_MS;

/** Delays after the first attempt, the second and so on; the last one comes again and again. */
const DELAYS_MS = [
  ...[5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS],
  ...[30 * MINUTE_MS, 1 * HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS],
] as const;

/** The share of a delay by which it may be shorter or longer. */
const JITTER = 0.1;

/** The shortest and the longest `Retry-After` that is heeded. */
const MIN_RETRY_AFTER_MS = SECOND_MS;
const MAX_RETRY_AFTER_MS = DAY_MS;

/** No delivery that waits is due later than so many milliseconds from now. */
export const LONGEST_DELAY_MS: number = Math.max(
  Math.ceil((1 + JITTER) * Math.max(...DELAYS_MS)),
  MAX_RETRY_AFTER_MS,
);

/**
 * The nth delay of a table, from 1, in whole milliseconds: up to a tenth shorter or longer. Beyond
 * the end of the table it is the last one. `random` gives numbers from 0 to 1.
 */
export function nthDelayMs(
  delaysMs: readonly [number, ...number[]],
  nth: number,
  random: () => number,
): number {
  const delayMs = delaysMs[Math.min(nth, delaysMs.length) - 1];
  return Math.round(delayMs * (1 + JITTER * (2 * random() - 1)));
}

/** How long a delivery waits after so many attempts, at least one, all of which failed. */
export function delayMs(tries: number, random: () => number): number {
  return nthDelayMs(DELAYS_MS, tries, random);
}

/**
 * How long an endpoint asks to wait, by the value of its `Retry-After` field: seconds, or a date in
 * any of the three forms of RFC 9110 section 5.6.7. It is 1 s where that is over, and a day at
 * most. Null where there is no such field, or it says anything else: nothing is guessed at.
 */
export function retryAfterMs(value: string | null, now: Date): number | null {
  if (value === null) return null;
  const askedMs = /^\d+$/.test(value) ? Number(value) * SECOND_MS : untilDateMs(value, now);
  return askedMs === null
    ? null
    : Math.min(Math.max(askedMs, MIN_RETRY_AFTER_MS), MAX_RETRY_AFTER_MS);
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const MONTH = `(?<month>${MONTHS.join("|")})`;
const TIME = "(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)";
const DAY_NAME = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY_NAME = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";

/** IMF-fixdate, rfc850-date and asctime-date. */
const DATES = [
  `^${DAY_NAME}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`,
  `^${LONG_DAY_NAME}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`,
  `^${DAY_NAME} ${MONTH} (?<day>\\d\\d| \\d) ${TIME} (?<year>\\d{4})$`,
].map((form) => new RegExp(form));

/** Milliseconds until an HTTP-date, below 0 where it has passed; null where it is none. */
function untilDateMs(text: string, now: Date): number | null {
  const groups = DATES.map((form) => form.exec(text)?.groups).find((groups) => groups);
  if (groups === undefined) return null;
  const { year, month, day, hour, minute, second } = groups;
  // A leap second is the last second of its minute.
  const time = [Number(hour), Number(minute), Math.min(Number(second), 59)] as const;
  const inYear = (fullYear: number) =>
    new Date(Date.UTC(fullYear, MONTHS.indexOf(month), Number(day), ...time));
  const date = year.length === 4 ? inYear(Number(year)) : inCentury(Number(year), inYear, now);
  return date.getUTCDate() === Number(day) ? date.getTime() - now.getTime() : null;
}

/**
 * A year of two digits is the latest that is not more than 50 years ahead (RFC 9110 section 5.6.7).
 */
function inCentury(twoDigits: number, inYear: (fullYear: number) => Date, now: Date): Date {
  const latest = new Date(now);
  latest.setUTCFullYear(now.getUTCFullYear() + 50);
  const lastYear = latest.getUTCFullYear();
  const fullYear = lastYear - (lastYear - twoDigits) % 100;
  const date = inYear(fullYear);
  return date > latest ? inYear(fullYear - 100) : date;
}
