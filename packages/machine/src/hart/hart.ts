/**
 * One hart's privileged architecture: CSRs, traps, translation and everything that generated code leaves out.
 * Its state lies in guest memory (layout.ts, state.ts); the fields here are views of it or derived from it.
 * Who calls it: generated code through `HartCallouts`, and the machine's loop between slices.
 */
import type { PhysicalBus } from "../bus.ts";
import { type GuestMemory, PAGE_SIZE } from "../memory.ts";
import { atomicAddress, fetch, instructionAtPc, load, store } from "./access.ts";
import type { HartCallouts } from "./callouts.ts";
import { Cause } from "./cause.ts";
import type { Clock } from "./clock.ts";
import { beginSlice } from "./counters.ts";
import type { Csr } from "./csr.ts";
import { csrAt, DELEGABLE_EXCEPTIONS, DELEGABLE_INTERRUPTS } from "./csr-table.ts";
import { deliverableInterrupt, pendingInterrupts, setPending, timerDeadline, updateTimer } from "./interrupts.ts";
import { HartState, Signal } from "./layout.ts";
import { Mmu } from "./mmu.ts";
import { Pmp } from "./pmp.ts";
import { forgetCode, type HartArea, hartArea, Privilege, Slot, Word } from "./state.ts";
import { Envcfg, EnvcfgHigh, Status, StatusHigh } from "./status.ts";
import { runSystem } from "./system.ts";
import { Tlb } from "./tlb.ts";
import type { TlbBank } from "./tlb-bank.ts";
import { enterTrap } from "./trap.ts";

export interface HartOptions {
  readonly memory: GuestMemory;
  readonly bus: PhysicalBus;
  readonly clock: Clock;
  /** Which hart area of the memory it uses; also its `mhartid`. */
  readonly index: number;
  /** In M-mode as hardware leaves reset, or in S-mode as firmware hands over to a kernel. */
  readonly start: "machine" | "supervisor";
  /** Other threads drive its interrupts already: a reset leaves the pending ones alone. */
  readonly keepsInterrupts?: boolean;
}

const SPACE_BITS = Status.SUM | Status.MXR | Status.MPRV | Status.MPP;
/** SUM and MXR in `mstatus`, moved down to where `Tlb.select` has them. */
const SPACE_SHIFT = 16;
const SUM_MXR = 12;
/** Behind the slots that other threads write, `pending` and `lines`. */
const AFTER_INTERRUPTS = Slot.mie;

export class Hart implements HartCallouts, HartArea {
  readonly memory: GuestMemory;
  readonly bus: PhysicalBus;
  readonly clock: Clock;
  readonly index: number;
  readonly words: Int32Array;
  readonly doublewords: BigInt64Array;
  readonly pmp: Pmp;
  readonly mmu: Mmu;
  readonly tlb: Tlb;
  readonly #start: "machine" | "supervisor";
  readonly #keepsInterrupts: boolean;
  /** Where reading a CSR leaves its halves. */
  low = 0;
  high = 0;

  /** Whether a physical page (address / 4096) holds translated code; such pages are never entered for writing. */
  isCodePage: (page: number) => boolean = () => false;
  /** The hart waits in a loop for what another one does. */
  stalled: () => void = () => {};
  /** What `fence.i` does. */
  instructionFence: () => void = () => {};

  constructor({ memory, bus, clock, index, start, keepsInterrupts = false }: HartOptions) {
    const { words, doublewords } = hartArea(memory, index);
    this.memory = memory;
    this.bus = bus;
    this.clock = clock;
    this.index = index;
    this.words = words;
    this.doublewords = doublewords;
    this.#start = start;
    this.#keepsInterrupts = keepsInterrupts;
    this.pmp = new Pmp(words, doublewords);
    this.mmu = new Mmu(memory, words, this.pmp);
    this.tlb = new Tlb(words, index, this.pmp);
    this.reset(0n, 0n);
  }

