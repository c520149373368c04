/**
 * What every store keeps to, sentence by sentence of lib/store.ts. Moments are chosen by the tests, so that
 * nothing here waits; each test has a store of its own. Random stories are in `store_model.ts`.
 */
import type { Client, Envelope, Mail } from "../lib/mail.ts";
import {
  type Attempt,
  type Claim,
  type Destination,
  type Entry,
  type Inventory,
  MAX_HISTORY,
  type Settlement,
  type Store,
  StoreError,
} from "../lib/store.ts";
import { assert, assertEquals, assertNotEquals, assertRejects } from "./assert.ts";
import { modelTest } from "./store_model.ts";

/** Both halves of a store that is open. */
export interface Opened extends AsyncDisposable {
  /** That of the server. */
  readonly store: Store;
  /** That of the tools; may be another view of the same messages. */
  readonly inventory: Inventory;
}

/** Opens a new store in an empty folder; `maxOctets` is what its messages may have together. */
export type Open = (folder: string, options: { readonly maxOctets: number }) => Promise<Opened>;

const NOW = Date.UTC(2022, 0, 1);
const HOUR = 3_600_000;
const LIFE = 5 * 24 * HOUR;
const LEASE = 60_000;
const TIMES = { nowMs: NOW, expiresMs: NOW + LIFE };
const RETRY = { dueMs: NOW, expiresMs: NOW + LIFE };
const AMPLE = 2 ** 30;

const HOOK: Destination = { name: "hook", label: "https://hook.example" };
const OTHER: Destination = { name: "other", label: "https://other.example" };

const ALL = { dead: false };
const DEAD = { dead: true };

/** Ids in the order of numbers. */
const idOf = (number: number) => `017e1222-d800-7000-8000-${String(number).padStart(12, "0")}`;

const CLIENT: Client = {
  address: "192.0.2.1",
  port: 40_000,
  tls: false,
  hostname: "client.example",
  user: null,
};
const ENVELOPE: Envelope = {
  reversePath: { localPart: "sender", domain: "from.example" },
  forwardPaths: [{ localPart: "recipient", domain: "to.example" }],
};

/** A message; its octets tell its number. */
function mailOf(number: number, changes: Partial<Mail> = {}): Mail {
  return {
    id: idOf(number),
    receivedAt: new Date(NOW + number),
    client: CLIENT,
    envelope: ENVELOPE,
    data: new TextEncoder().encode(`Subject: ${number}\r\n\r\n`),
    ...changes,
  };
}

/** Octets that repeat nowhere soon, and differ by `seed` everywhere. */
function octetsOf(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at ^ (at >> 8) ^ (at >> 16) * 3) + seed);
}

/** Compares octets; `assertEquals` takes its time over millions of them. */
function assertOctets(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(actual.length, expected.length);
  const at = expected.findIndex((octet, at) => octet !== actual[at]);
  assertEquals(at, -1, `octet ${at} differs`);
}

/** An attempt that began then. */
const attemptAt = (atMs: number, label = HOOK.label): Attempt => ({
  atMs,
  elapsedMs: 12.5,
  label,
  reason: "endpoint answered 503",
  detail: 'Über "busy"\n',
});

const waiting = (dueMs: number, attempt = attemptAt(NOW)): Settlement => ({
  kind: "waiting",
  dueMs,
  attempt,
});
const dead: Settlement = { kind: "dead", attempt: attemptAt(NOW) };
const done: Settlement = { kind: "done" };

/** Puts messages of these numbers for HOOK. */
async function fill(store: Store, ...numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await store.put(mailOf(number), [HOOK], TIMES);
}

/** Claims, by default all that is due for HOOK. */
async function claim(
  store: Store,
  { nowMs = NOW, most = 100, destination = "hook" } = {},
): Promise<readonly Claim[]> {
  return (await store.claim(destination, most, { nowMs, leaseMs: LEASE })).claims;
}

/** Claims all that is due for HOOK, a few at a time where messages are large. */
async function claimAll(store: Store): Promise<readonly Claim[]> {
  const all: Claim[] = [];
  for (;;) {
    const { claims, nextMs } = await store.claim("hook", 100, { nowMs: NOW, leaseMs: LEASE });
    if (claims.length === 0) return all;
    all.push(...claims);
    assert(nextMs !== null && (nextMs <= NOW || nextMs === NOW + LEASE), `${nextMs}`);
  }
}

/** Claims the only delivery that is due. */
async function claimOne(store: Store, nowMs = NOW, destination = "hook"): Promise<Claim> {
  const claims = await claim(store, { nowMs, destination });
  assertEquals(claims.length, 1);
  return claims[0];
}

/** When it would be worth while to claim again. */
async function nextOf(store: Store, nowMs = NOW, destination = "hook"): Promise<number | null> {
  return (await store.claim(destination, 0, { nowMs, leaseMs: LEASE })).nextMs;
}

const numbersOf = (claims: readonly Claim[]) =>
  claims.map(({ mail }) => Number(mail.id.slice(-12)));

/** In an order that does not depend on which came first of those due at the same moment. */
const byId = (claims: readonly Claim[]) =>
  claims.toSorted((one, other) => one.mail.id < other.mail.id ? -1 : 1);

/** Claims all, and gives the numbers. */
const take = async (store: Store, nowMs = NOW, destination = "hook") =>
  numbersOf(await claim(store, { nowMs, destination }));

/** All deliveries. */
const entriesOf = (inventory: Inventory) => inventory.entries(ALL, null, 1_000);

/** What one delivery of HOOK looks like. */
async function entryOf(inventory: Inventory, number: number): Promise<Entry> {
  const letter = await inventory.find(idOf(number));
  return letter!.deliveries.find(({ destination }) => destination.name === "hook")!;
}

/** Tells whether there was room. */
async function fits(store: Store, mail: Mail): Promise<boolean> {
  try {
    await store.put(mail, [HOOK], TIMES);
    return true;
  } catch (error) {
    assert(error instanceof StoreError && error.isFull, String(error));
    return false;
  }
}

const mebibyte = 2 ** 20;
const tenth = octetsOf(mebibyte / 10);

/** A tenth of a mebibyte. */
const large = (number: number) => mailOf(number, { data: tenth });

