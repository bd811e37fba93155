/**
 * Where a hart's state lies in guest memory, in bytes from the hart's base. Generated code, the interpreter and
 * `Hart` all use these offsets; there is no second copy of any of it outside the memory.
 */
import { HART_AREA, SHARED_AREA } from "../memory.ts";

export { CODE_MAP, PAIR_LOCK } from "../memory.ts";

/** Leaving generated code: what `signal` says after a call-out. 0 goes on. */
export const Signal = {
  none: 0,
  /** An exception is recorded in `cause` and `exceptionValue`; the pc is the faulting instruction's. */
  exception: 1,
  /** Leave behind this instruction: interrupts, the address space or the privilege may have changed. */
  leave: 2,
  /** The call-out has set `pc`; leave without touching it. */
  jumped: 3,
} as const;

/**
 * A TLB bank has three tables: of pages for reading, for writing and for execution, each direct-mapped by bits 12 and up of
 * the virtual address. They are apart so that copying does not have its two pages drive each other out.
 */
export const TLB_ENTRIES = 4096;
export const TLB_ENTRY_BYTES = 16;
const TABLE_BYTES = TLB_ENTRIES * TLB_ENTRY_BYTES;
/** Address spaces whose translations are kept at the same time, and how far apart their banks lie. */
export const TLB_BANKS = 8;
export const TLB_BANK_BYTES = 4 * TABLE_BYTES;

/**
 * Where the tags of the entries for a page lie, from `bank + index * TLB_ENTRY_BYTES`. A tag is the page's virtual address, or
 * -1 for none: a fast path compares it with `(va + size - 1) & ~0xfff`, so an access that crosses the page misses.
 */
export const TlbTag = { read: 0, write: TABLE_BYTES, execute: 2 * TABLE_BYTES } as const;
/** Behind its tag: what turns (32-bit, wrapping) the low half of a virtual address into an offset in the wasm memory. */
export const TLB_ADDEND = 8;

/**
 * Decode cache of the interpreter, direct-mapped by a hash of the instruction word, of which a compressed instruction has the
 * low half. Each hart has one of its own, so that no other thread replaces an entry while it is in use.
 */
export const DECODE_ENTRIES = 0x20000;
/** `handler` is 0 for an empty entry; register fields (a byte each) are pre-multiplied by 8. */
export const DecodeEntry = {
  word: 0,
  handler: 4,
  length: 6,
  rm: 7,
  imm: 8,
  rd: 12,
  rs1: 13,
  rs2: 14,
  rs3: 15,
  bytes: 16,
} as const;

/** Jump cache: where a jump target lies in the wasm memory to the packed target of its region, or to 0. */
export const JUMP_ENTRIES = 32768;
export const JumpEntry = { offset: 0, region: 4, bytes: 8 } as const;

/**
 * How often jump targets without a region have been met: 16-bit counts, by the low bits of where they lie in the wasm
 * memory. Targets may share one: counts that are lost would hurt, ones that are too high do not.
 */
export const MEETING_BYTES = 0x8_0000;

/**
 * Target cache: a virtual pc under a fetch space to the table index of its code. It is right as long as `space` is
 * `HartState.fetchSpace`; `tag` is -1 in an empty entry.
 */
export const TARGET_ENTRIES = 32768;
export const TargetEntry = { tag: 0, space: 8, target: 12, bytes: 16 } as const;

/**
 * What a TLB bank knows beside its entries, from where they begin; generated code translates with it. `used` lists where the
 * entries are that have been used since the bank was empty (in words from the hart's base); `code` is a bit for each virtual page, by its
 * low bits, that was entered for EXECUTE under the id in `space`.
 */
export const CODE_FILTER_BITS = 8192;
const BANK_STATE = 3 * TABLE_BYTES;
const BANK_FIELDS = BANK_STATE + 3 * TLB_ENTRIES * 4 + CODE_FILTER_BITS / 8;
export const BankState = {
  used: BANK_STATE,
  code: BANK_STATE + 3 * TLB_ENTRIES * 4,
  usedCount: BANK_FIELDS,
  space: BANK_FIELDS + 4,
  /** Page-table levels, 0 for physical addresses, or -1 if only the hart can translate: PMP has something to say. */
  levels: BANK_FIELDS + 8,
  /** 1 if the hardware sets A and D bits. */
  updates: BANK_FIELDS + 12,
  /** Physical address of the root table. */
  root: BANK_FIELDS + 16,
  /** A leaf is accessible only if `leaf & userMask` is `user`, and readable if `leaf & readable` is not 0. */
  userMask: BANK_FIELDS + 24,
  user: BANK_FIELDS + 28,
  readable: BANK_FIELDS + 32,
  /** Value of `HartState.bankClock` at the last selection. */
  lastUse: BANK_FIELDS + 36,
  /** Virtual pages that superpages cover, in the low and in the high half of the address space; 64-bit numbers. */
  largeStart: BANK_FIELDS + 40,
  largeEnd: BANK_FIELDS + 56,
  end: BANK_FIELDS + 72,
} as const;

