/**
 * What the translator knows of a region: where it is entered, which guest bytes it was made from, and what becomes of it.
 * Offsets are in the wasm memory unless they are said to count from the home page.
 */
import { PAGE_SIZE } from "../memory.ts";
import { hostOffset, hostPage, type PagePlaces } from "./code-window.ts";
import { PageParts } from "./page-parts.ts";
import type { RegionCode } from "./region-order.ts";

const NONE: ReadonlyMap<number, PagePlaces> = new Map();

export class Region {
  /** Index in the table. */
  readonly index: number;
  readonly places: PagePlaces;
  /** Offsets from the home page's start by the number of the entry, which never changes. */
  entries: readonly number[] = [];
  /** Whether the table has a function for it. */
  isTranslated = false;
  /** Entries to be added by its next translation, and by the present one, with the pages around each. */
  wished: ReadonlyMap<number, PagePlaces> = NONE;
  ordered: ReadonlyMap<number, PagePlaces> = NONE;
  /** It is being translated. */
  isOrdered = false;
  /** Its code has been written to, or it makes room for others. */
  isDropped = false;
  /** By the offset of each page that instructions were read from, the parts of it. */
  pages: ReadonlyMap<number, PageParts> = new Map();
  /** Hot regions are translated at more length, and call inline. */
  isHot = false;
  /** It was to make room for others, and was kept because it is hot. */
  isSpared = false;
  /** How often it was seen to be entered, or to run when a slice ended. */
  samples = 0;
  #ranges: Int32Array = new Int32Array(0);

  constructor(index: number, places: PagePlaces) {
    this.index = index;
    this.places = places;
  }

  hostOffset(offset: number): number {
    return hostOffset(this.places, offset);
  }

  /** The offset from the home page of bytes that were translated, or undefined. */
  find(at: number): number | undefined {
    for (let i = 0; i < this.#ranges.length; i += 2) {
      const start = this.#ranges[i]!;
      const inside = at - this.hostOffset(start);
      if (inside >= 0 && inside < this.#ranges[i + 1]! - start) return start + inside;
    }
    return undefined;
  }

  /** A translation begins, with the entries wished so far. */
  order(): void {
    this.isOrdered = true;
    this.ordered = this.wished;
    this.wished = NONE;
  }

  wish(at: number, places: PagePlaces): void {
    this.wished = new Map(this.wished).set(at, places);
  }

  /** Notes what it is made from. */
  made({ entries, ranges, isTranslated }: RegionCode): void {
    const pages = new Map<number, PageParts>();
    for (const { page, at, bytes } of piecesOf(this.places, ranges)) {
      const parts = pages.get(page) ?? new PageParts();
      parts.add(at, at + bytes);
      pages.set(page, parts);
    }
    this.#ranges = ranges;
    this.pages = pages;
    this.entries = entries;
    this.isTranslated = isTranslated;
  }

  /** Whether memory still holds what it was made from. */
  isCurrent(memory: Uint8Array, { ranges, bytes }: RegionCode): boolean {
    let next = 0;
    for (const piece of piecesOf(this.places, ranges)) {
      const start = piece.page + piece.at;
      for (let i = 0; i < piece.bytes; i++) if (memory[start + i] !== bytes[next++]) return false;
    }
    return true;
  }
}

/** The parts of ranges that lie on one page each: the page's offset in the wasm memory, and where in it. */
function* piecesOf(places: PagePlaces, ranges: Int32Array) {
  for (let i = 0; i < ranges.length; i += 2) {
    const end = ranges[i + 1]!;
    for (let from = ranges[i]!; from < end; ) {
      const to = Math.min(end, (Math.floor(from / PAGE_SIZE) + 1) * PAGE_SIZE);
      yield { page: hostPage(places, from >> 12), at: from & (PAGE_SIZE - 1), bytes: to - from };
      from = to;
    }
  }
}
