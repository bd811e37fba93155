/**
 * What the first blocks of a raw disk image say about it: how many bytes it must have at least. Who calls it:
 * `claimDisk`, to refuse a truncated image before a guest damages it further.
 */

/** How many bytes of a disk `inspectLayout` wants to see. */
export const LAYOUT_BYTES = 4096;
export const SECTOR_BYTES = 512;

/** `bytes` is the least size the image must have, `what` says who claims so. */
export interface SizeClaim {
  readonly bytes: number;
  readonly what: string;
}

/** @param head the first `LAYOUT_BYTES` of the image, or all of a smaller one. @returns undefined for an unknown layout. */
export function inspectLayout(head: Uint8Array): SizeClaim | undefined {
  const padded = new Uint8Array(LAYOUT_BYTES);
  padded.set(head.subarray(0, LAYOUT_BYTES));
  const view = new DataView(padded.buffer);
  return guidTable(view) ?? ext4(view) ?? partitionTable(view);
}

/** @spec UEFI "GPT Header": the backup header is in the disk's last block. */
function guidTable(view: DataView): SizeClaim | undefined {
  if (view.getBigUint64(SECTOR_BYTES, false) !== 0x4546_4920_5041_5254n) return undefined;
  const bytes = (Number(view.getBigUint64(SECTOR_BYTES + 32, true)) + 1) * SECTOR_BYTES;
  return { bytes, what: "its GUID partition table" };
}

/** ext2, ext3 and ext4: a super block at byte 1024. */
function ext4(view: DataView): SizeClaim | undefined {
  const at = 1024;
  if (view.getUint16(at + 56, true) !== 0xef53) return undefined;
  const is64Bit = (view.getUint32(at + 96, true) & 0x80) !== 0;
  const high = is64Bit ? view.getUint32(at + 0x150, true) : 0;
  const blocks = view.getUint32(at + 4, true) + high * 2 ** 32;
  return { bytes: blocks * 2 ** (10 + view.getUint32(at + 24, true)), what: "its ext4 file system" };
}

/** A master boot record; the boot sector of a FAT file system, which has the same mark, fails the status check. */
function partitionTable(view: DataView): SizeClaim | undefined {
  if (view.getUint16(510, false) !== 0x55aa) return undefined;
  const entries = [446, 462, 478, 494];
  if (entries.some((at) => (view.getUint8(at) & 0x7f) !== 0)) return undefined;
  const used = entries.filter((at) => view.getUint8(at + 4) !== 0);
  const end = Math.max(0, ...used.map((at) => view.getUint32(at + 8, true) + view.getUint32(at + 12, true)));
  return end === 0 ? undefined : { bytes: end * SECTOR_BYTES, what: "its partition table" };
}
