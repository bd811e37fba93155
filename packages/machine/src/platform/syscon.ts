/**
 * The test finisher: the guest writes to it to end or restart the machine. @spec SiFive test finisher, as on QEMU's
 * `virt`; the device tree also calls it `syscon-poweroff` and `syscon-reboot` with the values here.
 */
import type { MmioDevice } from "../bus.ts";

/** Values of the register at offset 0; `fail` carries a code in the upper 16 bits. */
export const Finisher = { pass: 0x5555, fail: 0x3333, reset: 0x7777 } as const;

export interface SysconEvents {
  /** @param code 0, or what the guest gave with `fail` (0 to 65535). */
  onPowerOff(code: number): void;
  onReset(): void;
}

export class Syscon implements MmioDevice {
  readonly #events: SysconEvents;

  constructor(events: SysconEvents) {
    this.#events = events;
  }

  read(): number {
    return 0;
  }

  write(offset: number, _bytes: number, value: number): void {
    if (offset !== 0) return;
    const command = value & 0xffff;
    if (command === Finisher.pass) this.#events.onPowerOff(0);
    else if (command === Finisher.fail) this.#events.onPowerOff(value >>> 16);
    else if (command === Finisher.reset) this.#events.onReset();
  }
}
