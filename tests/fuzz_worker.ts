/**
 * The half of `fuzz.ts` that tries inputs. It is a worker so that one that is never done with can be given
 * up: each input is told before it is tried.
 */
/// <reference lib="deno.worker" />
import fc from "npm:fast-check@4.10.2";
import type { Plain, Property } from "./property.ts";

/** What is to be tried. */
export interface Task {
  /** The file whose `properties` are tried. */
  readonly module: string;
  /** Which of them. */
  readonly index: number;
  readonly seed: number;
  /** For how long. */
  readonly milliseconds: number;
}

/** What is told. */
export type Told =
  /** This input is tried next. */
  | { readonly kind: "input"; readonly input: Plain }
  /** The time is up, or an input failed. */
  | { readonly kind: "done"; readonly runs: number; readonly failure: Failure | null };

/** An input that failed. */
export interface Failure {
  /** What it was made small to. */
  readonly input: Plain;
  /** What was seen, in one line. */
  readonly seen: string;
}

/** Milliseconds for making a failing input small. */
const SHRINK_MS = 10_000;

self.onmessage = async ({ data }: MessageEvent<Task>) => {
  const { module, index, seed, milliseconds } = data;
  const { properties } = await import(module) as { properties: readonly Property[] };
  const { inputs, holds } = properties[index];
  const tell = (told: Told) => self.postMessage(told);
  const property = fc.property(inputs, (input) => {
    tell({ kind: "input", input });
    holds(input);
  });
  const { numRuns: runs, counterexamplePath: path } = fc.check(property, {
    ...{ seed, numRuns: Infinity, interruptAfterTimeLimit: milliseconds, endOnFailure: true },
  });
  if (path === null) return tell({ kind: "done", runs, failure: null });
  const { counterexample, errorInstance } = fc.check(property, {
    ...{ seed, path, interruptAfterTimeLimit: SHRINK_MS },
  });
  const [line] = String(errorInstance).split("\n");
  tell({ kind: "done", runs, failure: { input: counterexample![0], seen: line } });
};
