/**
 * Pages of RAM that are not in the memory yet: a restored machine takes each from its snapshot when it is first touched.
 * A byte per page, shared by all threads, says so; while it is not 0 no TLB has a tag for the page. Who calls it: whatever
 * is about to touch RAM other than through the TLB, and harts before they enter a page into it.
 */
import { PAGE_SIZE } from "./memory.ts";

/** Where pages that are not in memory come from. */
export interface PageSource {
  /** Fills a page with its content. @param page its number in RAM. */
  load(page: number, into: Uint8Array): void;
}

const PageState = { present: 0, absent: 1, loading: 2 } as const;

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

  /** Says that pages are still with the source. Before any hart runs. */
  leaveOut(pages: Iterable<number>): void {
    for (const page of pages) this.#states[page] = PageState.absent;
  }

  isAbsent(page: number): boolean {
    return Atomics.load(this.#states, page) !== PageState.present;
  }

  /** Brings every page of some bytes of RAM into memory. Errors: the source's. */
  bring(start: number, length: number): void {
    const last = Math.floor((start + length - 1) / PAGE_SIZE);
    for (let page = Math.floor(start / PAGE_SIZE); page <= last; page++) {
      if (this.isAbsent(page)) this.#load(page);
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
      Atomics.store(this.#states, page, PageState.present);
    } else if (before === PageState.loading) {
      while (Atomics.load(this.#states, page) === PageState.loading) Atomics.pause();
      if (this.isAbsent(page)) this.#load(page);
    }
  }
}
