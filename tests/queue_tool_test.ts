/** The tools of the queue: what they print, what they change, and their exit codes. */
import type { Mail } from "../lib/mail.ts";
import { concat } from "../lib/octets.ts";
import type { Choice, Order } from "../lib/order.ts";
import { type Operator, useTool } from "../lib/queue_tool.ts";
import { LIFETIME_MS } from "../lib/retry.ts";
import type { Attempt, Destination, Inventory } from "../lib/store.ts";
import { MemoryStore } from "../lib/store/memory.ts";
import { columnsOf } from "../lib/terminal.ts";
import { Timestamp } from "../lib/timestamp.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "./assert.ts";

const NOW = Date.parse("2026-03-04T05:06:07.890Z");
const SECOND = 1000;
const MINUTE = 60 * SECOND;

const A: Destination = { name: "a", label: "https://a.example" };
const B: Destination = { name: "b", label: "https://b.example" };
const C: Destination = { name: "c", label: "https://c.example" };

/** Ids as they are, in order. */
const idOf = (number: number) => `0190c8a5-${`${number}`.padStart(4, "0")}-7000-8000-0123456789ab`;

/** What differs from one message to another. */
interface Parts {
  readonly sender?: string | null;
  readonly recipients?: readonly string[];
  readonly data?: Uint8Array;
  readonly client?: Partial<Mail["client"]>;
  readonly ageMs?: number;
  readonly destinations?: readonly [Destination, ...Destination[]];
}

function pathOf(address: string) {
  const [localPart, domain] = address.split("@");
  return { localPart, domain };
}

function mailOf(number: number, parts: Parts): Mail {
  const { sender = "s@x.example", recipients = ["r@y.example"], ageMs = 0 } = parts;
  const [first, ...rest] = recipients.map(pathOf);
  return {
    id: idOf(number),
    receivedAt: new Date(NOW - ageMs),
    client: {
      ...{ address: "192.0.2.1", port: 49152, hostname: "host", tls: false, user: null },
      ...parts.client,
    },
    envelope: {
      reversePath: sender === null ? null : pathOf(sender),
      forwardPaths: [first, ...rest],
    },
    data: parts.data ?? new TextEncoder().encode("Subject: x\r\n\r\nbody\r\n"),
  };
}

const attemptOf = (parts: Partial<Attempt> = {}): Attempt => ({
  ...{ atMs: NOW - MINUTE, elapsedMs: 12.4, label: A.label },
  ...{ reason: "endpoint answered 503", detail: "" },
  ...parts,
});

/** A store with messages, whose numbers are those of their ids. */
class Office {
  readonly store = new MemoryStore({ maxOctets: Infinity });

  async put(number: number, parts: Parts = {}): Promise<void> {
    const times = { nowMs: NOW, expiresMs: NOW + LIFETIME_MS };
    await this.store.put(mailOf(number, parts), parts.destinations ?? [A], times);
  }

  /** Has the first delivery that is due end in an attempt; `dueMs` is null where it is dead by it. */
  async fail(dueMs: number | null, attempt = attemptOf(), { name } = A): Promise<void> {
    const { claims: [claim] } = await this.store.claim(name, 1, { nowMs: NOW, leaseMs: MINUTE });
    await this.store.settle(
      claim,
      dueMs === null ? { kind: "dead", attempt } : { kind: "waiting", dueMs, attempt },
    );
  }

  /** Has so many deliveries being tried. */
  async send(most: number): Promise<void> {
    await this.store.claim(A.name, most, { nowMs: NOW, leaseMs: MINUTE });
  }

  async numbers(dead = false): Promise<number[]> {
    const entries = await this.store.entries({ dead }, null, 100_000);
    return entries.map(({ id }) => Number(id.slice(9, 13)));
  }
}

/** What a tool said. */
interface Said {
  code: number;
  text: string;
  octets: Uint8Array;
  faults: string[];
  progress: string[];
  questions: string[];
}

