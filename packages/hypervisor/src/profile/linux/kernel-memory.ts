/** Kernel memory as the guest's page tables show it. Every read may fail: the guest runs on while it is looked at. */
import type { GuestView } from "@bulkhead/machine";

export class KernelMemory {
  readonly view: GuestView;
  /** Any address space of the guest will do: each contains the kernel. */
  readonly #satp: bigint;

  constructor(view: GuestView, satp: bigint) {
    this.view = view;
    this.#satp = satp;
  }

  /** A pointer or another 64-bit number; 0 where nothing is mapped. */
  pointer(address: bigint): bigint {
    return address === 0n ? 0n : (this.view.read(this.#satp, address, 8) ?? 0n);
  }

  /** An unsigned 32-bit number; 0 where nothing is mapped. */
  word(address: bigint): number {
    return Number(this.view.read(this.#satp, address, 4) ?? 0n);
  }

  byte(address: bigint): number {
    return Number(this.view.read(this.#satp, address, 1) ?? 0n);
  }

  text(address: bigint, most: number): string | undefined {
    return address === 0n ? undefined : this.view.text(this.#satp, address, most);
  }

  copy(address: bigint, length: number): Uint8Array<ArrayBuffer> | undefined {
    return this.view.copy(this.#satp, address, length);
  }

  /** Physical address, as an offset in the guest's buffer. */
  offset(address: bigint): number | undefined {
    return this.view.translate(this.#satp, address)?.offset;
  }
}
