/** What every courier does before anything is sent, and that it does not reject. */
import { delivery, type Parcel } from "../lib/delivery.ts";
import type { Event } from "../lib/event.ts";
import type { Outcome } from "../lib/mail.ts";
import type { Target } from "../lib/request.ts";
import { sampleContexts, sampleMail } from "../lib/sample.ts";
import { assert, assertEquals } from "./assert.ts";

const [context] = sampleContexts({
  version: "0.0.0",
  hostname: () => "localhost",
  env: () => undefined,
  vars: {},
});
const mail = sampleMail("1", new Date(0));
const NOW = new Date(1_000_000);
const { signal } = new AbortController();
const request = { method: "POST" as const, url: null, headers: [], body: "{}" };
const target: Target = {
  destination: "nowhere",
  needs: new Set(),
  warnings: [],
  request: () => Promise.resolve(request),
};
const outcome: Outcome = { kind: "accepted", note: "sent" };

/** A courier of these parts, and what it did. */
function courierOf(
  { read = () => Promise.resolve(context), made = target, send = () => outcome } = {},
) {
  const parcels: Parcel[] = [];
  const events: Event[] = [];
  const courier = delivery(
    made,
    read,
    (parcel) => {
      parcels.push(parcel);
      return Promise.resolve(send());
    },
    (event) => events.push(event),
    () => NOW,
  );
  return { courier, parcels, events };
}

Deno.test("delivery() hands the request over and passes the outcome on", async () => {
  const { courier, parcels, events } = courierOf();
  assertEquals(await courier(mail, signal), outcome);
  assertEquals(parcels, [{ id: "1", destination: "nowhere", request }]);
  assertEquals(events, []);
});

Deno.test("delivery() makes the request of the context that was read, at this moment", async () => {
  const asked: unknown[] = [];
  const made: Target = {
    ...target,
    request: (...args) => {
      asked.push(...args);
      return Promise.resolve(request);
    },
  };
  await courierOf({ made }).courier(mail, signal);
  assert(asked[0] === context);
  assertEquals(asked.slice(1), [NOW]);
});

Deno.test("delivery() defers a message on which the template fails, and says why", async () => {
  const made = { ...target, request: () => Promise.resolve({ faults: ["Cannot use it: bad"] }) };
  const { courier, parcels, events } = courierOf({ made });
  assertEquals(await courier(mail, signal), {
    kind: "deferred",
    reason: "template fails on this message",
    unsent: true,
    detail: "Cannot use it: bad",
  });
  assertEquals(parcels, []);
  assertEquals(events, [{ kind: "unsent", id: "1", reason: "Cannot use it: bad" }]);
});

Deno.test("delivery() defers a message of which a template makes more than there can be", async () => {
  const made = { ...target, request: () => Promise.reject(new RangeError("too long")) };
  const { courier, parcels, events } = courierOf({ made });
  assertEquals(await courier(mail, signal), {
    kind: "deferred",
    reason: "template fails on this message",
    unsent: true,
    detail: "too long",
  });
  assertEquals(parcels, []);
  assertEquals(events, [{ kind: "unsent", id: "1", reason: "too long" }]);
});

Deno.test("delivery() defers a message that cannot be read, such as for want of the parser", async () => {
  const { courier, parcels, events } = courierOf({
    read: () => Promise.reject(new Error("no parser")),
  });
  assertEquals(await courier(mail, signal), {
    kind: "deferred",
    reason: "message cannot be read now",
    unsent: true,
    detail: "no parser",
  });
  assertEquals(parcels, []);
  assertEquals(events, [{ kind: "unsent", id: "1", reason: "no parser" }]);
});
