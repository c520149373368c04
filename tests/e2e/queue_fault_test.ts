/**
 * Endpoints that do everything wrong, and what becomes of a message in the queue: it is done, it
 * waits until the endpoint heals, or it is dead.
 */
import { assert, assertEquals } from "../assert.ts";
import { Endpoint } from "../endpoint.ts";
import {
  answers,
  type Deed,
  FaultyEndpoint,
  neverEnds,
  resetsAfter,
  resetsAtOnce,
  says,
  stopsAfter,
} from "../faulty_endpoint.ts";
import { inFolder, testInFolder } from "../machine.ts";
import { Pigeon } from "../pigeon.ts";
import { arrive, enqueue, letter, listed, numbered, part, told, toldOf, tool } from "./office.ts";
import { type Run, testWith } from "./program.ts";

/** What becomes of a message, and why. */
type Fate = readonly ["done" | "waiting" | "dead", reason: string];

/** A fault, and what it leads to. */
type Row = readonly [name: string, deed: Deed, ...fate: Fate];

const answered = (status: number) => `endpoint answered ${status}`;

/** The table of PRODUCT.md. */
const statuses: Row[] = [
  ...[200, 201, 202, 204, 299].map((status): Row => [
    `${status}`,
    // No answer of that status has a length (RFC 9110 section 8.6).
    status === 204 ? says("HTTP/1.1 204 No Content\r\n\r\n") : answers(status),
    "done",
    answered(status),
  ]),
  ...[400, 406, 410, 413, 415, 422].map((status): Row => [
    `${status}`,
    answers(status),
    "dead",
    answered(status),
  ]),
  ...[401, 403, 404, 405, 408, 425, 429, 500, 501, 502, 503, 504, 599].map((status): Row => [
    `${status}`,
    answers(status),
    "waiting",
    answered(status),
  ]),
];

const UNREACHABLE: Fate = ["waiting", "endpoint could not be reached"];

const WELL = answers(200);

const SOME = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart";

const faults: Row[] = [
  ["a reset at once", resetsAtOnce, ...UNREACHABLE],
  ["a reset before the answer", resetsAfter(""), ...UNREACHABLE],
  ["a reset within the status line", resetsAfter("HTTP/1.1 2"), ...UNREACHABLE],
  ["a reset within the header", resetsAfter("HTTP/1.1 200 OK\r\nContent-Le"), ...UNREACHABLE],
  ["a reset within the body", resetsAfter(SOME), "done", answered(200)],
  ["a reset after the answer", resetsAfter(SOME.replace("100", "4")), "done", answered(200)],
  ["a reset after a refusal", resetsAfter(SOME.replace("200", "422")), "dead", answered(422)],
  ["a close before the answer", says(""), ...UNREACHABLE],
  ["a close within the header", says("HTTP/1.1 200 OK\r\nContent-Le"), ...UNREACHABLE],
  ["a close within the body", says(SOME), "done", answered(200)],
  ["another protocol", says("220 mail.example ESMTP\r\n"), ...UNREACHABLE],
  ["garbage", says("\0\x01\x02 garbage \x7f\r\n\r\n\r\n"), ...UNREACHABLE],
  [
    "an endless header",
    neverEnds("HTTP/1.1 200 OK\r\n", `A: ${"b".repeat(10_000)}\r\n`),
    ...UNREACHABLE,
  ],
  [
    "an endless body",
    neverEnds("HTTP/1.1 200 OK\r\n\r\n", "x".repeat(10_000)),
    "done",
    answered(200),
  ],
  [
    "an endless body of a failure",
    neverEnds("HTTP/1.1 503 No\r\n\r\n", "x".repeat(10_000)),
    "waiting",
    answered(503),
  ],
];

const LATE: Fate = ["waiting", "endpoint gave no answer within 1 s"];

/** Those that are waited for, for a second each. */
const silences: Row[] = [
  ["no answer", stopsAfter(""), ...LATE],
  ["half a header", stopsAfter("HTTP/1.1 200 OK\r\nContent-Le"), ...LATE],
  ["a slow drip of a header", neverEnds("HTTP/1.1 200 OK\r\nA: ", "b", 50), ...LATE],
  ["a slow drip of a body", neverEnds("HTTP/1.1 200 OK\r\n\r\n", "b", 50), "done", answered(200)],
  [
    "a slow drip of a refusal",
    neverEnds("HTTP/1.1 410 No\r\n\r\n", "b", 50),
    "dead",
    answered(410),
  ],
];

/**
 * Sends a message for each row, with which the endpoint does what the row says; others it takes.
 * Then looks at what is left in the queue, and heals that.
 */
