/** Feature bits and configuration space of a block device. @spec virtio "Block Device" "Device configuration layout" */
import { SECTOR_BYTES } from "./backend.ts";
import type { DiskShape } from "./request.ts";

export const BlockFeature = {
  segmentsMax: 1n << 2n,
  readOnly: 1n << 5n,
  blockSize: 1n << 6n,
  flush: 1n << 9n,
  topology: 1n << 10n,
  discard: 1n << 13n,
  writeZeroes: 1n << 14n,
} as const;

/** Descriptors of the queue; a request needs two besides those of its data. A mebibyte in pages is one request then. */
export const QUEUE_SIZE = 512;
/** Most sectors that one request makes zero, which may mean to write them: bounds the time it takes. */
export const MAX_ZERO_SECTORS = 65536;
/** Most sectors of one discard, 4 GiB: nothing is written for them. */
export const MAX_DISCARD_SECTORS = 2 ** 23;
/** Most ranges in one discard or write-zeroes request. */
export const MAX_RANGES = 1;
/** Pages are what the host and the overlay write best: 2^3 sectors. */
const PHYSICAL_BLOCK_EXPONENT = 3;

export function blockFeatures({ readOnly, canDiscard }: DiskShape): bigint {
  const always = BlockFeature.segmentsMax | BlockFeature.blockSize | BlockFeature.flush | BlockFeature.topology;
  if (readOnly) return always | BlockFeature.readOnly;
  return always | BlockFeature.writeZeroes | (canDiscard ? BlockFeature.discard : 0n);
}

export function blockConfig({ size, readOnly, canDiscard }: DiskShape): Uint8Array {
  const config = new Uint8Array(60);
  const view = new DataView(config.buffer);
  view.setBigUint64(0, BigInt(size / SECTOR_BYTES), true);
  view.setUint32(12, QUEUE_SIZE - 2, true);
  view.setUint32(20, SECTOR_BYTES, true);
  view.setUint8(24, PHYSICAL_BLOCK_EXPONENT);
  view.setUint16(26, 1, true);
  if (readOnly) return config;
  if (canDiscard) {
    view.setUint32(36, MAX_DISCARD_SECTORS, true);
    view.setUint32(40, MAX_RANGES, true);
    view.setUint32(44, 1 << PHYSICAL_BLOCK_EXPONENT, true);
  }
  view.setUint32(48, MAX_ZERO_SECTORS, true);
  view.setUint32(52, MAX_RANGES, true);
  view.setUint8(56, 1);
  return config;
}
