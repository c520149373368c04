/**
 * Space on the disk that is kept for a bad day. What delivers messages, and so frees space, has to write
 * too; on a disk that is full nothing would ever move again. So a file of random octets stands beside the
 * queue. When the disk is full it is removed, messages that come are refused, those that are there go on,
 * and the file is made anew once there is space for it.
 */

/** Octets of the file: what one emptying of the write-ahead log takes, and as much again. */
const RESERVE_OCTETS = 2 * 1024 * 1024;

/** How often it is tried to make it anew, in milliseconds. */
const RETRY_MS = 1000;

/** The most that `crypto.getRandomValues` gives at once. */
const CHUNK_OCTETS = 65_536;

/** The reserve of one queue. */
export class Reserve {
  readonly #path: string;
  #isHeld = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Makes it, or finds that of an earlier run. */
  constructor(queue: string) {
    this.#path = `${queue}-reserve`;
    this.#make();
  }

  /** Whether it is there, so that there is space for new messages. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Gives the space away, and whether there was any; tries to get it back from then on. */
  release(): boolean {
    const wasHeld = this.#isHeld;
    this.#isHeld = false;
    removeFile(this.#path);
    this.#schedule();
    return wasHeld;
  }

  /** Leaves it for the next run. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#make(), RETRY_MS);
  }

  #make(): void {
    try {
      using file = Deno.openSync(this.#path, { write: true, create: true, mode: 0o600 });
      if (file.statSync().size < RESERVE_OCTETS) fill(file);
      this.#isHeld = true;
    } catch {
      removeFile(this.#path);
      this.#schedule();
    }
  }
}

/** Gives up the reserve of a queue that cannot even be opened; whether there was one. */
export function giveUp(queue: string): boolean {
  return removeFile(`${Deno.realPathSync(queue)}-reserve`);
}

/** With octets that no file system can make smaller. */
function fill(file: Deno.FsFile): void {
  const chunk = crypto.getRandomValues(new Uint8Array(CHUNK_OCTETS));
  for (let at = 0; at < RESERVE_OCTETS; at += CHUNK_OCTETS) {
    for (let written = 0; written < chunk.length;) {
      written += file.writeSync(chunk.subarray(written));
    }
  }
  file.syncSync();
}

/** Whether it was there. */
function removeFile(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch {
    return false;
  }
}
