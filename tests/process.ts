/**
 * What Linux tells of a process that runs (proc(5)): the most memory that it had, and how many
 * files it has open. Other systems tell it otherwise, or not at all.
 */

/** Whether processes can be read. */
export const isReadable = Deno.build.os === "linux";

/**
 * The resident memory of a process, in octets: the most that it had since `forgetPeak`, `VmHWM`.
 */
export function peakOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)![1]) * 1024;
}

/** Has the peak begin anew with what the process has now. */
export function forgetPeak(pid: number): void {
  Deno.writeTextFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** How many file descriptors a process has open. */
export function descriptorsOf(pid: number): number {
  return Array.from(Deno.readDirSync(`/proc/${pid}/fd`)).length;
}
