/** A guest of nothing but memory, for tests that look into one: paging is off, so addresses are physical. */
import { GuestMemory, GuestView, RAM_BASE } from "@bulkhead/machine";

/** `satp` while paging is off. */
export const BARE = 0n;

export class BareGuest {
  readonly memory: GuestMemory;
  readonly view: GuestView;

  constructor(ramSize = 0x10_0000, harts = 1) {
    this.memory = new GuestMemory(ramSize, harts);
    const { buffer, ramOffset } = this.memory;
    this.view = new GuestView({ buffer, ramOffset, ramSize, harts, oneThread: true });
  }

  /** Physical address of an offset in RAM. */
  at(offset: number): bigint {
    return BigInt(RAM_BASE + offset);
  }

  /** Writes doublewords from an offset in RAM on. */
  put(offset: number, ...values: bigint[]): void {
    for (const [i, value] of values.entries()) {
      this.memory.view.setBigUint64(this.memory.ramOffset + offset + 8 * i, value, true);
    }
  }

  putBytes(offset: number, bytes: Uint8Array): void {
    this.memory.bytes.set(bytes, this.memory.ramOffset + offset);
  }
}
