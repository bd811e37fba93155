/** Looks an index up in a kernel's maple tree. Source: Linux, include/linux/maple_tree.h, "maple_enode". */
import type { KernelMemory } from "./kernel-memory.ts";
import type { Structures } from "./structures.ts";

/** Low bits of a root that is a node rather than an entry; below the root each slot of an inner node is a node. */
const ROOT_NODE = 2n;
const RESERVED = 4096n;
const NODE_MASK = ~0xffn;
const Type = { leaf: 1n, range: 2n, wide: 3n } as const;
const RANGE_SLOTS = 16;
const WIDE_SLOTS = 10;
const MOST_DEPTH = 12;

/** The entry that covers an index, or 0. @param tree address of the `struct maple_tree`. */
export function mapleFind(memory: KernelMemory, layout: Structures, tree: bigint, index: bigint): bigint {
  let entry = memory.pointer(tree + layout.treeRoot);
  if ((entry & 3n) !== ROOT_NODE) return index === 0n ? entry : 0n;
  for (let depth = 0; depth < MOST_DEPTH && entry >= RESERVED; depth++) {
    const node = BigInt.asUintN(64, entry & NODE_MASK);
    const type = (entry >> 3n) & 15n;
    if (type !== Type.leaf && type !== Type.range && type !== Type.wide) return 0n;
    const wide = type === Type.wide;
    const slots = wide ? WIDE_SLOTS : RANGE_SLOTS;
    const pivots = node + (wide ? layout.widePivots : layout.rangePivots);
    let slot = 0;
    for (; slot < slots - 1; slot++) {
      const pivot = memory.pointer(pivots + BigInt(8 * slot));
      if (pivot >= index || (pivot === 0n && slot > 0)) break;
    }
    entry = memory.pointer(node + (wide ? layout.wideSlots : layout.rangeSlots) + BigInt(8 * slot));
    if (type === Type.leaf) return (entry & 3n) === 0n ? entry : 0n;
  }
  return 0n;
}
