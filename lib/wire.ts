/**
 * Octets into frames. The decoder takes whatever a read brought and gives back what the session asks
 * for next: a command line, the data after DATA, or the octets after BDAT. However the octets are cut
 * into reads, the frames are the same.
 *
 * RFC 5321 section 2.3.8 (lines end with CRLF and nothing else), section 4.5.2 (dot transparency),
 * section 4.5.3 (limits), RFC 3030 section 2 (BDAT).
 *
 * Line ends are decided once for each message. A command line may end with CRLF or, from scripts, with
 * LF; data after a DATA that ended with CRLF ends with CRLF "." CRLF only, and data after a DATA that
 * ended with LF ends with LF "." LF only. Nothing else ends data, so there is no second reading of a
 * message into which a second message could be smuggled (CVE-2023-51764 to 51766).
 *
 * What goes over a limit is swallowed to its true end before the session hears of it, since the rest
 * would otherwise be read as commands. Nothing over a limit is kept in memory.
 */
import { concat, release } from "./octets.ts";

/** How a line ended. */
export type LineEnd = "CRLF" | "LF";

/** What a session wants to read next. */
export type Want =
  | { readonly kind: "line" }
  /** Mail data; `lineEnd` is how the DATA line ended. */
  | { readonly kind: "data"; readonly lineEnd: LineEnd }
  /** A chunk of BDAT; with `keep` false its octets are dropped as they come. */
  | { readonly kind: "chunk"; readonly octets: number; readonly keep: boolean };

/** What it gets. Octets are the frame's own and stay as they are. */
export type Frame =
  /** A line without its end; null where it was longer than the limit. */
  | {
    readonly kind: "line";
    readonly octets: Uint8Array | null;
    readonly lineEnd: LineEnd;
  }
  /** Mail data with dot-stuffing undone; null where it was bigger than the limit. */
  | { readonly kind: "data"; readonly octets: Uint8Array | null }
  /** A whole chunk; empty where it was not to be kept. */
  | { readonly kind: "chunk"; readonly octets: Uint8Array };

/** The limits that framing obeys. */
export interface WireLimits {
  /** Octets of a command line, its end among them (RFC 5321 section 4.5.3.1.4 asks for 512). */
  readonly maxLineOctets: number;
  /** Octets of a message, its dot-stuffing not counted (RFC 1870 section 5). */
  readonly maxMessageOctets: number;
}

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
/** The octets of line ends. */
const END = { CRLF: [CR, LF], LF: [LF] };
/** The first octet of a TLS connection: a record of the handshake (RFC 8446 section 5.1). */
const TLS_HANDSHAKE = 0x16;
const NONE = new Uint8Array(0);

/** Decodes one connection: `push` what was read, then call `next` until it has no frame to give. */
export class Decoder {
  readonly #limits: WireLimits;
  /** What was read last, with what was left of before. */
  #octets: Uint8Array = NONE;
  /** How many of them belong to frames already. */
  #at = 0;
  /** What is known of the present frame. */
  readonly #frame = new Collector();
  /** Whether nothing of the connection has been looked at. */
  #isFresh = true;
  /** Within data: whether what is unread begins a line. */
  #atLineStart = true;

  /** Begins with nothing read. */
  constructor(limits: WireLimits) {
    this.#limits = limits;
  }

  /** Octets of memory that are held for what has come: more than have, as there is room for more. */
  get heldOctets(): number {
    return this.#octets.length - this.#at + this.#frame.capacity;
  }

  /** Takes octets of the connection. They are looked at until `next` has no frame to give. */
  push(octets: Uint8Array): void {
    const unread = this.#octets.subarray(this.#at);
    this.#octets = unread.length === 0 ? octets : concat([unread, octets]);
    this.#at = 0;
  }

  /** The next frame, or null when it needs more octets. Ask for one kind until it has come. */
  next(want: Want): Frame | null {
    const frame = this.#next(want);
    if (frame === null) {
      // A few octets at most, such as a CR whose LF has not come.
      this.#octets = this.#octets.slice(this.#at);
      this.#at = 0;
    }
    return frame;
  }

