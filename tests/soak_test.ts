/** What the soak goes by: its judge, its measure and its chance. The soak itself is `deno task soak`. */
import { assert, assertEquals } from "./assert.ts";
import { Chance, Deck } from "./soak/chance.ts";
import { judge, type Posted, type Sent } from "./soak/judge.ts";
import { growth, median } from "./soak/reading.ts";

const sent = (verdict: Sent["verdict"], reply = ""): Sent => ({
  ...{ token: "a", role: "a text", digest: "x", verdict, reply },
});
const posted = (status: number | null, others: Partial<Posted> = {}): Posted => ({
  ...{ id: "id-1", token: "a", digest: "x", status, ...others },
});
const accepted = sent("accepted", "250 2.0.0 OK: endpoint answered 200 (id-1)");
const refused = sent("refused", "451 4.3.0 Not delivered");

const rows: readonly [name: string, sent: Sent[], posted: Posted[], ...faults: string[]][] = [
  ["nothing", [], []],
  ["a message accepted and taken", [accepted], [posted(200)]],
  ["any success", [accepted], [posted(204)]],
  ["a POST that was repeated for want of an answer", [accepted], [posted(null), posted(200)]],
  ["a message refused before it was POSTed", [refused], []],
  ["a message refused by the endpoint", [refused], [posted(500)]],
  ["a message refused for want of an answer", [refused], [posted(null), posted(null)]],
  ["a message taken from a client that had left", [sent("unknown")], [posted(200)]],
  ["a message lost with a client that had left", [sent("unknown")], []],
  ["a message that was never sent", [sent("withdrawn")], []],
  [
    "a lost message",
    [accepted],
    [],
    "accepted message a (a text) was never taken",
  ],
  [
    "an accepted message that the endpoint refused",
    [accepted],
    [posted(500)],
    "accepted message a (a text) was never taken",
  ],
  [
    "an accepted message that the endpoint gave no answer to",
    [accepted],
    [posted(null)],
    "accepted message a (a text) was never taken",
  ],
  [
    "a doubled message",
    [accepted],
    [posted(200), posted(200)],
    "accepted message a (a text) was POSTed 2 times",
  ],
  [
    "a message that was tried again after an answer",
    [accepted],
    [posted(500), posted(200)],
    "accepted message a (a text) was POSTed 2 times",
  ],
  [
    "a doubled message of a client that had left",
    [sent("unknown")],
    [posted(200), posted(200)],
    "unknown message a (a text) was POSTed 2 times",
  ],
  [
    "a repeat under another id",
    [accepted],
    [posted(null), posted(200, { id: "id-2" })],
    "accepted message a (a text) was POSTed under 2 ids",
  ],
  [
    "another id in the reply",
    [accepted],
    [posted(200, { id: "id-2" })],
    `accepted message a (a text) was accepted under another id: ${accepted.reply}`,
  ],
  [
    "a refused message that was taken",
    [refused],
    [posted(200)],
    "refused message a (a text) was taken all the same: 451 4.3.0 Not delivered",
  ],
  [
    "half a message",
    [sent("withdrawn")],
    [posted(500)],
    "withdrawn message a (a text) was POSTed, and its end was never sent",
  ],
  [
    "other octets",
    [accepted],
    [posted(200, { digest: "y" })],
    "accepted message a (a text) was POSTed with other octets",
  ],
  [
    "a smuggled message",
    [accepted],
    [posted(200), posted(200, { id: "id-2", token: "smuggled" })],
    "POST id-2 is of no client's message: smuggled",
  ],
];
for (const [name, sent, posted, ...faults] of rows) {
  Deno.test(`judge() finds ${faults.length === 0 ? "nothing" : "fault"} with ${name}`, () => {
    assertEquals(judge(sent, posted), faults);
  });
}

Deno.test("growth() allows a fifth of the warm level, and no descriptor", () => {
  const fresh = { memory: 50e6, descriptors: 20 };
  const warm = { memory: 100e6, descriptors: 20 };
  assertEquals(growth(fresh, warm, warm), []);
  assertEquals(growth(fresh, warm, { memory: 120e6, descriptors: 19 }), []);
  assertEquals(growth(fresh, warm, { memory: 121e6, descriptors: 20 }), [
    "memory grew by 21 %, from 100 MB to 121 MB",
  ]);
  assertEquals(growth(fresh, { ...warm, descriptors: 22 }, { ...warm, descriptors: 21 }), [
    "22 file descriptors at rest (warm), at first 20",
    "21 file descriptors at rest (end), at first 20",
  ]);
});

Deno.test("median() is not led astray by one reading", () => {
  const readings = [[9, 1], [1, 2], [2, 9]].map(([memory, descriptors]) => ({
    ...{ memory, descriptors },
  }));
  assertEquals(median([readings[0], ...readings.slice(1)]), { memory: 2, descriptors: 2 });
});

Deno.test("Chance follows from its seed alone, and stays within its bounds", () => {
  const numbers = (seed: number) => {
    const chance = new Chance(seed);
    return Array.from({ length: 1_000 }, () => chance.between(-1, 2));
  };
  assertEquals(numbers(1), numbers(1));
  assert(numbers(1).join() !== numbers(2).join());
  assertEquals([...new Set(numbers(1))].toSorted((a, b) => a - b), [-1, 0, 1, 2]);
});

Deno.test("Deck deals each card as often as it is in it", () => {
  const deck = new Deck(new Map([["a", 1], ["b", 3]]), new Chance(1));
  for (let deal = 1; deal <= 10; deal++) {
    const cards = Array.from({ length: 4 }, () => deck.deal());
    assertEquals(cards.toSorted(), ["a", "b", "b", "b"]);
  }
});
