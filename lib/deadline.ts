/** How long something is waited for. What it is goes on all the same: a promise cannot be interrupted. */

/** A result, or a rejection with `Deno.errors.TimedOut` after `timeoutMs` without one. */
export async function within<Result>(timeoutMs: number, result: Promise<Result>): Promise<Result> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Deno.errors.TimedOut(`it took longer than ${timeoutMs / 1000} s`)),
    timeoutMs,
  );
  try {
    return await Promise.race([result, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