/** Whether so many tenths are as many as fit: a store may count in what it knows of them. */
const isMost = (tenths: number) => tenths >= 8 && tenths <= 10;

/** Puts as many tenths of a mebibyte as there is room for, and gives how many they were. */
async function fillUp(store: Store): Promise<number> {
  let kept = 0;
  while (kept < 20 && await fits(store, large(kept))) kept++;
  assert(isMost(kept), `kept ${kept} tenths`);
  return kept;
}

/** What a message may consist of. */
const contents: readonly (readonly [what: string, octets: number])[] = [
  ["no octet", 0],
  ["one octet", 1],
  ["all 256 octets", 256],
  ["256 KiB less one octet", mebibyte / 4 - 1],
  ["256 KiB", mebibyte / 4],
  ["256 KiB and one octet", mebibyte / 4 + 1],
  ["512 KiB", mebibyte / 2],
  ["3 MiB", 3 * mebibyte],
];

/** What may be known of a message. */
const mails: readonly (readonly [what: string, changes: Partial<Mail>, addresses: string[]])[] = [
  [
    "the null sender",
    { envelope: { ...ENVELOPE, reversePath: null } },
    ["", "recipient@to.example"],
  ],
  [
    "internationalized names",
    {
      envelope: {
        reversePath: { localPart: "jürgen", domain: "bücher.example" },
        forwardPaths: [{ localPart: "用户", domain: "例え.テスト" }, {
          localPart: "🐦",
          domain: "e\u0301.example",
        }],
      },
      client: { ...CLIENT, hostname: "bücher.example", user: "jürgen" },
    },
    ["jürgen@bücher.example", "用户@例え.テスト", "🐦@e\u0301.example"],
  ],
  [
    "quoted local parts, address literals and no domain",
    {
      envelope: {
        reversePath: { localPart: '"a \\"b\\" \\\\ @ c, <d>"', domain: "[IPv6:2001:db8::1]" },
        forwardPaths: [
          { localPart: '""', domain: "to.example" },
          { localPart: "postmaster", domain: null },
        ],
      },
    },
    ['"a \\"b\\" \\\\ @ c, <d>"@[IPv6:2001:db8::1]', '""@to.example', "postmaster"],
  ],
  [
    "recipients in the order of RCPT, repeats kept",
    {
      envelope: {
        reversePath: null,
        forwardPaths: [
          { localPart: "z", domain: "to.example" },
          { localPart: "a", domain: "to.example" },
          { localPart: "z", domain: "to.example" },
        ],
      },
    },
    ["", "z@to.example", "a@to.example", "z@to.example"],
  ],
  [
    "a client on a Unix socket that gave no name",
    { client: { address: null, port: null, tls: false, hostname: null, user: null } },
    ["sender@from.example", "recipient@to.example"],
  ],
  [
    "a client that gave every name, over TLS",
    { client: { address: "2001:db8::1", port: 1, tls: true, hostname: 'h"\0\n\\', user: "" } },
    ["sender@from.example", "recipient@to.example"],
  ],
  [
    "a moment to the millisecond",
    { receivedAt: new Date(NOW + 999) },
    ["sender@from.example", "recipient@to.example"],
  ],
];

/** What a claim that came too late may want to say. */
const late: readonly Settlement[] = [
  done,
  dead,
  waiting(NOW + HOUR),
  { kind: "untried" },
];

/** When there is something to claim again. */
const nexts: readonly (readonly [
  what: string,
  run: (store: Store) => Promise<unknown>,
  nextMs: number | null,
])[] = [
  ["null where there is nothing", () => Promise.resolve(), null],
  ["null where all is for others", (store) => store.put(mailOf(1), [OTHER], TIMES), null],
  ["null where all is done", async (store) => {
    await fill(store, 1);
    await store.settle(await claimOne(store), done);
  }, null],
  ["null where all is dead", async (store) => {
    await fill(store, 1);
    await store.settle(await claimOne(store), dead);
  }, null],
  ["when the lease of what is tried runs out", async (store) => {
    await fill(store, 1);
    await claimOne(store);
  }, NOW + LEASE],
  ["when what was put is due", (store) => fill(store, 1), NOW],
  ["when the first of those that wait is due", async (store) => {
    await fill(store, 1, 2, 3);
    const [one, two, three] = await claim(store);
    await store.settle(one, waiting(NOW + 3));
    await store.settle(two, waiting(NOW + 2));
    await store.settle(three, dead);
  }, NOW + 2],
  ["when what waits is due, before the lease of another runs out", async (store) => {
    await fill(store, 1, 2);
    const [one] = await claim(store);
    await store.settle(one, waiting(NOW + LEASE - 1));
  }, NOW + LEASE - 1],
  ["when a lease runs out, before what waits is due", async (store) => {
    await fill(store, 1, 2);
    const [one] = await claim(store);
    await store.settle(one, waiting(NOW + LEASE + 1));
  }, NOW + LEASE],
  ["when it was due, where there was no attempt after all", async (store) => {
    await fill(store, 1);
    await store.settle(await claimOne(store, NOW + 10), { kind: "untried" });
  }, NOW],
  ["now, where more is due than was claimed", async (store) => {
    await fill(store, 1, 2);
    await claim(store, { most: 1 });
  }, NOW],
];

