/** Saved state of a virtio transport: registers and queues. Who calls it: `MmioTransport`. */
import type { QueueState } from "./queue.ts";
import { expectState } from "./saved-state.ts";

export const TRANSPORT_STATE_VERSION = 1;

export interface TransportState {
  readonly version: number;
  readonly deviceId: number;
  readonly status: number;
  readonly driverFeatures: bigint;
  readonly deviceFeaturesSelect: number;
  readonly driverFeaturesSelect: number;
  readonly queueSelect: number;
  readonly interrupts: number;
  readonly generation: number;
  readonly setups: readonly { readonly size: number; readonly addresses: readonly number[] }[];
  readonly queues: readonly (QueueState | null)[];
}

/** The state, if it fits a device with this id, number of queues and features. Errors: `StateError`. */
export function checkTransportState(
  saved: unknown,
  deviceId: number,
  queues: number,
  features: bigint,
): TransportState {
  const state = saved as TransportState;
  expectState("a virtio transport", "version", TRANSPORT_STATE_VERSION, state?.version);
  expectState("a virtio transport", "device id", deviceId, state.deviceId);
  expectState("a virtio transport", "number of queues", queues, state.queues.length);
  expectState("a virtio transport", "number of queues", queues, state.setups.length);
  expectState("a virtio transport", "features beyond those offered", 0n, state.driverFeatures & ~features);
  return state;
}
