/**
 * What the crash test goes by: its ledger and its letters. The test itself is `deno task crash`.
 */
import { assert, assertEquals } from "./assert.ts";
import { read } from "./crash/endpoint.ts";
import { judge, type Posted, type Sent } from "./crash/ledger.ts";
import { letterOf, MAX_SIZE, numberOf } from "./crash/letter.ts";
import { Planner } from "./crash/plan.ts";
import { Chance } from "./soak/chance.ts";

const sent = (verdict: Sent["verdict"], reply = "", others: Partial<Sent> = {}): Sent => ({
  ...{ number: 7, flaw: "none", size: 100, run: 1, isTight: false, verdict, reply },
  ...others,
});
const posted = (run: number, others: Partial<Posted> = {}): Posted => ({
  ...{ number: 7, id: "id-1", run, difference: null, isTaken: true },
  ...others,
});
const accepted = sent("accepted", "250 2.0.0 OK: queued (id-1)");
const full = "452 4.3.1 Not queued, try again later: queue is full (id-1)";
const refused = sent("refused", full, { isTight: true });
const tooBig = sent("refused", "552 5.3.4 Message too big", { flaw: "too big" });
const unanswered = sent("unanswered");
const withdrawn = sent("withdrawn");

const rows: readonly [name: string, sent: Sent[], posted: Posted[], ...faults: string[]][] = [
  ["nothing", [], []],
  ["a message accepted and taken", [accepted], [posted(1)]],
  ["a message taken in a later run", [accepted], [posted(3)]],
  ["a message taken in two runs", [accepted], [posted(1), posted(2)]],
  ["a message taken at last", [accepted], [posted(1, { isTaken: false }), posted(1)]],
  ["a message refused by a full queue", [refused], []],
  ["a message refused by a server that stops", [sent("refused", "421 4.3.2 stopping")], []],
  ["a message refused for its size", [tooBig], []],
  ["an unanswered message that was kept", [unanswered], [posted(2)]],
  ["an unanswered message that was not", [unanswered], []],
  ["a message whose end was never sent", [withdrawn], []],
  [
    "a lost message",
    [accepted],
    [],
    "accepted message 7 (100 octets, run 1) was lost: 250 2.0.0 OK: queued (id-1)",
  ],
  [
    "a message that was only ever put off",
    [accepted],
    [posted(1, { isTaken: false })],
    "accepted message 7 (100 octets, run 1) was lost: 250 2.0.0 OK: queued (id-1)",
  ],
  [
    "a refused message that was delivered",
    [refused],
    [posted(1)],
    `refused message 7 (100 octets, run 1) was delivered all the same: ${full}`,
  ],
  [
    "a refused message that was tried",
    [refused],
    [posted(1, { isTaken: false })],
    `refused message 7 (100 octets, run 1) was delivered all the same: ${full}`,
  ],
  [
    "half a message",
    [withdrawn],
    [posted(1)],
    "withdrawn message 7 (100 octets, run 1) was delivered, and its end was never sent",
  ],
  [
    "a message accepted against the rules",
    [sent("accepted", "250 2.0.0 OK: queued (id-1)", { flaw: "unaddressed" })],
    [posted(1)],
    "accepted message 7 (unaddressed, 100 octets, run 1) should have been refused: " +
    "250 2.0.0 OK: queued (id-1)",
  ],
  [
    "a full queue that is not small",
    [sent("refused", full)],
    [],
    `refused message 7 (100 octets, run 1) was refused for no good reason: ${full}`,
  ],
  [
    "a message refused for a fault of the server",
    [sent("refused", "451 4.3.0 x", { isTight: true })],
    [],
    "refused message 7 (100 octets, run 1) was refused for no good reason: 451 4.3.0 x",
  ],
  [
    "two ids of one message",
    [unanswered],
    [posted(1), posted(2, { id: "id-2" })],
    "unanswered message 7 (100 octets, run 1) was delivered under 2 ids",
  ],
  [
    "another id in the reply",
    [accepted],
    [posted(1, { id: "id-2" })],
    "accepted message 7 (100 octets, run 1) was accepted under another id than id-2: " +
    "250 2.0.0 OK: queued (id-1)",
  ],
  [
    "a message taken twice in one run",
    [accepted],
    [posted(2), posted(2)],
    "accepted message 7 (100 octets, run 1) was taken twice in one run: 2, 2",
  ],
  [
    "other octets",
    [unanswered],
    [posted(1, { difference: "other octets" })],
    "unanswered message 7 (100 octets, run 1) was delivered with other octets",
  ],
  [
    "a message of an earlier time",
    [],
    [posted(2)],
    "POST id-1 of run 2 is of message 7, which was done with, or never sent",
  ],
  [
    "a message of nobody",
    [],
    [posted(2, { number: null })],
    "POST id-1 of run 2 is of no client's message",
  ],
];
for (const [name, sent, posted, ...faults] of rows) {
  Deno.test(`judge() finds ${faults.length === 0 ? "nothing" : "fault"} with ${name}`, () => {
    assertEquals(judge(sent, posted).faults, faults);
  });
}

