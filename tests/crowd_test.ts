/** Who may connect: so many in all, and so many from one address. */
import { Crowd, type CrowdLimits } from "../lib/crowd.ts";
import { assert, assertEquals } from "./assert.ts";

/** A crowd of which all come and none leaves; those that were let in. */
function entered(limits: CrowdLimits, addresses: readonly (string | null)[]): (string | null)[] {
  const crowd = new Crowd(limits);
  const inside = addresses.filter((address) => crowd.enter(address) !== null);
  assertEquals(crowd.size, inside.length);
  return inside;
}

const MANY = 1_000;

/** Who comes, of whom all but the last may enter. */
const rows: readonly (readonly [
  what: string,
  limits: CrowdLimits,
  addresses: readonly (string | null)[],
])[] = [
  ["in all", { maxConnections: 3, maxConnectionsPerAddress: MANY }, [
    ...["192.0.2.1", null, "2001:db8::1", "192.0.2.2"],
  ]],
  ["from one IPv4 address", { maxConnections: MANY, maxConnectionsPerAddress: 2 }, [
    ...["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.0", "192.0.2.1"],
  ]],
  ["from one IPv6 address", { maxConnections: MANY, maxConnectionsPerAddress: 2 }, [
    ...["2001:db8::1", "2001:db8::1", "2001:db8::1"],
  ]],
  ["from one /64", { maxConnections: MANY, maxConnectionsPerAddress: 2 }, [
    ...["2001:db8::1", "2001:db8:0:1::1", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8::2"],
  ]],
  ["from one address, however it is written", {
    ...{ maxConnections: MANY, maxConnectionsPerAddress: 2 },
  }, ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"]],
  ["of all, where less is let in than from one address", {
    ...{ maxConnections: 1, maxConnectionsPerAddress: 2 },
  }, ["192.0.2.1", "192.0.2.1"]],
  ["on Unix sockets, where only all are counted", {
    ...{ maxConnections: 4, maxConnectionsPerAddress: 1 },
  }, [null, null, null, null, null]],
];
for (const [what, limits, addresses] of rows) {
  Deno.test(`one too many ${what} is not let in`, () => {
    assertEquals(entered(limits, addresses), addresses.slice(0, -1));
  });
}

Deno.test("who is on a Unix socket is nobody's neighbour", () => {
  const limits = { maxConnections: MANY, maxConnectionsPerAddress: 1 };
  const addresses = [null, "192.0.2.1", null, "2001:db8::1", null];
  assertEquals(entered(limits, addresses), addresses);
});

Deno.test("who leaves makes place for one from there, and for one in all", () => {
  const crowd = new Crowd({ maxConnections: 3, maxConnectionsPerAddress: 2 });
  const leave = crowd.enter("192.0.2.1");
  const leaveOther = crowd.enter("192.0.2.1");
  assert(leave !== null && leaveOther !== null);
  assertEquals(crowd.enter("192.0.2.1"), null);
  leave();
  assertEquals(crowd.size, 1);
  assert(crowd.enter("192.0.2.1") !== null);
  assertEquals(crowd.enter("192.0.2.1"), null);
  const leaveUnix = crowd.enter(null);
  assert(leaveUnix !== null);
  assertEquals([crowd.enter(null), crowd.size], [null, 3]);
  leaveUnix();
  assert(crowd.enter("192.0.2.2") !== null);
  assertEquals(crowd.enter("192.0.2.3"), null);
});

Deno.test("who was not let in is not counted", () => {
  const crowd = new Crowd({ maxConnections: 2, maxConnectionsPerAddress: 1 });
  const leave = crowd.enter("192.0.2.1");
  for (let count = 0; count < 10; count++) assertEquals(crowd.enter("192.0.2.1"), null);
  assertEquals(crowd.size, 1);
  leave!();
  assert(crowd.enter("192.0.2.1") !== null);
  assert(crowd.enter("192.0.2.2") !== null);
});

Deno.test("a crowd that has left is as one that never came, at each address", () => {
  const limits = { maxConnections: 200, maxConnectionsPerAddress: 2 };
  const crowd = new Crowd(limits);
  const addresses = Array.from({ length: 100 }, (_, index) => `2001:db8:0:${index}::1`);
  for (let round = 0; round < 3; round++) {
    const leaving = [...addresses, ...addresses].map((address) => crowd.enter(address));
    assertEquals([crowd.size, crowd.enter(null)], [200, null]);
    for (const leave of leaving) leave!();
    assertEquals(crowd.size, 0);
  }
});