/** Uses a tool; whoever does sits at no terminal, unless `operator` says otherwise. */
async function use(
  order: Order,
  inventory: Inventory,
  operator: Partial<Operator> & { answer?: boolean } = {},
): Promise<Said> {
  const said: Said = {
    ...{ code: NaN, text: "", octets: new Uint8Array(0), faults: [], progress: [], questions: [] },
  };
  const { answer, ...rest } = operator;
  said.code = await useTool(order, inventory, {
    print: (octets) => {
      said.octets = concat([said.octets, octets]);
      said.text += new TextDecoder().decode(octets);
    },
    complain: (fault) => said.faults.push(fault),
    width: null,
    showProgress: null,
    confirm: answer === undefined ? null : (question) => {
      said.questions.push(question);
      return answer;
    },
    now: () => new Date(NOW),
    ...rest,
  });
  return said;
}

const list = (parts: { dead?: boolean; json?: boolean } = {}): Order => ({
  ...{ tool: "list", dead: false, json: false },
  ...parts,
});
const show = (id: string, form: "text" | "json" | "raw" = "text"): Order => ({
  tool: "show",
  id,
  form,
});
const choiceOf = (chosen: "all" | number[], dead: boolean): Choice => {
  if (chosen === "all") return { ids: "all", dead };
  const [first, ...rest] = chosen.map(idOf);
  return { ids: [first, ...rest], dead };
};
const retry = (chosen: "all" | number[], dead = false): Order => ({
  tool: "retry",
  choice: choiceOf(chosen, dead),
});
const drop = (chosen: "all" | number[], dead = false, yes = true): Order => ({
  tool: "drop",
  choice: choiceOf(chosen, dead),
  yes,
});

/** One message each: new, tried, being sent, dead. */
async function office(): Promise<Office> {
  const office = new Office();
  await office.put(1, { ageMs: 3 * 3_600_000, sender: null });
  await office.fail(NOW + 30 * SECOND);
  await office.put(2, { ageMs: 125 * SECOND, recipients: ["r@y.example", "q@y.example", "p@z"] });
  await office.fail(
    null,
    attemptOf({ reason: "endpoint gave no answer within 30 s", detail: "what is this?" }),
  );
  await office.put(3, { ageMs: 5 * SECOND });
  await office.send(1);
  await office.put(4);
  return office;
}

Deno.test("list prints a table of what waits and what is dead", async () => {
  const { store } = await office();
  const { code, text, faults } = await use(list(), store);
  assertEquals(text.split("\n"), [
    "ID                                    AGE  SENDER       RECIPIENTS      DESTINATION  TRIES  NEXT     LAST ANSWER",
    "0190c8a5-0001-7000-8000-0123456789ab   3h  <>           r@y.example     a.example        1  in 30s   503",
    "0190c8a5-0002-7000-8000-0123456789ab   2m  s@x.example  r@y.example +2  a.example        1  dead     gave no answer within 30 s",
    "0190c8a5-0003-7000-8000-0123456789ab   5s  s@x.example  r@y.example     a.example        0  sending  -",
    "0190c8a5-0004-7000-8000-0123456789ab   0s  s@x.example  r@y.example     a.example        0  now      -",
    "",
  ]);
  assertEquals([code, faults], [0, []]);
});

Deno.test("list fits an ordinary terminal, and shows enough of an id there", async () => {
  const { store } = await office();
  const lines = (await use(list(), store, { width: 80 })).text.split("\n");
  for (const line of lines) assert(columnsOf(line) <= 80, line);
  assertEquals(
    lines[2],
    [
      ...["0190c8a5-0002-7000", " 2m", "s@x.exa…", "r@y.exa…", "a.examp…", "    1", "dead   "],
      "gave no …",
    ].join("  "),
  );
});

Deno.test("list --dead prints dead letters only", async () => {
  const { store } = await office();
  const { text } = await use(list({ dead: true }), store);
  assertEquals(text.match(/^0190c8a5-\d+/gm), ["0190c8a5-0002"]);
  assertEquals(text.split("\n").length, 3);
});

