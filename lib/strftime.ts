/** Moments in the form of strftime(3), in English and in any zone of the IANA time zone database. */

type Fields = Readonly<Record<Intl.DateTimeFormatPartTypes, string>>;

/** A moment in a zone. */
interface Moment {
  readonly date: Date;
  /** Numbers have all their digits; hours are 00 to 23. */
  readonly fields: Fields;
  /** Names of the month and of the day of the week. */
  readonly names: Fields;
}

const two = (number: number) => String(number).padStart(2, "0");
const twelve = ({ hour }: Fields) => two((Number(hour) + 11) % 12 + 1);

/** `+0100` of `GMT+01:00`, or of `GMT` alone, as it is where it is +0000. */
const offset = ({ timeZoneName }: Fields) =>
  timeZoneName.replace(/^GMT/, "").replace(":", "") || "+0000";

/** Days since the year began, this one too. */
function dayOfYear({ fields }: Moment): number {
  const midnight = (month: number, day: number) => Date.UTC(Number(fields.year), month - 1, day);
  return (midnight(Number(fields.month), Number(fields.day)) - midnight(1, 0)) / 86_400_000;
}

const LETTERS: Readonly<Record<string, (moment: Moment) => string>> = {
  Y: ({ fields }) => fields.year,
  y: ({ fields }) => fields.year.slice(-2),
  m: ({ fields }) => fields.month,
  d: ({ fields }) => fields.day,
  e: ({ fields }) => String(Number(fields.day)).padStart(2),
  j: (moment) => String(dayOfYear(moment)).padStart(3, "0"),
  H: ({ fields }) => fields.hour,
  I: ({ fields }) => twelve(fields),
  M: ({ fields }) => fields.minute,
  S: ({ fields }) => fields.second,
  p: ({ fields }) => Number(fields.hour) < 12 ? "AM" : "PM",
  b: ({ names }) => names.month.slice(0, 3),
  B: ({ names }) => names.month,
  a: ({ names }) => names.weekday.slice(0, 3),
  A: ({ names }) => names.weekday,
  z: ({ fields }) => offset(fields),
  Z: ({ names }) => names.timeZoneName,
  s: ({ date }) => String(Math.floor(date.getTime() / 1000)),
  F: ({ fields }) => `${fields.year}-${fields.month}-${fields.day}`,
  T: ({ fields }) => `${fields.hour}:${fields.minute}:${fields.second}`,
  "%": () => "%",
};

/** What letters may stand behind `%`. */
export const letters: string = Object.keys(LETTERS).join(" ");

/** The first `%` and its letter in a form that mean nothing; null where all do. */
export function unknownLetter(form: string): string | null {
  const found = Array.from(form.matchAll(/%(.?)/gsu), ([, letter]) => letter);
  const unknown = found.find((letter) => !Object.hasOwn(LETTERS, letter));
  return unknown === undefined ? null : `%${unknown}`;
}

/** Whether there is a zone of that name. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone, "numbers");
    return true;
  } catch {
    return false;
  }
}

/** A moment in a form, whose letters are known, and in a zone that there is. */
export function strftime(date: Date, form: string, zone: string): string {
  const read = (kind: keyof typeof KINDS) =>
    Object.fromEntries(
      formatOf(zone, kind).formatToParts(date).map(({ type, value }) => [type, value]),
    ) as Fields;
  const moment = { date, fields: read("numbers"), names: read("names") };
  return form.replace(/%(.)/gsu, (_, letter) => LETTERS[letter](moment));
}

const KINDS = {
  numbers: {
    ...{ year: "numeric", month: "2-digit", day: "2-digit" },
    ...{ hour: "2-digit", minute: "2-digit", second: "2-digit" },
    ...{ hourCycle: "h23", timeZoneName: "longOffset" },
  },
  names: { month: "long", weekday: "long", timeZoneName: "short" },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

/** Those that were made; names come from templates, so that they are few. */
const made = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string, kind: keyof typeof KINDS): Intl.DateTimeFormat {
  const key = `${kind} ${timeZone}`;
  const format = made.get(key) ?? new Intl.DateTimeFormat("en-US", { ...KINDS[kind], timeZone });
  made.set(key, format);
  return format;
}
