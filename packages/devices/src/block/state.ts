/** Saved state of a block device. Requests are served whole, and those that wait are in the queue: it says only which disk it goes with. */
import { expectState } from "../saved-state.ts";

export const BLOCK_STATE_VERSION = 1;

export interface BlockState {
  readonly version: number;
  readonly size: number;
  readonly readOnly: boolean;
}

/** Errors: `StateError` if the disk differs from the one the state was saved with. */
export function checkBlockState(
  saved: unknown,
  disk: { readonly size: number; readonly readOnly: boolean },
): BlockState {
  const state = saved as BlockState;
  expectState("a block device", "version", BLOCK_STATE_VERSION, state?.version);
  expectState("a block device", "size", disk.size, state.size);
  expectState("a block device", "read-only", disk.readOnly, state.readOnly);
  return state;
}
