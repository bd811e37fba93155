/** Files of captured frames, as `tcpdump -r` reads them. @spec draft-ietf-opsawg-pcap "PCAP Capture File Format" */
import { type Frame, frameBytes } from "../frame.ts";

const MAGIC_NANOSECONDS = 0xa1b2_3c4d;
const ETHERNET = 1;
/** Larger than any frame, large segments that are still to be cut included. */
const SNAP_BYTES = 262_144;
const RECORD_BYTES = 16;

export function pcapHeader(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC_NANOSECONDS, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAP_BYTES, true);
  view.setUint32(20, ETHERNET, true);
  return bytes;
}

/** A frame with its record header. @param timeMs since 1970. */
export function pcapRecord(frame: Frame, timeMs: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(RECORD_BYTES + frame.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(timeMs / 1000), true);
  view.setUint32(4, Math.floor((timeMs % 1000) * 1e6), true);
  view.setUint32(8, frame.length, true);
  view.setUint32(12, frame.length, true);
  bytes.set(frameBytes(frame), RECORD_BYTES);
  return bytes;
}
