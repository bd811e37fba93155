/** How long a zstd frame is: a cluster's stream is followed by whatever shares its last sector. @spec RFC 8878 "Frames" */

const MAGIC = 0xfd2f_b528;
const FLAGS = { singleSegment: 0x20, checksum: 0x04 } as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const DICTIONARY_BYTES = [0, 1, 2, 4];
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;

/** Bytes of the frame at the start of a stream. Errors: `RangeError` if there is none or it is not complete. */
export function zstdFrameBytes(stream: Uint8Array): number {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw new RangeError("not a zstd frame");
  const flags = view.getUint8(4);
  const single = (flags & FLAGS.singleSegment) !== 0;
  const contentSize = flags >> 6 === 0 && single ? 1 : CONTENT_SIZE_BYTES[flags >> 6];
  let at = 5 + (single ? 0 : 1) + DICTIONARY_BYTES[flags & 3] + contentSize;
  for (let last = false; !last; ) {
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const type = (header >> 1) & 3;
    if (type === BLOCK_RESERVED) throw new RangeError("a zstd block of a reserved type");
    last = (header & 1) === 1;
    at += 3 + (type === BLOCK_RLE ? 1 : header >> 3);
  }
  const end = at + ((flags & FLAGS.checksum) !== 0 ? 4 : 0);
  if (end > stream.length) throw new RangeError("a zstd frame is cut off");
  return end;
}
