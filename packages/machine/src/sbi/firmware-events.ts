/** Counts of the firmware events that the PMU extension can show. @spec sbi "Event: Firmware events (Type #15)" */

/** Event codes. Traps that real firmware emulates (0–4) never reach this implementation and stay 0. */
export const FirmwareEvent = {
  setTimer: 5,
  ipiSent: 6,
  ipiReceived: 7,
  fenceInstructionsSent: 8,
  fenceInstructionsReceived: 9,
  fenceAddressesSent: 10,
  fenceAddressesReceived: 11,
  fenceAddressSpaceSent: 12,
  fenceAddressSpaceReceived: 13,
} as const;
export type FirmwareEvent = (typeof FirmwareEvent)[keyof typeof FirmwareEvent];

/** Codes from 22 on are reserved. */
export const FIRMWARE_EVENTS = 22;

export class FirmwareEvents {
  /** Bytes that `memory` has to have for so many harts. */
  static bytes(harts: number): number {
    return harts * FIRMWARE_EVENTS * 8;
  }

  readonly #counts: BigInt64Array;

  /** @param memory may be shared by threads: harts count events of each other. */
  constructor(harts: number, memory: ArrayBufferLike = new ArrayBuffer(FirmwareEvents.bytes(harts))) {
    this.#counts = new BigInt64Array(memory, 0, harts * FIRMWARE_EVENTS);
  }

  reset(): void {
    this.#counts.fill(0n);
  }

  save(): bigint[] {
    return [...this.#counts];
  }

  restore(saved: readonly bigint[]): void {
    this.#counts.set(saved);
  }

  count(hart: number, event: FirmwareEvent): void {
    Atomics.add(this.#counts, hart * FIRMWARE_EVENTS + event, 1n);
  }

  /** How often a hart has seen the event with this code, 0 to 21. */
  total(hart: number, code: number): bigint {
    return Atomics.load(this.#counts, hart * FIRMWARE_EVENTS + code);
  }
}
