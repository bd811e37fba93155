/**
 * What the translator tells the region compiler, and what it gets back. Both can be posted to another thread. Offsets in
 * a region count from the start of its home page.
 */
import type { PagePlaces } from "./code-window.ts";

export interface RegionOrder {
  /** Table index of the region's function. */
  readonly index: number;
  readonly places: PagePlaces;
  /** Entries that it must have, by their numbers. */
  readonly entries: readonly number[];
  /** Entries that it gets where there is room. */
  readonly wished: readonly number[];
  /** Hot regions are translated at more length, and call inline. */
  readonly isHot: boolean;
}

export interface RegionCode {
  /** Entries by their numbers, those of the order first; some come for nothing. */
  readonly entries: readonly number[];
  /** Wished entries that it did not get. */
  readonly refused: readonly number[];
  /** Whether there is a function: nothing could be translated otherwise. */
  readonly isTranslated: boolean;
  /** What was translated: where each block begins and ends, in pairs. */
  readonly ranges: Int32Array;
  /** The bytes of the ranges, one after the other: the guest may have changed them since. */
  readonly bytes: Uint8Array;
}

/** The answer to some orders. */
export interface CompiledRegions {
  /** Its instance puts the functions into the table; undefined if there are none. */
  readonly module: WebAssembly.Module | undefined;
  /** In the order of the orders. */
  readonly regions: readonly RegionCode[];
}

/** Where orders are worked on: here and at once, or on a thread of its own. */
export interface RegionService {
  /** How many posts have not been taken yet. */
  readonly waiting: number;
  post(orders: readonly RegionOrder[]): void;
  /** The answer to the oldest post, if it is there. */
  take(): CompiledRegions | undefined;
  /** There will be little to do for a while. */
  trim(): void;
}
