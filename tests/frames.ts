/** Pieces of octets into frames, in a form that can be written down and compared. */
import { characters } from "../lib/octets.ts";
import { assertEquals } from "./assert.ts";
import { Decoder, type Frame, type LineEnd, type Want, type WireLimits } from "../lib/wire.ts";

/** A frame: its octets as a text of one character an octet, null where it was over the limit. */
export type PlainFrame = readonly [kind: Frame["kind"], text: string | null, lineEnd?: LineEnd];

/** A frame as it can be compared. */
export function plain(frame: Frame): PlainFrame {
  const text = frame.octets === null ? null : characters(frame.octets);
  return frame.kind === "line" ? [frame.kind, text, frame.lineEnd] : [frame.kind, text];
}

/**
 * All frames that pieces give to a session that wants these things in turn, and then over again; `look` sees
 * the decoder whenever it needs more octets for what is wanted.
 */
export function framesOf(
  pieces: readonly Uint8Array[],
  wants: readonly Want[],
  limits: WireLimits,
  look: (decoder: Decoder, want: Want) => void = () => {},
): PlainFrame[] {
  const decoder = new Decoder(limits);
  const frames: PlainFrame[] = [];
  const kept: Frame[] = [];
  for (const piece of pieces) {
    const lent = piece.slice();
    decoder.push(lent);
    for (;;) {
      const want = wants[frames.length % wants.length];
      const frame = decoder.next(want);
      if (frame === null) {
        look(decoder, want);
        break;
      }
      kept.push(frame);
      frames.push(plain(frame));
    }
    // The caller may use the array again now, and frames stay as they are.
    lent.fill(0x2e);
  }
  assertEquals(kept.map(plain), frames);
  return frames;
}
