/** When a delivery that failed is tried again. */
import fc from "npm:fast-check@4.10.2";
import { delayMs, LIFETIME_MS, LONGEST_DELAY_MS, nthDelayMs, retryAfterMs } from "../lib/retry.ts";
import { assert, assertEquals } from "./assert.ts";
import { anyText, changed, textOf } from "./property.ts";

const MIN = 60_000;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

const least = () => 0;
const middle = () => 0.5;
const most = () => 1 - Number.EPSILON;

/** How long is waited after so many attempts: at least, in the middle and at most. */
const delays: readonly (readonly [
  tries: number,
  leastMs: number,
  middleMs: number,
  mostMs: number,
])[] = [
  [1, 4_500, 5_000, 5_500],
  [2, 27_000, 30_000, 33_000],
  [3, 108_000, 2 * MIN, 132_000],
  [4, 270_000, 5 * MIN, 330_000],
  [5, 810_000, 15 * MIN, 990_000],
  [6, 27 * MIN, 30 * MIN, 33 * MIN],
  [7, 54 * MIN, HOUR, 66 * MIN],
  [8, 108 * MIN, 2 * HOUR, 132 * MIN],
  [9, 216 * MIN, 4 * HOUR, 264 * MIN],
  [10, 216 * MIN, 4 * HOUR, 264 * MIN],
  [1_000_000, 216 * MIN, 4 * HOUR, 264 * MIN],
];
for (const [tries, leastMs, middleMs, mostMs] of delays) {
  Deno.test(`after attempt ${tries} it waits about ${middleMs / 1000} s`, () => {
    const all = [least, middle, most].map((random) => delayMs(tries, random));
    assertEquals(all, [leastMs, middleMs, mostMs]);
  });
}

Deno.test("a delivery is tried for 5 days", () => {
  assertEquals(LIFETIME_MS, 5 * DAY);
});

Deno.test("a delay is within a tenth of what its table says, in whole milliseconds", () => {
  const table = fc.tuple(fc.nat({ max: DAY }), fc.nat({ max: DAY }), fc.nat({ max: DAY }));
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(table, fc.integer({ min: 1, max: 9 }), random, (table, nth, number) => {
    const ms = nthDelayMs(table, nth, () => number);
    const expected = nth < 3 ? table[nth - 1] : table[2];
    assert(Number.isInteger(ms));
    assert(Math.abs(ms - expected) <= Math.ceil(expected / 10), `${ms} for ${expected}`);
  }));
});

Deno.test("delays differ evenly, so that what failed together comes back apart", () => {
  const numbers = [0, 0.25, 0.5, 0.75, 1];
  const spread = numbers.map((number) => nthDelayMs([1_000_000], 1, () => number));
  assertEquals(spread, [900_000, 950_000, 1_000_000, 1_050_000, 1_100_000]);
});

/** Now, in the examples; RFC 9110 section 5.6.7 has its own, which have passed. */
const NOW = "2026-03-01T12:00:00Z";

