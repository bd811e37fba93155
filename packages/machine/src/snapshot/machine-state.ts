/**
 * A machine's saved state but for its RAM and the devices that were attached to it: harts, SBI and platform. Who makes and
 * takes it: the machine.
 */
import type { GenerationState } from "../platform/generation.ts";
import type { RtcState } from "../platform/goldfish-rtc.ts";
import type { RomState } from "../platform/rom.ts";
import type { UartState } from "../platform/uart.ts";
import { checkHart, type SavedHart } from "./hart-state.ts";
import { expectState } from "./state-error.ts";

/** Raised whenever the meaning of anything in it changes. */
export const MACHINE_STATE_VERSION = 1;

export interface PlatformState {
  readonly plic: readonly number[];
  readonly clint: { readonly mtime: bigint; readonly words: readonly number[] };
  readonly uart: UartState;
  readonly rtc: RtcState;
  readonly generation: GenerationState;
  readonly rom: RomState;
}

export interface MachineState {
  readonly version: number;
  readonly ramSize: number;
  /** Who the guest's firmware is: we (`supervisor`), or its own (`machine`). */
  readonly start: "supervisor" | "machine";
  /** virtio slots with a device. */
  readonly virtioSlots: readonly number[];
  /** What the machine's clock showed. */
  readonly ticks: number;
  readonly harts: readonly SavedHart[];
  /** Words of `HartStates` and of `FirmwareEvents`. */
  readonly hartStates: { readonly words: readonly number[]; readonly entries: readonly bigint[] };
  readonly events: readonly bigint[];
  readonly platform: PlatformState;
}

/** What a machine is that state is to go into. */
export type MachineShape = Pick<MachineState, "ramSize" | "start" | "virtioSlots"> & { readonly harts: number };

/** The state, if it fits. Errors: `StateError`. */
export function checkMachineState(saved: unknown, shape: MachineShape): MachineState {
  const state = saved as MachineState;
  expectState("a machine", "version", MACHINE_STATE_VERSION, state?.version);
  expectState("a machine", "bytes of memory", shape.ramSize, state.ramSize);
  expectState("a machine", "harts", shape.harts, state.harts?.length);
  expectState("a machine", "mode of its start", shape.start, state.start);
  expectState("a machine", "virtio slots", shape.virtioSlots.join(), state.virtioSlots?.join());
  for (const hart of state.harts) checkHart(hart);
  return state;
}
