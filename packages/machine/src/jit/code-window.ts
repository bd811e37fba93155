/**
 * The code around an entry as the guest's instruction fetch sees it: the entry's page, and the pages before and behind it
 * that the same fetch space maps. Code is read from copies of the pages, which no other thread can change meanwhile.
 */
import { PAGE_SIZE } from "../memory.ts";

/** Pages that a region may have code on, before and behind its home page. */
export const REACH = 8;

/** Offsets in the wasm memory of the home page, in the middle, and of the pages around it; 0 for those fetches do not know. */
export type PagePlaces = Uint32Array;

/** How many pages that are. */
export const PLACES = 2 * REACH + 1;

/** Where a page lies in the wasm memory, counted in virtual pages from the home page, or 0. */
export const hostPage = (places: PagePlaces, page: number): number => places[page + REACH] ?? 0;

/** Where an offset from the home page's start lies in the wasm memory; its page must be known. */
export const hostOffset = (places: PagePlaces, offset: number): number =>
  hostPage(places, offset >> 12) + (offset & (PAGE_SIZE - 1));

/** Copies of pages by their offsets in the wasm memory, made when they are first asked for. */
export class PageCopies {
  readonly #memory: Uint8Array;
  readonly #copies = new Map<number, Uint8Array>();

  constructor(memory: Uint8Array) {
    this.#memory = memory;
  }

  page(start: number): Uint8Array {
    let copy = this.#copies.get(start);
    if (copy === undefined) {
      copy = this.#memory.slice(start, start + PAGE_SIZE);
      this.#copies.set(start, copy);
    }
    return copy;
  }
}

export class CodeWindow {
  readonly places: PagePlaces;
  readonly #copies: PageCopies;
  /** The page read last, counted from the home page, and its copy. */
  #page = NaN;
  #copy: Uint8Array = new Uint8Array(0);

  constructor(places: PagePlaces, copies: PageCopies) {
    this.places = places;
    this.#copies = copies;
  }

  /** The 16 bits at an offset from the home page's start, or -1 if they cannot be seen. */
  parcel(offset: number): number {
    if (offset >> 12 !== this.#page) {
      const page = this.hostPage(offset >> 12);
      if (page === 0) return -1;
      this.#page = offset >> 12;
      this.#copy = this.#copies.page(page);
    }
    const at = offset & (PAGE_SIZE - 1);
    return this.#copy[at]! | (this.#copy[at + 1]! << 8);
  }

  /** Offset in the wasm memory of a page, or 0. */
  hostPage(page: number): number {
    return hostPage(this.places, page);
  }
}