Deno.test("list --json prints one object a line", async () => {
  const { store } = await office();
  const { code, text } = await use(list({ json: true }), store);
  assert(text.endsWith("}\n"));
  const entries = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  const destination = { name: "a", label: "https://a.example" };
  const last = { at: "2026-03-04T05:05:07.890Z", elapsedMs: 12, label: A.label };
  assertEquals(entries, [
    {
      id: idOf(1),
      received: "2026-03-04T02:06:07.890Z",
      size: 20,
      sender: "",
      recipients: ["r@y.example"],
      destination,
      state: "waiting",
      attempts: 1,
      next: "2026-03-04T05:06:37.890Z",
      last: { ...last, reason: "endpoint answered 503", detail: "" },
    },
    {
      id: idOf(2),
      received: "2026-03-04T05:04:02.890Z",
      size: 20,
      sender: "s@x.example",
      recipients: ["r@y.example", "q@y.example", "p@z"],
      destination,
      state: "dead",
      attempts: 1,
      next: null,
      last: { ...last, reason: "endpoint gave no answer within 30 s", detail: "what is this?" },
    },
    { ...entries[2], state: "sending", last: null },
    { ...entries[3], state: "waiting", next: "2026-03-04T05:06:07.890Z", last: null },
  ]);
  assertEquals(code, 0);
});

/** What is said of nothing. */
const empties: [order: Order, text: string][] = [
  [list(), "The queue is empty\n"],
  [list({ dead: true }), "No message is dead\n"],
  [list({ json: true }), ""],
  [list({ json: true, dead: true }), ""],
  [retry("all"), "The queue is empty\n"],
  [retry("all", true), "No message is dead\n"],
  [drop("all"), "The queue is empty\n"],
  [drop("all", true), "No message is dead\n"],
  [{ tool: "stats", json: false }, "The queue is empty\n"],
];
for (const [order, text] of empties) {
  Deno.test(`${JSON.stringify(order)} on an empty queue prints ${JSON.stringify(text)}`, async () => {
    const said = await use(order, new Office().store);
    assertEquals([said.code, said.text, said.faults], [0, text, []]);
  });
}

Deno.test("an empty queue is nothing to ask about", async () => {
  const said = await use(drop("all", false, false), new Office().store, { answer: true });
  assertEquals([said.code, said.questions], [0, []]);
});

/** An inventory that tells what it is asked. */
function watched(store: MemoryStore, asked: string[], more: Partial<Inventory> = {}): Inventory {
  return {
    entries: (selection, after, most) => {
      asked.push(`${most} entries`);
      return store.entries(selection, after, most);
    },
    ids: store.ids,
    find: store.find,
    retry: (ids, selection, times) => {
      asked.push(`retry ${ids.length}`);
      return store.retry(ids, selection, times);
    },
    drop: (ids, selection) => {
      asked.push(`drop ${ids.length}`);
      return store.drop(ids, selection);
    },
    stats: store.stats,
    ...more,
  };
}

async function crowdedOffice(messages: number, parts: Parts = {}): Promise<Office> {
  const office = new Office();
  for (let number = 1; number <= messages; number++) await office.put(number, parts);
  return office;
}

