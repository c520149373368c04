/** Who may connect: so many in all, and so many from one address. */
import { Crowd, type CrowdLimits } from "../lib/crowd.ts";
import { assert, assertEquals } from "./assert.ts";

type Entered = ReturnType<Crowd["enter"]>;

/** Who was let in, or of whom it was one too many. */
const told = (entered: Entered) => typeof entered === "string" ? entered : "in";

/** A crowd of which all come and none leaves; what each is told. */
function tellAll(limits: CrowdLimits, addresses: readonly (string | null)[]): string[] {
  const crowd = new Crowd(limits);
  const all = addresses.map((address) => told(crowd.enter(address)));
  assertEquals(crowd.size, all.filter((one) => one === "in").length);
  return all;
}

/** Lets a client in, and gives what is to be called when it leaves. */
function enter(crowd: Crowd, address: string | null): () => void {
  const leave = crowd.enter(address);
  assert(typeof leave === "function", `${leave}`);
  return leave;
}

const MANY = 1_000;

/** Who comes, of whom all but the last may enter, which is one too many. */
const rows: readonly (readonly [
  what: string,
  tooMany: "all" | "address",
  limits: CrowdLimits,
  addresses: readonly (string | null)[],
])[] = [
  ["in all", "all", { maxConnections: 3, maxConnectionsPerAddress: MANY }, [
    ...["192.0.2.1", null, "2001:db8::1", "192.0.2.2"],
  ]],
  ["from one IPv4 address", "address", { maxConnections: MANY, maxConnectionsPerAddress: 2 }, [
    ...["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.0", "192.0.2.1"],
  ]],
  ["from one IPv6 address", "address", { maxConnections: MANY, maxConnectionsPerAddress: 2 }, [
    ...["2001:db8::1", "2001:db8::1", "2001:db8::1"],
  ]],
  ["from one /64", "address", { maxConnections: MANY, maxConnectionsPerAddress: 2 }, [
    ...["2001:db8::1", "2001:db8:0:1::1", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8::2"],
  ]],
  ["from one address, however it is written", "address", {
    ...{ maxConnections: MANY, maxConnectionsPerAddress: 2 },
  }, ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"]],
  ["of all, where less is let in than from one address", "all", {
    ...{ maxConnections: 1, maxConnectionsPerAddress: 2 },
  }, ["192.0.2.1", "192.0.2.1"]],
  ["of all and from one address, which is told as one of all", "all", {
    ...{ maxConnections: 1, maxConnectionsPerAddress: 1 },
  }, ["192.0.2.1", "192.0.2.1"]],
  ["on Unix sockets, where only all are counted", "all", {
    ...{ maxConnections: 4, maxConnectionsPerAddress: 1 },
  }, [null, null, null, null, null]],
];
for (const [what, tooMany, limits, addresses] of rows) {
  Deno.test(`one too many ${what} is not let in`, () => {
    const others = addresses.slice(1).map(() => "in");
    assertEquals(tellAll(limits, addresses), [...others, tooMany]);
  });
}

Deno.test("who is on a Unix socket is nobody's neighbour", () => {
  const limits = { maxConnections: MANY, maxConnectionsPerAddress: 1 };
  const addresses = [null, "192.0.2.1", null, "2001:db8::1", null];
  assertEquals(tellAll(limits, addresses), addresses.map(() => "in"));
});

Deno.test("who leaves makes place for one from there, and for one in all", () => {
  const crowd = new Crowd({ maxConnections: 3, maxConnectionsPerAddress: 2 });
  const leave = enter(crowd, "192.0.2.1");
  enter(crowd, "192.0.2.1");
  assertEquals(crowd.enter("192.0.2.1"), "address");
  leave();
  assertEquals(crowd.size, 1);
  enter(crowd, "192.0.2.1");
  assertEquals(crowd.enter("192.0.2.1"), "address");
  const leaveUnix = enter(crowd, null);
  assertEquals([crowd.enter(null), crowd.size], ["all", 3]);
  leaveUnix();
  enter(crowd, "192.0.2.2");
  assertEquals(crowd.enter("192.0.2.3"), "all");
});

Deno.test("who was not let in is not counted", () => {
  const crowd = new Crowd({ maxConnections: 2, maxConnectionsPerAddress: 1 });
  const leave = enter(crowd, "192.0.2.1");
  for (let count = 0; count < 10; count++) assertEquals(crowd.enter("192.0.2.1"), "address");
  assertEquals(crowd.size, 1);
  leave();
  enter(crowd, "192.0.2.1");
  enter(crowd, "192.0.2.2");
});

Deno.test("a crowd that has left is as one that never came, at each address", () => {
  const limits = { maxConnections: 200, maxConnectionsPerAddress: 2 };
  const crowd = new Crowd(limits);
  const addresses = Array.from({ length: 100 }, (_, index) => `2001:db8:0:${index}::1`);
  for (let round = 0; round < 3; round++) {
    const leaving = [...addresses, ...addresses].map((address) => enter(crowd, address));
    assertEquals([crowd.size, crowd.enter(null)], [200, "all"]);
    for (const leave of leaving) leave();
    assertEquals(crowd.size, 0);
  }
});
