/**
 * Cache-block operations. @spec unprivileged "Cache-Block Management Instructions", "Cache-Block Zero Instructions"; blocks
 * have 64 bytes ("Zic64b"). Memory is coherent, so that management does nothing once it is permitted. Kernels clear
 * pages with `cbo.zero`. Who calls it: system.ts, which has checked `menvcfg` and `senvcfg`.
 */
import { announceWrite, DEVICE, enterPage, OFFSET_MASK } from "./access.ts";
import { Cause } from "./cause.ts";
import type { Hart } from "./hart.ts";
import { READ, WRITE } from "./pmp.ts";
import { Slot } from "./state.ts";

const BLOCK_BYTES = 64;
const BLOCK_WORDS = BLOCK_BYTES / 4;
const START_MASK = OFFSET_MASK & -BLOCK_BYTES;

/** `cbo.zero`: clears the block around an address, or leaves a store's exception signalled. */
export function zeroBlock(hart: Hart, address: bigint): void {
  hart.doublewords[Slot.scratch / 2] = address;
  const low = hart.words[Slot.scratch];
  const high = hart.words[Slot.scratch + 1];
  let page = hart.dataSpace.find(low, high, WRITE);
  if (page < 0) page = translate(hart, low, high, WRITE);
  if (page === DEVICE) return;
  const words = hart.memory.words;
  const start = (page + (low & START_MASK)) / 4;
  for (let at = start; at < start + BLOCK_WORDS; at++) words[at] = 0;
}

/**
 * `cbo.clean`, `cbo.flush` and `cbo.inval`: need a load or a store to be permitted, and every page that can be written can
 * be read.
 */
export function manageBlock(hart: Hart, address: bigint): void {
  hart.doublewords[Slot.scratch / 2] = address;
  translate(hart, hart.words[Slot.scratch], hart.words[Slot.scratch + 1], READ);
}

/** Offset in the wasm memory of the page, which enters the TLB; or DEVICE with an exception signalled, which counts as a store's. */
function translate(hart: Hart, low: number, high: number, access: number): number {
  const cause = hart.mmu.translate(hart.dataSpace, low & -BLOCK_BYTES, high, access, BLOCK_BYTES);
  if (cause === 0 && access === WRITE) announceWrite(hart, hart.mmu.page, low & START_MASK, BLOCK_BYTES);
  const page = cause === 0 ? enterPage(hart, hart.dataSpace, low, high, access) : DEVICE;
  if (page === DEVICE) {
    const isPageFault = cause === Cause.loadPage || cause === Cause.storePage;
    hart.raise(isPageFault ? Cause.storePage : Cause.storeAccess, low, high);
  }
  return page;
}