for (const json of [false, true]) {
  Deno.test(`list${json ? " --json" : ""} prints a page before it reads the next one`, async () => {
    const { store } = await crowdedOffice(1201);
    const asked: string[] = [];
    let text = "";
    const print = (octets: Uint8Array) => {
      const page = new TextDecoder().decode(octets);
      asked.push(`${page.match(/0190c8a5-/g)?.length} printed`);
      text += page;
    };
    await use(list({ json }), watched(store, asked), { print });
    assertEquals(asked, [
      ...["500 entries", "500 printed", "500 entries", "500 printed", "500 entries"],
      "201 printed",
    ]);
    const ids = text.match(/0190c8a5-\d{4}/g)!;
    assertEquals(ids, Array.from({ length: 1201 }, (_, at) => idOf(at + 1).slice(0, 13)));
    assertEquals(text.match(/^ID /gm)?.length, json ? undefined : 1);
  });

  Deno.test(`list${json ? " --json" : ""} reads no more than its reader`, async () => {
    const { store } = await crowdedOffice(501);
    const asked: string[] = [];
    const print = () => {
      throw new Deno.errors.BrokenPipe("Broken pipe");
    };
    await assertRejects(
      () => use(list({ json }), watched(store, asked), { print }),
      Deno.errors.BrokenPipe,
    );
    assertEquals(asked, ["500 entries"]);
  });
}

Deno.test("deliveries of one message to several destinations are all there, across pages", async () => {
  const { store } = await crowdedOffice(400, { destinations: [A, B, C] });
  const { text } = await use(list({ json: true }), store);
  const all = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(all.length, 1200);
  assertEquals(new Set(all.map(({ id, destination }) => id + destination.name)).size, 1200);
});

Deno.test("the first page decides how wide the columns are", async () => {
  const crowd = await crowdedOffice(500);
  await crowd.put(501, { sender: "somebody.else@x.example" });
  for (
    const [width, sender] of [[null, "somebody.else@x.example  "], [200, "somebody.e…  "]] as const
  ) {
    const lines = (await use(list(), crowd.store, { width })).text.split("\n");
    assertMatch(lines[1], / 0s {2}s@x\.example {2}r@y\.example {2}a\.example /);
    assertEquals(lines[501].slice(43, 43 + sender.length), sender);
  }
});

Deno.test("what is not dead is not looked at where only dead letters are meant", async () => {
  const { store } = await office();
  const asked: string[] = [];
  await use(retry("all", true), watched(store, asked));
  assertEquals(asked, ["500 entries", "retry 1"]);
});

Deno.test("nothing that clients and endpoints wrote is obeyed by a terminal", async () => {
  const office = new Office();
  await office.put(1, {
    sender: '"\u202e\u009b31m"@x.example',
    recipients: ["\u009b2J@y.example"],
    client: { hostname: "h\x1b[2J", user: "u\x07" },
    data: new TextEncoder().encode("Subject: \x1b]0;title\x07\r\n\r\n\x9b31m \xc2\x9b\r\n"),
  });
  const evil = { reason: "a\x1b[31m\nb", detail: "c\x9b\r\nd" };
  await office.fail(NOW, attemptOf({ ...evil, label: "https://\x1bc" }));
  for (const order of [list(), list({ json: true }), show("0"), show("0", "json")]) {
    const { text } = await use(order, office.store, { width: 200 });
    assertEquals(text.match(/[^\P{Cc}\n]|\u202e/gu), null, JSON.stringify(text));
  }
  // In a table it cannot begin a row of its own either.
  assertEquals((await use(list(), office.store)).text.split("\n").length, 3);
});

const local = (ms: number) => new Timestamp(new Date(ms)).local;

Deno.test("show prints envelope, attempts and message", async () => {
  const { store } = await office();
  const { code, text } = await use(show(idOf(2)), store);
  assertEquals(text.split("\n"), [
    `Message     ${idOf(2)}`,
    `Received    ${local(NOW - 125 * SECOND)}, 2m ago`,
    "Size        20 bytes",
    "Client      192.0.2.1 (host)",
    "Sender      s@x.example",
    "Recipients  r@y.example",
    "            q@y.example",
    "            p@z",
    "",
    "To https://a.example: dead, 1 attempt",
    `  ${local(NOW - MINUTE)}  https://a.example, 12 ms: endpoint gave no answer within 30 s`,
    "    what is this?",
    "",
    "Subject: x",
    "",
    "body",
    "",
  ]);
  assertEquals(code, 0);
});

