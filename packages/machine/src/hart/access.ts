/**
 * Loads, stores, atomics and fetches that miss the TLB: translation, refill, page crossings and devices.
 * Who calls it: `Hart`, for generated code. @spec privileged "Virtual Address Translation Process"; misaligned loads
 * and stores work on RAM, as "Zicclsm" requires.
 */
import { PAGE_SIZE, RAM_BASE } from "../memory.ts";
import { Cause } from "./cause.ts";
import type { Hart } from "./hart.ts";
import { EXECUTE, READ, WRITE } from "./pmp.ts";
import { Slot, Word } from "./state.ts";
import type { TlbBank } from "./tlb-bank.ts";

export const OFFSET_MASK = PAGE_SIZE - 1;
/** What `dataPage` and `enterPage` give for a page that is not RAM; negative results are exceptions. */
export const DEVICE = 0;

/** Loads 2^`logBytes` bytes; zero-extended except for 8 bytes. 0 with an exception signalled. */
export function load(hart: Hart, address: bigint, logBytes: number): bigint {
  hart.doublewords[Slot.scratch / 2] = address;
  const low = hart.words[Slot.scratch];
  const high = hart.words[Slot.scratch + 1];
  const bytes = 1 << logBytes;
  if ((low & OFFSET_MASK) + bytes > PAGE_SIZE) return loadAcross(hart, low, high, bytes);
  const page = dataPage(hart, low, high, READ, bytes);
  if (page < 0) return 0n;
  if (page === DEVICE) return loadDevice(hart, low, high, bytes);
  const at = page + (low & OFFSET_MASK);
  const view = hart.memory.view;
  if (logBytes === 3) return view.getBigInt64(at, true);
  if (logBytes === 2) return BigInt(view.getUint32(at, true));
  return BigInt(logBytes === 1 ? view.getUint16(at, true) : view.getUint8(at));
}

/** Stores the low 2^`logBytes` bytes of `value`. */
export function store(hart: Hart, address: bigint, logBytes: number, value: bigint): void {
  hart.doublewords[Slot.scratch / 2] = address;
  const low = hart.words[Slot.scratch];
  const high = hart.words[Slot.scratch + 1];
  const bytes = 1 << logBytes;
  if ((low & OFFSET_MASK) + bytes > PAGE_SIZE) {
    storeAcross(hart, low, high, bytes, value);
    return;
  }
  const page = dataPage(hart, low, high, WRITE, bytes);
  if (page === DEVICE) storeDevice(hart, low, high, bytes, value);
  else if (page > 0) storeRam(hart, page + (low & OFFSET_MASK), logBytes, value);
}

function storeRam(hart: Hart, at: number, logBytes: number, value: bigint): void {
  const view = hart.memory.view;
  hart.doublewords[Slot.scratch / 2] = value;
  const word = hart.words[Slot.scratch];
  if (logBytes === 3) view.setBigInt64(at, value, true);
  else if (logBytes === 2) view.setInt32(at, word, true);
  else if (logBytes === 1) view.setInt16(at, word, true);
  else view.setInt8(at, word);
}

/** Offset in the wasm memory of a naturally aligned operand in RAM, or 0 with an exception signalled. */
export function atomicAddress(hart: Hart, address: bigint, logBytes: number, write: number): number {
  hart.doublewords[Slot.scratch / 2] = address;
  const low = hart.words[Slot.scratch];
  const high = hart.words[Slot.scratch + 1];
  const bytes = 1 << logBytes;
  if ((low & (bytes - 1)) !== 0) {
    hart.raise(write !== 0 ? Cause.storeMisaligned : Cause.loadMisaligned, low, high);
    return 0;
  }
  const page = dataPage(hart, low, high, write !== 0 ? WRITE : READ, bytes);
  if (page < 0) return 0;
  if (page === DEVICE) {
    hart.raise(write !== 0 ? Cause.storeAccess : Cause.loadAccess, low, high);
    return 0;
  }
  return page + (low & OFFSET_MASK);
}

