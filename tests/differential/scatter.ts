/** An image on pages in reverse order under Sv39, so that an access across a page boundary meets two distant pages. */
import type { Hart } from "../../packages/machine/src/hart/index.ts";
import { Privilege, Slot } from "../../packages/machine/src/hart/state.ts";
import { type GuestMemory, PAGE_SIZE, RAM_BASE } from "../../packages/machine/src/memory.ts";
import { IMAGE_BASE } from "./image.ts";

const ENTRIES = 512;
const SV39 = 8n;
/** Entries of a page table. @spec privileged "Sv39: Page-Based 39-bit Virtual-Memory System" */
const POINTER = 0x01;
const USER_PAGE = 0xdf;

const [SATP, SENVCFG, MENVCFG, PMPCFG0, PMPADDR0] = [0x180, 0x10a, 0x30a, 0x3a0, 0x3b0];
const CACHE_BLOCKS = 0xf0n;
const ALL_MEMORY = 0x1fn;

export class Scatter {
  readonly satp: bigint;
  readonly #memory: GuestMemory;
  readonly #size: number;

  /** Tables lie at the bottom of RAM, the image's pages at its top. */
  constructor(memory: GuestMemory, image: Uint8Array) {
    this.#memory = memory;
    this.#size = image.length;
    const [root, middle, leaves] = [RAM_BASE, RAM_BASE + PAGE_SIZE, RAM_BASE + 2 * PAGE_SIZE];
    const gigabyte = Math.floor(IMAGE_BASE / PAGE_SIZE / ENTRIES / ENTRIES);
    const pages = image.length / PAGE_SIZE;
    this.#setEntry(root, gigabyte, middle, POINTER);
    for (let table = 0; table * ENTRIES < pages; table++) {
      this.#setEntry(middle, table, leaves + table * PAGE_SIZE, POINTER);
    }
    for (let page = 0; page < pages; page++) {
      this.#setEntry(leaves, page, this.#physical(page), USER_PAGE);
      const bytes = image.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
      memory.writable(this.#physical(page), PAGE_SIZE)!.set(bytes);
    }
    this.satp = (SV39 << 60n) | BigInt(root / PAGE_SIZE);
  }

  /** The image as it is now. */
  gather(): Uint8Array {
    const image = new Uint8Array(this.#size);
    for (let at = 0; at < this.#size; at += PAGE_SIZE) {
      image.set(this.#memory.readable(this.#physical(at / PAGE_SIZE), PAGE_SIZE)!, at);
    }
    return image;
  }

  #physical = (page: number): number => RAM_BASE + this.#memory.ramSize - (page + 1) * PAGE_SIZE;

  #setEntry(table: number, index: number, address: number, flags: number): void {
    const at = this.#memory.offsetOf(table + 8 * index, 8);
    this.#memory.view.setBigUint64(at, BigInt(address / PAGE_SIZE) * 1024n + BigInt(flags), true);
  }
}

/** Takes a hart that is in M-mode to U-mode under a translation, with everything permitted that user programs may do. */
export function enterUserMode(hart: Hart, satp: bigint): void {
  hart.writeCsr(PMPADDR0, -1n);
  hart.writeCsr(PMPCFG0, ALL_MEMORY);
  hart.writeCsr(MENVCFG, CACHE_BLOCKS);
  hart.writeCsr(SENVCFG, CACHE_BLOCKS);
  hart.writeCsr(SATP, satp);
  hart.words[Slot.privilege] = Privilege.user;
  hart.selectSpaces();
  hart.takeSignal();
}