Deno.test("show prints what waits, and what is not known", async () => {
  const office = new Office();
  const client = { address: null, port: null, hostname: null, tls: true, user: "me" };
  await office.put(1, { sender: null, client, destinations: [A, B], data: new Uint8Array(0) });
  await office.fail(NOW + 4 * 60 * MINUTE);
  const { text } = await use(show(idOf(1)), office.store);
  const [facts, a, b, message] = text.split("\n\n");
  assertEquals(facts.split("\n").slice(3, 5), [
    "Client      a Unix socket, TLS, user me",
    "Sender      <>",
  ]);
  assertEquals(a.split("\n")[0], "To https://a.example: waiting, 1 attempt, next attempt in 4h");
  assertEquals(b, "To https://b.example: waiting, 0 attempts, next attempt now");
  assertEquals(message, "");
});

Deno.test("show tells of attempts that are forgotten, behind the first one", async () => {
  const office = new Office();
  await office.put(1);
  for (let attempt = 1; attempt <= 60; attempt++) {
    await office.fail(NOW, attemptOf({ reason: `reason ${attempt}` }));
  }
  const { text } = await use(show(idOf(1)), office.store);
  const shown = text.match(/reason \d+|\(.*not shown\)/g)!;
  assertEquals(shown.slice(0, 3), ["reason 1", "(10 attempts not shown)", "reason 12"]);
  assertEquals([shown.length, shown.at(-1)], [51, "reason 60"]);
});

Deno.test("show --json prints all but the message", async () => {
  const { store } = await office();
  const { text } = await use(show(idOf(2), "json"), store);
  assertEquals(text.indexOf("\n"), text.length - 1);
  assertEquals(JSON.parse(text), {
    id: idOf(2),
    received: "2026-03-04T05:04:02.890Z",
    size: 20,
    client: { address: "192.0.2.1", port: 49152, hostname: "host", tls: false, user: null },
    sender: "s@x.example",
    recipients: ["r@y.example", "q@y.example", "p@z"],
    deliveries: [{
      destination: { name: "a", label: "https://a.example" },
      state: "dead",
      attempts: 1,
      next: null,
      history: [{
        at: "2026-03-04T05:05:07.890Z",
        elapsedMs: 12,
        label: "https://a.example",
        reason: "endpoint gave no answer within 30 s",
        detail: "what is this?",
      }],
    }],
  });
});

Deno.test("show --raw prints the octets of the message and nothing else", async () => {
  const data = Uint8Array.from({ length: 512 }, (_, at) => at % 256);
  for (const message of [data, new Uint8Array(0)]) {
    const office = new Office();
    await office.put(1, { data: message });
    const { code, octets } = await use(show(idOf(1), "raw"), office.store);
    assertEquals([code, octets], [0, message]);
  }
});

Deno.test("the beginning of an id will do, unless another one begins so", async () => {
  const { store } = await office();
  const cases: [beginning: string, fault: string | null][] = [
    ["0190c8a5-0002-7000-8", null],
    ["0190c8a5-0002", null],
    ["0190c8a5-000", `${idOf(1)} and ${idOf(2)} begin so, must be one of them`],
    ["0190c8a5-0009", "no such message in the queue"],
    ["%", "no such message in the queue"],
    [`${idOf(2)}0`, "no such message in the queue"],
  ];
  for (const [beginning, fault] of cases) {
    const { code, text, faults } = await use(show(beginning, "json"), store);
    if (fault === null) assertEquals([code, JSON.parse(text).id], [0, idOf(2)]);
    else assertEquals([code, text, faults], [1, "", [`Cannot show "${beginning}": ${fault}`]]);
  }
});

Deno.test("an id is no mere beginning of another one", async () => {
  const store = new MemoryStore({ maxOctets: Infinity });
  for (const id of ["01", "012"]) {
    await store.put({ ...mailOf(1, {}), id }, [A], { nowMs: NOW, expiresMs: NOW });
  }
  assertEquals(JSON.parse((await use(show("01", "json"), store)).text).id, "01");
});

