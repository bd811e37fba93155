/** Saved state of a console device: its size and what its ports hold. */
import { expectState } from "../saved-state.ts";
import type { PortState } from "./ports.ts";

export const CONSOLE_STATE_VERSION = 1;

export interface ConsoleState {
  readonly version: number;
  readonly columns: number;
  readonly rows: number;
  readonly ports: readonly PortState[];
}

/** Errors: `StateError` unless the ports are those named, in order. */
export function checkConsoleState(saved: unknown, names: readonly string[]): ConsoleState {
  const state = saved as ConsoleState;
  expectState("a console", "version", CONSOLE_STATE_VERSION, state?.version);
  expectState("a console", "ports", names.join(), state.ports.map(({ name }) => name).join());
  return state;
}
