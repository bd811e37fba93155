/** What a guest says about its memory. @spec virtio "Memory Statistics". None of it is trusted. */

const ENTRY_BYTES = 10;
/** More than there are tags: what a guest repeats is not read without end. */
const MOST_ENTRIES = 64;
export const MOST_STATISTICS_BYTES = ENTRY_BYTES * MOST_ENTRIES;

/** By tag. Sizes in bytes, the others are counts since the guest started. @spec virtio "Memory Statistics Tags" */
export const statisticNames = [
  "swapIn",
  "swapOut",
  "majorFaults",
  "minorFaults",
  "free",
  "total",
  "available",
  "caches",
] as const;

export type MemoryStatistics = { readonly [Name in (typeof statisticNames)[number]]?: number };

/** Reads a guest's list of tags and values; tags that are not known are left out, and so is half an entry at the end. */
export function parseStatistics(bytes: Uint8Array): MemoryStatistics {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: Partial<Record<(typeof statisticNames)[number], number>> = {};
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const name = statisticNames[view.getUint16(at, true)];
    if (name !== undefined) found[name] = Number(view.getBigUint64(at + 2, true));
  }
  return found;
}