Deno.test("show says so where a message is delivered at this moment", async () => {
  const { store } = await office();
  const inventory = watched(store, [], { find: () => Promise.resolve(null) });
  const { code, faults } = await use(show(idOf(2)), inventory);
  assertEquals([code, faults], [1, [`Cannot show "${idOf(2)}": no such message in the queue`]]);
});

Deno.test("retry makes messages due now, with a new life", async () => {
  const { store } = await office();
  const { code, text } = await use(retry([1, 2]), store);
  assertEquals([code, text], [0, "Made 2 deliveries due now\n"]);
  const { claims } = await store.claim("a", 9, { nowMs: NOW, leaseMs: MINUTE });
  assertEquals(claims.map(({ mail, tries, expiresMs }) => [mail.id, tries, expiresMs]), [
    [idOf(1), 0, NOW + LIFETIME_MS],
    [idOf(2), 0, NOW + LIFETIME_MS],
    [idOf(4), 0, NOW + LIFETIME_MS],
  ]);
});

/** What becomes of the messages 1 (waits), 2 (dead), 3 (being sent) and 4 (new), and what is said. */
const changes: [order: Order, code: number, text: string, left: number[], dead: number[]][] = [
  [retry("all"), 0, "Made 3 deliveries due now\n", [1, 2, 3, 4], []],
  [retry("all", true), 0, "Made 1 delivery due now\n", [1, 2, 3, 4], []],
  [retry([2], true), 0, "Made 1 delivery due now\n", [1, 2, 3, 4], []],
  // It is as it is: whoever asked for it should know.
  [retry([1], true), 1, "Made 0 deliveries due now\n", [1, 2, 3, 4], [2]],
  [retry([3]), 1, "Made 0 deliveries due now\n", [1, 2, 3, 4], [2]],
  [retry([2, 2]), 0, "Made 1 delivery due now\n", [1, 2, 3, 4], []],
  [drop("all"), 0, "Dropped 4 deliveries\n", [], []],
  [drop("all", true), 0, "Dropped 1 delivery\n", [1, 3, 4], []],
  [drop([1, 3]), 0, "Dropped 2 deliveries\n", [2, 4], [2]],
  [drop([1, 2], true), 0, "Dropped 1 delivery\n", [1, 3, 4], []],
  [drop([1], true), 1, "Dropped 0 deliveries\n", [1, 2, 3, 4], [2]],
];
for (const [order, code, text, left, dead] of changes) {
  Deno.test(`${JSON.stringify(order)} says ${text.trim()}`, async () => {
    const found = await office();
    const said = await use(order, found.store);
    assertEquals([said.code, said.text, said.faults], [code, text, []]);
    assertEquals([await found.numbers(), await found.numbers(true)], [left, dead]);
  });
}

for (const tool of ["retry", "drop"] as const) {
  Deno.test(`${tool} does what it can, and says what is not there`, async () => {
    const found = await office();
    const ids = [idOf(9), idOf(2), "0190c8a5-000", idOf(1)] as const;
    const choice: Choice = { ids, dead: false };
    const order: Order = tool === "retry" ? { tool, choice } : { tool, choice, yes: true };
    const { code, text, faults } = await use(order, found.store);
    assertEquals([code, text], [
      1,
      tool === "retry" ? "Made 2 deliveries due now\n" : "Dropped 2 deliveries\n",
    ]);
    assertEquals(faults, [
      `Cannot ${tool} "${idOf(9)}": no such message in the queue`,
      `Cannot ${tool} "0190c8a5-000": ${idOf(1)} and ${idOf(2)} begin so, must be one of them`,
    ]);
    assertEquals(await found.numbers(), tool === "retry" ? [1, 2, 3, 4] : [3, 4]);
  });

  Deno.test(`${tool} of what is not there changes nothing, and does not ask`, async () => {
    const found = await office();
    const choice = choiceOf([8, 9], false);
    const order: Order = tool === "retry" ? { tool, choice } : { tool, choice, yes: false };
    const { code, text, faults, questions } = await use(order, found.store, { answer: true });
    assertEquals([code, text, faults.length, questions], [1, "", 2, []]);
    assertEquals(await found.numbers(), [1, 2, 3, 4]);
  });
}