let next = 0;
const place = (bytes: number): number => {
  const alignment = Math.min(bytes, 8);
  const at = Math.ceil(next / alignment) * alignment;
  next = at + bytes;
  return at;
};

export const HartState = {
  x: place(32 * 8),
  f: place(32 * 8),
  pc: place(8),
  /** Virtual address that faulted, or the instruction for an illegal one. */
  exceptionValue: place(8),
  /** Instructions left before generated code must leave (signed; below 0 means leave). */
  budget: place(4),
  /** Budget that was set when the run began; the difference has retired. */
  budgetStart: place(4),
  signal: place(4),
  /** 1 beside `leave`: only where code comes from has changed, and the loop around generated code goes on by itself. */
  goesOn: place(4),
  cause: place(4),
  /** Offset in the wasm memory of the TLB bank for data and for instruction fetch. */
  dataTlb: place(4),
  fetchTlb: place(4),
  /**
   * Id of the contents of the bank for instruction fetch: as long as it stays the same, every physical address of code
   * that was found through the execute tag of a TLB entry is still right.
   */
  fetchSpace: place(4),
  /** Not 0 when the next instruction is the interpreter's: a region found that it does not fit its surroundings. */
  interpretNext: place(4),
  /** Counts down to the next entry into a region that is reported, see `SAMPLE_INTERVAL`. */
  sampleIn: place(4),
  /** The id given out last. */
  lastSpace: place(4),
  /** Counts selections of banks, wrapping. */
  bankClock: place(4),
  /** Offset in the wasm memory of the TLB bank for a privilege, SUM (4) and MXR (8) under the current `satp`; 0 if unknown. */
  recentBanks: place(16 * 4),
  /** Where RAM lies in the wasm memory, and its bytes (both unsigned). */
  ramOffset: place(4),
  ramSize: place(4),
  /** 0 when `mstatus.FS` is off, and then floating-point instructions are illegal. */
  floatEnabled: place(4),
  /** Set to 1 by every instruction that writes an f register or `fflags`. */
  floatDirty: place(4),
  frm: place(4),
  fflags: place(4),
  /** 1 while the hart waits for an interrupt (WFI). */
  waiting: place(4),
  /** What the hart's thread does right now: an `Activity`, kept only while a profile is taken. */
  activity: place(4),
  /** Virtual address of the reservation, or -1. */
  reservation: place(8),
  /** Value seen by the load-reserved. */
  reservationValue: place(8),
  /** 64-bit slots for CSRs; which slot is whose is `csr.ts`'s business. */
  csrs: place(0x800 - next),
  jumps: 0x1000,
  meetings: 0x8_0000,
  targets: 0x10_0000,
  tlbs: 0x18_0000,
  decodeCache: 0x38_0000,
} as const;

const DECODE_BYTES = DECODE_ENTRIES * DecodeEntry.bytes;

/** Offset of a hart's state in the wasm memory, and the hart whose it is. */
export const hartBase = (index: number): number => SHARED_AREA + HART_AREA * index;
export const hartIndex = (base: number): number => (base - SHARED_AREA) / HART_AREA;

const ends = [
  [HartState.jumps + JUMP_ENTRIES * JumpEntry.bytes, HartState.meetings],
  [HartState.meetings + MEETING_BYTES, HartState.targets],
  [HartState.targets + TARGET_ENTRIES * TargetEntry.bytes, HartState.tlbs],
  [BankState.end, TLB_BANK_BYTES],
  [HartState.tlbs + TLB_BANKS * TLB_BANK_BYTES, HartState.decodeCache],
  [HartState.decodeCache + DECODE_BYTES, HART_AREA],
] as const;
if (ends.some(([end, limit]) => end > limit)) throw new Error("parts of the hart's area overlap");
