/**
 * The code around an entry as the guest's instruction fetch sees it: the entry's page, and the pages before and behind it
 * that the same fetch space maps. Who calls it: the translator, which makes one for each region.
 */
import { type GuestMemory, PAGE_SIZE } from "../memory.ts";

/** Pages that a region may have code on, before and behind its home page. */
export const REACH = 8;

/** Offset in the wasm memory of a page, counted in virtual pages from the home page, or -1 if fetches do not know it. */
export type PageResolver = (page: number) => number;

export class CodeWindow {
  readonly #memory: GuestMemory;
  readonly #resolve: PageResolver;
  readonly #pages = new Map<number, number>();

  /** @param home offset in the wasm memory of the home page. */
  constructor(memory: GuestMemory, home: number, resolve: PageResolver) {
    this.#memory = memory;
    this.#resolve = resolve;
    this.#pages.set(0, home);
  }

  /** The 16 bits at an offset from the home page's start, or -1 if they cannot be seen. */
  parcel(offset: number): number {
    const page = this.hostPage(offset >> 12);
    return page < 0 ? -1 : this.#memory.view.getUint16(page + (offset & (PAGE_SIZE - 1)), true);
  }

  /** Offset in the wasm memory of a page, or -1. */
  hostPage(page: number): number {
    let host = this.#pages.get(page);
    if (host === undefined) {
      host = Math.abs(page) > REACH ? -1 : this.#resolve(page);
      this.#pages.set(page, host);
    }
    return host;
  }

  /** Where an offset lies in the wasm memory; its page must be known. */
  hostOffset(offset: number): number {
    return this.hostPage(offset >> 12) + (offset & (PAGE_SIZE - 1));
  }
}