/** What an endpoint says, and how long it asks to wait in seconds; null where it says nothing. */
const asked: readonly (readonly [value: string | null, seconds: number | null])[] = [
  [null, null],

  // delay-seconds
  ["120", 120],
  ["1", 1],
  ["0", 1],
  ["007", 7],
  ["86399", 86_399],
  ["86400", 86_400],
  ["86401", 86_400],
  ["9".repeat(1_000), 86_400],

  ["", null],
  [" ", null],
  [" 5", null],
  ["5 ", null],
  ["5\n", null],
  ["-1", null],
  ["+5", null],
  ["1.5", null],
  ["1e3", null],
  ["0x10", null],
  ["1_000", null],
  ["5s", null],
  ["5, 10", null],
  ["\u0665", null],
  ["Infinity", null],
  ["never", null],

  // IMF-fixdate
  ["Sun, 01 Mar 2026 12:02:00 GMT", 120],
  ["Sun, 01 Mar 2026 12:00:01 GMT", 1],
  ["Sun, 01 Mar 2026 12:00:00 GMT", 1],
  ["Sun, 01 Mar 2026 11:59:59 GMT", 1],
  ["Sun, 01 Mar 2026 23:59:59 GMT", 43_199],
  // A leap second, which no clock of this kind shows.
  ["Sun, 01 Mar 2026 23:59:60 GMT", 43_199],
  ["Mon, 02 Mar 2026 00:00:00 GMT", 43_200],
  ["Mon, 02 Mar 2026 12:00:00 GMT", 86_400],
  ["Mon, 02 Mar 2026 12:00:01 GMT", 86_400],
  ["Fri, 31 Dec 9999 23:59:59 GMT", 86_400],
  ["Sun, 06 Nov 1994 08:49:37 GMT", 1],
  ["Sat, 01 Jan 0000 00:00:00 GMT", 1],
  ["Wed, 31 Dec 0099 00:00:00 GMT", 1],
  // The name of the day tells nothing that the date does not.
  ["Mon, 01 Mar 2026 12:02:00 GMT", 120],
  ["Thu, 29 Feb 2024 00:00:00 GMT", 1],

  ["Sun, 29 Feb 2026 12:02:00 GMT", null],
  ["Tue, 31 Apr 2026 12:02:00 GMT", null],
  ["Sun, 00 Mar 2026 12:02:00 GMT", null],
  ["Sun, 32 Mar 2026 12:02:00 GMT", null],
  ["Sun, 01 Mar 2026 24:00:00 GMT", null],
  ["Sun, 01 Mar 2026 12:60:00 GMT", null],
  ["Sun, 01 Mar 2026 12:02:61 GMT", null],
  ["Sun, 1 Mar 2026 12:02:00 GMT", null],
  ["Sun, 01 Mar 26 12:02:00 GMT", null],
  ["Sun, 01 Mar 02026 12:02:00 GMT", null],
  ["Sun, 01 Mar 2026 12:02 GMT", null],
  ["Sun, 01 Mar 2026 2:02:00 GMT", null],
  ["Sun, 01 Mar 2026 12:02:00.5 GMT", null],
  ["Sun, 01 Mar 2026 12:02:00", null],
  ["Sun, 01 Mar 2026 12:02:00 UTC", null],
  ["Sun, 01 Mar 2026 12:02:00 EST", null],
  ["Sun, 01 Mar 2026 12:02:00 +0000", null],
  ["Sun, 01 Mar 2026 12:02:00 GMT ", null],
  ["Sun, 01 Mar 2026 12:02:00 GMT\n", null],
  [" Sun, 01 Mar 2026 12:02:00 GMT", null],
  ["Sun, 01  Mar 2026 12:02:00 GMT", null],
  ["Sun,01 Mar 2026 12:02:00 GMT", null],
  ["Sunday, 01 Mar 2026 12:02:00 GMT", null],
  ["Son, 01 Mar 2026 12:02:00 GMT", null],
  ["Sun, 01 Mai 2026 12:02:00 GMT", null],
  ["Sun, 01 March 2026 12:02:00 GMT", null],
  ["01 Mar 2026 12:02:00 GMT", null],
  ["Sun, 01-Mar-2026 12:02:00 GMT", null],
  // An HTTP-date is case-sensitive.
  ["sun, 01 Mar 2026 12:02:00 GMT", null],
  ["Sun, 01 MAR 2026 12:02:00 GMT", null],
  ["Sun, 01 Mar 2026 12:02:00 gmt", null],
  ["2026-03-01T12:02:00Z", null],

  // rfc850-date
  ["Sunday, 01-Mar-26 12:02:00 GMT", 120],
  ["Monday, 02-Mar-26 12:02:00 GMT", 86_400],
  ["Sunday, 06-Nov-94 08:49:37 GMT", 1],
  ["Tuesday, 01-Jan-30 00:00:00 GMT", 86_400],
  ["Thursday, 01-Jan-70 00:00:00 GMT", 86_400],
  ["Sunday, 01-Mar-76 12:00:00 GMT", 86_400],
  ["Monday, 01-Mar-76 12:00:01 GMT", 1],
  ["Wednesday, 31-Dec-76 00:00:00 GMT", 1],
  ["Saturday, 01-Jan-77 00:00:00 GMT", 1],
  ["Friday, 31-Dec-99 23:59:59 GMT", 1],
  ["Saturday, 01-Jan-00 00:00:00 GMT", 1],

  ["Sunday, 29-Feb-26 12:02:00 GMT", null],
  ["Sunday, 1-Mar-26 12:02:00 GMT", null],
  ["Sunday, 01-Mar-2026 12:02:00 GMT", null],
  ["Sunday, 01 Mar 26 12:02:00 GMT", null],
  ["Sun, 01-Mar-26 12:02:00 GMT", null],
  ["Wedday, 01-Mar-26 12:02:00 GMT", null],
  ["Sunday, 01-Mar-26 12:02:00", null],

  // asctime-date
  ["Sun Mar  1 12:02:00 2026", 120],
  ["Sun Mar 01 12:02:00 2026", 120],
  ["Tue Mar 10 12:02:00 2026", 86_400],
  ["Sun Nov  6 08:49:37 1994", 1],

  ["Sun Mar 1 12:02:00 2026", null],
  ["Sun Mar  0 12:02:00 2026", null],
  ["Sun Mar  1 12:02:00 2026 GMT", null],
  ["Sun Mar  1 12:02:00 GMT 2026", null],
  ["Sun, Mar  1 12:02:00 2026", null],
  ["Sunday Mar  1 12:02:00 2026", null],
  ["Sun Feb 30 12:02:00 2026", null],
  ["Sun Mar  1 12:02:00 26", null],
];
for (const [value, seconds] of asked) {
  const shown = value === null ? "no Retry-After" : `Retry-After ${JSON.stringify(value)}`;
  const told = seconds === null ? "asks for nothing" : `asks for ${seconds} s`;
  Deno.test(`${shown.slice(0, 60)} ${told}`, () => {
    const ms = retryAfterMs(value, new Date(NOW));
    assertEquals(ms, seconds === null ? null : 1_000 * seconds);
  });
}

