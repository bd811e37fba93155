/** The header in front of each frame in a virtqueue. @spec virtio "Network Device" "Device Operation" */
import { type Offload, Segmentation } from "@bulkhead/network";

/** With VERSION_1 the header always has its last field. */
export const HEADER_BYTES = 12;

const NEEDS_CHECKSUM = 1;
/** Says that a segment's TCP header has congestion bits; not offered, so not used. */
const ECN = 0x80;

/** What the header asks for, or undefined when it asks for nothing that there is for a frame of `length` bytes. */
export function parseHeader(header: Uint8Array<ArrayBuffer>, length: number): Offload | undefined {
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  const needsChecksum = (view.getUint8(0) & NEEDS_CHECKSUM) !== 0;
  const segmentation = view.getUint8(1) & ~ECN;
  const checksumStart = needsChecksum ? view.getUint16(6, true) : 0;
  const checksumOffset = needsChecksum ? view.getUint16(8, true) : 0;
  const cut = segmentation !== Segmentation.none;
  const segmentBytes = cut ? view.getUint16(4, true) : 0;
  const headerBytes = cut ? view.getUint16(2, true) : 0;
  if (needsChecksum && (checksumStart === 0 || checksumStart + checksumOffset + 2 > length)) return undefined;
  if (cut && (!needsChecksum || segmentBytes === 0)) return undefined;
  if (cut && segmentation !== Segmentation.tcp4 && segmentation !== Segmentation.tcp6) return undefined;
  return { checksumStart, checksumOffset, segmentation, segmentBytes, headerBytes };
}

/** @param buffers how many of the driver's buffers the frame fills. */
export function encodeHeader(offload: Offload, buffers: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint8(0, offload.checksumStart === 0 ? 0 : NEEDS_CHECKSUM);
  view.setUint8(1, offload.segmentation);
  view.setUint16(2, offload.headerBytes, true);
  view.setUint16(4, offload.segmentBytes, true);
  view.setUint16(6, offload.checksumStart, true);
  view.setUint16(8, offload.checksumOffset, true);
  view.setUint16(10, buffers, true);
  return header;
}
