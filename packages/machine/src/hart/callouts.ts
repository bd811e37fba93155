/**
 * What generated code (interpreter and JIT) calls in the hart for everything that its fast paths leave out.
 * A call-out reports through `HartState.signal`; values cross as i64 (bigint), the rest as i32.
 */
export interface HartCallouts {
  /** Loads 2^`logBytes` bytes at a virtual address: TLB refill, page crossings, MMIO. Result zero-extended. */
  load(address: bigint, logBytes: number): bigint;
  /** Stores the low bytes of `value`; may signal `leave` (a device changed an interrupt) or `exception`. */
  store(address: bigint, logBytes: number, value: bigint): void;
  /**
   * Offset in the wasm memory of a naturally aligned operand for LR (`write` 0) or SC and AMO (`write` 1), or 0 with an exception:
   * misaligned, access fault (MMIO does not support atomics) or page fault.
   */
  atomicAddress(address: bigint, logBytes: number, write: number): number;
  /**
   * Offset in the wasm memory of the instruction bytes at a virtual address, or 0 with an exception. Makes the execute
   * entry of the TLB for the page, unless only a part of the page may be executed (PMP).
   */
  fetch(address: bigint): number;
  /**
   * Zicsr. `operation` is the index in `csrOperations`; `suppress` bit 0: rd is x0, bit 1: the source field is 0.
   * Gives the old value. After a CSR call-out generated code reads `dataTlb` and `floatEnabled` again. May signal `leave`
   * (an interrupt is due, or the space of fetches changed) or `exception`.
   */
  csr(number: number, operation: number, suppress: number, value: bigint): bigint;
  /**
   * `operation` is the index in `systemOperations`; `pc` is in `HartState.pc`. For sfence.vma and sinval.vma `a` is the
   * address and `b` the ASID, where -1 (as signed 64-bit) means all; they signal nothing as long as `fetchSpace` and
   * `dataTlb` stay the same.
   */
  system(operation: number, a: bigint, b: bigint): void;
}