/** Years of two digits (RFC 9110 section 5.6.7): now, a date, and how long it asks to wait. */
const centuries: readonly (readonly [now: string, date: string, seconds: number])[] = [
  // A century ends in a moment.
  ["2099-12-31T23:00:00Z", "Friday, 01-Jan-00 00:00:00 GMT", 3_600],
  ["2099-12-31T23:00:00Z", "Thursday, 31-Dec-99 22:00:00 GMT", 1],
  // It has just begun.
  ["2100-01-01T00:00:00Z", "Thursday, 31-Dec-99 23:59:59 GMT", 1],
  ["2000-01-01T00:00:00Z", "Friday, 31-Dec-99 23:59:59 GMT", 1],
  ["2000-01-01T00:00:00Z", "Saturday, 01-Jan-50 00:00:00 GMT", 86_400],
  ["2000-01-01T00:00:00Z", "Saturday, 01-Jan-50 00:00:01 GMT", 1],
  ["2049-06-01T00:00:00Z", "Tuesday, 01-Jun-99 00:00:00 GMT", 86_400],
  ["2049-06-01T00:00:00Z", "Wednesday, 02-Jun-99 00:00:00 GMT", 1],
  ["2050-06-01T00:00:00Z", "Wednesday, 01-Jun-00 00:00:00 GMT", 86_400],
  ["2051-06-01T00:00:00Z", "Wednesday, 01-Jun-00 00:00:00 GMT", 86_400],
];
for (const [now, date, seconds] of centuries) {
  Deno.test(`at ${now} "${date}" asks for ${seconds} s`, () => {
    assertEquals(retryAfterMs(date, new Date(now)), 1_000 * seconds);
  });
}

const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
const two = (number: number) => String(number).padStart(2, "0");

/** A date in all its forms, made by other means than it is read. */
function formsOf(date: Date): readonly string[] {
  const fixdate = date.toUTCString();
  const [, day, month, year, time] = fixdate.split(" ");
  const weekday = DAYS[date.getUTCDay()];
  const asctime = (day: string) => `${weekday.slice(0, 3)} ${month} ${day} ${time} ${year}`;
  return [
    fixdate,
    `${weekday}, ${day}-${month}-${two(date.getUTCFullYear() % 100)} ${time} GMT`,
    asctime(String(Number(day)).padStart(2, " ")),
  ];
}

const moment = fc.integer({ min: Date.UTC(2000, 0) / 1000, max: Date.UTC(2200, 0) / 1000 });

Deno.test("a date within a day is waited for to the second, in all its forms", () => {
  fc.assert(fc.property(moment, fc.integer({ min: 1, max: 86_400 }), (nowS, inS) => {
    const now = new Date(1000 * nowS);
    for (const form of formsOf(new Date(1000 * (nowS + inS)))) {
      assertEquals(retryAfterMs(form, now), 1000 * inS, form);
    }
  }));
});

Deno.test("a date says the same in all its forms, up to 50 years from now", () => {
  const years = fc.integer({ min: -49 * 365 * 86_400, max: 49 * 365 * 86_400 });
  fc.assert(fc.property(moment, years, (nowS, inS) => {
    const now = new Date(1000 * nowS);
    const [fixdate, ...others] = formsOf(new Date(1000 * (nowS + inS)));
    const ms = retryAfterMs(fixdate, now);
    assertEquals(ms, 1000 * Math.min(Math.max(inS, 1), 86_400));
    for (const other of others) assertEquals(retryAfterMs(other, now), ms, other);
  }));
});

Deno.test("no delay is longer than the longest, whatever an endpoint says", () => {
  assertEquals(LONGEST_DELAY_MS, DAY);
  const values = fc.oneof(
    anyText,
    textOf(12, "0", "9", "1", "-", ".", " "),
    changed(moment.chain((s) => fc.constantFrom(...formsOf(new Date(1000 * s)))), ..."09 :,-"),
  );
  let telling = 0;
  fc.assert(
    fc.property(values, moment, fc.integer({ min: 1, max: 50 }), (value, nowS, tries) => {
      const asked = retryAfterMs(value, new Date(1000 * nowS));
      assert(asked === null || asked >= 1_000 && asked <= LONGEST_DELAY_MS, String(asked));
      assert(delayMs(tries, most) <= LONGEST_DELAY_MS);
      if (asked !== null) telling++;
    }),
    { numRuns: 1_000 },
  );
  assert(telling >= 100, `only ${telling} values asked for anything`);
});
