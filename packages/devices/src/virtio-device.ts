/**
 * The seam between a device and its transport. A device holds only what is its own; negotiation, rings and interrupts
 * are the transport's.
 */
import type { QueueShape, Virtqueue } from "./queue.ts";

/** What a device gets from its transport. */
export interface DeviceTransport {
  /** Features that were negotiated; 0 before. */
  readonly features: bigint;
  /** The driver is ready and has done nothing wrong: queues may be used. */
  readonly running: boolean;
  queue(index: number): Virtqueue;
  /** Interrupts the driver for completed chains if it wants that. Not needed inside `notify` and `ready`. */
  signal(): void;
  /** Tells the driver that the configuration space has changed. */
  configChanged(): void;
  /** The guest broke the rules: the device stops until the driver resets it. */
  fail(reason: string): void;
}

export interface VirtioDevice {
  /** @spec virtio "Device Types" */
  readonly id: number;
  readonly queues: readonly QueueShape[];
  /** The device's own feature bits; the transport adds those of the rings. */
  readonly features: bigint;
  /** The configuration space as the driver reads it now. */
  readonly config: Uint8Array;
  /** Called once, before anything else. */
  attach(transport: DeviceTransport): void;
  /** The driver has set DRIVER_OK. `notify` follows for each queue. */
  ready?(): void;
  /** The driver has written a word of the configuration space, at a multiple of 4. */
  configure?(offset: number, value: number): void;
  /** The driver may have made chains available in a queue. Must not throw, whatever the guest did. */
  notify(queue: number): void;
  /** The driver has reset the device. */
  reset?(): void;
  /**
   * The device's own state, as plain data: see saved-state.ts. A machine with a device that has none cannot be saved. Requests
   * that wait are in the queues; there are none under way, see `settled`.
   */
  save?(): unknown;
  /** Takes state over, before the guest runs; `notify` follows for each queue. Errors: `StateError`. */
  restore?(saved: unknown): void;
  /** False while the host has yet to end a request that was taken from a queue; left out where there is never one. */
  readonly settled?: boolean;
}
