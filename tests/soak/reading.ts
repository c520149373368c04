/** What Linux tells of a process that runs, its memory and its file descriptors, and what to make of it. */

import { descriptorsOf } from "../process.ts";

/** A moment of a process. */
export interface Reading {
  /** Resident memory in octets, the `VmRSS` of proc(5). */
  readonly memory: number;
  /** Open file descriptors. */
  readonly descriptors: number;
}

/** How much of its warm level memory may have grown by. */
const MEMORY_MARGIN = 0.2;

/** Reads a process; null where there is no proc(5), or the process is gone. */
export function readingOf(pid: number): Reading | null {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const descriptors = descriptorsOf(pid);
    // One that has ended, but was not waited for, has no memory.
    const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(status) ?? [];
    return kilobytes === undefined ? null : { memory: Number(kilobytes) * 1024, descriptors };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The median of several readings, of memory and of descriptors each. */
export function median(readings: readonly [Reading, ...Reading[]]): Reading {
  const middle = (numbers: readonly number[]) =>
    numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
  return {
    memory: middle(readings.map(({ memory }) => memory)),
    descriptors: middle(readings.map(({ descriptors }) => descriptors)),
  };
}

/** In what a process at rest is not what it was when it was fresh and when it was warm; a sentence each. */
export function growth(fresh: Reading, warm: Reading, end: Reading): string[] {
  const percent = Math.round((end.memory / warm.memory - 1) * 100);
  const faults = [];
  if (end.memory > warm.memory * (1 + MEMORY_MARGIN)) {
    faults.push(`memory grew by ${percent} %, from ${megabytes(warm)} to ${megabytes(end)}`);
  }
  for (const [name, { descriptors }] of Object.entries({ warm, end })) {
    if (descriptors <= fresh.descriptors) continue;
    faults.push(`${descriptors} file descriptors at rest (${name}), at first ${fresh.descriptors}`);
  }
  return faults;
}

/** Such as `181 MB`. */
export function megabytes({ memory }: Reading): string {
  return `${Math.round(memory / 1e6)} MB`;
}