/** Registers the tests of a store. */
export function storeContract(name: string, open: Open): void {
  const test = (
    sentence: string,
    run: (opened: Opened) => Promise<void>,
    maxOctets = AMPLE,
  ): void =>
    Deno.test(`${name}: ${sentence}`, async () => {
      const folder = await Deno.makeTempDir({ prefix: "smtp-pigeon-store-" });
      try {
        await using opened = await open(folder, { maxOctets });
        await run(opened);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });

  test("what is put is claimed at once, untried, with its own end", async ({ store }) => {
    await fill(store, 1);
    const claim = await claimOne(store);
    const { lease, ...rest } = claim;
    assertNotEquals(lease, "");
    assertEquals(rest, { mail: mailOf(1), destination: "hook", tries: 0, expiresMs: NOW + LIFE });
  });

  for (const [what, length] of contents) {
    test(`a message of ${what} stays the same, octet by octet`, async ({ store, inventory }) => {
      const mails = [3, 5, 7].map((seed) => mailOf(seed, { data: octetsOf(length, seed) }));
      for (const mail of mails) await store.put(mail, [HOOK], TIMES);
      const claims = await claimAll(store);
      assertEquals(claims.length, mails.length);
      for (const { data, id } of mails) {
        assertOctets(claims.find(({ mail }) => mail.id === id)!.mail.data, data);
        assertOctets((await inventory.find(id))!.mail.data, data);
        assertEquals((await entryOf(inventory, Number(id.slice(-12)))).octets, length);
      }
    });
  }

  for (const [what, changes, [sender, ...recipients]] of mails) {
    test(`a message with ${what} stays the same`, async ({ store, inventory }) => {
      const mail = mailOf(1, changes);
      await store.put(mail, [HOOK], TIMES);
      assertEquals((await claimOne(store)).mail, mail);
      assertEquals((await inventory.find(mail.id))!.mail, mail);
      const entry = await entryOf(inventory, 1);
      assertEquals([entry.sender, ...entry.recipients], [sender, ...recipients]);
      assertEquals(entry.receivedMs, mail.receivedAt.getTime());
    });
  }

  test("what is due first is claimed first, whatever its id", async ({ store }) => {
    for (const [number, afterMs] of [[1, 30], [2, 10], [3, 20]]) {
      await store.put(mailOf(number), [HOOK], { ...TIMES, nowMs: NOW + afterMs });
    }
    assertEquals(numbersOf(await claim(store, { nowMs: NOW + 30, most: 2 })), [2, 3]);
    assertEquals(await take(store, NOW + 30), [1]);
  });

  test("what is put off is claimed in the order of its new moments", async ({ store }) => {
    await fill(store, 1, 2, 3);
    for (const claimed of await claim(store)) {
      await store.settle(claimed, waiting(NOW + 100 - numbersOf([claimed])[0]));
    }
    assertEquals(await take(store, NOW + 100), [3, 2, 1]);
  });

  test("no more are claimed than are asked for, and the others later", async ({ store }) => {
    await fill(store, 1, 2, 3);
    const counts = [];
    for (const most of [0, 2, 2, 2]) counts.push((await claim(store, { most })).length);
    assertEquals(counts, [0, 2, 1, 0]);
  });

  test("what is not due is not claimed until it is", async ({ store }) => {
    await fill(store, 1);
    await store.settle(await claimOne(store), waiting(NOW + 10));
    assertEquals(await take(store, NOW + 9), []);
    assertEquals(await take(store, NOW + 10), [1]);
  });

  test("what has expired is claimed all the same", async ({ store }) => {
    await fill(store, 1);
    assertEquals((await claimOne(store, NOW + 2 * LIFE)).expiresMs, NOW + LIFE);
  });

  test("what is claimed is nobody else's until its lease runs out", async ({ store }) => {
    await fill(store, 1);
    const first = await claimOne(store);
    assertEquals(await take(store, NOW + LEASE - 1), []);
    const second = await claimOne(store, NOW + LEASE);
    assertNotEquals(second.lease, first.lease);
    assertEquals({ ...second, lease: "" }, { ...first, lease: "" });
    assertEquals(await take(store, NOW + LEASE), []);
  });

  for (const settlement of late) {
    test(
      `"${settlement.kind}" is too late once another has claimed it`,
      async ({ store, inventory }) => {
        await fill(store, 1);
        const first = await claimOne(store);
        const second = await claimOne(store, NOW + LEASE);
        const before = await inventory.find(idOf(1));
        await store.settle(first, settlement);
        assertEquals(await inventory.find(idOf(1)), before);
        assertEquals(await take(store, NOW + LEASE), []);
        await store.settle(second, done);
        assertEquals(await inventory.find(idOf(1)), null);
      },
    );
  }

  test("a lease that ran out counts as long as nobody else has claimed", async ({ store }) => {
    await fill(store, 1);
    const claimed = await claimOne(store);
    assertEquals((await store.claim("hook", 0, { nowMs: NOW + HOUR, leaseMs: LEASE })).claims, []);
    await store.settle(claimed, done);
    assertEquals(await take(store, NOW + HOUR), []);
  });

  test("a claim ends once", async ({ store, inventory }) => {
    await fill(store, 1);
    const claimed = await claimOne(store);
    await store.settle(claimed, waiting(NOW + 10));
    const before = await inventory.find(idOf(1));
    for (const settlement of late) await store.settle(claimed, settlement);
    assertEquals(await inventory.find(idOf(1)), before);
  });

  test("each destination of a message has a delivery of its own", async ({ store, inventory }) => {
    await store.put(mailOf(1), [OTHER, HOOK], TIMES);
    assertEquals(await take(store, NOW, "elsewhere"), []);
    const hook = await claimOne(store);
    const other = await claimOne(store, NOW, "other");
    assertEquals([hook.destination, other.destination], ["hook", "other"]);
    await store.settle(hook, dead);
    await store.settle(other, waiting(NOW + 10));
    assertEquals(await take(store, NOW + HOUR), []);
    const standings = (await entriesOf(inventory))
      .map(({ destination, standing }) => [destination.name, standing]);
    assertEquals(standings, [["hook", "dead"], ["other", "waiting"]]);
    assertEquals((await claimOne(store, NOW + HOUR, "other")).mail, mailOf(1));
  });

  test("a message is gone with its last delivery", async ({ store, inventory }) => {
    await store.put(mailOf(1), [HOOK, OTHER], TIMES);
    const other = await claimOne(store, NOW, "other");
    await store.settle(await claimOne(store), done);
    assertEquals(await inventory.ids("", 10), [idOf(1)]);
    assertEquals((await entriesOf(inventory)).map(({ destination }) => destination), [OTHER]);
    assertEquals((await inventory.find(idOf(1)))!.mail, mailOf(1));
    await store.settle(other, done);
    assertEquals(await inventory.ids("", 10), []);
    assertEquals(await entriesOf(inventory), []);
    assertEquals(await inventory.find(idOf(1)), null);
    assertEquals((await inventory.stats()).messages, 0);
  });

  test("a message that is there already is refused, and stays", async ({ store, inventory }) => {
    await fill(store, 1);
    const again = mailOf(1, { data: octetsOf(10) });
    const error = await assertRejects(() => store.put(again, [OTHER], TIMES), StoreError);
    assertEquals(error.isFull, false);
    assertEquals((await inventory.find(idOf(1)))!.mail, mailOf(1));
    assertEquals((await entriesOf(inventory)).map(({ destination }) => destination), [HOOK]);
  });

  test("each attempt is counted and remembered", async ({ store, inventory }) => {
    await fill(store, 1);
    const entry: Entry = {
      id: idOf(1),
      receivedMs: NOW + 1,
      octets: mailOf(1).data.length,
      sender: "sender@from.example",
      recipients: ["recipient@to.example"],
      destination: HOOK,
      standing: "waiting",
      attempts: 0,
      dueMs: NOW,
      last: null,
    };
    assertEquals(await entriesOf(inventory), [entry]);
    const first = await claimOne(store);
    assertEquals(await entriesOf(inventory), [{ ...entry, standing: "sending" }]);
    const attempts = [attemptAt(NOW), attemptAt(NOW + 10, "https://new.example")];
    await store.settle(first, waiting(NOW + 10, attempts[0]));
    const once: Entry = { ...entry, attempts: 1, dueMs: NOW + 10, last: attempts[0] };
    assertEquals(await entriesOf(inventory), [once]);
    const second = await claimOne(store, NOW + 10);
    assertEquals([first.tries, second.tries], [0, 1]);
    await store.settle(second, { kind: "dead", attempt: attempts[1] });
    const twice: Entry = {
      ...entry,
      destination: { ...HOOK, label: "https://new.example" },
      standing: "dead",
      attempts: 2,
      dueMs: null,
      last: attempts[1],
    };
    assertEquals(await entriesOf(inventory), [twice]);
    assertEquals(await inventory.find(idOf(1)), {
      mail: mailOf(1),
      deliveries: [{ ...twice, history: attempts }],
    });
  });

  test("the start of an answer stays the same, cut anywhere", async ({ store, inventory }) => {
    await fill(store, 1);
    const attempt = { ...attemptAt(NOW), detail: "ü\r\n\x1b[0m\0é'\"\\%🐦\ud83d" };
    await store.settle(await claimOne(store), { kind: "dead", attempt });
    assertEquals((await inventory.find(idOf(1)))!.deliveries[0].history, [attempt]);
    assertEquals((await entryOf(inventory, 1)).last, attempt);
  });

  test("what was not tried after all waits as before", async ({ store, inventory }) => {
    await fill(store, 1);
    await store.settle(await claimOne(store), waiting(NOW + 10));
    const before = await inventory.find(idOf(1));
    const claimed = await claimOne(store, NOW + 20);
    await store.settle(claimed, { kind: "untried" });
    assertEquals(await inventory.find(idOf(1)), before);
    assertEquals((await claimOne(store, NOW + 20)).tries, claimed.tries);
  });

  test("what is dead is not claimed any more", async ({ store }) => {
    await fill(store, 1);
    await store.settle(await claimOne(store), dead);
    assertEquals(await take(store, NOW + 100 * LIFE), []);
  });

  for (const [what, run, nextMs] of nexts) {
    test(`the moment to claim again is ${what}`, async ({ store }) => {
      await run(store);
      assertEquals(await nextOf(store), nextMs);
    });
  }

  test("the moment to claim again is known with the claims", async ({ store }) => {
    await fill(store, 1, 2);
    await store.settle((await claim(store, { most: 1 }))[0], waiting(NOW + 10));
    const { claims, nextMs } = await store.claim("hook", 10, { nowMs: NOW, leaseMs: 7 });
    assertEquals([claims.length, nextMs], [1, NOW + 7]);
    assertEquals(await take(store, NOW + 6), []);
    assertEquals((await take(store, NOW + 7)).length, 1);
  });

  test("the moment to claim again is not in the future where a lease ran out", async ({ store }) => {
    await fill(store, 1);
    await claimOne(store);
    assert((await nextOf(store, NOW + LEASE))! <= NOW + LEASE);
  });

  test("hasten() makes due now what is due until then", async ({ store }) => {
    await fill(store, 1, 2, 3);
    for (const claimed of await claim(store)) {
      await store.settle(claimed, waiting(NOW + 100 * numbersOf([claimed])[0]));
    }
    await store.hasten("hook", NOW + 50, NOW + 200);
    assertEquals(await take(store, NOW + 49), []);
    assertEquals((await take(store, NOW + 50)).toSorted(), [1, 2]);
    assertEquals(await take(store, NOW + 299), []);
    assertEquals(await take(store, NOW + 300), [3]);
  });

  test("hasten() leaves in front what is due already", async ({ store }) => {
    await store.put(mailOf(1), [HOOK], { ...TIMES, nowMs: NOW + 100 });
    await store.put(mailOf(2), [HOOK], { ...TIMES, nowMs: NOW + 10 });
    await store.hasten("hook", NOW + 50, NOW + HOUR);
    assertEquals(await take(store, NOW + 50), [2, 1]);
  });

  test("hasten() leaves others, the dead and those that are tried", async ({ store, inventory }) => {
    await store.put(mailOf(1), [OTHER], { ...TIMES, nowMs: NOW + 100 });
    await fill(store, 2, 3);
    const [two] = await claim(store);
    await store.settle(two, dead);
    const before = await entriesOf(inventory);
    await store.hasten("hook", NOW + 50, NOW + HOUR);
    assertEquals(await entriesOf(inventory), before);
    assertEquals(await take(store, NOW + 50), []);
  });

  test("bury() makes dead what waits and has expired", async ({ store, inventory }) => {
    for (const [number, lifeMs] of [[1, 99], [2, 100], [3, 101]]) {
      await store.put(mailOf(number), [HOOK], { nowMs: NOW, expiresMs: NOW + lifeMs });
    }
    // It counts when the attempt began: 12 ms later the third one has expired too.
    const attempt = attemptAt(NOW + 100);
    assertEquals(await store.bury("hook", attempt), 2);
    const about = (await entriesOf(inventory)).map(({ standing, last, attempts, dueMs }) => (
      { standing, last, attempts, dueMs }
    ));
    const buried = { standing: "dead" as const, last: attempt, attempts: 1, dueMs: null };
    assertEquals(about, [
      buried,
      buried,
      { standing: "waiting", last: null, attempts: 0, dueMs: NOW },
    ]);
    assertEquals((await inventory.find(idOf(1)))!.deliveries[0].history, [attempt]);
    assertEquals(await store.bury("hook", attempt), 0);
    assertEquals(await take(store, NOW + 100), [3]);
  });

  test("bury() leaves others, the dead and those that are tried", async ({ store, inventory }) => {
    const times = { nowMs: NOW, expiresMs: NOW + 10 };
    await store.put(mailOf(1), [OTHER], times);
    await store.put(mailOf(2), [HOOK], times);
    await store.put(mailOf(3), [HOOK], times);
    const [two, three] = await claim(store);
    await store.settle(two, dead);
    const before = await entriesOf(inventory);
    assertEquals(await store.bury("hook", attemptAt(NOW + 10)), 0);
    assertEquals(await entriesOf(inventory), before);
    await store.settle(three, done);
  });

  test("bury() counts them all where they are many", async ({ store, inventory }) => {
    const numbers = Array.from({ length: 1_100 }, (_, number) => number);
    await Promise.all(numbers.map((number) => store.put(mailOf(number), [HOOK], TIMES)));
    assertEquals(await store.bury("hook", attemptAt(NOW + LIFE)), 1_100);
    assertEquals((await inventory.stats()).destinations.map(({ dead }) => dead), [1_100]);
  });

  for (const [way, byMs] of [["forth", HOUR], ["back", -HOUR]] as const) {
    test(`shift() follows a clock that jumps ${way}`, async ({ store, inventory }) => {
      await store.put(mailOf(1), [OTHER], TIMES);
      await fill(store, 2, 3);
      const [two] = await claim(store);
      const attempt = attemptAt(NOW - 10);
      await store.settle(two, waiting(NOW + 10, attempt));
      const letter = await inventory.find(two.mail.id);
      await store.shift(byMs, NOW + byMs, 2 * LIFE);
      const now = NOW + byMs;
      // Not the past: what was received and tried then.
      assertEquals(await inventory.find(two.mail.id), {
        mail: letter!.mail,
        deliveries: [{ ...letter!.deliveries[0], dueMs: now + 10 }],
      });
      assertEquals(await take(store, now + 9), []);
      assertEquals((await claimOne(store, now + 10)).expiresMs, now + LIFE);
      assertEquals(await take(store, now + LEASE - 1), []);
      assertEquals((await take(store, now + LEASE)).length, 1);
      assertEquals(await take(store, now - 1, "other"), []);
      assertEquals((await claimOne(store, now, "other")).expiresMs, now + LIFE);
    });
  }

  test("shift() lets nothing live longer than a lifetime", async ({ store }) => {
    await fill(store, 1);
    await store.put(mailOf(2), [HOOK], { nowMs: NOW + 1, expiresMs: NOW + HOUR });
    await store.shift(2 * HOUR, NOW, LIFE);
    const ends = (await claim(store, { nowMs: NOW + LIFE })).map(({ expiresMs }) => expiresMs);
    assertEquals(ends, [NOW + LIFE, NOW + 3 * HOUR]);
  });

  test("shift() does not bring back the dead", async ({ store, inventory }) => {
    await fill(store, 1);
    await store.settle(await claimOne(store), dead);
    const before = await entriesOf(inventory);
    await store.shift(-HOUR, NOW - HOUR, LIFE);
    assertEquals(await entriesOf(inventory), before);
    assertEquals(await take(store, NOW + LIFE), []);
  });

  test("the first attempt and the latest are remembered", async ({ store, inventory }) => {
    await store.put(mailOf(1), [HOOK, OTHER], TIMES);
    const attempts = Array.from({ length: MAX_HISTORY + 3 }, (_, at) => attemptAt(NOW + at));
    const historyOf = async () => (await inventory.find(idOf(1)))!.deliveries[0].history;
    for (const attempt of attempts.slice(0, MAX_HISTORY)) {
      await store.settle(await claimOne(store), waiting(NOW, attempt));
    }
    assertEquals(await historyOf(), attempts.slice(0, MAX_HISTORY));
    for (const attempt of attempts.slice(MAX_HISTORY)) {
      await store.settle(await claimOne(store), waiting(NOW, attempt));
    }
    assertEquals(await historyOf(), [attempts[0], ...attempts.slice(4)]);
    const { attempts: count, last } = await entryOf(inventory, 1);
    assertEquals([count, last], [attempts.length, attempts.at(-1)!]);
    assertEquals((await claimOne(store)).tries, attempts.length);
    assertEquals((await inventory.find(idOf(1)))!.deliveries[1].history, []);
  });

  test("a store is full once its messages have as much as they may", async (opened) => {
    const { store, inventory } = opened;
    const kept = await fillUp(store);
    const before = await inventory.stats();
    assertEquals([before.messages, before.octets], [kept, kept * large(0).data.length]);
    assertEquals(await fits(store, mailOf(99, { data: octetsOf(2 * mebibyte) })), false);
    assertEquals(await inventory.ids(idOf(kept), 1), []);
    const { messages, octets } = await inventory.stats();
    assertEquals([messages, octets], [before.messages, before.octets]);
    // What is there can still be worked on.
    assertEquals((await claim(store)).length, kept);
  }, mebibyte);

  test("a store that was full has room again once something is done", async ({ store }) => {
    const kept = await fillUp(store);
    const [one, two] = await claim(store);
    await store.settle(one, waiting(NOW + 10));
    await store.settle(two, dead);
    assertEquals(await fits(store, large(kept)), false);
    await store.settle(await claimOne(store, NOW + 10), done);
    assertEquals(await fits(store, large(kept)), true);
    assertEquals(await fits(store, large(kept + 1)), false);
  }, mebibyte);

  test("a store that was full has room again once something is dropped", async (opened) => {
    const { store, inventory } = opened;
    const kept = await fillUp(store);
    assertEquals(await inventory.drop([idOf(3)], ALL), 1);
    assertEquals(await fits(store, large(kept)), true);
    assertEquals(await fits(store, large(kept + 1)), false);
  }, mebibyte);

  test("messages that come at once do not have more together than they may", async (opened) => {
    const { store, inventory } = opened;
    const numbers = Array.from({ length: 20 }, (_, number) => number);
    const kept = (await Promise.all(numbers.map((number) => fits(store, large(number)))))
      .filter((isKept) => isKept).length;
    assert(isMost(kept), `kept ${kept} tenths`);
    assertEquals((await inventory.stats()).messages, kept);
    assertEquals((await take(store)).length, kept);
  }, mebibyte);

  test("a message is kept once, however many destinations it has", async ({ store, inventory }) => {
    const names = Array.from({ length: 20 }, (_, number) => `hook-${number}`);
    const destinations = names.map((name) => ({ name, label: name }));
    await store.put(large(1), [HOOK, ...destinations], TIMES);
    const { messages, octets, destinations: { length } } = await inventory.stats();
    assertEquals([messages, octets, length], [1, large(1).data.length, 21]);
  }, mebibyte);

  test("entries() gives page after page, by id and destination", async ({ store, inventory }) => {
    const numbers = [5, 1, 4, 2, 3];
    for (const number of numbers) await store.put(mailOf(number), [OTHER, HOOK], TIMES);
    const wanted = [1, 2, 3, 4, 5].flatMap((number) => [[number, "hook"], [number, "other"]]);
    for (const most of [1, 2, 3, 4, 10, 11]) {
      const found = [];
      let after = null;
      for (let left = 20; left > 0; left--) {
        const page: readonly Entry[] = await inventory.entries(ALL, after, most);
        if (page.length === 0) break;
        assertEquals(page.length, Math.min(most, wanted.length - found.length));
        found.push(...page.map(({ id, destination }) => [Number(id.slice(-12)), destination.name]));
        const { id, destination } = page.at(-1)!;
        after = { id, destination: destination.name };
      }
      assertEquals(found, wanted, `${most} at a time`);
    }
  });

  test("entries() goes on where the last entry has gone", async ({ store, inventory }) => {
    await fill(store, 1, 2, 3);
    await inventory.drop([idOf(2)], ALL);
    const page = await inventory.entries(ALL, { id: idOf(2), destination: "hook" }, 10);
    assertEquals(page.map(({ id }) => id), [idOf(3)]);
  });

  test("entries() gives the dead alone where they are wanted", async ({ store, inventory }) => {
    await fill(store, 1, 2, 3, 4);
    for (const claimed of await claim(store)) {
      if (numbersOf([claimed])[0] % 2 === 0) await store.settle(claimed, dead);
    }
    const page = async (after: number | null, most: number) => {
      const cursor = after === null ? null : { id: idOf(after), destination: "hook" };
      return (await inventory.entries(DEAD, cursor, most)).map(({ id }) => id);
    };
    assertEquals(await page(null, 10), [idOf(2), idOf(4)]);
    assertEquals(await page(null, 1), [idOf(2)]);
    assertEquals(await page(2, 1), [idOf(4)]);
    assertEquals(await page(4, 1), []);
  });

  test("ids() gives those that begin with a text, in order", async ({ store, inventory }) => {
    const ids = ["b2", "a_c", "b10", "a%", "ab", "Ab", "b"];
    for (const id of ids) await store.put(mailOf(1, { id }), [HOOK, OTHER], TIMES);
    for (
      const [prefix, most, found] of [
        ["", 100, ["Ab", "a%", "a_c", "ab", "b", "b10", "b2"]],
        ["", 2, ["Ab", "a%"]],
        ["b", 100, ["b", "b10", "b2"]],
        ["b", 1, ["b"]],
        ["b1", 100, ["b10"]],
        ["b10", 100, ["b10"]],
        ["b100", 100, []],
        ["a_", 100, ["a_c"]],
        ["%", 100, []],
        ["a*", 100, []],
        ["[a]", 100, []],
        ["'", 100, []],
      ] as const
    ) {
      assertEquals(await inventory.ids(prefix, most), [...found], prefix);
    }
  });

  test("find() gives null where there is no such message", async ({ store, inventory }) => {
    await fill(store, 1);
    for (const id of ["", idOf(2), idOf(1).slice(0, -1), "%"]) {
      assertEquals(await inventory.find(id), null, id);
    }
  });

  test("what was found does not change when the store does", async ({ store, inventory }) => {
    await fill(store, 1);
    const [letter, [entry]] = [await inventory.find(idOf(1)), await entriesOf(inventory)];
    await store.settle(await claimOne(store), dead);
    assertEquals([letter!.deliveries[0].standing, letter!.deliveries[0].history], ["waiting", []]);
    assertEquals([entry.standing, entry.attempts], ["waiting", 0]);
  });

  test("retry() gives deliveries a new life and all their retries", async (opened) => {
    const { store, inventory } = opened;
    await store.put(mailOf(1), [HOOK, OTHER], TIMES);
    await fill(store, 2, 3);
    const [one, two, three] = byId(await claim(store));
    await store.settle(one, dead);
    await store.settle(two, waiting(NOW + HOUR));
    await store.settle(three, waiting(NOW + HOUR));
    const untouched = await inventory.find(three.mail.id);
    const times = { dueMs: NOW + 10, expiresMs: NOW + 10 + LIFE };
    assertEquals(await inventory.retry([idOf(1), idOf(2)], ALL, times), 3);
    assertEquals(await inventory.find(three.mail.id), untouched);
    assertEquals(await take(store, NOW + 9), []);
    assertEquals((await claimOne(store, NOW + 10, "other")).expiresMs, times.expiresMs);
    const claims = byId(await claim(store, { nowMs: NOW + 10 }));
    assertEquals(numbersOf(claims), [1, 2]);
    for (const [at, { tries, expiresMs }] of claims.entries()) {
      assertEquals([tries, expiresMs], [0, times.expiresMs]);
      const { attempts, last } = await entryOf(inventory, at + 1);
      assertEquals([attempts, last], [1, attemptAt(NOW)]);
    }
    const later = attemptAt(NOW + 10);
    await store.settle(claims[0], waiting(NOW + 20, later));
    const { history } = (await inventory.find(idOf(1)))!.deliveries[0];
    assertEquals(history, [attemptAt(NOW), later]);
    assertEquals((await claimOne(store, NOW + 20)).tries, 1);
  });

  test("retry() gives life to the dead alone where they are meant", async (opened) => {
    const { store, inventory } = opened;
    await store.put(mailOf(1), [HOOK, OTHER], TIMES);
    await store.settle(await claimOne(store), dead);
    await store.settle(await claimOne(store, NOW, "other"), waiting(NOW + HOUR));
    assertEquals(await inventory.retry([idOf(1)], DEAD, { ...RETRY, dueMs: NOW + 10 }), 1);
    assertEquals(await take(store, NOW + 10), [1]);
    assertEquals(await take(store, NOW + 10, "other"), []);
  });

  test("retry() leaves what is being tried as it is", async ({ store, inventory }) => {
    await fill(store, 1);
    const claimed = await claimOne(store);
    const before = await inventory.find(idOf(1));
    const times = { dueMs: NOW + 10, expiresMs: NOW + 2 * LIFE };
    assertEquals(await inventory.retry([idOf(1)], ALL, times), 0);
    assertEquals(await inventory.find(idOf(1)), before);
    assertEquals(await take(store, NOW + 10), []);
    await store.settle(claimed, waiting(NOW + 20));
    const { tries, expiresMs } = await claimOne(store, NOW + 20);
    assertEquals([tries, expiresMs], [1, NOW + LIFE]);
  });

  test("what an operator wants tried goes before all that is due", async ({ store, inventory }) => {
    await fill(store, 1, 2, 3);
    const times = { dueMs: 0, expiresMs: NOW + LIFE };
    assertEquals(await inventory.retry([idOf(3)], ALL, times), 1);
    assertEquals(numbersOf(await claim(store, { most: 1 })), [3]);
  });

  test("a probe is one that was not tried before, where there is any", async ({ store }) => {
    await fill(store, 1, 2, 3);
    for (const claimed of (await claim(store)).slice(0, 2)) {
      await store.settle(claimed, waiting(NOW - 1));
    }
    const probe = async () =>
      (await store.claim("hook", 9, {
        ...{ nowMs: NOW + LEASE, leaseMs: LEASE, isProbe: true },
      })).claims;
    assertEquals(numbersOf(await probe()), [3]);
    assertEquals((await probe()).length, 1);
    assertEquals((await probe()).length, 1);
    assertEquals(await probe(), []);
  });

  test("settle() tells whether it was anybody's concern", async ({ store, inventory }) => {
    await fill(store, 1, 2);
    const [one, two] = byId(await claim(store));
    assertEquals(await store.settle(one, waiting(NOW + 1)), true);
    assertEquals(await store.settle(one, waiting(NOW + 1)), false);
    await inventory.drop([idOf(2)], ALL);
    assertEquals(await store.settle(two, done), false);
  });

  test("an outage is told to operators, and holds up what waits", async ({ store, inventory }) => {
    await store.put(mailOf(1), [HOOK, OTHER], TIMES);
    await fill(store, 2);
    await store.settle(byId(await claim(store))[1], dead);
    const outage = { sinceMs: NOW - 10, nextMs: NOW + HOUR, reason: "endpoint answered 503" };
    const told = async () => (await inventory.stats()).destinations.map(({ outage }) => outage);
    const dueOf = async () => (await entriesOf(inventory)).map(({ dueMs }) => dueMs);
    assertEquals([await told(), await dueOf()], [[null, null], [NOW, NOW, null]]);
    await store.report("hook", { ...outage, reason: "endpoint could not be reached" });
    await store.report("hook", outage);
    assertEquals(await told(), [outage, null]);
    assertEquals(await dueOf(), [NOW + HOUR, NOW, null]);
    await store.shift(HOUR, NOW + HOUR, LIFE);
    const { sinceMs, nextMs, reason } = outage;
    assertEquals(await told(), [
      { sinceMs: sinceMs + HOUR, nextMs: nextMs + HOUR, reason },
      null,
    ]);
    await store.report("hook", null);
    assertEquals(await told(), [null, null]);
  });

  test("retry() and drop() count each delivery once, and none that is not", async (opened) => {
    const { store, inventory } = opened;
    await fill(store, 1, 2);
    const ids = [idOf(3), idOf(1), idOf(1), ""];
    assertEquals(await inventory.retry(ids, ALL, RETRY), 1);
    assertEquals(await inventory.drop(ids, ALL), 1);
    assertEquals(await inventory.retry([], ALL, RETRY), 0);
    assertEquals(await inventory.drop([], ALL), 0);
    assertEquals(await inventory.ids("", 10), [idOf(2)]);
  });

  test("drop() removes deliveries, and with the last one the message", async (opened) => {
    const { store, inventory } = opened;
    await store.put(mailOf(1), [HOOK, OTHER], TIMES);
    await store.put(mailOf(2), [HOOK, OTHER], TIMES);
    for (const claimed of await claim(store)) await store.settle(claimed, dead);
    assertEquals(await inventory.drop([idOf(1)], DEAD), 1);
    assertEquals(
      (await inventory.find(idOf(1)))!.deliveries.map(({ destination }) => destination),
      [
        OTHER,
      ],
    );
    assertEquals(await inventory.drop([idOf(1), idOf(2)], ALL), 3);
    assertEquals(await inventory.ids("", 10), []);
    assertEquals(await nextOf(store, NOW, "other"), null);
    // Nothing is left of it that would be in the way.
    await fill(store, 1);
    assertEquals((await inventory.find(idOf(1)))!.deliveries[0].history, []);
  });

  for (const settlement of late) {
    test(`"${settlement.kind}" is too late once it is dropped`, async ({ store, inventory }) => {
      await store.put(mailOf(1), [HOOK, OTHER], TIMES);
      await fill(store, 2);
      const claims = await claim(store);
      assertEquals(await inventory.drop([idOf(2)], ALL), 1);
      const other = await claimOne(store, NOW, "other");
      const before = await entriesOf(inventory);
      await store.settle(claims.find(({ mail }) => mail.id === idOf(2))!, settlement);
      assertEquals(await entriesOf(inventory), before);
      assertEquals(await inventory.drop([idOf(1)], ALL), 2);
      await store.settle(other, settlement);
      // A claim of a message that came back is not one of this message.
      await fill(store, 2);
      await store.settle(claims.find(({ mail }) => mail.id === idOf(2))!, settlement);
      assertEquals(
        (await entriesOf(inventory)).map(({ id, standing, attempts }) => [id, standing, attempts]),
        [[idOf(2), "waiting", 0]],
      );
    });
  }

  test("stats() of an empty store are nothing", async ({ inventory }) => {
    const { storeOctets, ...rest } = await inventory.stats();
    assertEquals(rest, { messages: 0, octets: 0, oldestMs: null, destinations: [] });
    assert(storeOctets >= 0);
  });

  test("stats() count messages, and deliveries by destination", async ({ store, inventory }) => {
    // Neither the id nor the order in which they were put tells which is the oldest.
    for (const [number, age] of [[1, 5], [2, 9], [3, 7], [4, 1]]) {
      const mail = mailOf(number, {
        receivedAt: new Date(NOW - age),
        data: octetsOf(number * 1_000),
      });
      await store.put(mail, number < 3 ? [OTHER, HOOK] : [HOOK], TIMES);
    }
    const claims = byId(await claim(store));
    await store.settle(claims[0], dead);
    await store.settle(claims[1], waiting(NOW + 20));
    await store.settle(claims[2], waiting(NOW + 10));
    const { storeOctets, ...rest } = await inventory.stats();
    assertEquals(rest, {
      messages: 4,
      octets: 10_000,
      oldestMs: NOW - 9,
      destinations: [
        { destination: HOOK, waiting: 2, sending: 1, dead: 1, nextMs: NOW + 10, outage: null },
        { destination: OTHER, waiting: 2, sending: 0, dead: 0, nextMs: NOW, outage: null },
      ],
    });
    assert(storeOctets >= 10_000);
    for (const claimed of await claim(store, { destination: "other" })) {
      await store.settle(claimed, { kind: "dead", attempt: attemptAt(NOW, OTHER.label) });
    }
    const other = { destination: OTHER, waiting: 0, sending: 0, dead: 2, nextMs: null };
    assertEquals((await inventory.stats()).destinations[1], { ...other, outage: null });
  });

  test("a label is that of the latest attempt, or as it was put", async (opened) => {
    const { store, inventory } = opened;
    const labelled = (label: string): Destination => ({ ...HOOK, label });
    const labels = async () => (await entriesOf(inventory)).map(({ destination }) => destination);
    await store.put(mailOf(2), [labelled("as put")], TIMES);
    await store.put(mailOf(1), [labelled("as put later")], { ...TIMES, nowMs: NOW + 10 });
    assertEquals(await labels(), [labelled("as put later"), labelled("as put")]);
    // Counts have the one of the latest message that was put.
    const { destinations } = await inventory.stats();
    assertEquals(destinations.map(({ destination }) => destination), [labelled("as put later")]);
    await store.settle(await claimOne(store), waiting(NOW, attemptAt(NOW, "as tried")));
    assertEquals(await labels(), [labelled("as put later"), labelled("as tried")]);
    assertEquals(await store.bury("hook", attemptAt(NOW + LIFE, "as buried")), 2);
    assertEquals(await labels(), [labelled("as buried"), labelled("as buried")]);
  });

  test("no delivery is claimed twice, however many ask at once", async ({ store, inventory }) => {
    const numbers = Array.from({ length: 200 }, (_, number) => number);
    const asked = numbers.flatMap((number) => [
      store.put(mailOf(number), number % 2 === 0 ? [HOOK, OTHER] : [HOOK], TIMES).then(() => []),
      claim(store, { most: 3, destination: number % 3 === 0 ? "other" : "hook" }),
    ]);
    const claims = (await Promise.all(asked)).flat();
    assert(claims.length > 0, "nobody claimed while others put");
    for (const destination of ["hook", "other"]) {
      const rest = Array.from({ length: 40 }, () => claim(store, { most: 7, destination }));
      claims.push(...(await Promise.all(rest)).flat());
    }
    assertEquals(new Set(claims.map(({ lease }) => lease)).size, 300);
    const claimed = claims.map(({ mail, destination }) => `${mail.id} ${destination}`).toSorted();
    const wanted = numbers.flatMap((number) => [
      `${idOf(number)} hook`,
      ...(number % 2 === 0 ? [`${idOf(number)} other`] : []),
    ]);
    assertEquals(claimed, wanted);
    // Each is settled alone, though all at once.
    await Promise.all(claims.map((claimed) => store.settle(claimed, done)));
    assertEquals(await inventory.ids("", 10), []);
  });

  test("large messages that come at once are not mixed up", async ({ store }) => {
    const mails = [1, 2, 3, 4, 5].map((number) =>
      mailOf(number, { data: octetsOf(number * 150_000, number) })
    );
    await Promise.all(mails.map((mail) => store.put(mail, [HOOK], TIMES)));
    const claims = await claimAll(store);
    assertEquals(claims.length, mails.length);
    for (const { id, data } of mails) {
      assertOctets(claims.find(({ mail }) => mail.id === id)!.mail.data, data);
    }
  });

  test("version() tells what others changed, and not what it did itself", async (opened) => {
    const { store, inventory } = opened;
    let version = await store.version();
    await fill(store, 1, 2);
    await store.settle((await claim(store))[0], dead);
    await store.hasten("hook", NOW, NOW + HOUR);
    await store.shift(0, NOW, LIFE);
    assertEquals(await store.version(), version);
    for (
      const change of [
        () => inventory.retry([idOf(1), idOf(2)], DEAD, RETRY),
        () => inventory.drop([idOf(1)], ALL),
        () => inventory.drop([idOf(2)], ALL),
      ]
    ) {
      assertEquals(await change(), 1);
      const changed = await store.version();
      assertNotEquals(changed, version);
      version = changed;
    }
    await inventory.stats();
    await entriesOf(inventory);
    assertEquals(await store.version(), version);
  });

  test("close() finishes what is begun, and then takes no more", async ({ store }) => {
    const begun = [
      store.put(mailOf(1, { data: octetsOf(mebibyte) }), [HOOK], TIMES),
      store.put(mailOf(2), [HOOK], TIMES),
    ];
    await store.close();
    await Promise.all(begun);
    const refused = [
      () => store.put(mailOf(3), [HOOK], TIMES),
      () => claim(store),
    ];
    for (const call of refused) {
      assertEquals((await assertRejects(call, StoreError)).isFull, false);
    }
    // Who closes twice is as right as who closes once.
    await store.close();
  });

  modelTest(`${name}: whatever is done in any order, it does as a list of rows would`, open);
}
