/**
 * What is known of each page of RAM, in a byte that all threads share: whether it is in memory yet, as a restored machine takes
 * each page from its snapshot when it is first touched; whether it was written since the last snapshot; and whether that has
 * yet to be saved. No TLB has a tag that the byte does not permit. Who calls it: whatever is about to touch RAM other than
 * through the TLB, and savers.
 */
import { PAGE_SIZE } from "./memory.ts";

/** Where pages that are not in memory come from. */
export interface PageSource {
  /** Fills a page with its content. @param page its number in RAM. */
  load(page: number, into: Uint8Array): void;
}

/**
 * Generated code reads a page without the lowest bit, and writes one with 0. A page that is `held` is to be saved as it is now;
 * while it is `busy`, somebody copies it for that.
 */
export const PageState = { written: 0, absent: 1, clean: 2, loading: 3, held: 4, busy: 8 } as const;
/** Bit of pages that cannot be read. */
export const NOT_HERE = 1;

/**
 * Copies of pages that were about to be written before they were saved: their number, the page of each, for each page which
 * copy it has (from 1), then contents.
 */
const MOST_COPIES = 8192;
const copiesAt = (pages: number): number => 4 * (1 + MOST_COPIES + pages);
export const copiesMemory = (pages: number): SharedArrayBuffer =>
  new SharedArrayBuffer(copiesAt(pages) + MOST_COPIES * PAGE_SIZE);

export class PageMap {
  readonly #states: Uint8Array;
  readonly #ram: Uint8Array;
  readonly #source: PageSource | undefined;
  readonly #copied: Int32Array;
  readonly #copyOf: Int32Array;
  readonly #copies: Uint8Array;

  /**
   * @param states a byte per page, `PAGE_MAP` in the wasm memory. @param ram all of RAM. @param copies the same memory in all
   * threads.
   */
  constructor(states: Uint8Array, ram: Uint8Array, copies: SharedArrayBuffer, source?: PageSource) {
    this.#states = states;
    this.#ram = ram;
    this.#source = source;
    this.#copied = new Int32Array(copies, 0, 1 + MOST_COPIES);
    this.#copyOf = new Int32Array(copies, 4 * (1 + MOST_COPIES), states.length);
    this.#copies = new Uint8Array(copies, copiesAt(states.length));
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

  /** Brings every page of some bytes of RAM into memory. Errors: the source's. */
  bring(start: number, length: number): void {
    const last = Math.floor((start + length - 1) / PAGE_SIZE);
    for (let page = Math.floor(start / PAGE_SIZE); page <= last; page++) {
      if ((this.state(page) & NOT_HERE) !== 0) this.#load(page);
    }
  }

  /**
   * Brings pages that are not in memory all at once, before any hart runs. @param read fills them, and says whether they are
   * right; if not, or if it throws, they are still with the source.
   */
  bringAll(pages: Uint32Array, read: (contents: Uint8Array[]) => boolean): boolean {
    if (!read(Array.from(pages, (page) => this.#page(page)))) return false;
    for (const page of pages) this.#states[page] = PageState.clean;
    return true;
  }

  /** `bring` for bytes that are about to be written. */
  write(start: number, length: number): void {
    const last = Math.floor((start + length - 1) / PAGE_SIZE);
    for (let page = Math.floor(start / PAGE_SIZE); page <= last; page++) {
      while (this.state(page) !== PageState.written) this.#letWrite(page);
    }
  }

  // ---- saving

  /**
   * Every page that was written is to be saved as it is now. While no hart runs; the TLBs of all are to be emptied before one
   * does. Not before the last save has ended.
   */
  hold(): void {
    const states = this.#states;
    for (let slot = Math.min(this.#copied[0], MOST_COPIES); slot > 0; slot--) this.#copyOf[this.#copied[slot]] = 0;
    this.#copied[0] = 0;
    for (let page = 0; page < states.length; page++)
      if (states[page] === PageState.written) states[page] = PageState.held;
  }

  /**
   * The saver's side: what a page was when it was held, in `into`, and the page counts as clean unless it is written
   * meanwhile. False for a page that was not written since the last save.
   */
  take(page: number, into: Uint8Array): boolean {
    for (;;) {
      const state = this.state(page);
      if (state === PageState.busy) Atomics.pause();
      else if (state !== PageState.held) return this.#takeCopy(page, into);
      else if (Atomics.compareExchange(this.#states, page, state, PageState.busy) === state) {
        into.set(this.#page(page));
        Atomics.store(this.#states, page, PageState.clean);
        return true;
      }
    }
  }

  isHeld(page: number): boolean {
    const state = this.state(page);
    return state === PageState.held || state === PageState.busy;
  }

  /** Nothing of a save counts: pages that it has taken, or not yet, are to be saved the next time. */
  giveUp(pages: Iterable<number>): void {
    for (const page of pages) {
      for (let state = this.state(page); state === PageState.held || state === PageState.clean; ) {
        const found = Atomics.compareExchange(this.#states, page, state, PageState.written);
        if (found === state) break;
        state = found;
      }
    }
  }

  #takeCopy(page: number, into: Uint8Array): boolean {
    const slot = Atomics.load(this.#copyOf, page) - 1;
    if (slot < 0) return false;
    into.set(this.#copies.subarray(slot * PAGE_SIZE, (slot + 1) * PAGE_SIZE));
    return true;
  }

  #page(page: number): Uint8Array {
    return this.#ram.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
  }

  /** One step towards `written`. */
  #letWrite(page: number): void {
    const state = this.state(page);
    if ((state & NOT_HERE) !== 0) this.#load(page);
    else if (state === PageState.clean) Atomics.compareExchange(this.#states, page, state, PageState.written);
    else if (state === PageState.held) this.#copy(page);
    else Atomics.pause();
  }

  /** Keeps a copy for the saver. Where there is no room for one, waits until the page is saved. */
  #copy(page: number): void {
    if (Atomics.load(this.#copied, 0) >= MOST_COPIES) return;
    if (Atomics.compareExchange(this.#states, page, PageState.held, PageState.busy) !== PageState.held) return;
    const slot = Atomics.add(this.#copied, 0, 1);
    if (slot >= MOST_COPIES) {
      Atomics.store(this.#states, page, PageState.held);
      return;
    }
    this.#copies.set(this.#page(page), slot * PAGE_SIZE);
    Atomics.store(this.#copied, 1 + slot, page);
    Atomics.store(this.#copyOf, page, slot + 1);
    Atomics.store(this.#states, page, PageState.written);
  }

  #load(page: number): void {
    const before = Atomics.compareExchange(this.#states, page, PageState.absent, PageState.loading);
    if (before === PageState.absent) {
      try {
        if (this.#source === undefined) throw new Error(`page ${page} of RAM is nowhere`);
        this.#source.load(page, this.#page(page));
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
