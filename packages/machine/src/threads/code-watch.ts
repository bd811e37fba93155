/**
 * Pages that this thread has translated from while stores of other threads to them may have been on their way: their
 * write tags were still there, or they had announced a store and not made it yet. A copy of each page is kept until all
 * others have passed a point where nothing is on its way; at fences, and then, the page has to be what the copy is.
 */
import { type GuestMemory, PAGE_SIZE } from "../memory.ts";
import type { Board } from "./board.ts";

interface Watched {
  readonly copy: Uint8Array;
  /** Epochs of all threads, and behind them that of the devices, when the copy was made. */
  readonly epochs: Int32Array;
}

export class CodeWatch {
  readonly #memory: GuestMemory;
  readonly #board: Board;
  readonly #thread: number;
  /** Drops what was translated from a page (physical address / 4096). */
  readonly #drop: (page: number) => void;
  readonly #watched = new Map<number, Watched>();

  constructor(memory: GuestMemory, board: Board, thread: number, drop: (page: number) => void) {
    this.#memory = memory;
    this.#board = board;
    this.#thread = thread;
    this.#drop = drop;
  }

  get size(): number {
    return this.#watched.size;
  }

  /**
   * Stores to a page may be on their way from now until others have left guest code. Call it before the page is read, and
   * after the others were told to announce their stores, or when one has announced a store of `bytes` bytes at `start`,
   * and nothing is left that was translated from these.
   */
  add(page: number, start: number, bytes: number): void {
    const epochs = new Int32Array(this.#board.threads + 1);
    for (let thread = 0; thread < this.#board.threads; thread++) epochs[thread] = this.#board.epoch(thread);
    epochs[this.#board.threads] = this.#board.deviceEpoch;
    const now = this.#bytes(page);
    // What is translated already was read when the copy was made that there is.
    const copy = this.#watched.get(page)?.copy ?? now.slice();
    copy.set(now.subarray(start, start + bytes), start);
    this.#watched.set(page, { copy, epochs });
  }

  /** Drops what was translated from pages that have changed. Call it at fences for instructions. */
  check(): void {
    for (const [page, { copy, epochs }] of this.#watched) {
      // Asked before the comparison: what was on its way until then has arrived.
      const settled = this.#settled(epochs);
      const same = equal(copy, this.#bytes(page));
      if (!same) this.#drop(page);
      if (settled) this.#watched.delete(page);
      else if (!same) copy.set(this.#bytes(page));
    }
  }

  /** `check` for the pages on which nothing can be on its way any more. Call it now and then. */
  settle(): void {
    for (const [page, { copy, epochs }] of this.#watched) {
      if (!this.#settled(epochs)) continue;
      if (!equal(copy, this.#bytes(page))) this.#drop(page);
      this.#watched.delete(page);
    }
  }

  #settled(epochs: Int32Array): boolean {
    const { threads } = this.#board;
    for (let thread = 0; thread < threads; thread++) {
      if (thread !== this.#thread && !this.#board.hasLeft(thread, epochs[thread])) return false;
    }
    const device = epochs[threads];
    return this.#thread === 0 || (device & 1) === 0 || this.#board.deviceEpoch !== device;
  }

  #bytes(page: number): Uint8Array {
    const offset = this.#memory.offsetOf(page * PAGE_SIZE, PAGE_SIZE);
    return this.#memory.bytes.subarray(offset, offset + PAGE_SIZE);
  }
}

/** Whether two arrays of whole words hold the same. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  const [x, y] = [words(a), words(b)];
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

const words = ({ buffer, byteOffset, length }: Uint8Array): Int32Array =>
  new Int32Array(buffer, byteOffset, length / 4);
