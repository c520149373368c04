/** The threads of a process, on Linux (proc(5)). */

/** Whether a program has started a thread that runs a script of its own. */
export function hasThread(pid: number): boolean {
  return Array.from(Deno.readDirSync(`/proc/${pid}/task`))
    .some(({ name }) => /^worker-/.test(Deno.readTextFileSync(`/proc/${pid}/task/${name}/comm`)));
}
