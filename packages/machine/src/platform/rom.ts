/**
 * Read-only memory where QEMU's `virt` has its reset code: firmware finds there what it is told of the next stage, at any time
 * and on every hart. In RAM it would be lost to whatever an earlier hart has started. Who fills it: the machine, at each boot.
 */
import type { MmioDevice } from "../bus.ts";

export const ROM = { base: 0x1000, size: 0xf000 } as const;

export interface RomState {
  readonly bytes: Uint8Array;
}

export class Rom implements MmioDevice {
  #bytes = new Uint8Array(0);

  /** What it holds from its start on; all else is 0. */
  fill(bytes: Uint8Array): void {
    this.#bytes = bytes.slice();
  }

  read(offset: number, bytes: number): number {
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + (this.#bytes[offset + i] ?? 0);
    return value;
  }

  write(): void {}

  save(): RomState {
    return { bytes: this.#bytes.slice() };
  }

  restore({ bytes }: RomState): void {
    this.fill(bytes);
  }
}
