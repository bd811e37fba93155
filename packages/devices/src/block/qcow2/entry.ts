/**
 * Entries of qcow2's tables as pairs of 32-bit halves: a BigInt per entry would cost more than all the rest of a lookup.
 * @spec qcow2 "Cluster mapping"
 */

/** Where a guest cluster's content is. */
export interface Mapping {
  /** `none`: in the backing file, or zeros without one. `zero`: zeros, and `host` is 0 unless space is kept. */
  readonly kind: "none" | "zero" | "data" | "compressed";
  /** Byte offset in the image's file; of a compressed cluster any byte, else a cluster's first. */
  readonly host: number;
  /** Bytes, at most, of a compressed cluster's stream. */
  readonly length: number;
  /** The cluster has one owner, so it may be written in place. */
  readonly copied: boolean;
}

export const COPIED = 0x8000_0000;
const COMPRESSED = 0x4000_0000;
const OFFSET_HIGH = 0x00ff_ffff;
const OFFSET_LOW = 0xffff_fe00;
export const ZERO = 1;

export const high = (offset: number): number => Math.floor(offset / 2 ** 32);
export const low = (offset: number): number => offset >>> 0;

/** Offset that an entry of a level 1, level 2 or refcount table holds. */
export const offsetIn = (hi: number, lo: number): number => (hi & OFFSET_HIGH) * 2 ** 32 + ((lo & OFFSET_LOW) >>> 0);

/** A level 2 entry's meaning. @param zeroFlag whether bit 0 means zeros: from version 3 on. */
export function decodeEntry(hi: number, lo: number, clusterBits: number, zeroFlag: boolean): Mapping {
  if ((hi & COMPRESSED) !== 0) return decodeCompressed(hi, lo, clusterBits);
  const host = offsetIn(hi, lo);
  const copied = (hi & COPIED) !== 0;
  if (zeroFlag && (lo & ZERO) !== 0) return { kind: "zero", host, length: 0, copied };
  return { kind: host === 0 ? "none" : "data", host, length: 0, copied };
}

/** @spec qcow2 "Compressed Clusters Descriptor" */
function decodeCompressed(hi: number, lo: number, clusterBits: number): Mapping {
  const offsetBits = 62 - (clusterBits - 8) - 32;
  const host = (hi & (2 ** offsetBits - 1)) * 2 ** 32 + lo;
  const sectors = ((hi & (COMPRESSED - 1)) >>> offsetBits) + 1;
  return { kind: "compressed", host, length: sectors * 512 - (host % 512), copied: false };
}
