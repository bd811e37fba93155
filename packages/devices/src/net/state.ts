/** Saved state of a network device. Frames are the network's: those in flight are lost, as on any wire. */
import { expectState } from "../saved-state.ts";
import type { ReceiveFilterState } from "./receive-filter.ts";

export const NET_STATE_VERSION = 1;

export interface NetState {
  readonly version: number;
  readonly mtu: number;
  readonly linkUp: boolean;
  /** What frames for the guest may leave undone: bits of the features. */
  readonly offloads: bigint;
  readonly filter: ReceiveFilterState;
}

/** Errors: `StateError` if the state is of a device with another MTU, or is none. */
export function checkNetState(saved: unknown, mtu: number): NetState {
  const state = saved as NetState;
  expectState("a network device", "version", NET_STATE_VERSION, state?.version);
  expectState("a network device", "MTU", mtu, state.mtu);
  return state;
}