async function experience(
  t: Deno.TestContext,
  rows: readonly Row[],
  args: string[],
): Promise<void> {
  await inFolder(async (folder) => {
    await using endpoint = new FaultyEndpoint();
    const queue = `${folder}/queue.db`;
    const place = ["--url", `${endpoint.origin}/{{subject}}`, "--queue", queue];
    await using pigeon = await Pigeon.start([...place, ...args]);
    using client = await arrive(pigeon);
    const left = { waiting: new Map<string, string>(), dead: new Map<string, string>() };

    for (const [name, deed, fate, reason] of rows) {
      await t.step(`${name}: ${fate}`, async () => {
        const path = `/${encodeURIComponent(name)}`;
        endpoint.deed = (line, taken) => (taken.path === path ? deed : WELL)(line, taken);
        const id = await enqueue(client, letter(name));
        switch (fate) {
          case "done":
            await toldOf(pigeon, id, /POST returned status: 2/);
            break;
          case "waiting":
            await toldOf(pigeon, id, new RegExp(`Deferred: ${reason}, next attempt in \\d ?s$`));
            left.waiting.set(id, reason);
            break;
          case "dead":
            await toldOf(pigeon, id, new RegExp(`Dead: ${reason}$`));
            left.dead.set(id, reason);
        }
        // One message alone was the trouble, so that the next one does not wait, and takes it along.
        endpoint.deed = WELL;
        const next = await enqueue(client, letter("next"));
        await toldOf(pigeon, next, /POST returned status: 200/);
        assertEquals(
          new Set(endpoint.taken.filter((taken) => taken.path === path).map(({ id }) => id)),
          new Set([id]),
        );
      });
    }

    await t.step("what was refused is left, and what is deferred as long as it takes", async () => {
      endpoint.deed = WELL;
      const entries = await listed(queue);
      const dead = entries.filter(({ state }) => state === "dead");
      assertEquals(new Map(dead.map(({ id, last }) => [id, last!.reason])), left.dead);
      assert(dead.every(({ attempts, next }) => attempts === 1 && next === null));
      // By now some of them may have been tried again.
      const waiting = entries.filter(({ state }) => state !== "dead");
      for (const { id, last } of waiting) assertEquals(last?.reason, left.waiting.get(id));
    });

    await t.step("all of it can be healed", async () => {
      await tool(queue, "retry", "--all");
      for (const id of [...left.waiting.keys(), ...left.dead.keys()]) {
        await toldOf(pigeon, id, /POST returned status: 200/);
      }
    });
    assertEquals(pigeon.log.filter((line) => /Queue fault|Internal error| is down/.test(line)), []);
    await part(client, pigeon);
    assertEquals(await listed(queue), []);
  });
}

Deno.test("the status of an answer decides what becomes of a message", async (t) => {
  await using elsewhere = new Endpoint();
  const redirects = [300, 301, 302, 303, 307, 308].map((status): Row => [
    `${status} to elsewhere`,
    answers(status, `Location: ${elsewhere.origin}/`),
    "waiting",
    answered(status),
  ]);
  await experience(t, [...statuses, ...redirects], []);
  assertEquals(elsewhere.received, []);
});

Deno.test("whatever an endpoint does, a message is done, waits or is dead", async (t) => {
  await experience(t, faults, []);
});

Deno.test("an endpoint that takes too long is given up for now", async (t) => {
  await experience(t, silences, ["--timeout", "1"]);
});

Deno.test("a message waits until its endpoint can be found", async () => {
  const { port } = (() => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    return listener.addr;
  })();
  // It speaks HTTP where TLS is spoken.
  await using plain = new Endpoint();
  await assertUnreachable([
    "https://smtp-pigeon.invalid/",
    `http://127.0.0.1:${port}/`,
    plain.origin.replace("http:", "https:"),
  ]);
  assertEquals(plain.received, []);
});

testWith(["openssl"], "a message waits until its endpoint can be trusted", async (run) => {
  await inFolder(async (folder) => {
    await using untrusted = new FaultyEndpoint(WELL, await selfSigned(run, folder));
    await assertUnreachable([untrusted.origin]);
    assertEquals(untrusted.taken, []);
  });
});

/** A server after the other on one file cannot reach its endpoint, until one can. */
async function assertUnreachable(urls: readonly string[]): Promise<void> {
  await inFolder(async (folder) => {
    const queue = `${folder}/queue.db`;
    const ids: string[] = [];
    for (const url of urls) {
      await using pigeon = await Pigeon.start(["--url", url, "--queue", queue]);
      using client = await arrive(pigeon);
      const id = await enqueue(client, letter("mail"));
      await toldOf(pigeon, id, /POST failed: /);
      await toldOf(pigeon, id, /Deferred: endpoint could not be reached, next attempt in \d ?s$/);
      ids.push(id);
      await part(client, pigeon);
    }
    await using sound = new FaultyEndpoint();
    await using pigeon = await Pigeon.start(["--url", sound.origin, "--queue", queue]);
    await told(pigeon, new RegExp(`: ${urls.length} waiting, 0 dead$`));
    await tool(queue, "retry", "--all");
    for (const id of ids) await toldOf(pigeon, id, /POST returned status: 200/);
    assertEquals(sound.taken.map(({ id }) => id).toSorted(), ids);
  });
}

