/** Saved state of a memory balloon. What the guest said about its memory is asked for again. */
import { expectState } from "../saved-state.ts";

export const BALLOON_STATE_VERSION = 1;

export interface BalloonState {
  readonly version: number;
  /** In pages of 4 KiB. */
  readonly target: number;
  readonly actual: number;
  readonly poison: number;
  /** Whether the driver's buffer for statistics is with the device, to be given back when they are wanted. */
  readonly holdsStatistics: boolean;
}

/** Errors: `StateError`. */
export function checkBalloonState(saved: unknown): BalloonState {
  const state = saved as BalloonState;
  expectState("a memory balloon", "version", BALLOON_STATE_VERSION, state?.version);
  return state;
}
