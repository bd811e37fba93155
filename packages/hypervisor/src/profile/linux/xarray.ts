/** Looks an index up in a kernel's xarray, as the page cache uses it. Source: Linux, include/linux/xarray.h. */
import type { KernelMemory } from "./kernel-memory.ts";
import type { Structures } from "./structures.ts";

const INTERNAL = 2n;
const VALUE = 1n;
const RESERVED = 4096n;
const CHUNK_BITS = 6n;
const CHUNK_MASK = 63n;
const MOST_DEPTH = 12;

/** The pointer stored at an index, or 0: absent, or a value that is no pointer. @param head `xa_head`. */
export function xarrayFind(memory: KernelMemory, layout: Structures, head: bigint, index: bigint): bigint {
  let entry = head;
  for (let depth = 0; depth < MOST_DEPTH; depth++) {
    if ((entry & VALUE) !== 0n) return 0n;
    if ((entry & 3n) !== INTERNAL) return depth > 0 || index === 0n ? entry : 0n;
    if (entry < RESERVED) return 0n;
    const node = entry - INTERNAL;
    const shift = BigInt(memory.byte(node + layout.nodeShift));
    if (depth === 0 && index >> (shift + CHUNK_BITS) !== 0n) return 0n;
    const slots = node + layout.nodeSlots;
    entry = memory.pointer(slots + 8n * ((index >> shift) & CHUNK_MASK));
    // A large folio's later slots name its first.
    if ((entry & 3n) === INTERNAL && entry < RESERVED) entry = memory.pointer(slots + 8n * (entry >> 2n));
  }
  return 0n;
}
