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
  readonly #counts: number[][];

  constructor(harts: number) {
    this.#counts = Array.from({ length: harts }, () => new Array<number>(FIRMWARE_EVENTS).fill(0));
  }

  count(hart: number, event: FirmwareEvent): void {
    this.#counts[hart][event]++;
  }

  /** How often a hart has seen the event with this code, 0 to 21. */
  total(hart: number, code: number): bigint {
    return BigInt(this.#counts[hart][code]);
  }
}
