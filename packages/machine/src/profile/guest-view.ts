/**
 * A guest's memory and harts, looked at from another thread while it runs: nothing is written, nothing stops, and
 * everything that is read may change or be nonsense. Who calls it: the sampling profiler.
 */
import { HartState, hartBase } from "../hart/layout.ts";
import { Slot } from "../hart/state.ts";
import { satpLevels } from "../hart/status.ts";
import { PAGE_SIZE, RAM_BASE } from "../memory.ts";

/** What another thread needs to look into a guest; plain data. */
export interface GuestImage {
  readonly buffer: SharedArrayBuffer;
  readonly ramOffset: number;
  readonly ramSize: number;
  readonly harts: number;
  /** All harts take turns on one thread. */
  readonly oneThread: boolean;
}

/** A hart at one moment. Its parts are read one after the other, so they may belong to different instructions. */
export interface HartSnapshot {
  readonly activity: number;
  readonly waiting: boolean;
  readonly privilege: number;
  readonly pc: bigint;
  readonly satp: bigint;
  readonly sscratch: bigint;
}

const V = 1n;
const RWX = 14n;
const PAGE_BITS = 12n;
const PPN_MASK = (1n << 44n) - 1n;
const NAPOT = 1n << 63n;

export class GuestView {
  readonly image: GuestImage;
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(image: GuestImage) {
    this.image = image;
    this.bytes = new Uint8Array(image.buffer);
    this.#view = new DataView(image.buffer);
  }

  hart(index: number): HartSnapshot {
    const base = hartBase(index);
    const slot = (word: number): bigint => this.#view.getBigUint64(base + word * 4, true);
    return {
      activity: this.#view.getInt32(base + HartState.activity, true),
      waiting: this.#view.getInt32(base + HartState.waiting, true) !== 0,
      privilege: this.#view.getInt32(base + Slot.privilege * 4, true),
      pc: this.#view.getBigUint64(base + HartState.pc, true),
      satp: slot(Slot.satp),
      sscratch: slot(Slot.sscratch),
    };
  }

  /** Integer register of a hart as its state has it; translated code may hold a later value. */
  register(hart: number, number: number): bigint {
    return this.#view.getBigUint64(hartBase(hart) + HartState.x + number * 8, true);
  }

  /** Offset in the buffer of `length` bytes at a physical address, or -1 if they are not all RAM. */
  offsetOf(physical: bigint, length: number): number {
    const start = Number(physical) - RAM_BASE;
    return start >= 0 && start + length <= this.image.ramSize ? start + this.image.ramOffset : -1;
  }

  /**
   * Where a virtual address lies in the buffer under a `satp`, with the bytes that follow it there without a gap; or
   * undefined if nothing is mapped or it is no RAM. Permissions play no part.
   */
  translate(satp: bigint, address: bigint): { readonly offset: number; readonly bytes: number } | undefined {
    const levels = satpLevels[Number(satp >> 60n)];
    if (levels === undefined) return undefined;
    if (levels === 0) return this.#found(address, PAGE_SIZE - Number(address & 4095n));
    let table = (satp & PPN_MASK) << PAGE_BITS;
    for (let level = levels - 1; level >= 0; level--) {
      const shift = PAGE_BITS + 9n * BigInt(level);
      const at = this.offsetOf(table + ((address >> shift) & 511n) * 8n, 8);
      const entry = at < 0 ? 0n : this.#view.getBigUint64(at, true);
      if ((entry & V) === 0n) return undefined;
      const page = (entry >> 10n) & PPN_MASK;
      if ((entry & RWX) === 0n) table = page << PAGE_BITS;
      else return this.#leaf(page, (entry & NAPOT) !== 0n, shift, address);
    }
    return undefined;
  }

  /** A doubleword at an offset in the buffer. */
  doubleword(offset: number): bigint {
    return this.#view.getBigUint64(offset, true);
  }

  /** Up to 8 bytes, little-endian, or undefined if they are not mapped. */
  read(satp: bigint, address: bigint, length: number): bigint | undefined {
    const found = this.translate(satp, address);
    if (found === undefined) return undefined;
    if (length === 8 && found.bytes >= 8) return this.#view.getBigUint64(found.offset, true);
    let value = 0n;
    const bytes = this.copy(satp, address, length);
    for (let i = length - 1; i >= 0; i--) {
      if (bytes === undefined) return undefined;
      value = (value << 8n) | BigInt(bytes[i]);
    }
    return value;
  }

  /** A copy of bytes, or undefined if they are not all mapped. */
  copy(satp: bigint, address: bigint, length: number): Uint8Array<ArrayBuffer> | undefined {
    const copy = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const found = this.translate(satp, BigInt.asUintN(64, address + BigInt(done)));
      if (found === undefined) return undefined;
      const bytes = Math.min(found.bytes, length - done);
      copy.set(this.bytes.subarray(found.offset, found.offset + bytes), done);
      done += bytes;
    }
    return copy;
  }

  /** A text that ends with a zero byte, cut off at `most` bytes, or undefined if it is not mapped. */
  text(satp: bigint, address: bigint, most: number): string | undefined {
    let text = "";
    for (let i = 0; i < most; ) {
      const found = this.translate(satp, address + BigInt(i));
      if (found === undefined) return undefined;
      for (let k = 0; k < found.bytes && i < most; k++, i++) {
        const byte = this.bytes[found.offset + k];
        if (byte === 0) return text;
        text += String.fromCharCode(byte);
      }
    }
    return text;
  }

  #leaf(page: bigint, napot: boolean, shift: bigint, address: bigint) {
    const size = napot ? 1n << 16n : 1n << shift;
    const start = (page << PAGE_BITS) & ~(size - 1n);
    const within = address & (size - 1n);
    return this.#found(start + within, Number(size - within));
  }

  #found(physical: bigint, bytes: number) {
    const offset = this.offsetOf(physical, 1);
    if (offset < 0) return undefined;
    return { offset, bytes: Math.min(bytes, this.image.ramOffset + this.image.ramSize - offset) };
  }
}
