/**
 * One bank of the software TLB: the translations of one address space, in guest memory where generated code reads
 * them (layout.ts), with what invalidating them needs to know. Who calls it: `Tlb` and the hart's slow paths.
 */
import { PAGE_SIZE } from "../memory.ts";
import {
  BankState,
  CODE_FILTER_BITS,
  HartState,
  TLB_ADDEND,
  TLB_BANK_BYTES,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TlbTag,
} from "./layout.ts";
import type { AddressSpace } from "./mmu.ts";
import { EXECUTE, READ, WRITE } from "./pmp.ts";
import { Privilege } from "./state.ts";

const ENTRY_WORDS = TLB_ENTRY_BYTES / 4;
const INDEX_MASK = TLB_ENTRIES - 1;
const TABLE_WORDS = TLB_ENTRIES * ENTRY_WORDS;
const READ_TABLE = TlbTag.read / 4;
const WRITE_TABLE = TlbTag.write / 4;
const EXECUTE_TABLE = TlbTag.execute / 4;
const ADDEND = TLB_ADDEND / 4;
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
    this.#start = (HartState.tlbs + index * TLB_BANK_BYTES) / 4;
    this.offset = hartBase + this.#start * 4;
  }

  /** Id of what the bank holds, see `HartState.fetchSpace`. */
  get space(): number {
    return this.#words[this.#start + SPACE];
  }

  /** Takes a fresh id, for what it holds now. */
  renewSpace(): void {
    const words = this.#words;
    this.#forgetCode();
    const end = this.#usedEnd;
    for (let i = this.#start + USED; i < end; i++) {
      const at = words[i];
      if (this.#isIn(EXECUTE_TABLE, at) && words[at] !== -1) this.#noteCode(words[at]);
    }
    words[this.#start + SPACE] = this.#newSpace();
  }

  /** When it was selected last, see `BankState.lastUse`. */
  get lastUse(): number {
    return this.#words[this.#start + LAST_USE];
  }

  set lastUse(time: number) {
    this.#words[this.#start + LAST_USE] = time;
  }

  /**
   * Tells generated code how to translate, now that the address space is known.
   * @param open whether PMP permits everything. @param updates whether the hardware sets A and D bits.
   */
  describe(open: boolean, updates: boolean): void {
    const words = this.#words;
    const state = this.#start;
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
   * Enters the page of a virtual address that lies at `pageOffset` in the wasm memory. `permissions` says for which of
   * READ, WRITE and EXECUTE; `span` is log2 of the pages of the leaf that it came from.
   */
  install(low: number, high: number, pageOffset: number, permissions: number, span: number): void {
    const at = this.#entryOf(low);
    if ((permissions & READ) !== 0) this.#enter(at + READ_TABLE, low, high, pageOffset);
    if ((permissions & WRITE) !== 0) this.#enter(at + WRITE_TABLE, low, high, pageOffset);
    if ((permissions & EXECUTE) !== 0) {
      this.#enter(at + EXECUTE_TABLE, low, high, pageOffset);
      this.#noteCode(low);
    }
    if (span !== 0) this.#coverLarge(low, high, span);
  }

  #enter(at: number, low: number, high: number, pageOffset: number): void {
    const words = this.#words;
    const tag = low & ~0xfff;
    if (words[at + ADDEND] === UNUSED) {
      words[this.#usedEnd] = at;
      words[this.#start + USED_COUNT]++;
    }
    words[at] = tag;
    words[at + 1] = high;
    words[at + ADDEND] = pageOffset - tag;
  }

  /** Offset in the wasm memory of the page of a virtual address, if it is entered for READ, WRITE or EXECUTE; otherwise -1. */
  find(low: number, high: number, access: number): number {
    const words = this.#words;
    const table = access === READ ? READ_TABLE : access === WRITE ? WRITE_TABLE : EXECUTE_TABLE;
    const at = this.#entryOf(low) + table;
    return this.#holds(at, low, high) ? ((low & ~0xfff) + words[at + ADDEND]) >>> 0 : -1;
  }

  /** Empties the bank, which gets a fresh id. */
  clear(): void {
    const words = this.#words;
    const end = this.#usedEnd;
    let code = false;
    for (let i = this.#start + USED; i < end; i++) {
      const at = words[i];
      words[at] = -1;
      words[at + 1] = -1;
      words[at + ADDEND] = UNUSED;
      code ||= at >= this.#start + EXECUTE_TABLE;
    }
    words[this.#start + USED_COUNT] = 0;
    this.#uncoverLarge();
    if (code) this.#forgetCode();
    words[this.#start + SPACE] = this.#newSpace();
  }

  /** Clears the memory whatever it holds: it may be another machine's, after a restore. */
  reset(): void {
    this.#words.fill(-1, this.#start, this.#start + 3 * TABLE_WORDS);
    this.#words[this.#start + USED_COUNT] = 0;
    this.#forgetCode();
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
    const half = this.#start + (high < 0 ? 2 : 0);
    if (page >= wideAt(words, half + LARGE_START) && page < wideAt(words, half + LARGE_END)) {
      this.clear();
      return;
    }
    const at = this.#entryOf(low);
    if (this.#holds(at + READ_TABLE, low, high)) this.#drop(at + READ_TABLE);
    if (this.#holds(at + WRITE_TABLE, low, high)) this.#drop(at + WRITE_TABLE);
    if (this.#holds(at + EXECUTE_TABLE, low, high)) this.#drop(at + EXECUTE_TABLE);
    // The entry may have made room for another page's since code was found through it.
    if ((words[this.#codeWord(low)] & codeBit(low)) !== 0) this.renewSpace();
  }

  /** Drops every entry for writing to the page at an offset in the wasm memory. */
  dropWriteTags(pageOffset: number): void {
    const words = this.#words;
    const end = this.#usedEnd;
    for (let i = this.#start + USED; i < end; i++) {
      const at = words[i];
      if (words[at] === -1 || !this.#isIn(WRITE_TABLE, at)) continue;
      if (((words[at] + words[at + ADDEND]) | 0) === (pageOffset | 0)) this.#drop(at);
    }
  }

  #isIn(table: number, at: number): boolean {
    const start = this.#start + table;
    return at >= start && at < start + TABLE_WORDS;
  }

  /** Word index behind the last used entry of the list. */
  get #usedEnd(): number {
    return this.#start + USED + this.#words[this.#start + USED_COUNT];
  }

  #forgetCode(): void {
    const filter = this.#start + CODE;
    this.#words.fill(0, filter, filter + CODE_WORDS);
  }

  #noteCode(low: number): void {
    this.#words[this.#codeWord(low)] |= codeBit(low);
  }

  #codeWord(low: number): number {
    return this.#start + CODE + ((low >>> 17) & (CODE_WORDS - 1));
  }

  #entryOf(low: number): number {
    return this.#start + ((low >>> 12) & INDEX_MASK) * ENTRY_WORDS;
  }

  #drop(at: number): void {
    this.#words[at] = -1;
    this.#words[at + 1] = -1;
  }

  /** Whether an entry is that of the page of an address. */
  #holds(at: number, low: number, high: number): boolean {
    const words = this.#words;
    return words[at] === (low & ~0xfff) && words[at + 1] === high;
  }

  #uncoverLarge(): void {
    for (let half = this.#start; half < this.#start + 4; half += 2) {
      setWide(this.#words, half + LARGE_START, FAR);
      setWide(this.#words, half + LARGE_END, -FAR);
    }
  }

  #coverLarge(low: number, high: number, span: number): void {
    const words = this.#words;
    const half = this.#start + (high < 0 ? 2 : 0);
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
