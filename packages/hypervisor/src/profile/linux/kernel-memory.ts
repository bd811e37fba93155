/** Kernel memory as the guest's page tables show it. Every read may fail: the guest runs on while it is looked at. */
import type { GuestView } from "@bulkhead/machine";

const PAGE_MASK = ~4095n & ((1n << 64n) - 1n);

export class KernelMemory {
  readonly view: GuestView;
  /** Any address space of the guest will do: each contains the kernel. */
  readonly #satp: bigint;
  /** The page that was read last, and where it lies: reads mostly stay on one. */
  #page = -1n;
  #offset = 0;

  constructor(view: GuestView, satp: bigint) {
    this.view = view;
    this.#satp = satp;
  }

  /** A pointer or another aligned 64-bit number; 0 where nothing is mapped. */
  pointer(address: bigint): bigint {
    const page = address & PAGE_MASK;
    if (address === 0n || (address & 7n) !== 0n) return 0n;
    if (page !== this.#page) {
      const offset = this.view.translate(this.#satp, page)?.offset;
      if (offset === undefined) return 0n;
      this.#page = page;
      this.#offset = offset;
    }
    return this.view.doubleword(this.#offset + Number(address & ~PAGE_MASK));
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