/** A certificate that nobody vouches for. */
async function selfSigned(run: Run, folder: string): Promise<Deno.TlsCertifiedKeyPem> {
  const [key, cert] = [`${folder}/key.pem`, `${folder}/cert.pem`];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
  const name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const { code, stderr } = await run("openssl", [
    ...["req", "-x509", "-days", "2", "-keyout", key, "-out", cert, ...kind, ...name],
  ]);
  assertEquals(code, 0, stderr);
  return { key: await Deno.readTextFile(key), cert: await Deno.readTextFile(cert) };
}

/** When an endpoint wants to be asked again, in both forms of RFC 9110 section 10.2.3. */
const pauses: readonly [
  status: number,
  form: string,
  retryAfter: (nowMs: number) => [string, number],
][] = [
  [429, "seconds", (nowMs) => ["3", nowMs + 3_000]],
  [503, "date", (nowMs) => {
    // A date has no fractions of a second.
    const atMs = Math.ceil(nowMs / 1_000) * 1_000 + 3_000;
    return [new Date(atMs).toUTCString(), atMs];
  }],
];

Deno.test("nothing is sent before the time that Retry-After names", async (t) => {
  // Each waits for seconds, so both do at once.
  await Promise.all(pauses.map(([status, form, retryAfter]) =>
    t.step({
      name: `${status} with ${form}`,
      fn: () => inFolder((folder) => pause(folder, status, retryAfter)),
      sanitizeOps: false,
      sanitizeResources: false,
      sanitizeExit: false,
    })
  ));
});

async function pause(
  folder: string,
  status: number,
  retryAfter: (nowMs: number) => [string, number],
): Promise<void> {
  let notBeforeMs = 0;
  await using endpoint = new FaultyEndpoint((line, taken) => {
    const [value, atMs] = retryAfter(Date.now());
    notBeforeMs = atMs;
    return answers(status, `Retry-After: ${value}`)(line, taken);
  });
  const queue = `${folder}/queue.db`;
  await using pigeon = await Pigeon.start(["--url", endpoint.origin, "--queue", queue]);
  using client = await arrive(pigeon);
  const first = await enqueue(client, letter("first"));
  await toldOf(
    pigeon,
    first,
    new RegExp(`Deferred: endpoint answered ${status}, next attempt in [34] ?s$`),
  );
  endpoint.deed = WELL;
  // It speaks of the endpoint, so another message has to wait as well.
  const next = await enqueue(client, letter("next"));
  const [entry] = (await listed(queue)).filter(({ id }) => id === first);
  assertEquals([entry.state, entry.attempts, entry.last?.reason], [
    "waiting",
    1,
    answered(status),
  ]);
  const dueMs = Date.parse(entry.next!);
  // The queue's clock may differ from this one for as long as it does not jump.
  assert(Math.abs(dueMs - notBeforeMs) < 1_000, entry.next!);
  for (const id of [first, next]) await toldOf(pigeon, id, /POST returned status: 200/);
  for (const { atMs } of endpoint.taken.slice(1)) {
    assert(atMs >= notBeforeMs, `${notBeforeMs - atMs} ms early`);
  }
  assertEquals(endpoint.taken.length, 3);
}

testInFolder(
  "who tells messages apart by webhook-id gets each once, though fetch repeats",
  async (folder) => {
    // What comes on a new connection is answered; what comes on a kept one is acted on, no more.
    await using endpoint = new FaultyEndpoint((line, taken) =>
      (line.turn === 1 ? WELL : says(""))(line, taken)
    );
    const place = ["--url", `${endpoint.origin}/{{subject}}`, "--queue", `${folder}/queue.db`];
    await using pigeon = await Pigeon.start(place);
    using client = await arrive(pigeon);
    const sent: [id: string, path: string][] = [];
    for (const subject of numbered("mail", 4)) {
      const id = await enqueue(client, letter(subject));
      sent.push([id, `/${encodeURIComponent(subject)}`]);
      await toldOf(pigeon, id, /POST returned status: 200/);
    }
    assert(endpoint.taken.length > sent.length, "nothing was repeated");
    const acted = new Map(endpoint.taken.map(({ id, path }) => [id, path]));
    assertEquals(Array.from(acted), sent);
  },
);
