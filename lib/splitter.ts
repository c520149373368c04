/**
 * Runs the splitter of mailparser, which takes a message apart into parts (RFC 2046), and bounds what a
 * message can ask of it: parts without number, and names that take longer to decode than to send.
 */
import type { Found, PartHeader, Splitter } from "./npm/mailparser.d.ts";

export type { Found, Splitter } from "./npm/mailparser.d.ts";

/** Takes a sentence on what was left out. */
export type Warn = (text: string) => void;

/** Octets that a splitter gets at a time. */
const SLICE_OCTETS = 64 * 1024;

/** Runs a splitter as fast as it works, as long as there is anything for it to find. */
export async function split(
  splitter: Splitter,
  [header, body]: readonly [Uint8Array, Uint8Array],
  warn: Warn,
  take: (found: Found) => void,
): Promise<void> {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const limit = limitParts(splitter, warn);
  limitNames(splitter, warn);
  // Those of the parser.
  splitter.removeAllListeners();
  splitter.on("data", (found) => {
    try {
      if (found.type === "node") limit.count(found);
      take(found);
    } catch (error) {
      // It would be thrown at nobody.
      reject(error);
    }
  });
  splitter.on("error", reject);
  splitter.on("end", resolve);
  splitter.write(header);
  for (let at = 0; at < body.length && !limit.isReached; at += SLICE_OCTETS) {
    if (splitter.write(body.subarray(at, at + SLICE_OCTETS))) continue;
    await Promise.race([ended, new Promise<void>((goOn) => splitter.once("drain", goOn))]);
  }
  splitter.end();
  await ended;
}

/** Parts of a message, itself and all multiparts among them; real ones stay below a hundred. */
const MAX_PARTS = 500;

/** Octets of their headers together, about; a splitter holds each several times. */
const MAX_HEADERS_OCTETS = 512 * 1024;

/** What a splitter has found so far. */
interface Limit {
  /** Whether more was there than is taken. */
  isReached: boolean;
  /** Counts the header of a part. */
  readonly count: (header: PartHeader) => void;
}

/** Keeps a splitter from finding more parts than may be, and tells when there were more. */
function limitParts(splitter: Splitter, warn: Warn): Limit {
  let octets = 0;
  const limit: Limit = {
    isReached: false,
    count: ({ headers }) => {
      for (const { line } of headers.getList()) octets += line.length;
    },
  };
  const checkBoundary = splitter.checkBoundary.bind(splitter);
  splitter.checkBoundary = (line) => {
    const kind = checkBoundary(line);
    if (kind !== 1 && kind !== 3) return kind;
    const { nodeCounter } = splitter;
    if (nodeCounter < MAX_PARTS && octets <= MAX_HEADERS_OCTETS) return kind;
    if (!limit.isReached) {
      warn(
        nodeCounter < MAX_PARTS
          ? "The headers of the parts are too long, only the first parts were read"
          : `The message has too many parts, only the first ${MAX_PARTS} were read`,
      );
    }
    limit.isReached = true;
    // No part begins here, but the parts before it end: the next number says that.
    return kind === 1 ? 2 : 4;
  };
  return limit;
}

/** Octets of all encoded names of attachments together: they can be UTF-7 too. */
const MAX_NAMES_OCTETS = 256 * 1024;

/** Has a splitter decode no more of the names of attachments than may be. */
function limitNames(splitter: Splitter, warn: Warn): void {
  let room = MAX_NAMES_OCTETS;
  const watch = ({ libmime }: Splitter["node"]) => {
    const decodeWord = libmime.decodeWord.bind(libmime);
    libmime.decodeWord = (charset, encoding, text) => {
      if (text.length > room) {
        warn("The names of attachments are too long to be decoded");
        return text;
      }
      room -= text.length;
      return decodeWord(charset, encoding, text);
    };
  };
  const newNode = splitter.newNode.bind(splitter);
  splitter.newNode = (parent) => {
    newNode(parent);
    watch(splitter.node);
  };
  watch(splitter.node);
}