/** Offset in the wasm memory of the instruction at a virtual address, or 0 with an exception signalled. Only RAM can be executed. */
export function fetch(hart: Hart, address: bigint): number {
  hart.doublewords[Slot.scratch / 2] = address;
  const low = hart.words[Slot.scratch];
  const high = hart.words[Slot.scratch + 1];
  const cause = hart.mmu.translate(hart.fetchSpace, low, high, EXECUTE, 2);
  const page = cause === 0 ? enterPage(hart, hart.fetchSpace, low, high, EXECUTE) : DEVICE;
  if (page === DEVICE) {
    hart.raise(cause === 0 ? Cause.fetchAccess : cause, low, high);
    return 0;
  }
  const at = page + (low & OFFSET_MASK);
  return hart.mmu.divided && !upperHalfAllowed(hart, low, high, at) ? 0 : at;
}

/** On a page that PMP divides, the upper half of a 32-bit instruction is checked for itself. */
function upperHalfAllowed(hart: Hart, low: number, high: number, at: number): boolean {
  const upper = low + 2;
  if ((upper & OFFSET_MASK) === 0 || (hart.memory.view.getUint16(at, true) & 3) !== 3) return true;
  const cause = hart.mmu.translate(hart.fetchSpace, upper, high, EXECUTE, 2);
  if (cause !== 0) hart.raise(cause, upper, high);
  return cause === 0;
}

/** The instruction at the pc (16 or 32 bits), or 0 if it cannot be read: what an illegal one leaves in `xtval`. */
export function instructionAtPc(hart: Hart): number {
  const low = hart.words[Word.pc];
  const high = hart.words[Word.pc + 1];
  const first = parcel(hart, low, high);
  if (first < 0) return 0;
  if ((first & 3) !== 3) return first;
  const nextLow = (low + 2) | 0;
  const second = parcel(hart, nextLow, nextLow === 0 ? (high + 1) | 0 : high);
  return second < 0 ? 0 : first | (second << 16);
}

/** Translates and refills: the offset of the page in the wasm memory, DEVICE, or -1 with an exception signalled. */
function dataPage(hart: Hart, low: number, high: number, access: number, bytes: number): number {
  const cause = hart.mmu.translate(hart.dataSpace, low, high, access, bytes);
  if (cause !== 0) {
    hart.raise(cause, low, high);
    return -1;
  }
  if (access === WRITE) announceWrite(hart, hart.mmu.page, low & OFFSET_MASK, bytes);
  return enterPage(hart, hart.dataSpace, low, high, access);
}

/**
 * Puts the page that was translated last into the TLB for an access: not for writing if it holds translated code, not at all if
 * PMP divides it.
 */
export function enterPage(hart: Hart, space: TlbBank, low: number, high: number, access: number): number {
  const offset = ramOffset(hart, access);
  const mmu = hart.mmu;
  if (offset === DEVICE || mmu.divided) return offset;
  if (access !== WRITE || !holdsCode(hart, mmu.page)) space.install(low, high, offset, access, mmu.span);
  return offset;
}

/** Offset in the wasm memory of the page that was translated last, which is there for the access then; or DEVICE. */
function ramOffset(hart: Hart, access: number): number {
  const start = hart.mmu.page * PAGE_SIZE - RAM_BASE;
  if (start < 0 || start >= hart.memory.ramSize) return DEVICE;
  const { pages } = hart.memory;
  if (pages !== undefined) {
    if (access === WRITE) pages.write(start, PAGE_SIZE);
    else pages.bring(start, PAGE_SIZE);
  }
  return start + hart.memory.ramOffset;
}

/** Tells of a write to a page before it happens, if translated code is there. */
export function announceWrite(hart: Hart, page: number, offset: number, bytes: number): void {
  if (holdsCode(hart, page)) hart.memory.onWrite(page * PAGE_SIZE + offset, bytes);
}

/** Whether any thread may have translated code from a page. */
function holdsCode(hart: Hart, page: number): boolean {
  return hart.memory.codeMap.note(page, hart.isCodePage(page));
}

