/**
 * What the translator knows of a region beside its code: where it is entered, and which guest bytes it was made from.
 * Offsets are in the wasm memory unless they are said to count from the home page.
 */
import { PAGE_SIZE } from "../memory.ts";
import type { CodeWindow } from "./code-window.ts";
import type { Block } from "./control-flow.ts";
import { PageParts } from "./page-parts.ts";

export class Region {
  readonly window: CodeWindow;
  /** Index in the table; 0 when nothing could be translated. */
  index = 0;
  /** Offsets from the home page's start by the number of the entry, which never changes. */
  readonly entries: number[] = [];
  /** By the offset of each page that instructions were read from, the parts of it. */
  pages: ReadonlyMap<number, PageParts> = new Map();
  /** Hot regions are translated at more length, and call inline. */
  isHot = false;
  /** How often it was seen to call or to depart. */
  samples = 0;
  #blocks: readonly { readonly start: number; readonly end: number }[] = [];

  constructor(window: CodeWindow) {
    this.window = window;
  }

  /** Offsets of the entries, by their numbers. */
  get hostEntries(): number[] {
    return this.entries.map((offset) => this.window.hostOffset(offset));
  }

  /** The offset from the home page of bytes that were translated, or undefined. */
  find(hostOffset: number): number | undefined {
    for (const { start, end } of this.#blocks) {
      const at = hostOffset - this.window.hostOffset(start);
      if (at >= 0 && at < end - start) return start + at;
    }
    return undefined;
  }

  /** Notes what it has been translated from. */
  made(blocks: readonly Block[]): void {
    const pages = new Map<number, PageParts>();
    const add = (start: number, end: number): void => {
      for (let from = start; from < end; ) {
        const to = Math.min(end, (Math.floor(from / PAGE_SIZE) + 1) * PAGE_SIZE);
        const page = this.window.hostPage(from >> 12);
        const parts = pages.get(page) ?? new PageParts();
        const inPage = from & (PAGE_SIZE - 1);
        parts.add(inPage, inPage + to - from);
        pages.set(page, parts);
        from = to;
      }
    };
    this.#blocks = blocks.map(({ offset, steps }) => {
      const last = steps.at(-1)!;
      const end = last.offset + last.decoded.length;
      add(offset, end);
      return { start: offset, end };
    });
    // Where nothing could be translated, another instruction may come to be.
    if (blocks.length === 0) add(this.entries[0]!, Math.min(this.entries[0]! + 4, PAGE_SIZE));
    this.pages = pages;
  }
}
