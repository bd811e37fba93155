/**
 * One bank of the software TLB: the translations of one address space, in guest memory where generated code reads
 * them (layout.ts), with what invalidating them needs to know. Who calls it: `Tlb` and the hart's slow paths.
 */
import { PAGE_SIZE } from "../memory.ts";
import { BankState, CODE_FILTER_BITS, HartState, TLB_ENTRIES, TLB_ENTRY_BYTES, TlbEntry } from "./layout.ts";
import type { AddressSpace } from "./mmu.ts";
import { EXECUTE, READ, WRITE } from "./pmp.ts";
import { Privilege } from "./state.ts";

const ENTRY_WORDS = TLB_ENTRY_BYTES / 4;
const INDEX_MASK = TLB_ENTRIES - 1;
const READ_WORD = TlbEntry.read / 4;
const WRITE_WORD = TlbEntry.write / 4;
const EXECUTE_WORD = TlbEntry.execute / 4;
const ADDEND_WORD = TlbEntry.addend / 4;
/** Addend of an entry that has not been used; others are multiples of the page size. */
const UNUSED = -1;

const USED = BankState.used / 4;
const USED_COUNT = BankState.usedCount / 4;
const SPACE = BankState.space / 4;
const CODE = BankState.code / 4;
const LEVELS = BankState.levels / 4;
const UPDATES = BankState.updates / 4;
const ROOT = BankState.root / 4;
const USER_MASK = BankState.userMask / 4;
const USER = BankState.user / 4;
const READABLE = BankState.readable / 4;
const LAST_USE = BankState.lastUse / 4;
const LARGE_START = BankState.largeStart / 4;
const LARGE_END = BankState.largeEnd / 4;
const CODE_WORDS = CODE_FILTER_BITS / 32;

/** Beyond every virtual page number. */
const FAR = 2 ** 53;
/** Bits of a leaf entry. */
const LEAF_R = 1 << 1;
const LEAF_X = 1 << 3;
const LEAF_U = 1 << 4;

/** Bit of a virtual page in its word of the code filter. */
const codeBit = (low: number): number => 1 << (low >>> 12);

/** Virtual page number as an exact, signed Number. */
const pageNumber = (low: number, high: number): number => high * 0x10_0000 + (low >>> 12);

export class TlbBank implements AddressSpace {
  /** Offset in the wasm memory, and in words from the hart's base. */
  readonly offset: number;
  readonly #start: number;
  /** Where its `BankState` is, in words from the hart's base. */
  readonly #state: number;
  readonly #words: Int32Array;
  /** Gives an id that no bank of the hart has had. */
  readonly #newSpace: () => number;

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

  constructor(words: Int32Array, hartBase: number, index: number, newSpace: () => number) {
    this.#words = words;
    this.#newSpace = newSpace;
    this.#state = (HartState.banks + index * BankState.bytes) / 4;
    this.#start = (HartState.tlbs + index * TLB_ENTRIES * TLB_ENTRY_BYTES) / 4;
    this.offset = hartBase + this.#start * 4;
  }

  /** Id of what the bank holds, see `HartState.fetchSpace`. */
  get space(): number {
    return this.#words[this.#state + SPACE];
  }