  #next(want: Want): Frame | null {
    switch (want.kind) {
      case "line":
        return this.#nextLine();
      case "data":
        return this.#nextData(want.lineEnd);
      case "chunk":
        return this.#nextChunk(want.octets, want.keep);
    }
  }

  #nextLine(): Frame | null {
    const { maxLineOctets } = this.#limits;
    if (this.#isFresh && this.#octets.length > 0) {
      this.#isFresh = false;
      // No command begins so, and the line end that would end it may never come.
      if (this.#octets[0] === TLS_HANDSHAKE) {
        return { kind: "line", octets: this.#takeTo(1).slice(), lineEnd: "LF" };
      }
    }
    const end = this.#octets.indexOf(LF, this.#at) + 1;
    if (end === 0) {
      this.#frame.add(this.#takeTo(this.#octets.length), maxLineOctets);
      return null;
    }
    const line = this.#frame.finish(this.#takeTo(end), maxLineOctets);
    if (line === null) return { kind: "line", octets: null, lineEnd: "LF" };
    const lineEnd = line[line.length - 2] === CR ? "CRLF" : "LF";
    return { kind: "line", octets: line.subarray(0, -END[lineEnd].length), lineEnd };
  }

  #nextData(lineEnd: LineEnd): Frame | null {
    const { maxMessageOctets } = this.#limits;
    for (;;) {
      const octets = this.#octets;
      const dot = lineDot(octets, this.#at, lineEnd, this.#atLineStart);
      if (dot === null) {
        if (this.#at === octets.length) return null;
        // A CR at the very end may be half of the line end: it waits for what follows.
        const half = lineEnd === "CRLF" && octets[octets.length - 1] === CR ? 1 : 0;
        const content = this.#takeTo(octets.length - half);
        if (content.length > 0) this.#atLineStart = endsLine(content, 0, content.length, lineEnd);
        this.#frame.add(content, maxMessageOctets);
        return null;
      }
      const content = this.#takeTo(dot);
      const { meaning, length } = meaningOf(octets, dot, lineEnd);
      this.#atLineStart = meaning !== "stuffed";
      this.#takeTo(dot + length);
      if (meaning === "end") {
        return { kind: "data", octets: this.#frame.finish(content, maxMessageOctets) };
      }
      this.#frame.add(content, maxMessageOctets);
      if (meaning === "undecided") return null;
    }
  }

  #nextChunk(octets: number, keep: boolean): Frame | null {
    const missing = octets - this.#frame.size;
    const piece = this.#takeTo(Math.min(this.#at + missing, this.#octets.length));
    const limit = keep ? octets : -1;
    if (piece.length === missing) {
      return { kind: "chunk", octets: this.#frame.finish(piece, limit) ?? NONE };
    }
    this.#frame.add(piece, limit);
    return null;
  }

  /** What is unread up to that place; it is not copied. */
  #takeTo(end: number): Uint8Array {
    const taken = this.#octets.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/**
 * Where from `start` on a line of data begins with a dot, as no other line means anything; null where
 * none does.
 */
function lineDot(
  octets: Uint8Array,
  start: number,
  lineEnd: LineEnd,
  atLineStart: boolean,
): number | null {
  for (let at = octets.indexOf(DOT, start); at !== -1; at = octets.indexOf(DOT, at + 1)) {
    if (at === start ? atLineStart : endsLine(octets, start, at, lineEnd)) return at;
  }
  return null;
}

/** Whether a line ends before `octets[at]`; what comes before `start` is no data. */
function endsLine(octets: Uint8Array, start: number, at: number, lineEnd: LineEnd): boolean {
  return octets[at - 1] === LF &&
    (lineEnd === "LF" || (at - 2 >= start && octets[at - 2] === CR));
}

/** What the dot at the start of a line means, and how many octets of that line are no content. */
interface LineStart {
  readonly meaning: "stuffed" | "end" | "undecided";
  readonly length: number;
}

function meaningOf(octets: Uint8Array, dot: number, lineEnd: LineEnd): LineStart {
  const end = END[lineEnd];
  for (let index = 0; index < end.length; index++) {
    const found = octets[dot + 1 + index];
    if (found === undefined) return { meaning: "undecided", length: 0 };
    if (found !== end[index]) return { meaning: "stuffed", length: 1 };
  }
  return { meaning: "end", length: 1 + end.length };
}

/** Octets of memory that a frame gets at once, at most, for what is still to come of it. */
const MAX_BLOCK = 1024 * 1024;

/**
 * Collects the octets of one frame, and no more than its limit, in blocks: many small pieces, each with an
 * array of its own, would be a burden, and one array that grows is copied again and again.
 */
class Collector {
  #full: Uint8Array[] = [];
  #block: Uint8Array = NONE;
  /** Octets that are used of the block. */
  #used = 0;
  #capacity = 0;
  #size = 0;
  #overLimit = false;

  /** Octets seen so far, dropped ones among them. */
  get size(): number {
    return this.#size;
  }

  /** Octets that there is memory for. */
  get capacity(): number {
    return this.#capacity;
  }

  add(octets: Uint8Array, limit: number): void {
    if (octets.length === 0) return;
    this.#size += octets.length;
    if (this.#size > limit) {
      this.#overLimit = true;
      this.#drop();
    }
    if (this.#overLimit) return;
    const room = this.#block.length - this.#used;
    this.#put(octets.subarray(0, room));
    if (octets.length <= room) return;
    if (this.#used > 0) this.#full.push(this.#block);
    const rest = octets.subarray(room);
    this.#block = new Uint8Array(Math.max(rest.length, Math.min(this.#size, MAX_BLOCK)));
    this.#capacity += this.#block.length;
    this.#used = 0;
    this.#put(rest);
  }

  /** All octets, these last, or null where they are over the limit; then begins anew. */
  finish(last: Uint8Array, limit: number): Uint8Array | null {
    // Most frames come in one piece.
    if (this.#size === 0) return last.length <= limit ? last.slice() : null;
    this.add(last, limit);
    // What came in one block is not copied again.
    const isWhole = this.#full.length === 0 && this.#used === this.#block.length;
    const octets = isWhole
      ? this.#block
      : concat([...this.#full, this.#block.subarray(0, this.#used)]);
    const frame = this.#overLimit ? null : octets;
    if (!isWhole) { for (const block of this.#full) release(block); }
    this.#drop();
    this.#size = 0;
    this.#overLimit = false;
    return frame;
  }

  #put(octets: Uint8Array): void {
    this.#block.set(octets, this.#used);
    this.#used += octets.length;
  }

  #drop(): void {
    this.#full = [];
    this.#block = NONE;
    this.#used = 0;
    this.#capacity = 0;
  }
}
