/**
 * The software TLB of a hart: a few banks, each for one address space (privilege, SUM, MXR and `satp` with its ASID), so
 * that system calls and process switches keep their translations. @spec privileged "Supervisor Memory-Management Fence Instruction"
 */
import { HartState, hartBase, TLB_BANK_BYTES, TLB_BANKS } from "./layout.ts";
import type { Pmp } from "./pmp.ts";
import { forgetTargets, Privilege, Slot, Word } from "./state.ts";
import { EnvcfgHigh, satpLevels } from "./status.ts";
import { TlbBank } from "./tlb-bank.ts";

/** Bits of `TlbBank.access` above the privilege. */
export const SUM = 4;
export const MXR = 8;

/** Keys of banks: privilege, SUM and MXR. */
const RECENT_BANKS = 16;
const BANK_SHIFT = Math.log2(TLB_BANK_BYTES);
/** Age of a bank that stands for nothing: above all others. */
const NEVER = 2 ** 32;
/** The largest id of a bank's contents. */
const LAST_SPACE = 0x7fff_ffff;

export class Tlb {
  readonly #words: Int32Array;
  readonly #banks: readonly TlbBank[];
  readonly #pmp: Pmp;
  readonly #firstOffset: number;

  /** @param words the hart's area; @param index the hart's; @param pmp what it refreshes before any bank is selected. */
  constructor(words: Int32Array, index: number, pmp: Pmp) {
    this.#words = words;
    this.#pmp = pmp;
    this.#firstOffset = hartBase(index) + HartState.tlbs;
    this.#banks = Array.from(
      { length: TLB_BANKS },
      (_, i) => new TlbBank(words, hartBase(index), i, () => this.#newSpace()),
    );
    this.reset();
  }

  /** Forgets everything, memory included. */
  reset(): void {
    for (const bank of this.#banks) bank.reset();
    this.forgetRecent();
  }

  /** The bank whose entries lie at an offset in the wasm memory. */
  bankAt(offset: number): TlbBank {
    return this.#banks[(offset - this.#firstOffset) >>> BANK_SHIFT];
  }

  /** Makes every selection look for its bank again. */
  forgetRecent(): void {
    for (let i = Word.recentBanks; i < Word.recentBanks + RECENT_BANKS; i++) this.#words[i] = 0;
  }

  /** After a change of `satp`: finds the banks that serve the address space from before, for selections to come. */
  recallRecent(): void {
    const words = this.#words;
    this.forgetRecent();
    const bare = words[Slot.satp + 1] >>> 28 === 0;
    const [low, high] = bare ? [0, 0] : [words[Slot.satp], words[Slot.satp + 1]];
    for (const bank of this.#banks) {
      const serves = bank.privilege === Privilege.machine || (bank.satpLow === low && bank.satpHigh === high);
      if (bank.valid && serves) words[Word.recentBanks + bank.access] = bank.offset;
    }
  }

  /** An id that no bank has had. When there is none left, the target cache is emptied, and all of them are free again. */
  #newSpace(): number {
    const words = this.#words;
    if (words[Word.lastSpace] === LAST_SPACE) {
      forgetTargets(words);
      words[Word.lastSpace] = 0;
      for (const bank of this.#banks) bank.renewSpace();
    }
    return ++words[Word.lastSpace];
  }

  /** The bank of the address space for a privilege, SUM and MXR (as `access` bits) and the current `satp`. */
  select(access: number): TlbBank {
    const words = this.#words;
    const privilege = access & 3;
    const bare = privilege === Privilege.machine || words[Slot.satp + 1] >>> 28 === 0;
    const low = bare ? 0 : words[Slot.satp];
    const high = bare ? 0 : words[Slot.satp + 1];
    const key = bare ? privilege : privilege === Privilege.user ? access & ~SUM : access;
    const recent = words[Word.recentBanks + key];
    const bank = recent !== 0 ? this.bankAt(recent) : this.#find(key, low, high);
    bank.lastUse = words[Word.bankClock] = (words[Word.bankClock] + 1) | 0;
    return bank;
  }

  /** The bank of an address space, or else the one that was used least recently, which serves it from now on. */
  #find(key: number, low: number, high: number): TlbBank {
    const words = this.#words;
    let found = this.#banks.find((bank) => bank.serves(key, low, high));
    if (found === undefined) {
      const now = words[Word.bankClock];
      const age = (bank: TlbBank): number => (bank.valid ? (now - bank.lastUse) >>> 0 : NEVER);
      found = this.#banks.reduce((oldest, bank) => (age(bank) > age(oldest) ? bank : oldest));
      assign(found, key, low, high);
      const machine = found.privilege === Privilege.machine;
      found.describe(this.#pmp.isOpen(machine), (words[Slot.menvcfg + 1] & EnvcfgHigh.ADUE) !== 0);
      const { offset } = found;
      for (let i = Word.recentBanks; i < Word.recentBanks + RECENT_BANKS; i++) if (words[i] === offset) words[i] = 0;
    }
    words[Word.recentBanks + key] = found.offset;
    return found;
  }

  /**
   * `sfence.vma` for all addresses of all address spaces; also after a change of PMP or `menvcfg`. The hart has to
   * select its banks again after this and after `flushAsid`.
   */
  flushAll(): void {
    for (const bank of this.#banks) bank.drop();
    this.forgetRecent();
  }

  /** `sfence.vma` for all addresses of one ASID. Its global pages go too, which is allowed. */
  flushAsid(asid: number): void {
    for (const bank of this.#banks) if (asidOf(bank) === asid) bank.drop();
    this.forgetRecent();
  }

  /** `sfence.vma` for one address in one ASID, or in all (`asid` -1). */
  flushPage(low: number, high: number, asid: number): void {
    for (const bank of this.#banks) {
      if (bank.valid && (asid < 0 || asidOf(bank) === asid)) bank.clearPage(low, high);
    }
  }

  /** Takes the write permission of a page, given by its offset in the wasm memory, out of every bank. */
  dropWriteTags(pageOffset: number): void {
    for (const bank of this.#banks) bank.dropWriteTags(pageOffset);
  }
}

/** Empties a bank and makes it stand for an address space. */
function assign(bank: TlbBank, access: number, low: number, high: number): void {
  bank.clear();
  bank.valid = true;
  bank.access = access;
  bank.satpLow = low;
  bank.satpHigh = high;
  bank.privilege = access & 3;
  bank.sum = (access & SUM) !== 0;
  bank.mxr = (access & MXR) !== 0;
  bank.levels = satpLevels[high >>> 28];
  bank.root = (low >>> 0) + (high & 0xfff) * 0x1_0000_0000;
}

const asidOf = (bank: TlbBank): number => (bank.satpHigh >>> 12) & 0xffff;