  /** Takes a fresh id, for what it holds now. */
  renewSpace(): void {
    const words = this.#words;
    const filter = this.#state + CODE;
    words.fill(0, filter, filter + CODE_WORDS);
    const end = this.#usedEnd;
    for (let i = this.#state + USED; i < end; i++) {
      const at = words[i] + EXECUTE_WORD;
      if (words[at] !== -1) this.#noteCode(words[at]);
    }
    words[this.#state + SPACE] = this.#newSpace();
  }

  /** When it was selected last, see `BankState.lastUse`. */
  get lastUse(): number {
    return this.#words[this.#state + LAST_USE];
  }

  set lastUse(time: number) {
    this.#words[this.#state + LAST_USE] = time;
  }

  /**
   * Tells generated code how to translate, now that the address space is known.
   * @param open whether PMP permits everything. @param updates whether the hardware sets A and D bits.
   */
  describe(open: boolean, updates: boolean): void {
    const words = this.#words;
    const state = this.#state;
    words[state + LEVELS] = open ? this.levels : -1;
    words[state + UPDATES] = updates ? 1 : 0;
    setWide(words, state + ROOT, this.root * PAGE_SIZE);
    words[state + USER_MASK] = this.privilege === Privilege.user || !this.sum ? LEAF_U : 0;
    words[state + USER] = this.privilege === Privilege.user ? LEAF_U : 0;
    words[state + READABLE] = this.mxr ? LEAF_R | LEAF_X : LEAF_R;
  }

  /** Whether it stands for the address space with this key. */
  serves(access: number, satpLow: number, satpHigh: number): boolean {
    return this.valid && this.access === access && this.satpLow === satpLow && this.satpHigh === satpHigh;
  }

  /**
   * Enters the page of a virtual address that lies at `pageOffset` in the wasm memory. `permissions` says which of
   * READ, WRITE and EXECUTE get a tag; `span` is log2 of the pages of the leaf that it came from.
   */
  install(low: number, high: number, pageOffset: number, permissions: number, span: number): void {
    const words = this.#words;
    const tag = low & ~0xfff;
    const at = this.#entryOf(low);
    const addend = (pageOffset - tag) | 0;
    if (words[at + ADDEND_WORD] !== addend || !this.#holds(at, tag, high)) {
      if (words[at + ADDEND_WORD] === UNUSED) {
        words[this.#usedEnd] = at;
        words[this.#state + USED_COUNT]++;
      }
      this.#setTag(at + EXECUTE_WORD, 0, 0, false);
      words[at + ADDEND_WORD] = addend;
    }
    this.#setTag(at + READ_WORD, tag, high, (permissions & READ) !== 0);
    this.#setTag(at + WRITE_WORD, tag, high, (permissions & WRITE) !== 0);
    if ((permissions & EXECUTE) !== 0) {
      this.#setTag(at + EXECUTE_WORD, tag, high, true);
      this.#noteCode(low);
    }
    if (span !== 0) this.#coverLarge(low, high, span);
  }

  /** Offset in the wasm memory of the page of a virtual address, if it has a tag for READ, WRITE or EXECUTE; otherwise -1. */
  find(low: number, high: number, access: number): number {
    const words = this.#words;
    const tag = low & ~0xfff;
    const at = this.#entryOf(low);
    const tagAt = at + (access === READ ? READ_WORD : access === WRITE ? WRITE_WORD : EXECUTE_WORD);
    return words[tagAt] === tag && words[tagAt + 1] === high ? (tag + words[at + ADDEND_WORD]) >>> 0 : -1;
  }

  /** Empties the bank, which gets a fresh id. */
  clear(): void {
    const words = this.#words;
    const end = this.#usedEnd;
    for (let i = this.#state + USED; i < end; i++) {
      const at = words[i];
      this.#dropTags(at);
      words[at + ADDEND_WORD] = UNUSED;
    }
    words[this.#state + USED_COUNT] = 0;
    this.#uncoverLarge();
    this.renewSpace();
  }

  /** Clears the memory whatever it holds: it may be another machine's, after a restore. */
  reset(): void {
    this.#words.fill(-1, this.#start, this.#start + TLB_ENTRIES * ENTRY_WORDS);
    this.#words[this.#state + USED_COUNT] = 0;
    this.#uncoverLarge();
    this.drop();
  }

  /** Gives the bank up: it is cleared before it serves another address space. */
  drop(): void {
    this.valid = false;
  }

  /** Drops what an address translates to, the whole superpage included; with a fresh id if code may have been found there. */
  clearPage(low: number, high: number): void {
    const words = this.#words;
    const page = pageNumber(low, high);
    const half = this.#state + (high < 0 ? 2 : 0);
    if (page >= wideAt(words, half + LARGE_START) && page < wideAt(words, half + LARGE_END)) {
      this.clear();
      return;
    }
    const at = this.#entryOf(low);
    if (this.#holds(at, low & ~0xfff, high)) this.#dropTags(at);
    // The entry may have made room for another page's since code was found through it.
    if ((words[this.#codeWord(low)] & codeBit(low)) !== 0) this.renewSpace();
  }

  /** Takes the write permission of every entry for the page at an offset in the wasm memory. */
  dropWriteTags(pageOffset: number): void {
    const words = this.#words;
    const end = this.#usedEnd;
    for (let i = this.#state + USED; i < end; i++) {
      const at = words[i];
      const tag = words[at + WRITE_WORD];
      if (tag === -1 || ((tag + words[at + ADDEND_WORD]) | 0) !== (pageOffset | 0)) continue;
      this.#setTag(at + WRITE_WORD, 0, 0, false);
    }
  }

  /** Word index behind the last used entry of the list. */
  get #usedEnd(): number {
    return this.#state + USED + this.#words[this.#state + USED_COUNT];
  }

  #noteCode(low: number): void {
    this.#words[this.#codeWord(low)] |= codeBit(low);
  }

  #codeWord(low: number): number {
    return this.#state + CODE + ((low >>> 17) & (CODE_WORDS - 1));
  }

  #entryOf(low: number): number {
    return this.#start + ((low >>> 12) & INDEX_MASK) * ENTRY_WORDS;
  }

  #dropTags(at: number): void {
    this.#setTag(at + READ_WORD, 0, 0, false);
    this.#setTag(at + WRITE_WORD, 0, 0, false);
    this.#setTag(at + EXECUTE_WORD, 0, 0, false);
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

  #uncoverLarge(): void {
    for (let half = this.#state; half < this.#state + 4; half += 2) {
      setWide(this.#words, half + LARGE_START, FAR);
      setWide(this.#words, half + LARGE_END, -FAR);
    }
  }

  #coverLarge(low: number, high: number, span: number): void {
    const words = this.#words;
    const half = this.#state + (high < 0 ? 2 : 0);
    const start =
      span <= 20 ? high * 0x10_0000 + ((low >>> 12) & ~(2 ** span - 1)) : (high & ~(2 ** (span - 20) - 1)) * 0x10_0000;
    const end = start + 2 ** span;
    if (start < wideAt(words, half + LARGE_START)) setWide(words, half + LARGE_START, start);
    if (end > wideAt(words, half + LARGE_END)) setWide(words, half + LARGE_END, end);
  }
}

/** A signed 64-bit number in two words, as a Number: exact up to 2^53. */
const wideAt = (words: Int32Array, at: number): number => words[at + 1] * 0x1_0000_0000 + (words[at] >>> 0);

function setWide(words: Int32Array, at: number, value: number): void {
  words[at] = value;
  words[at + 1] = Math.floor(value / 0x1_0000_0000);
}
