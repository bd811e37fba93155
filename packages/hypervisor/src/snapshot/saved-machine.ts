/** What a partition's thread hands over to be saved while its machine is held, and what a snapshot keeps of it. */
import type { MachineState } from "@bulkhead/machine";

/** A device in a slot. */
export interface DeviceState {
  /** @spec virtio "Device Types" */
  readonly id: number;
  readonly transport: unknown;
  readonly device: unknown;
}

/** The part that is kept as it is. */
export interface PartitionState {
  readonly machine: MachineState;
  readonly devices: readonly DeviceState[];
}

/** A layer of a disk that will not change any more: an open file of this process. */
export interface FrozenLayer {
  readonly disk: number;
  readonly descriptor: number;
  /** Numbers of the blocks of 4096 bytes that are in it, and of those that are zero. */
  readonly written: readonly number[];
  readonly zero: readonly number[];
}

/** RAM, whose pages are taken through the machine's page map. */
export interface HeldMemory {
  readonly buffer: SharedArrayBuffer;
  readonly ramOffset: number;
  readonly ramSize: number;
  readonly copies: SharedArrayBuffer;
}

export interface HeldMachine {
  readonly state: PartitionState;
  readonly layers: readonly FrozenLayer[];
  /** Bytes of each disk that keeps writes aside; undefined for others. */
  readonly diskBytes: readonly (number | undefined)[];
  readonly memory: HeldMemory;
  /** For how long the guest did not run, in milliseconds. */
  readonly pausedMs: number;
}

export const RAM_SPACE = "ram";
export const diskSpace = (disk: number): string => `disk ${disk}`;
