/**
 * What is known of each page of RAM, in a byte that all threads share: whether it is in memory yet, as a restored machine takes
 * each page from its snapshot when it is first touched; and whether it was written since. No TLB has a tag that the byte
 * does not permit. Who calls it: whatever is about to touch RAM other than through the TLB.
 */
import { PAGE_SIZE } from "./memory.ts";

/** Where pages that are not in memory come from. */
export interface PageSource {
  /** Fills a page with its content. @param page its number in RAM. */
  load(page: number, into: Uint8Array): void;
}

/** Generated code reads a page without the lowest bit, and writes one with 0. */
export const PageState = { written: 0, absent: 1, clean: 2, loading: 3 } as const;
/** Bit of pages that cannot be read. */
export const NOT_HERE = 1;

export class PageMap {
  readonly #states: Uint8Array;
  readonly #ram: Uint8Array;
  readonly #source: PageSource;

  /** @param states a byte per page, `PAGE_MAP` in the wasm memory. @param ram all of RAM. */
  constructor(states: Uint8Array, ram: Uint8Array, source: PageSource) {
    this.#states = states;
    this.#ram = ram;
    this.#source = source;
  }

  /** All pages are zero or, where the index is not 0, still with the source. Before any hart runs. */
  leaveOut(index: ArrayLike<number>): void {
    this.#states.fill(PageState.clean);
    for (let page = 0; page < index.length; page++) if (index[page] !== 0) this.#states[page] = PageState.absent;
  }

  /** One of `PageState`. */
  state(page: number): number {
    return Atomics.load(this.#states, page);
  }

  /** From now on it counts what is written. While no hart runs, and before it runs with a write tag in its TLB. */
  markClean(): void {
    for (let page = 0; page < this.#states.length; page++) {
      if (this.#states[page] === PageState.written) this.#states[page] = PageState.clean;
    }
  }

  /** Brings every page of some bytes of RAM into memory. Errors: the source's. */
  bring(start: number, length: number): void {
    const last = Math.floor((start + length - 1) / PAGE_SIZE);
    for (let page = Math.floor(start / PAGE_SIZE); page <= last; page++) {
      if ((this.state(page) & NOT_HERE) !== 0) this.#load(page);
    }
  }

  /** `bring` for bytes that are about to be written. */
  write(start: number, length: number): void {
    this.bring(start, length);
    const last = Math.floor((start + length - 1) / PAGE_SIZE);
    for (let page = Math.floor(start / PAGE_SIZE); page <= last; page++) {
      Atomics.store(this.#states, page, PageState.written);
    }
  }

  #load(page: number): void {
    const before = Atomics.compareExchange(this.#states, page, PageState.absent, PageState.loading);
    if (before === PageState.absent) {
      try {
        this.#source.load(page, this.#ram.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE));
      } catch (error) {
        // Another thread that waits for the page finds the same.
        Atomics.store(this.#states, page, PageState.absent);
        throw error;
      }
      Atomics.store(this.#states, page, PageState.clean);
    } else if (before === PageState.loading) {
      while (this.state(page) === PageState.loading) Atomics.pause();
      if ((this.state(page) & NOT_HERE) !== 0) this.#load(page);
    }
  }
}
