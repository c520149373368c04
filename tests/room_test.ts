/** The memory that messages share: who gets it, who waits, and that nobody waits for ever. */
import fc from "npm:fast-check@4.10.2";
import { Room } from "../lib/room.ts";
import { assert, assertEquals } from "./assert.ts";

/** What each message has for nothing. */
const FREE = 64 * 1024;

/** A room, and messages in it by name. */
class House {
  readonly #room: Room;
  readonly #messages = new Map<string, object>();
  /** What was asked for and not had yet, in the order in which it was asked for. */
  readonly waiting: string[] = [];

  /** `limit` is what messages can have together, beside what each has for nothing. */
  constructor(limit: number) {
    this.#room = new Room(limit);
  }

  /** Asks for `times` so many octets over those for nothing. */
  hold(name: string, octets: number, times?: number): void {
    this.holdInAll(name, FREE + octets, times);
  }

  holdInAll(name: string, octets: number, times?: number): void {
    const want = `${name}:${octets - FREE}`;
    this.waiting.push(want);
    void this.#room.hold(this.#message(name), octets, times).then(() => {
      this.waiting.splice(this.waiting.indexOf(want), 1);
    });
  }

  leave(name: string): void {
    this.#room.leave(this.#message(name));
    this.#messages.delete(name);
  }

  waits(name: string): boolean {
    return this.waiting.some((want) => want.startsWith(`${name}:`));
  }

  #message(name: string): object {
    const message = this.#messages.get(name) ?? {};
    this.#messages.set(name, message);
    return message;
  }
}

/** Lets all that can go on go on; there is no other task than those of the room. */
const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

Deno.test("what is free needs no room, and nobody stands in a line for it", async () => {
  const house = new House(100);
  house.hold("a", 1_000);
  for (let index = 0; index < 1_000; index++) house.holdInAll(`small ${index}`, FREE);
  await settled();
  assertEquals(house.waiting, []);
  // One that asked for what is free has no place before others.
  house.leave("a");
  house.hold("b", 1_000);
  house.hold("small 0", 1);
  await settled();
  assertEquals(house.waiting, ["small 0:1"]);
});

