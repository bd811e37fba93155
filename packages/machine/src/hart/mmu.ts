/**
 * Address translation: Bare, Sv39, Sv48 and Sv57 with Svnapot, Svpbmt, Svade and Svadu, and PMP on every step.
 * @spec privileged "Virtual Address Translation Process"
 * Who calls it: the hart's slow paths on a TLB miss. It works in 32-bit halves and never allocates.
 */
import { type GuestMemory, PAGE_SIZE, RAM_BASE } from "../memory.ts";
import { Cause } from "./cause.ts";
import { DIVIDED, EXECUTE, type Pmp, READ, WRITE } from "./pmp.ts";
import { Privilege, Slot } from "./state.ts";
import { EnvcfgHigh } from "./status.ts";

/** How an execution context sees memory: what `satp`, the privilege and `mstatus.SUM` and `MXR` make of it. */
export interface AddressSpace {
  readonly privilege: number;
  readonly sum: boolean;
  readonly mxr: boolean;
  /** Page-table levels; 0 when addresses are physical. */
  readonly levels: number;
  /** Physical page number of the root table. */
  readonly root: number;
}

const V = 1;
const RWX = 14;
const U = 1 << 4;
const A = 1 << 6;
const D = 1 << 7;
/** In the high half of an entry: bits 54 to 60, PBMT and N. */
const RESERVED = 0x1fc0_0000;
const PBMT = 0x6000_0000;
const N = 1 << 31;
const PPN_HIGH = 0x3f_ffff;
/** Bits of a leaf's page number that must be 0 on each level, as they appear in `low >>> 10` and in the high half. */
const ALIGNED_LOW = [0, 0x1ff, 0x3_ffff, 0x3f_ffff, 0x3f_ffff];
const ALIGNED_HIGH = [0, 0, 0, 0x1f, 0x3fff];
/** Pages of a Svnapot mapping: the only size defined is 64 KiB. */
const NAPOT_PAGES = 16;

const pageFault = (access: number): number =>
  access === READ ? Cause.loadPage : access === WRITE ? Cause.storePage : Cause.fetchPage;
const accessFault = (access: number): number =>
  access === READ ? Cause.loadAccess : access === WRITE ? Cause.storeAccess : Cause.fetchAccess;

export class Mmu {
  readonly #memory: GuestMemory;
  readonly #memoryWords: Int32Array;
  readonly #words: Int32Array;
  readonly #pmp: Pmp;
  /** After a translation: the physical page number. */
  page = 0;
  /** After a translation: log2 of the 4 KiB pages that the leaf entry maps. */
  span = 0;
  /** After a translation: PMP permits this access and says nothing of the page's other bytes. */
  divided = false;

  constructor(memory: GuestMemory, words: Int32Array, pmp: Pmp) {
    this.#memory = memory;
    this.#memoryWords = memory.words;
    this.#words = words;
    this.#pmp = pmp;
  }

  /**
   * Translates the virtual address `high:low` for one access (READ, WRITE or EXECUTE) of `bytes` bytes within a page.
   * Gives 0 with `page`, `span` and `divided` set, or the cause of the exception.
   */
  translate(space: AddressSpace, low: number, high: number, access: number, bytes: number): number {
    if (space.levels === 0) {
      if (high >>> 24 !== 0) return accessFault(access);
      this.page = (high >>> 0) * 0x10_0000 + (low >>> 12);
      this.span = 0;
    } else {
      const cause = this.#walk(space, low, high, access);
      if (cause !== 0) return cause;
    }
    const machine = space.privilege === Privilege.machine;
    let allowed = this.#pmp.ofPage(this.page, machine);
    this.divided = allowed === DIVIDED;
    if (this.divided) allowed = this.#pmp.ofAccess(this.page * PAGE_SIZE + (low & (PAGE_SIZE - 1)), bytes, machine);
    return (allowed & access) === 0 ? accessFault(access) : 0;
  }

