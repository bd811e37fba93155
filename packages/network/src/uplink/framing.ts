/**
 * Frames on a stream: each behind its length in four bytes, high byte first, as passt has it; between our own processes
 * with what is left to be done in between. @spec passt(1) "--socket"
 */
import { ETHERNET_BYTES, type Frame, frameOf, MAX_FRAME_BYTES, noOffload, type Offload } from "../frame.ts";

export const LENGTH_BYTES = 4;
const OFFLOAD_BYTES = 10;

/** What stands in front of a frame. */
export function encodePrefix({ length, offload }: Frame, offloads: boolean): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(LENGTH_BYTES + (offloads ? OFFLOAD_BYTES : 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length + (offloads ? OFFLOAD_BYTES : 0));
  if (!offloads) return bytes;
  view.setUint16(4, offload.checksumStart);
  view.setUint16(6, offload.checksumOffset);
  view.setUint16(8, offload.segmentation);
  view.setUint16(10, offload.segmentBytes);
  view.setUint16(12, offload.headerBytes);
  return bytes;
}

/** Finds the frames in a stream's bytes, however these are cut. Holds at most one frame. */
export class FrameParser {
  readonly #offloads: boolean;
  #held: Uint8Array = new Uint8Array(0);

  constructor(offloads: boolean) {
    this.#offloads = offloads;
  }

  /** The frames that some more bytes complete; undefined once the stream makes no sense. Frames are views. */
  feed(bytes: Uint8Array): Frame[] | undefined {
    const all = this.#held.length === 0 ? bytes : join(this.#held, bytes);
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    const extra = this.#offloads ? OFFLOAD_BYTES : 0;
    const frames: Frame[] = [];
    let at = 0;
    while (all.length - at >= LENGTH_BYTES) {
      const length = view.getUint32(at);
      if (length < ETHERNET_BYTES + extra || length > MAX_FRAME_BYTES + extra) return undefined;
      const start = at + LENGTH_BYTES;
      if (all.length - start < length) break;
      const frame = all.subarray(start + extra, start + length);
      const offload = this.#offloads ? readOffload(view, start, frame.length) : noOffload;
      if (offload === undefined) return undefined;
      frames.push(frameOf(frame, offload));
      at = start + length;
    }
    this.#held = all.slice(at);
    return frames;
  }
}

function readOffload(view: DataView, at: number, length: number): Offload | undefined {
  const [checksumStart, checksumOffset, segmentation, segmentBytes, headerBytes] = [0, 2, 4, 6, 8].map((field) =>
    view.getUint16(at + field),
  );
  if (checksumStart > 0 && checksumStart + checksumOffset + 2 > length) return undefined;
  if (segmentation !== 0 && (checksumStart === 0 || segmentBytes === 0)) return undefined;
  return { checksumStart, checksumOffset, segmentation, segmentBytes, headerBytes };
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