const questions: [order: Order, question: string, dropped: number][] = [
  [drop([1], false, false), "Drop 1 message?", 1],
  [drop([1, 2, 4], false, false), "Drop 3 messages?", 3],
  [drop("all", false, false), "Drop 4 messages?", 4],
  [drop("all", true, false), "Drop 1 dead letter?", 1],
];
for (const [order, question, dropped] of questions) {
  Deno.test(`drop asks ${question}`, async () => {
    const found = await office();
    const no = await use(order, found.store, { answer: false });
    assertEquals([no.code, no.text, no.questions], [1, "", [question]]);
    assertEquals(await found.numbers(), [1, 2, 3, 4]);
    const yes = await use(order, found.store, { answer: true });
    assertEquals([yes.code, yes.questions], [0, [question]]);
    assertEquals((await found.numbers()).length, 4 - dropped);
  });
}

Deno.test("drop asks nobody where --yes is given", async () => {
  const { store } = await office();
  assertEquals((await use(drop("all"), store, { answer: false })).questions, []);
});

Deno.test("drop refuses where nobody can be asked", async () => {
  const found = await office();
  const { code, text, faults } = await use(drop("all", false, false), found.store);
  assertEquals([code, text, faults], [
    ...[2, "", ["Cannot queue drop: nobody can be asked, confirm with --yes"]],
  ]);
  assertEquals(await found.numbers(), [1, 2, 3, 4]);
});

for (const [tool, name] of [["retry", "Retrying"], ["drop", "Dropping"]] as const) {
  Deno.test(`${tool} --all takes a hundred messages at once, and shows how far it is`, async () => {
    const { store } = await crowdedOffice(750);
    const asked: string[] = [];
    const progress: string[] = [];
    const order = tool === "retry" ? retry("all") : drop("all");
    const showProgress = (text: string) => {
      progress.push(text);
    };
    const said = await use(order, watched(store, asked), { showProgress });
    assertMatch(said.text, / 750 deliveries/);
    // What comes in while somebody thinks about it is not meant.
    const hundreds = Array.from({ length: 7 }, () => `${tool} 100`);
    assertEquals(asked, ["500 entries", "500 entries", ...hundreds, `${tool} 50`]);
    assertEquals(progress, [
      ...[0, 100, 200, 300, 400, 500, 600, 700].map((done) => `${name}: ${done} of 750`),
      "",
    ]);
  });

  Deno.test(`${tool} of what is done in a moment shows no progress`, async () => {
    const { store } = await crowdedOffice(100);
    const order = tool === "retry" ? retry("all") : drop("all");
    const progress: string[] = [];
    await use(order, store, { showProgress: (text) => progress.push(text) });
    assertEquals(progress, []);
  });

  Deno.test(`${tool} takes its progress away where it fails`, async () => {
    const { store } = await crowdedOffice(101);
    const progress: string[] = [];
    const inventory = watched(store, [], {
      [tool]: () => Promise.reject(new Error("the disk fails")),
    });
    await assertRejects(
      () =>
        use(tool === "retry" ? retry("all") : drop("all"), inventory, {
          showProgress: (text) => progress.push(text),
        }),
      Error,
      "the disk fails",
    );
    assertEquals(progress, [`${name}: 0 of 101`, ""]);
  });

  Deno.test(`${tool} --all changes each message once, with all of its deliveries`, async () => {
    // Three deliveries a message: their ends are no ends of pages.
    const { store } = await crowdedOffice(401, { destinations: [A, B, C] });
    const order = tool === "retry" ? retry("all") : drop("all");
    const { text } = await use(order, store);
    assertMatch(text, / 1203 deliveries/);
    assertEquals((await store.stats()).messages, tool === "retry" ? 401 : 0);
  });

  Deno.test(`${tool} --all comes to an end while mail comes in`, async () => {
    const crowd = await crowdedOffice(600);
    let last = 600;
    const change = async (ids: readonly string[]) => {
      if (last < 5000) await crowd.put(++last);
      return ids.length;
    };
    const inventory = watched(crowd.store, [], { [tool]: change });
    await use(tool === "retry" ? retry("all") : drop("all"), inventory);
    assert(last < 620, `${last}`);
  });
}