/** What happens in a room of 100 octets, and who waits after each step. */
type Step = readonly [action: string, waiting: readonly string[]];
const stories: readonly (readonly [what: string, steps: readonly Step[]])[] = [
  ["messages have as much together as there is", [
    ["a 60", []],
    ["b 40", []],
    ["c 1", ["c:1"]],
    ["a 0", []],
  ]],
  ["the first gets what it wants, also beyond the limit", [
    ["a 1000", []],
    ["b 1", ["b:1"]],
    ["a 5000", ["b:1"]],
    ["a leaves", []],
  ]],
  ["the next becomes the first, also while it waits, and gets what it wants", [
    ["a 100", []],
    ["b 1000", ["b:1000"]],
    ["c 2000", ["b:1000", "c:2000"]],
    ["a leaves", ["c:2000"]],
    ["b leaves", []],
  ]],
  ["messages of which each has a part do not wait for each other for ever", [
    ["a 50", []],
    ["b 50", []],
    ["b 60", ["b:60"]],
    ["a 60", ["b:60"]],
    ["a 100", ["b:60"]],
    ["a leaves", []],
  ]],
  ["one that waits keeps what it has", [
    ["a 50", []],
    ["b 30", []],
    ["b 80", ["b:80"]],
    ["c 21", ["b:80", "c:21"]],
    ["c 20", ["b:80", "c:21"]],
  ]],
  ["one that shrinks gives the rest to others at once, and keeps its place", [
    ["a 100", []],
    ["b 50", ["b:50"]],
    ["a 50", []],
    ["b 51", ["b:51"]],
    ["a 1000", ["b:51"]],
  ]],
  ["the first that has none of it any more is the first all the same", [
    ["a 100", []],
    ["a 0", []],
    ["b 100", []],
    ["a 50", []],
    ["b 101", ["b:101"]],
  ]],
  ["shrinking never waits, however little there is", [
    ["a 1000", []],
    ["b 0", []],
    ["c 10", ["c:10"]],
    ["a 999", ["c:10"]],
    ["a 91", ["c:10"]],
    ["a 90", []],
  ]],
  ["shrinking never waits for the first, which has more than there is", [
    ["a 50", []],
    ["b 50", []],
    ["a 1000", []],
    ["b 20", []],
    ["b 21", ["b:21"]],
  ]],
  ["one that grows needs only the difference", [
    ["a 30", []],
    ["b 50", []],
    ["b 70", []],
    ["b 71", ["b:71"]],
  ]],
  ["one that leaves while it waits waits no more, and leaves nothing behind", [
    ["a 100", []],
    ["b 50", ["b:50"]],
    ["b leaves", []],
    ["a leaves", []],
    ["c 100", []],
    ["d 1", ["d:1"]],
  ]],
  ["one that leaves gives back all it had", [
    ["a 40", []],
    ["b 60", []],
    ["c 40", ["c:40"]],
    ["d 20", ["c:40", "d:20"]],
    ["b leaves", []],
    ["e 1", ["e:1"]],
  ]],
  ["one that leaves twice, or was never there, gives back nothing", [
    ["a 100", []],
    ["b leaves", []],
    ["a leaves", []],
    ["a leaves", []],
    ["c 100", []],
    ["d 1", ["d:1"]],
  ]],
  ["asking for the same again is no new wish", [
    ["a 60", []],
    ["b 40", []],
    ["a 60", []],
    ["b 40", []],
    ["c 1", ["c:1"]],
  ]],
  ["a small one that fits need not wait for a big one that does not", [
    ["a 50", []],
    ["b 90", ["b:90"]],
    ["c 50", ["b:90"]],
  ]],
  ["a message may want several times what it has", [
    ["a 10 7", []],
    ["b 30", []],
    ["b 31", ["b:31"]],
    ["a 10 6", []],
    ["c 10", ["c:10"]],
    ["a 10", []],
  ]],
  ["several times what is free is free", [
    ["a 100", []],
    ["b 0 7", []],
    ["c -1 7", []],
  ]],
  ["one that waits for several times what it has keeps that, and the others the rest", [
    ["a 50", []],
    ["b 10", []],
    ["b 10 7", ["b:10"]],
    ["c 40", ["b:10"]],
    ["d 1", ["b:10", "d:1"]],
    ["a leaves", ["d:1"]],
  ]],
  ["of those that fit one by one those that asked first are served", [
    ["a 100", []],
    ["b 60", ["b:60"]],
    ["c 60", ["b:60", "c:60"]],
    ["d 60", ["b:60", "c:60", "d:60"]],
    ["a leaves", ["c:60", "d:60"]],
    ["b leaves", ["d:60"]],
  ]],
];

for (const [what, steps] of stories) {
  Deno.test(`hold(): ${what}`, async () => {
    const house = new House(100);
    for (const [action, waiting] of steps) {
      const [name, octets, times = 1] = action.split(" ");
      if (octets === "leaves") house.leave(name);
      else house.hold(name, Number(octets), Number(times));
      await settled();
      assertEquals(house.waiting, [...waiting], action);
    }
  });
}

Deno.test("however messages grow, all of them get their room, one after the other", async () => {
  const steps = fc.array(
    fc.record({ name: fc.nat({ max: 5 }), octets: fc.nat({ max: 200 }) }),
    { minLength: 1, maxLength: 60 },
  );
  let waits = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const house = new House(100);
      const wanted = new Map<number, number>();
      for (const { name, octets } of steps) {
        // A message that waits is not read, so that it asks for no more.
        if (house.waits(`${name}`)) continue;
        wanted.set(name, octets);
        house.hold(`${name}`, octets);
        await Promise.resolve();
      }
      if (house.waiting.length > 0) waits++;
      // Who has all that it wants is delivered, and leaves.
      for (let left = wanted.size; left > 0; left--) {
        await settled();
        const done = Array.from(wanted.keys()).find((name) => !house.waits(`${name}`));
        assert(done !== undefined, `all wait: ${house.waiting}`);
        wanted.delete(done);
        house.leave(`${done}`);
      }
      assertEquals(house.waiting, []);
    }),
    { numRuns: 200 },
  );
  assert(waits > 20, `only in ${waits} of 200 runs there was one that waited`);
});
