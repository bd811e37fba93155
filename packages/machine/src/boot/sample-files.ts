/** Small kernels and ELF files for tests of the boot code. Who calls it: tests only. */

/** An `Image` whose code begins behind the header; its first instruction jumps there. */
export function sampleImage(code: readonly number[] = [0x0000_006f], size = 0, textOffset = 0x20_0000): Uint8Array {
  const image = new Uint8Array(64 + code.length * 4);
  const view = new DataView(image.buffer);
  view.setUint32(0, 0x0400_006f, true);
  view.setBigUint64(8, BigInt(textOffset), true);
  view.setBigUint64(16, BigInt(size || image.length), true);
  view.setUint32(32, 2, true);
  view.setBigUint64(48, 0x56_4353_4952n, true);
  view.setUint32(56, 0x0543_5352, true);
  for (const [index, word] of code.entries()) view.setUint32(64 + index * 4, word, true);
  return image;
}

export interface SampleSegment {
  readonly physical: number;
  readonly virtual?: number;
  readonly bytes: Uint8Array;
  readonly memorySize?: number;
}

/** An ELF64 file for RISC-V with the given segments. @param type 2 for an executable, 3 for a movable file. */
export function sampleElf(entry: number, segments: readonly SampleSegment[], type = 2): Uint8Array {
  const headers = 64 + segments.length * 56;
  const file = new Uint8Array(headers + segments.reduce((sum, s) => sum + s.bytes.length, 0));
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, type, true);
  view.setUint16(18, 243, true);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  let at = headers;
  for (const [index, segment] of segments.entries()) {
    const header = 64 + index * 56;
    view.setUint32(header, 1, true);
    view.setBigUint64(header + 8, BigInt(at), true);
    view.setBigUint64(header + 16, BigInt(segment.virtual ?? segment.physical), true);
    view.setBigUint64(header + 24, BigInt(segment.physical), true);
    view.setBigUint64(header + 32, BigInt(segment.bytes.length), true);
    view.setBigUint64(header + 40, BigInt(segment.memorySize ?? segment.bytes.length), true);
    file.set(segment.bytes, at);
    at += segment.bytes.length;
  }
  return file;
}
