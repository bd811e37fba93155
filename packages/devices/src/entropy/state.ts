/** Saved state of the entropy device: nothing but its version, since no two machines may share randomness. */
import { expectState } from "../saved-state.ts";

export const ENTROPY_STATE_VERSION = 1;

export interface EntropyState {
  readonly version: number;
}

/** Errors: `StateError`. */
export function checkEntropyState(saved: unknown): EntropyState {
  const state = saved as EntropyState;
  expectState("the entropy device", "version", ENTROPY_STATE_VERSION, state?.version);
  return state;
}