  #walk(space: AddressSpace, low: number, high: number, access: number): number {
    const words = this.#memoryWords;
    const ramOffset = this.#memory.ramOffset;
    const ramSize = this.#memory.ramSize;
    const sign = high >> (space.levels === 3 ? 6 : space.levels === 4 ? 15 : 24);
    if (sign !== 0 && sign !== -1) return pageFault(access);
    let table = space.root;
    for (let level = space.levels - 1; level >= 0; level--) {
      const start = table * PAGE_SIZE - RAM_BASE;
      if (start < 0 || start >= ramSize) return accessFault(access);
      this.#memory.pages?.bring(start, PAGE_SIZE);
      const at = (start + ramOffset) / 4 + tableIndex(low, high, level) * 2;
      if ((this.#tablePermissions(at) & READ) === 0) return accessFault(access);
      // Other threads write entries as a whole: two halves are one entry if the first is still the same behind the second.
      let entry = Atomics.load(words, at);
      let entryHigh = Atomics.load(words, at + 1);
      for (let again = Atomics.load(words, at); again !== entry; again = Atomics.load(words, at)) {
        entry = again;
        entryHigh = Atomics.load(words, at + 1);
      }
      if ((entry & V) === 0 || (entryHigh & RESERVED) !== 0) return pageFault(access);
      const page = (entry >>> 10) + (entryHigh & PPN_HIGH) * 0x40_0000;
      if ((entry & RWX) === 0) {
        if ((entry & (U | A | D)) !== 0 || (entryHigh & (PBMT | N)) !== 0) return pageFault(access);
        table = page;
        continue;
      }
      return this.#leaf(space, low, high, access, level, at, page, entry, entryHigh);
    }
    return pageFault(access);
  }

  #leaf(
    space: AddressSpace,
    low: number,
    high: number,
    access: number,
    level: number,
    at: number,
    page: number,
    entry: number,
    entryHigh: number,
  ): number {
    if ((permissionsOf(space, entry) & access) === 0 || !this.#pbmtIsLegal(entryHigh)) return pageFault(access);
    if (((entry >>> 10) & ALIGNED_LOW[level]) !== 0 || (entryHigh & ALIGNED_HIGH[level]) !== 0) {
      return pageFault(access);
    }
    this.span = level * 9;
    this.page = page + pageWithin(low, high, level);
    if ((entryHigh & N) !== 0) {
      if (level !== 0 || ((entry >>> 10) & (NAPOT_PAGES - 1)) !== NAPOT_PAGES / 2) return pageFault(access);
      this.span = 4;
      this.page = page - NAPOT_PAGES / 2 + ((low >>> 12) & (NAPOT_PAGES - 1));
    }
    const wanted = access === WRITE ? A | D : A;
    if ((entry & wanted) !== wanted) {
      if ((this.#words[Slot.menvcfg + 1] & EnvcfgHigh.ADUE) === 0) return pageFault(access);
      if ((this.#tablePermissions(at) & WRITE) === 0) return accessFault(access);
      this.#memory.onWrite(at * 4 - this.#memory.ramOffset + RAM_BASE, 8);
      const before = Atomics.compareExchange(this.#memoryWords, at, entry, entry | wanted);
      if (before !== entry) return this.#walk(space, low, high, access);
    }
    return 0;
  }

  #pbmtIsLegal(entryHigh: number): boolean {
    const type = entryHigh & PBMT;
    return type === 0 || (type !== PBMT && (this.#words[Slot.menvcfg + 1] & EnvcfgHigh.PBMTE) !== 0);
  }

  /** What PMP permits at the table entry with a word index: walks access memory as S-mode does. */
  #tablePermissions(at: number): number {
    const address = at * 4 - this.#memory.ramOffset + RAM_BASE;
    const allowed = this.#pmp.ofPage(Math.floor(address / PAGE_SIZE), false);
    return allowed === DIVIDED ? this.#pmp.ofAccess(address, 8, false) : allowed;
  }
}

/** Index in the table of a level that the virtual address selects. */
function tableIndex(low: number, high: number, level: number): number {
  if (level === 0) return (low >>> 12) & 0x1ff;
  if (level === 1) return (low >>> 21) & 0x1ff;
  if (level === 2) return ((low >>> 30) | (high << 2)) & 0x1ff;
  return (high >>> (level === 3 ? 7 : 16)) & 0x1ff;
}

/** Number of the 4 KiB page within the superpage that a leaf on this level maps. */
function pageWithin(low: number, high: number, level: number): number {
  if (level === 0) return 0;
  if (level === 1) return (low >>> 12) & 0x1ff;
  if (level === 2) return (low >>> 12) & 0x3_ffff;
  if (level === 3) return (low >>> 12) + (high & 0x7f) * 0x10_0000;
  return (low >>> 12) + (high & 0xffff) * 0x10_0000;
}

/** What a leaf entry permits to an address space, its A and D bits aside. */
function permissionsOf(space: AddressSpace, entry: number): number {
  const bits = (entry >> 1) & 7;
  if ((bits & (READ | WRITE)) === WRITE) return 0;
  const readable = space.mxr ? bits | (bits >> 2) : bits;
  const user = (entry & U) !== 0;
  if (space.privilege === Privilege.user) return user ? readable : 0;
  if (!user) return readable;
  return space.sum ? readable & ~EXECUTE : 0;
}
