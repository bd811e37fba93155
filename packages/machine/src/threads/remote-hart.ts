/** A hart on another thread as SBI and interrupt controllers see it: its interrupts can be driven, and fences asked of it. */
import { setPending } from "../hart/interrupts.ts";
import { hartArea, Slot } from "../hart/state.ts";
import type { GuestMemory } from "../memory.ts";
import type { SbiHart } from "../sbi/host.ts";
import type { Board } from "./board.ts";

/** Sends fences to a hart by its number. */
export interface FencePost {
  fenceAddresses(to: number, address: bigint | undefined, asid: bigint | undefined): void;
  fenceCode(to: number): void;
}

export class RemoteHart implements SbiHart {
  readonly #words: Int32Array;
  readonly #board: Board;
  readonly #index: number;
  readonly #post: () => FencePost;

  constructor(memory: GuestMemory, board: Board, index: number, post: () => FencePost) {
    this.#words = hartArea(memory, index).words;
    this.#board = board;
    this.#index = index;
    this.#post = post;
  }

  /** As after power-on: nothing is pending. Its thread leaves this to whoever starts the machine. */
  clearPending(): void {
    Atomics.store(this.#words, Slot.pending, 0);
    Atomics.store(this.#words, Slot.lines, 0);
  }

  setPending(bit: number, level: boolean): void {
    if (setPending(this.#words, bit, level) && level) this.#board.wake(this.#index);
  }

  fenceInstructions(): void {
    this.#post().fenceCode(this.#index);
  }

  fenceAddresses(address: bigint | undefined, asid: bigint | undefined): void {
    this.#post().fenceAddresses(this.#index, address, asid);
  }

  /** What SBI does to the calling hart only, which is never a remote one. */
  readCsr(): bigint {
    return this.#refuse();
  }

  writeCsr(): void {
    this.#refuse();
  }

  loadVirtual(): bigint | undefined {
    return this.#refuse();
  }

  #refuse(): never {
    throw new Error(`hart ${this.#index} belongs to another thread`);
  }
}