/** A load cannot leave behind its instruction, so an interrupt that reading a device raises is taken at the next chance. */
function loadDevice(hart: Hart, low: number, high: number, bytes: number): bigint {
  const physical = hart.mmu.page * PAGE_SIZE + (low & OFFSET_MASK);
  const value = (low & (bytes - 1)) === 0 ? hart.bus.read(physical, bytes) : undefined;
  if (value === undefined) {
    hart.raise(Cause.loadAccess, low, high);
    return 0n;
  }
  return value;
}

function storeDevice(hart: Hart, low: number, high: number, bytes: number, value: bigint): void {
  const physical = hart.mmu.page * PAGE_SIZE + (low & OFFSET_MASK);
  if ((low & (bytes - 1)) !== 0 || !hart.bus.write(physical, bytes, value)) {
    hart.raise(Cause.storeAccess, low, high);
    return;
  }
  hart.interruptsChanged();
}

/** Translates both pages of an access that crosses into the next one. Faults name the part that faults. */
function pagesAcross(
  hart: Hart,
  low: number,
  high: number,
  access: number,
  bytes: number,
): [number, number] | undefined {
  const inFirst = PAGE_SIZE - (low & OFFSET_MASK);
  const secondLow = ((low | OFFSET_MASK) + 1) | 0;
  const secondHigh = secondLow === 0 ? (high + 1) | 0 : high;
  const first = crossedPage(hart, low, high, access, inFirst);
  if (first < 0) return undefined;
  const second = crossedPage(hart, secondLow, secondHigh, access, bytes - inFirst);
  return second < 0 ? undefined : [first, second];
}

/** Physical page number of a page in RAM, or -1 with an exception signalled: devices take no misaligned access. */
function crossedPage(hart: Hart, low: number, high: number, access: number, bytes: number): number {
  let cause = hart.mmu.translate(hart.dataSpace, low, high, access, bytes);
  if (cause === 0 && ramOffset(hart, access) === DEVICE) cause = access === READ ? Cause.loadAccess : Cause.storeAccess;
  if (cause === 0) return hart.mmu.page;
  hart.raise(cause, low, high);
  return -1;
}

function loadAcross(hart: Hart, low: number, high: number, bytes: number): bigint {
  const pages = pagesAcross(hart, low, high, READ, bytes);
  if (pages === undefined) return 0n;
  const start = low & OFFSET_MASK;
  let value = 0n;
  for (let i = bytes - 1; i >= 0; i--)
    value = (value << 8n) | BigInt(hart.memory.bytes[byteAcross(hart, pages, start + i)]);
  return value;
}

function storeAcross(hart: Hart, low: number, high: number, bytes: number, value: bigint): void {
  const pages = pagesAcross(hart, low, high, WRITE, bytes);
  if (pages === undefined) return;
  const start = low & OFFSET_MASK;
  const inFirst = PAGE_SIZE - start;
  announceWrite(hart, pages[0], start, inFirst);
  announceWrite(hart, pages[1], 0, bytes - inFirst);
  for (let i = 0; i < bytes; i++) {
    hart.memory.bytes[byteAcross(hart, pages, start + i)] = Number((value >> BigInt(8 * i)) & 0xffn);
  }
}

/** Offset in the wasm memory of a byte counted from the start of the first of two pages. */
function byteAcross(hart: Hart, pages: readonly [number, number], offset: number): number {
  const page = offset < PAGE_SIZE ? pages[0] : pages[1];
  return page * PAGE_SIZE - RAM_BASE + hart.memory.ramOffset + (offset & OFFSET_MASK);
}

function parcel(hart: Hart, low: number, high: number): number {
  if (hart.mmu.translate(hart.fetchSpace, low, high, EXECUTE, 2) !== 0) return -1;
  const offset = ramOffset(hart, EXECUTE);
  return offset === DEVICE ? -1 : hart.memory.view.getUint16(offset + (low & OFFSET_MASK), true);
}
