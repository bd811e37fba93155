/** Saved state of a socket device. Connections end with the machine that they were made in. */
import { expectState } from "../saved-state.ts";

export const VSOCK_STATE_VERSION = 1;

export interface VsockState {
  readonly version: number;
  readonly cid: number;
}

/** Errors: `StateError` if the state is of a device with another address, or is none. */
export function checkVsockState(saved: unknown, cid: number): VsockState {
  const state = saved as VsockState;
  expectState("a socket device", "version", VSOCK_STATE_VERSION, state?.version);
  expectState("a socket device", "CID", cid, state.cid);
  return state;
}
