/**
 * Typed views of one hart's area in guest memory, and where each CSR's slot lies in it. Every index is in
 * 32-bit words from the hart's base: `words[index]` is the low half and `words[index + 1]` the high half.
 */
import { type GuestMemory, HART_AREA } from "../memory.ts";
import { HartState, hartBase, JUMP_ENTRIES, JumpEntry, MEETING_BYTES, TARGET_ENTRIES, TargetEntry } from "./layout.ts";

/** Privilege modes as `mstatus.MPP` encodes them. @spec privileged "Privilege Levels" */
export const Privilege = { user: 0, supervisor: 1, machine: 3 } as const;

/** Physical memory protection entries that are implemented. */
export const PMP_ENTRIES = 16;

let next: number = HartState.csrs;
const slot = (count = 1): number => {
  const at = next;
  next += 8 * count;
  return at / 4;
};

/** Word index of each slot's low half. */
export const Slot = {
  privilege: slot(),
  /** Always 0: what constant CSRs are built on. */
  zero: slot(),
  /** Scratch for moving 64-bit values between BigInt and two words without allocating. */
  scratch: slot(),
  mstatus: slot(),
  /** Software-writable bits of `mip`, and the bits that interrupt lines and `stimecmp` drive. */
  pending: slot(),
  lines: slot(),
  mie: slot(),
  mideleg: slot(),
  medeleg: slot(),
  mtvec: slot(),
  mscratch: slot(),
  mepc: slot(),
  mcause: slot(),
  mtval: slot(),
  mcounteren: slot(),
  mcountinhibit: slot(),
  menvcfg: slot(),
  stvec: slot(),
  sscratch: slot(),
  sepc: slot(),
  scause: slot(),
  stval: slot(),
  scounteren: slot(),
  senvcfg: slot(),
  satp: slot(),
  stimecmp: slot(),
  /** Counter values less what has retired in the current slice (or as they are while inhibited). */
  mcycle: slot(),
  minstret: slot(),
  mhartid: slot(),
  pmpcfg: slot(2),
  pmpaddr: slot(PMP_ENTRIES),
} as const;

if (next > 0x800) throw new Error("the CSR slots do not fit");

/** Word indices of what generated code shares with the hart. */
export const Word = {
  pc: HartState.pc / 4,
  exceptionValue: HartState.exceptionValue / 4,
  budget: HartState.budget / 4,
  budgetStart: HartState.budgetStart / 4,
  signal: HartState.signal / 4,
  goesOn: HartState.goesOn / 4,
  cause: HartState.cause / 4,
  dataTlb: HartState.dataTlb / 4,
  fetchTlb: HartState.fetchTlb / 4,
  fetchSpace: HartState.fetchSpace / 4,
  lastSpace: HartState.lastSpace / 4,
  bankClock: HartState.bankClock / 4,
  recentBanks: HartState.recentBanks / 4,
  ramOffset: HartState.ramOffset / 4,
  ramSize: HartState.ramSize / 4,
  floatEnabled: HartState.floatEnabled / 4,
  floatDirty: HartState.floatDirty / 4,
  frm: HartState.frm / 4,
  fflags: HartState.fflags / 4,
  waiting: HartState.waiting / 4,
  activity: HartState.activity / 4,
  reservation: HartState.reservation / 4,
} as const;

export interface HartArea {
  readonly words: Int32Array;
  readonly doublewords: BigInt64Array;
}

/** Views of the area of hart `index` (0 for the first). */
export function hartArea(memory: GuestMemory, index: number): HartArea {
  const base = hartBase(index);
  return {
    words: new Int32Array(memory.buffer, base, HART_AREA / 4),
    doublewords: new BigInt64Array(memory.buffer, base, HART_AREA / 8),
  };
}

/** Empties the jump cache and the target cache, whatever they hold, and forgets which targets have been met. */
export function forgetCode(words: Int32Array): void {
  words.fill(-1, HartState.jumps / 4, (HartState.jumps + JUMP_ENTRIES * JumpEntry.bytes) / 4);
  words.fill(0, HartState.meetings / 4, (HartState.meetings + MEETING_BYTES) / 4);
  forgetTargets(words);
}

/** Empties the target cache. */
export function forgetTargets(words: Int32Array): void {
  words.fill(-1, HartState.targets / 4, (HartState.targets + TARGET_ENTRIES * TargetEntry.bytes) / 4);
}