Deno.test("drop --all drops what there was when it asked, and nothing that came in since", async () => {
  const crowd = await crowdedOffice(3);
  // `confirm` cannot wait: what it begins is done before anything is dropped.
  const confirm = (question: string) => {
    assertEquals(question, "Drop 3 messages?");
    void crowd.put(4);
    return true;
  };
  const { text } = await use(drop("all", false, false), crowd.store, { confirm });
  assertEquals(text, "Dropped 3 deliveries\n");
  assertEquals(await crowd.store.ids("", 9), [idOf(4)]);
});

Deno.test("stats counts messages, octets and deliveries", async () => {
  const found = await office();
  await found.put(5, { destinations: [A, B], data: new Uint8Array(3000) });
  const { store } = found;
  const { storeOctets } = await store.stats();
  const { code, text } = await use({ tool: "stats", json: false }, store);
  assertEquals(code, 0);
  const [head, ...table] = text.split("\n");
  assertMatch(head, /^5 messages of 3\.0K, the oldest 3h ago; the file has \S+$/);
  assertEquals(table, [
    "",
    "DESTINATION        WAITING  SENDING  DEAD  NEXT",
    "https://a.example        3        1     1  now",
    "https://b.example        1        0     0  now",
    "",
  ]);
  const json = await use({ tool: "stats", json: true }, store);
  assertEquals(JSON.parse(json.text), {
    messages: 5,
    size: 3080,
    oldest: "2026-03-04T02:06:07.890Z",
    fileSize: storeOctets,
    destinations: [
      {
        destination: { name: "a", label: "https://a.example" },
        ...{ waiting: 3, sending: 1, dead: 1, next: "2026-03-04T05:06:07.890Z", down: null },
      },
      {
        destination: { name: "b", label: "https://b.example" },
        ...{ waiting: 1, sending: 0, dead: 0, next: "2026-03-04T05:06:07.890Z", down: null },
      },
    ],
  });
});

Deno.test("an outage is told, and nothing is said to be tried before its end", async () => {
  const { store } = await office();
  const sinceMs = NOW - 3 * MINUTE;
  await store.report(A.name, {
    sinceMs,
    nextMs: NOW + 2 * MINUTE,
    reason: "endpoint answered 503",
  });
  const told = "https://a.example is down for 3m, tried next in 2m: endpoint answered 503\n";
  for (const order of [list({}), { tool: "stats", json: false }] as const) {
    const { text } = await use(order, store);
    assert(text.endsWith(told), text);
    assert(!/\bnow\b/.test(text), text);
  }
  const { text } = await use({ tool: "stats", json: true }, store);
  assertEquals(JSON.parse(text).destinations[0].down, {
    since: "2026-03-04T05:03:07.890Z",
    reason: "endpoint answered 503",
  });
});

Deno.test("stats of dead letters alone has no next attempt", async () => {
  const office = new Office();
  await office.put(1);
  await office.fail(null);
  const { text } = await use({ tool: "stats", json: false }, office.store);
  assertMatch(text, /^https:\/\/a\.example +0 +0 +1 {2}-$/m);
});

Deno.test("stats --json of an empty queue has numbers for scripts", async () => {
  const { text } = await use({ tool: "stats", json: true }, new Office().store);
  const { messages, size, oldest, destinations } = JSON.parse(text);
  assertEquals([messages, size, oldest, destinations], [0, 0, null, []]);
});
