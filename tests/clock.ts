/** Time that passes only when a test says so. */
import { install } from "npm:@sinonjs/fake-timers@15.5.0";
import { assertEquals } from "./assert.ts";

/** What timers obey. `tickAsync(0)` lets everything happen that waits for no timer. */
export type Clock = ReturnType<typeof install>;

/** A test whose timers wait for the clock; it fails where one is left behind. */
export function testInTime(name: string, run: (clock: Clock) => Promise<void>): void {
  Deno.test(name, async () => {
    const toFake = ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;
    const clock = install({ toFake: [...toFake] });
    try {
      await run(clock);
      assertEquals(clock.countTimers(), 0, "timers are left behind");
    } finally {
      clock.uninstall();
    }
  });
}

/** A promise whose end can be seen without waiting for it. */
export interface Watched<Result> {
  isOver: boolean;
  result: Result | null;
}

/** Watches a promise. */
export function watch<Result>(promise: Promise<Result>): Watched<Result> {
  const watched: Watched<Result> = { isOver: false, result: null };
  promise.then((result) => {
    watched.isOver = true;
    watched.result = result;
  });
  return watched;
}
