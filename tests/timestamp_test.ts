/** Moments as templates write them and as Date fields do. */
import { readDate, Timestamp } from "../lib/timestamp.ts";
import { assertEquals } from "./assert.ts";

const at = new Timestamp(new Date("2022-01-01T10:10:20.999Z"));

Deno.test("Timestamp is RFC 3339 in UTC, as text and as JSON, without fractions", () => {
  assertEquals([String(at), JSON.stringify(at)], [
    "2022-01-01T10:10:20Z",
    '"2022-01-01T10:10:20Z"',
  ]);
});

Deno.test("Timestamp.unix counts whole seconds, before 1970 too", () => {
  assertEquals(at.unix, 1641031820);
  assertEquals(new Timestamp(new Date(-1)).unix, -1);
});

for (
  const [zone, local] of [
    ["UTC", "2022-01-01T10:10:20+00:00"],
    ["Europe/Berlin", "2022-01-01T11:10:20+01:00"],
    ["America/New_York", "2022-01-01T05:10:20-05:00"],
    ["America/St_Johns", "2022-01-01T06:40:20-03:30"],
    ["Asia/Kathmandu", "2022-01-01T15:55:20+05:45"],
    ["Pacific/Kiritimati", "2022-01-02T00:10:20+14:00"],
  ]
) {
  Deno.test(`Timestamp.local is ${local} in ${zone}`, async () => {
    const module = new URL("../lib/timestamp.ts", import.meta.url);
    const code = `import { Timestamp } from "${module}";
      console.log(new Timestamp(new Date("2022-01-01T10:10:20.999Z")).local);`;
    // A zone is a property of a process.
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", code],
      env: { TZ: zone },
    }).output();
    assertEquals(new TextDecoder().decode(stdout), `${local}\n`);
  });
}

for (
  const [text, moment] of [
    ["Sat, 01 Jan 2022 10:10:19 +0000", "2022-01-01T10:10:19Z"],
    ["Sat, 1 Jan 2022 10:10:19 -0530", "2022-01-01T15:40:19Z"],
    ["1 Jan 2022 10:10 +0100", "2022-01-01T09:10:00Z"],
    ["Sat,  1  Jan  2022  10:10:19  GMT", "2022-01-01T10:10:19Z"],
    ["Sat, 01 Jan 2022 10:10:19 PST", "2022-01-01T18:10:19Z"],
    ["Sat, 01 Jan 2022 10:10:19 Z", "2022-01-01T10:10:19Z"],
    ["Sat, 01 Jan 2022 10:10:19", "2022-01-01T10:10:19Z"],
    ["Sat (a (nested) comment), 01 Jan 2022 10:10:19 +0000 (UTC)", "2022-01-01T10:10:19Z"],
    ["01 Jan 22 10:10:19 +0000", "2022-01-01T10:10:19Z"],
    ["01 Jan 99 10:10:19 +0000", "1999-01-01T10:10:19Z"],
    ["01 January 2022 10:10:19 +0000", "2022-01-01T10:10:19Z"],
    ["Sat, 31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59Z"],
    ["2022-01-01T10:10:19Z", "2022-01-01T10:10:19Z"],
    ["2022-01-01 10:10:19.123 +01:00", "2022-01-01T09:10:19Z"],
    ["Sat Jan  1 10:10:19 2022", "2022-01-01T10:10:19Z"],
    ["Sat Jan  1 10:10:19 CET 2022", "2022-01-01T09:10:19Z"],
    ["", null],
    ["backup 5 of 7", null],
    ["Sat, 32 Jan 2022 10:10:19 +0000", null],
    ["Tue, 29 Feb 2022 10:10:19 +0000", null],
    ["Sat, 01 Foo 2022 10:10:19 +0000", null],
    ["Sat, 01 Jan 2022 24:10:19 +0000", null],
    ["Sat, 01 Jan 2022 10:60:19 +0000", null],
    ["01 Jan 2022", null],
    ["1641031819", null],
  ] as const
) {
  Deno.test(`readDate() reads ${JSON.stringify(text)} as ${moment}`, () => {
    assertEquals(readDate(text)?.toString() ?? null, moment);
  });
}
