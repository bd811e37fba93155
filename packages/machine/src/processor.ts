/**
 * What executes guest code: interpreter and JIT behind one interface. The machine makes one per guest through the
 * factory that it is given, and hands it budgets.
 */
import type { Hart } from "./hart/hart.ts";
import type { GuestMemory } from "./memory.ts";

export interface Processor {
  /**
   * Executes instructions of a hart from `HartState.pc` on until `HartState.signal` is not 0 or `HartState.budget` is
   * below 0. The state in memory is exact then.
   */
  run(hart: number): void;
  /** A hart executed FENCE.I: what it fetches from now on must be what memory holds. */
  codeChanged(): void;
  /** Guest RAM is about to be written: physical address and length in bytes. */
  written(address: number, length: number): void;
  /** Whether a page (physical address / 4096) holds translated code, so that stores to it must be announced. */
  isCodePage(page: number): boolean;
  /** The guest has had little to do for a while: gives back memory that it would only be faster with. */
  trim(): void;
}

/** @param harts in the order of their areas in memory. */
export type ProcessorFactory = (memory: GuestMemory, harts: readonly Hart[]) => Processor;