  /** Puts the hart at `pc` with a0 = its id and a1 = `argument` (the device tree's address), all else as after reset. */
  reset(pc: bigint, argument: bigint): void {
    this.words.fill(0, 0, Slot.pending);
    if (!this.#keepsInterrupts) this.words.fill(0, Slot.pending, AFTER_INTERRUPTS);
    this.words.fill(0, AFTER_INTERRUPTS, HartState.jumps / 4);
    this.clearReservation();
    this.doublewords[Slot.mhartid / 2] = BigInt(this.index);
    this.doublewords[Slot.stimecmp / 2] = -1n;
    this.words[Slot.privilege] = Privilege.machine;
    if (this.#start === "supervisor") this.#resetAsFirmwareWould();
    this.pc = pc;
    this.setX(10, BigInt(this.index));
    this.setX(11, argument);
    this.refresh();
  }

  /** Derives everything outside the memory afresh from the state in it, for example after that was restored, and empties its caches. */
  refresh(): void {
    this.words[Word.ramOffset] = this.memory.ramOffset;
    this.words[Word.ramSize] = this.memory.ramSize;
    this.pmp.refresh();
    this.tlb.reset();
    forgetCode(this.words);
    this.selectSpaces();
  }

  /** Bank of the address space in force for loads and stores. */
  get dataSpace(): TlbBank {
    return this.tlb.bankAt(this.words[Word.dataTlb]);
  }

  /** Bank of the address space in force for fetches. */
  get fetchSpace(): TlbBank {
    return this.tlb.bankAt(this.words[Word.fetchTlb]);
  }

  get pc(): bigint {
    return BigInt.asUintN(64, this.doublewords[HartState.pc / 8]);
  }

  set pc(value: bigint) {
    this.doublewords[HartState.pc / 8] = value;
  }

  /** Integer register, unsigned. */
  getX(register: number): bigint {
    return BigInt.asUintN(64, this.doublewords[HartState.x / 8 + register]);
  }

  setX(register: number, value: bigint): void {
    if (register !== 0) this.doublewords[HartState.x / 8 + register] = value;
  }

  /** One of `Privilege`. */
  get privilege(): number {
    return this.words[Slot.privilege];
  }

  /** True while WFI waits for an interrupt. */
  get waiting(): boolean {
    return this.words[Word.waiting] !== 0;
  }

  set waiting(value: boolean) {
    this.words[Word.waiting] = value ? 1 : 0;
  }

  /** Bits of `mip` that `mie` enables, whatever the mode: any of them ends WFI. */
  get pendingAndEnabled(): number {
    return pendingInterrupts(this.words) & this.words[Slot.mie];
  }

  // ---- what the machine's loop calls

  /** Starts a slice of `budget` instructions; what the last one retired goes to the counters. */
  beginSlice(budget: number): void {
    beginSlice(this, budget);
  }

  /** Delivers the exception that a call-out or generated code recorded; the pc is the faulting instruction's. */
  takeException(): void {
    const words = this.words;
    const cause = words[Word.cause];
    if (cause === Cause.illegal) {
      words[Word.exceptionValue] = instructionAtPc(this);
      words[Word.exceptionValue + 1] = 0;
    }
    this.#enterTrap(cause, false, words[Word.exceptionValue], words[Word.exceptionValue + 1]);
  }

  /** Takes the interrupt that is due, if there is one; wakes the hart from WFI if any is pending and enabled. */
  takeInterrupt(): boolean {
    const words = this.words;
    if (words[Word.waiting] !== 0 && this.pendingAndEnabled !== 0) words[Word.waiting] = 0;
    const interrupt = deliverableInterrupt(words);
    if (interrupt < 0) return false;
    this.#enterTrap(interrupt, true, 0, 0);
    return true;
  }

  /** Drives a bit of `mip` from outside, from any thread: SSIP 1, MSIP 3, STIP 5, MTIP 7, SEIP 9, MEIP 11. True if it changed. */
  setPending(bit: number, level: boolean): boolean {
    return setPending(this.words, bit, level);
  }

  /** Compares `stimecmp` with the clock; call it between slices. */
  updateTimer(): void {
    updateTimer(this.words, this.clock);
  }

  /** When `stimecmp` will raise an enabled interrupt, in ticks; undefined if nothing is set or it is already pending. */
  nextDeadline(): bigint | undefined {
    return timerDeadline(this.words);
  }

  /** Forgets the load reservation: on a switch of harts, on trap returns and when translations change. */
  clearReservation(): void {
    this.words[Word.reservation] = -1;
    this.words[Word.reservation + 1] = -1;
  }

  /** Takes the write permission of a physical page (address / 4096) out of the TLB: the code map says that it holds translated code. */
  dropWriteTags(page: number): void {
    const offset = this.memory.placeOf(page * PAGE_SIZE, PAGE_SIZE);
    if (offset >= 0) this.tlb.dropWriteTags(offset);
  }

  /** The signal that generated code left with; the next run starts without one. */
  takeSignal(): number {
    const signal = this.words[Word.signal];
    this.words[Word.signal] = Signal.none;
    return signal;
  }

  /** `sfence.vma` on this hart, for one address or all and for one ASID or all. */
  fenceAddresses(address: bigint | undefined, asid: bigint | undefined): void {
    const space = asid === undefined ? -1 : Number(asid & 0xffffn);
    this.clearReservation();
    if (address !== undefined) {
      this.splitValue(address);
      this.tlb.flushPage(this.low, this.high, space);
      this.words[Word.fetchSpace] = this.fetchSpace.space;
      return;
    }
    if (space < 0) this.tlb.flushAll();
    else this.tlb.flushAsid(space);
    this.selectSpaces();
  }

  /** Value of a CSR as M-mode reads it. */
  readCsr(number: number): bigint {
    existing(number).read(this);
    return BigInt.asUintN(64, this.joinValue(this.low, this.high));
  }

  /** Writes a CSR as M-mode does; what is read-only stays. It signals nothing: no instruction of the guest did it. */
  writeCsr(number: number, value: bigint): void {
    const csr = existing(number);
    if (csr.readOnly) return;
    const signal = this.words[Word.signal];
    csr.read(this);
    this.doublewords[Slot.scratch / 2] = value;
    csr.update(this, 0, this.words[Slot.scratch], this.words[Slot.scratch + 1]);
    this.words[Word.signal] = signal;
  }

  // ---- HartCallouts

  load(address: bigint, logBytes: number): bigint {
    return load(this, address, logBytes);
  }

  store(address: bigint, logBytes: number, value: bigint): void {
    store(this, address, logBytes, value);
  }

  atomicAddress(address: bigint, logBytes: number, write: number): number {
    return atomicAddress(this, address, logBytes, write);
  }

  fetch(address: bigint): number {
    return fetch(this, address);
  }

  csr(number: number, operation: number, suppress: number, value: bigint): bigint {
    const csr = csrAt(number);
    const writes = operation === 0 || (suppress & 2) === 0;
    if (
      csr === undefined ||
      this.words[Slot.privilege] < csr.privilege ||
      (writes && csr.readOnly) ||
      (csr.allowed !== undefined && !csr.allowed(this))
    ) {
      this.illegal();
      return 0n;
    }
    csr.read(this);
    const low = this.low;
    const high = this.high;
    if (writes) {
      this.doublewords[Slot.scratch / 2] = value;
      csr.update(this, operation, this.words[Slot.scratch], this.words[Slot.scratch + 1]);
    }
    return (suppress & 1) !== 0 ? 0n : this.joinValue(low, high);
  }

  system(operation: number, a: bigint, b: bigint): void {
    runSystem(this, operation, a, b);
  }

  // ---- what the parts of the hart call

  /** Records an exception for generated code to leave with. */
  raise(cause: number, valueLow: number, valueHigh: number): void {
    const words = this.words;
    words[Word.cause] = cause;
    words[Word.exceptionValue] = valueLow;
    words[Word.exceptionValue + 1] = valueHigh;
    words[Word.signal] = Signal.exception;
  }

  /** Records an illegal instruction; `takeException` reads its bits at the pc. */
  illegal(): void {
    this.raise(Cause.illegal, 0, 0);
  }

  /** Asks generated code to leave, unless something stronger was signalled before. */
  signal(signal: number): void {
    if (this.words[Word.signal] !== Signal.none) return;
    this.words[Word.signal] = signal;
    this.words[Word.goesOn] = 0;
  }

  /** Leaves generated code because what it was found by has changed; it is looked for anew. */
  refetch(): void {
    if (this.words[Word.signal] !== Signal.none) return;
    this.words[Word.signal] = Signal.leave;
    this.words[Word.goesOn] = 1;
  }

  /** Leaves generated code if an interrupt is due. */
  interruptsChanged(): void {
    if (deliverableInterrupt(this.words) >= 0) this.signal(Signal.leave);
  }

  /** After `mret` and `sret`, which have set privilege and pc. */
  returned(): void {
    this.clearReservation();
    this.selectSpaces();
    this.words[Word.signal] = Signal.jumped;
  }

  /**
   * After a write of `mstatus` or `sstatus`. Fetches do not depend on it, and generated code reads `dataTlb` and
   * `floatEnabled` again: only an interrupt makes it leave.
   */
  statusChanged(old: number, now: number): void {
    const changed = old ^ now;
    if ((changed & Status.FS) !== 0) this.#deriveFloat();
    if ((changed & SPACE_BITS) !== 0) this.selectSpaces();
    if ((changed & now & (Status.SIE | Status.MIE)) !== 0) this.interruptsChanged();
  }

  /** After a change that may affect every translation: PMP, `menvcfg`. */
  translationChanged(): void {
    this.tlb.flushAll();
    this.selectSpaces();
    this.signal(Signal.leave);
  }

  /** Switches to another address space; cached translations of others stay. */
  setSatp(low: number, high: number): void {
    this.words[Slot.satp] = low;
    this.words[Slot.satp + 1] = high;
    this.tlb.recallRecent();
    this.clearReservation();
    this.selectSpaces();
    this.refetch();
  }

  /** Points generated code at the TLB banks for the current privilege, `mstatus` and `satp`. */
  selectSpaces(): void {
    const words = this.words;
    const status = words[Slot.mstatus];
    const privilege = words[Slot.privilege];
    const dataPrivilege = (status & Status.MPRV) !== 0 ? (status & Status.MPP) >>> Status.MPP_SHIFT : privilege;
    const fetchSpace = this.tlb.select(privilege);
    words[Word.fetchTlb] = fetchSpace.offset;
    words[Word.dataTlb] = this.tlb.select(dataPrivilege | ((status >>> SPACE_SHIFT) & SUM_MXR)).offset;
    words[Word.fetchSpace] = fetchSpace.space;
  }

  /** Folds what floating-point instructions have dirtied into `mstatus.FS` and SD. */
  settleFloat(): void {
    const words = this.words;
    if (words[Word.floatDirty] === 0) return;
    words[Word.floatDirty] = 0;
    if ((words[Slot.mstatus] & Status.FS) === 0) return;
    words[Slot.mstatus] |= Status.FS;
    words[Slot.mstatus + 1] |= StatusHigh.SD;
  }

  /** Puts a 64-bit value into `low` and `high`. */
  splitValue(value: bigint): void {
    this.doublewords[Slot.scratch / 2] = value;
    this.low = this.words[Slot.scratch];
    this.high = this.words[Slot.scratch + 1];
  }

  joinValue(low: number, high: number): bigint {
    this.words[Slot.scratch] = low;
    this.words[Slot.scratch + 1] = high;
    return this.doublewords[Slot.scratch / 2];
  }

  #enterTrap(cause: number, interrupt: boolean, valueLow: number, valueHigh: number): void {
    enterTrap(this.words, cause, interrupt, valueLow, valueHigh);
    this.words[Word.signal] = Signal.none;
    this.selectSpaces();
  }

  #deriveFloat(): void {
    const words = this.words;
    const state = words[Slot.mstatus] & Status.FS;
    words[Word.floatEnabled] = state === 0 ? 0 : 1;
    const high = words[Slot.mstatus + 1] & ~StatusHigh.SD;
    words[Slot.mstatus + 1] = state === Status.FS ? high | StatusHigh.SD : high;
  }

  /**
   * What OpenSBI leaves behind on QEMU's `virt`: everything delegated, all memory open, counters and cache-block
   * operations permitted, Svpbmt and Sstc on. ADUE stays 0, so that A and D bits fault (Svade), until the machine turns
   * on hardware updates, which its device tree promises.
   */
  #resetAsFirmwareWould(): void {
    const { words } = this;
    words[Slot.privilege] = Privilege.supervisor;
    words[Slot.medeleg] = Number(DELEGABLE_EXCEPTIONS);
    words[Slot.mideleg] = Number(DELEGABLE_INTERRUPTS);
    words[Slot.mcounteren] = -1;
    words[Slot.scounteren] = 7;
    words[Slot.menvcfg] = Envcfg.CBIE | Envcfg.CBCFE | Envcfg.CBZE;
    words[Slot.menvcfg + 1] = EnvcfgHigh.PBMTE | EnvcfgHigh.STCE;
    this.pmp.writeAddress(0, -1n);
    this.pmp.writeConfig(0, 0x1f, 0);
  }
}

function existing(number: number): Csr {
  const csr = csrAt(number);
  if (csr === undefined) throw new Error(`no CSR has the number 0x${number.toString(16)}`);
  return csr;
}