Deno.test("judge() counts what a crash may do", () => {
  const messages = [
    accepted,
    { ...accepted, number: 8 },
    { ...unanswered, number: 9 },
    { ...unanswered, number: 10 },
  ];
  const posts = [
    ...[posted(1), posted(2), posted(4)],
    ...[posted(1, { number: 8, isTaken: false }), posted(2, { number: 8 })],
    posted(2, { number: 9 }),
  ];
  const { faults, ...counts } = judge(messages, posts);
  assertEquals(faults, []);
  assertEquals(counts, { doubled: 1, duplicates: 2, outliving: 1, survivors: 1 });
});

Deno.test("letterOf() makes the same letter of the same number, and no other of another", () => {
  for (const number of [1, 2, 77, 12_345]) {
    assertEquals(letterOf(3, number), letterOf(3, number));
    assert(letterOf(3, number).octets.join() !== letterOf(3, number + 1).octets.join());
    assert(letterOf(3, number).octets.join() !== letterOf(4, number).octets.join());
  }
});

Deno.test("letterOf() makes letters that say their number, and are what they are to be", () => {
  const octets = new Set<number>();
  const sizes = [];
  for (let number = 1; number <= 500; number++) {
    const letter = letterOf(1, number);
    const size = letter.octets.length;
    assertEquals(numberOf(letter.recipients), letter.flaw === "unaddressed" ? null : number);
    assertEquals(size > MAX_SIZE, letter.flaw.startsWith("too big"));
    if (!letter.isChunked) assertEquals([...letter.octets.slice(-2)], [13, 10]);
    if (size < 1_000) { for (const octet of letter.octets) octets.add(octet); }
    if (letter.flaw === "none") sizes.push(size);
  }
  assertEquals(octets.size, 256);
  assert(Math.min(...sizes) < 200 && Math.max(...sizes) >= 600_000);
});

const bodies: readonly [name: string, text: string, size: number, octets: number[]][] = [
  ["nothing", "", 0, []],
  ["ASCII", "a\r\n", 3, [97, 13, 10]],
  ["UTF-8", "é\n", 3, [0xc3, 0xa9, 10]],
  ["a byte order mark", "\ufeffa", 4, [0xef, 0xbb, 0xbf, 97]],
  ["octets that are no UTF-8", "ÿ\0é", 3, [0xff, 0, 0xe9]],
  ["octets of which some are UTF-8", "Ã©ÿ", 3, [0xc3, 0xa9, 0xff]],
];
for (const [name, text, size, octets] of bodies) {
  Deno.test(`read() gives back the octets of ${name}`, () => {
    const head = JSON.stringify({ run: "3", size, sender: "é@x", recipients: ["a"] });
    const { run, sender, recipients, data } = read(new TextEncoder().encode(`${head}\n${text}`));
    assertEquals({ run, sender, recipients }, { run: 3, sender: "é@x", recipients: ["a"] });
    assertEquals([...data], octets);
  });
}

Deno.test("Planner repeats its choices, and has the server killed in each phase", () => {
  const plans = (seed: number) => {
    const planner = new Planner(new Chance(seed));
    return Array.from({ length: 21 }, () => planner.next());
  };
  assertEquals(plans(1), plans(1));
  assertEquals(plans(1)[0].phase, "accepting");
  for (const phase of ["starting", "accepting", "draining", "stopping"]) {
    assert(plans(2).some((plan) => plan.phase === phase), phase);
  }
  assert(plans(2).some(({ room }) => room !== null));
});
