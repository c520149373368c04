/**
 * A moment, as templates write it (RFC 3339), and as messages do in their Date field (RFC 5322 section
 * 3.3, with the obsolete forms of section 4.3). What is no date is not guessed at: JavaScript's own
 * reader makes the year 2001 of "backup 5 of 7".
 */

/** A moment: `{{timestamp}}`, `{{timestamp.local}}`, `{{timestamp.unix}}`. */
export class Timestamp {
  readonly #date: Date;

  /** Fractions of a second are dropped. */
  constructor(date: Date) {
    this.#date = date;
  }

  /** RFC 3339 in this machine's time zone, such as `2022-01-01T11:10:20+01:00`. */
  get local(): string {
    const offset = -this.#date.getTimezoneOffset();
    const shifted = new Date(this.#date.getTime() + offset * 60_000).toISOString().slice(0, -5);
    const minutes = Math.abs(offset);
    const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
    return `${shifted}${offset < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
  }

  /** Seconds since 1970-01-01T00:00:00Z. */
  get unix(): number {
    return Math.floor(this.#date.getTime() / 1000);
  }

  /** The moment itself, to write it in yet another form. */
  toDate(): Date {
    return this.#date;
  }

  /** RFC 3339 in UTC, such as `2022-01-01T10:10:20Z`. */
  toString(): string {
    return this.#date.toISOString().slice(0, -5) + "Z";
  }

  /** As `toString`. */
  toJSON(): string {
    return this.toString();
  }
}

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const MONTH = "(?<month>[A-Za-z]{3})[a-z]*";
const TIME = "(?<hour>\\d{1,2}):(?<minute>\\d{2})(?::(?<second>\\d{2}))?(?:\\.\\d+)?";
const ZONE = "(?<zone>[+-]\\d{4}|[A-Za-z]{1,5})";

/** The forms that are met: of RFC 5322, of RFC 3339, and of date(1) and asctime(3). */
const FORMS = [
  `^(?:[A-Za-z]+\\.? ?,? )?(?<day>\\d{1,2})[ -]${MONTH}[ -](?<year>\\d{2,4}) ${TIME}(?: ?${ZONE})?`,
  `^(?<year>\\d{4})-(?<number>\\d{2})-(?<day>\\d{2})[T ]${TIME} ?(?<zone>[+-]\\d{2}:?\\d{2}|Z)?$`,
  `^[A-Za-z]{3} ${MONTH} (?<day>\\d{1,2}) ${TIME}(?: ${ZONE})? (?<year>\\d{4})$`,
].map((form) => new RegExp(form));

/** Hours east of Greenwich; any other name is as good as none (RFC 5322 section 4.3). */
const ZONES: Readonly<Record<string, number>> = {
  ...{ EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7 },
  ...{ CET: 1, CEST: 2 },
};

/** Reads the value of a Date field; a date without a known zone is taken for UTC. Null where it is none. */
export function readDate(text: string): Timestamp | null {
  const plain = withoutComments(text).replace(/\s+/g, " ").trim();
  const groups = FORMS.map((form) => form.exec(plain)?.groups).find((groups) => groups);
  if (groups === undefined) return null;
  const { year, month, number, day, hour, minute, second = "0", zone = "" } = groups;
  const monthIndex = month === undefined ? Number(number) - 1 : MONTHS.indexOf(month.toLowerCase());
  // A leap second is the last second of its minute.
  const parts = [fullYear(year), monthIndex, +day, +hour, +minute, Math.min(+second, 59)] as const;
  const date = new Date(Date.UTC(...parts));
  const read = [
    ...[date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()],
    ...[date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()],
  ];
  if (read.some((part, index) => part !== parts[index]) || +second > 60) return null;
  return new Timestamp(new Date(date.getTime() - offsetOf(zone) * 60_000));
}

/** Years of two and three digits (RFC 5322 section 4.3). */
function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 4) return year;
  return digits.length === 2 && year < 50 ? 2000 + year : 1900 + year;
}

/** Minutes east of Greenwich. */
function offsetOf(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  if (sign === undefined) return (ZONES[zone.toUpperCase()] ?? 0) * 60;
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** Comments nest (RFC 5322 section 3.2.2). */
function withoutComments(text: string): string {
  let depth = 0;
  let kept = "";
  for (const char of text) {
    if (char === "(") depth++;
    else if (char === ")" && depth > 0) depth--;
    else if (depth === 0) kept += char;
  }
  return kept;
}
