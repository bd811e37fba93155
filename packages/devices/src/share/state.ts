/** Saved state of a shared folder's device: which share it is, and the nodes that the guest holds references to. */
import { expectState } from "../saved-state.ts";
import type { ServiceState } from "./service.ts";

export const SHARE_STATE_VERSION = 1;

export interface ShareState extends ServiceState {
  readonly version: number;
  readonly tag: string;
  readonly readOnly: boolean;
}

/** Errors: `StateError` if the share differs from the one the state was saved with. */
export function checkShareState(saved: unknown, tag: string, readOnly: boolean): ShareState {
  const state = saved as ShareState;
  expectState("a shared folder", "version", SHARE_STATE_VERSION, state?.version);
  expectState("a shared folder", "tag", tag, state.tag);
  expectState("a shared folder", "read-only", readOnly, state.readOnly);
  return state;
}
