/**
 * One bank of the software TLB: the translations of one address space, in guest memory where generated code reads
 * them (layout.ts), with what invalidating them needs to know. Who calls it: `Tlb` and the hart's slow paths.
 */
import { HartState, TLB_ENTRIES, TLB_ENTRY_BYTES, TlbEntry } from "./layout.ts";
import type { AddressSpace } from "./mmu.ts";
import { EXECUTE, READ, WRITE } from "./pmp.ts";

const ENTRY_WORDS = TLB_ENTRY_BYTES / 4;
const INDEX_MASK = TLB_ENTRIES - 1;
const READ_WORD = TlbEntry.read / 4;
const WRITE_WORD = TlbEntry.write / 4;
const EXECUTE_WORD = TlbEntry.execute / 4;
const ADDEND_WORD = TlbEntry.addend / 4;

/** Virtual page number as an exact, signed Number. */
const pageNumber = (low: number, high: number): number => high * 0x10_0000 + (low >>> 12);

export class TlbBank implements AddressSpace {
  /** Offset in the wasm memory, and in words from the hart's base. */
  readonly offset: number;
  readonly #start: number;
  readonly #words: Int32Array;
  #filled = false;
  /** Virtual pages that superpages cover, in the low and in the high half of the address space. */
  readonly #largeStart = new Float64Array(2);
  readonly #largeEnd = new Float64Array(2);

  /** False when the bank stands for no address space. */
  valid = false;
  privilege = 0;
  sum = false;
  mxr = false;
  levels = 0;
  root = 0;
  /** Privilege, SUM and MXR as one number, and `satp`: the key of the address space. */
  access = 0;
  satpLow = 0;
  satpHigh = 0;
  lastUse = 0;

  constructor(words: Int32Array, hartBase: number, index: number) {
    this.#words = words;
    this.#start = (HartState.tlbs + index * TLB_ENTRIES * TLB_ENTRY_BYTES) / 4;
    this.offset = hartBase + this.#start * 4;
  }

  /**
   * Enters the page of a virtual address that lies at `pageOffset` in the wasm memory. `permissions` says which of
   * READ, WRITE and EXECUTE get a tag; `span` is log2 of the pages of the leaf that it came from.
   */
  install(low: number, high: number, pageOffset: number, permissions: number, span: number): void {
    const words = this.#words;
    const tag = low & ~0xfff;
    const index = (low >>> 12) & INDEX_MASK;
    const at = this.#start + index * ENTRY_WORDS;
    const addend = (pageOffset - tag) | 0;
    if (words[at + ADDEND_WORD] !== addend || !this.#holds(at, tag, high)) {
      this.#setTag(at + EXECUTE_WORD, 0, 0, false);
      words[at + ADDEND_WORD] = addend;
    }
    this.#setTag(at + READ_WORD, tag, high, (permissions & READ) !== 0);
    this.#setTag(at + WRITE_WORD, tag, high, (permissions & WRITE) !== 0);
    if ((permissions & EXECUTE) !== 0) this.#setTag(at + EXECUTE_WORD, tag, high, true);
    this.#filled = true;
    if (span !== 0) this.#coverLarge(low, high, span);
  }

  /** Empties the bank. */
  clear(): void {
    if (this.#filled) this.#words.fill(-1, this.#start, this.#start + TLB_ENTRIES * ENTRY_WORDS);
    this.#filled = false;
    this.#largeStart.fill(Number.POSITIVE_INFINITY);
    this.#largeEnd.fill(Number.NEGATIVE_INFINITY);
  }

  /** Clears the memory whatever it holds: it may be another machine's, after a restore. */
  reset(): void {
    this.#filled = true;
    this.clear();
    this.drop();
  }

  /** Gives the bank up: it is cleared before it serves another address space. */
  drop(): void {
    this.valid = false;
    this.lastUse = 0;
  }

  /** Drops what an address translates to, the whole superpage included. */
  clearPage(low: number, high: number): void {
    const page = pageNumber(low, high);
    const half = high < 0 ? 1 : 0;
    if (page >= this.#largeStart[half] && page < this.#largeEnd[half]) {
      this.clear();
      return;
    }
    const index = (low >>> 12) & INDEX_MASK;
    const at = this.#start + index * ENTRY_WORDS;
    if (this.#holds(at, low & ~0xfff, high)) this.#words.fill(-1, at, at + 6);
  }

  /** Takes the write permission of every entry for the page at an offset in the wasm memory. */
  dropWriteTags(pageOffset: number): void {
    if (!this.#filled) return;
    const words = this.#words;
    const end = this.#start + TLB_ENTRIES * ENTRY_WORDS;
    for (let at = this.#start; at < end; at += ENTRY_WORDS) {
      const tag = words[at + WRITE_WORD];
      if (tag === -1 || ((tag + words[at + ADDEND_WORD]) | 0) !== (pageOffset | 0)) continue;
      this.#setTag(at + WRITE_WORD, 0, 0, false);
    }
  }

  /** Whether any tag of the entry is for this page; all tags of an entry are for one page. */
  #holds(at: number, tag: number, high: number): boolean {
    const words = this.#words;
    return (
      (words[at] === tag && words[at + 1] === high) ||
      (words[at + WRITE_WORD] === tag && words[at + WRITE_WORD + 1] === high) ||
      (words[at + EXECUTE_WORD] === tag && words[at + EXECUTE_WORD + 1] === high)
    );
  }

  #setTag(at: number, tag: number, high: number, present: boolean): void {
    this.#words[at] = present ? tag : -1;
    this.#words[at + 1] = present ? high : -1;
  }

  #coverLarge(low: number, high: number, span: number): void {
    const half = high < 0 ? 1 : 0;
    const start =
      span <= 20 ? high * 0x10_0000 + ((low >>> 12) & ~(2 ** span - 1)) : (high & ~(2 ** (span - 20) - 1)) * 0x10_0000;
    const end = start + 2 ** span;
    if (start < this.#largeStart[half]) this.#largeStart[half] = start;
    if (end > this.#largeEnd[half]) this.#largeEnd[half] = end;
  }
}
