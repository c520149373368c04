/** Too many clients at once, and clients that only take up room. */
import { assertEquals, assertMatch } from "../assert.ts";
import { Client } from "../client.ts";
import { descriptorsOf } from "../process.ts";
import { testWith } from "./program.ts";
import { besiege, withstand } from "./siege.ts";

/**
 * How many connect in one go. Those that wait to be accepted are in a queue of the system's
 * (listen(2)); where it is full, it can lose a client that waits for the server to speak first.
 */
const WAVE = 100;

const greeting = "220 localhost ESMTP smtp-pigeon ready";
const full = "421 4.7.0 localhost too many connections from your address, try again later";

/** A client, and what it was told first. */
interface Guest {
  readonly client: Client;
  readonly told: string;
}

/** Clients that stay if they may. */
async function crowd(port: number, count: number): Promise<Guest[]> {
  const guests: Guest[] = [];
  while (guests.length < count) {
    const wave = Array.from({ length: Math.min(WAVE, count - guests.length) }, async () => {
      const client = await Client.connect(port);
      const told = await client.reply();
      if (told === full) client.close();
      return { client, told };
    });
    guests.push(...await Promise.all(wave));
  }
  return guests;
}

/** How many were told the same. */
function tally(guests: readonly Guest[]): Record<string, number> {
  const groups = Object.groupBy(guests, ({ told }) => told);
  return Object.fromEntries(
    Object.entries(groups).map(([told, { length } = []]) => [told, length]),
  );
}

withstand(
  "2,000 connections at once are all greeted, and mail goes through between them",
  { "max-connections": 3_000, "max-connections-per-address": 3_000 },
  async ({ pigeon, endpoint }) => {
    const guests = await crowd(pigeon.port, 2_000);
    assertEquals(tally(guests), { [greeting]: 2_000 });
    const { length } = endpoint.received;
    await guests[1_000].client.sendMail();
    assertMatch(await guests[1_000].client.reply(), /^250 /);
    assertEquals(endpoint.received.length, length + 1);
    for (const { client } of guests) client.close();
  },
  // Each has a session, a buffer to read into, and a socket.
  { moreMemory: 2_000 * 50_000 },
);

withstand(
  "of 2,000 connections at once from one address 100 are greeted, and the rest turned away",
  {},
  async ({ pigeon }) => {
    const guests = await crowd(pigeon.port, 2_000);
    // The other one is someone else.
    assertEquals(tally(guests), { [greeting]: 99, [full]: 1_901 });
    for (const { client } of guests) client.close();
  },
);

/** What clients say before they fall silent; each is told that it was waited for, and no longer. */
const silences: readonly string[] = [
  "",
  "EHLO m",
  "EHLO me\r\n",
  "EHLO me\r\nAUTH LOGIN\r\n",
  "EHLO me\r\nMAIL FROM:<a@x.example>\r\n",
  "EHLO me\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n",
  "EHLO me\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\nSubject: x\r\n\r\nhalf a li",
  "EHLO me\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nBDAT 9\r\nSubje",
];

withstand(
  "hundreds of clients that fall silent are let go, and their connections closed, though they stay",
  { "max-connections-per-address": 1_000, "idle-timeout": 1 },
  async ({ pigeon, endpoint, calm }) => {
    const { length } = endpoint.received;
    const guests = await crowd(pigeon.port, 400);
    const words = await Promise.all(guests.map(async ({ client }, at) => {
      await client.send(silences[at % silences.length]);
      for (let last = "";;) {
        const reply = await client.reply();
        if (reply === "") return last;
        last = reply;
      }
    }));
    await calm();
    // Within mail data it can be the rate that is too low first.
    assertEquals(words.filter((word) => !/^421 4\.4\.2 .*(waited too long|slower)/.test(word)), []);
    assertEquals(endpoint.received.length, length);
    for (const { client } of guests) client.close();
  },
);

testWith(
  ["prlimit"],
  "when all file descriptors are used up open connections go on, and later new ones are served",
  async (run) => {
    await besiege({ "idle-timeout": 1 }, async ({ pigeon, endpoint, calm }) => {
      using open = await Client.connect(pigeon.port);
      assertMatch(await open.reply(), /^220 /);
      const spare = 20;
      const limit = descriptorsOf(pigeon.pid) + spare;
      const { code } = await run("prlimit", ["--pid", `${pigeon.pid}`, `--nofile=${limit}:`]);
      assertEquals(code, 0);
      const guests = await Promise.all(
        Array.from({ length: 2 * spare }, () => Client.connect(pigeon.port)),
      );
      const shortage = /^Cannot accept a connection: .*, trying again$/;
      await pigeon.logged(shortage);

      // Without a descriptor for the request, the message stays with its client.
      const { length } = endpoint.received;
      await open.sendMail();
      assertMatch(await open.reply(), /^451 4\.3\.0 /);
      // Those who are in fall silent and are let go, and then the others come in.
      let isOver = false;
      const visits = Promise.all(guests.map(async (guest) => {
        assertMatch(await guest.reply(), /^220 /);
        assertMatch(await guest.reply(), /^421 4\.4\.2 /);
        guest.close();
      })).finally(() => isOver = true);
      while (!isOver) assertMatch(await open.ask("NOOP"), /^250 /);
      await visits;
      await open.sendMail();
      assertMatch(await open.reply(), /^250 /);
      assertEquals(endpoint.received.length, length + 1);
      open.close();
      await calm();
      assertEquals(pigeon.log.filter((line) => shortage.test(line)).length, 1);
    });
  },
);
