/**
 * Has mailparser's splitter find the parts of a message (RFC 2046 section 5.1), and bounds what a message
 * can ask of it: parts without number, and names that take longer to decode than to send.
 *
 * The splitter is a stream, but all it knows is in its method for one line, which is called here: without
 * the stream a mail of 4 KB is read in a fifth of the time. Of a body it is shown the lines that begin as
 * delimiters do, and the content of a part is a range of the message, not a copy.
 */
import type { Warn } from "./content.ts";
import { readWords } from "./encoded_words.ts";
import type { PartHeader, Splitter } from "./npm/mailparser.d.ts";

export type { PartHeader, Splitter } from "./npm/mailparser.d.ts";

/** Octets of a file name as text, whatever character set they claim. */
export type DecodeName = (octets: Uint8Array, charset: string) => string;

/** A part as it was found. */
export interface Found {
  /** Its header; that of what it is a part of is `header.parentNode`. */
  readonly header: PartHeader;
  /** Its transfer encoding not yet undone; of a multipart it means nothing. */
  readonly content: Uint8Array;
}

/**
 * The parts of a message, itself first, and each before its own parts; null where for that more than `most`
 * lines would have to be looked at. `header` ends with an empty line. Throws for what the splitter does not
 * take, such as the header of a part with a million octets.
 */
export function split(
  splitter: Splitter,
  header: Uint8Array,
  body: Uint8Array,
  most: number,
  warn: Warn,
  decodeName: DecodeName,
): readonly Found[] | null {
  const limits = new Limits(warn, decodeName);
  splitter.nodeCounter = 0;
  splitter.newNode();
  const root = splitter.node;
  limits.watch(root);
  give(splitter, header, true);
  const whole = { header: root, content: body };
  if (root.multipart === false) return [whole];
  const parts = partsIn(body, splitter, limits, most);
  return parts && [whole, ...parts];
}

const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;

/** A part while its end is looked for: a range of the body. */
interface Range {
  readonly header: PartHeader;
  readonly start: number;
  end: number;
}

function partsIn(
  octets: Uint8Array,
  splitter: Splitter,
  limits: Limits,
  most: number,
): Found[] | null {
  const ranges: Range[] = [];
  const begin = (header: PartHeader | null, start: number) => {
    if (header === null) return;
    limits.count(header);
    ranges.push({ header, start, end: octets.length });
  };
  for (let at = 0, lines = 0; at < octets.length; lines++) {
    if (lines === most) return null;
    const [start, { node }] = [at, splitter];
    at = octets.indexOf(LF, start) + 1 || octets.length;
    const isHeader = node.headers === false;
    if (!isHeader && !beginsWithDashes(octets, start)) continue;
    const line = octets.subarray(start, at);
    const kind = splitter.checkBoundary(line);
    if (!isHeader && kind === false) continue;
    const isTooMuch = (kind === 1 || kind === 3) && limits.isReached(splitter);
    if (!isTooMuch) begin(give(splitter, line, line.at(-1) !== LF), at);
    const last = ranges.at(-1);
    if (last?.header === node && (isTooMuch || splitter.node !== node)) {
      last.end = withoutLineEnd(octets, last.start, start);
    }
    if (isTooMuch) break;
    if (splitter.node !== node) limits.watch(splitter.node);
  }
  if (splitter.node.headers === false) begin(give(splitter, NOTHING, true), octets.length);
  return ranges.map(({ header, start, end }) => ({ header, content: octets.subarray(start, end) }));
}

const NOTHING = new Uint8Array(0);

/** Shows a line to a splitter, and gives the header that it ends; null where it ends none. */
function give(splitter: Splitter, line: Uint8Array, isLast: boolean): PartHeader | null {
  let ended: PartHeader | null = null;
  const take = (found: unknown) => {
    if ((found as PartHeader).type === "node") ended = found as PartHeader;
  };
  // A delimiter can end a header, which the splitter tells as a stream does.
  splitter.push = take;
  splitter.processLine(line, isLast, (error, found) => {
    if (error) throw error;
    if (found) take(found);
  });
  return ended;
}

/** Whether a line begins as delimiters do, after a CR that may be left of the line end before. */
function beginsWithDashes(octets: Uint8Array, start: number): boolean {
  const dash = octets[start] === CR ? start + 1 : start;
  return octets[dash] === DASH && octets[dash + 1] === DASH;
}

/** Where a content ends whose delimiter begins at `end`: the line end before it belongs to that. */
function withoutLineEnd(octets: Uint8Array, start: number, end: number): number {
  if (end <= start || octets[end - 1] !== LF) return end;
  return end - 1 > start && octets[end - 2] === CR ? end - 2 : end - 1;
}

/** Parts of a message, itself and all multiparts among them; real ones stay below a hundred. */
const MAX_PARTS = 500;

/** Octets of their headers together, about; a splitter holds each several times. */
const MAX_HEADERS_OCTETS = 512 * 1024;

/** Octets of all encoded names of attachments together: they can be UTF-7 too. */
const MAX_NAMES_OCTETS = 256 * 1024;

/** What one message may ask of a splitter. */
class Limits {
  readonly #warn: Warn;
  readonly #decodeName: DecodeName;
  #headers = 0;
  #names = 0;

  constructor(warn: Warn, decodeName: DecodeName) {
    this.#warn = warn;
    this.#decodeName = decodeName;
  }

  /** Counts the header of a part. */
  count({ headers }: PartHeader): void {
    if (headers !== false) {
      for (const { line } of headers.getList()) {
        this.#headers += line.length;
      }
    }
  }

  /** Whether there are more parts than are taken, which is said then. */
  isReached({ nodeCounter }: Splitter): boolean {
    if (nodeCounter < MAX_PARTS && this.#headers <= MAX_HEADERS_OCTETS) return false;
    this.#warn(
      nodeCounter < MAX_PARTS
        ? "The headers of the parts are too long, only the first parts were read"
        : `The message has too many parts, only the first ${MAX_PARTS} were read`,
    );
    return true;
  }

  /** Has no more of the names in the header of a part decoded than may be. */
  watch({ libmime }: Splitter["node"]): void {
    readWords(libmime, ({ text, charset, octets }) => {
      this.#names += text.length;
      if (this.#names <= MAX_NAMES_OCTETS) return this.#decodeName(octets(), charset);
      this.#warn("The names of attachments are too long to be decoded");
      return text;
    });
  }
}
