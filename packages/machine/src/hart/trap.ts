/**
 * Taking traps and returning from them. @spec privileged "Privilege and Global Interrupt-Enable Stack in mstatus
 * register", "Machine Trap Delegation (medeleg and mideleg) Registers", "Trap-Return Instructions"
 * Who calls it: `Hart`, which selects the address space afterwards.
 */
import { Privilege, Slot, Word } from "./state.ts";
import { Status } from "./status.ts";

const INTERRUPT = 1 << 31;
const VECTORED = 1;

/** Enters the handler for a cause, in S-mode if it is delegated. The pc is that of the instruction to resume at. */
export function enterTrap(words: Int32Array, cause: number, interrupt: boolean, valueLow: number, valueHigh: number) {
  const delegated = words[interrupt ? Slot.mideleg : Slot.medeleg];
  const supervisor = words[Slot.privilege] <= Privilege.supervisor && ((delegated >>> cause) & 1) !== 0;
  const causeHigh = interrupt ? INTERRUPT : 0;
  if (supervisor) {
    record(words, Slot.sepc, Slot.scause, Slot.stval, cause, causeHigh, valueLow, valueHigh);
    stackSupervisor(words);
    enterHandler(words, Slot.stvec, cause, interrupt);
  } else {
    record(words, Slot.mepc, Slot.mcause, Slot.mtval, cause, causeHigh, valueLow, valueHigh);
    stackMachine(words);
    enterHandler(words, Slot.mtvec, cause, interrupt);
  }
}

/** `mret`: back to MPP, which becomes U; leaving M-mode clears MPRV. */
export function returnFromMachine(words: Int32Array): void {
  const status = words[Slot.mstatus];
  const privilege = (status & Status.MPP) >>> Status.MPP_SHIFT;
  let next = status & ~(Status.MIE | Status.MPP);
  if ((status & Status.MPIE) !== 0) next |= Status.MIE;
  if (privilege !== Privilege.machine) next &= ~Status.MPRV;
  words[Slot.mstatus] = next | Status.MPIE;
  resume(words, privilege, Slot.mepc);
}

/** `sret`: back to SPP, which becomes U; MPRV is cleared. */
export function returnFromSupervisor(words: Int32Array): void {
  const status = words[Slot.mstatus];
  const privilege = (status & Status.SPP) !== 0 ? Privilege.supervisor : Privilege.user;
  let next = status & ~(Status.SIE | Status.SPP | Status.MPRV);
  if ((status & Status.SPIE) !== 0) next |= Status.SIE;
  words[Slot.mstatus] = next | Status.SPIE;
  resume(words, privilege, Slot.sepc);
}

function record(
  words: Int32Array,
  epc: number,
  causeSlot: number,
  tval: number,
  cause: number,
  causeHigh: number,
  valueLow: number,
  valueHigh: number,
): void {
  words[epc] = words[Word.pc];
  words[epc + 1] = words[Word.pc + 1];
  words[causeSlot] = cause;
  words[causeSlot + 1] = causeHigh;
  words[tval] = valueLow;
  words[tval + 1] = valueHigh;
}

function stackSupervisor(words: Int32Array): void {
  const status = words[Slot.mstatus];
  let next = status & ~(Status.SPIE | Status.SIE | Status.SPP);
  if ((status & Status.SIE) !== 0) next |= Status.SPIE;
  if (words[Slot.privilege] === Privilege.supervisor) next |= Status.SPP;
  words[Slot.mstatus] = next;
  words[Slot.privilege] = Privilege.supervisor;
}

function stackMachine(words: Int32Array): void {
  const status = words[Slot.mstatus];
  let next = status & ~(Status.MPIE | Status.MIE | Status.MPP);
  if ((status & Status.MIE) !== 0) next |= Status.MPIE;
  words[Slot.mstatus] = next | (words[Slot.privilege] << Status.MPP_SHIFT);
  words[Slot.privilege] = Privilege.machine;
}

function enterHandler(words: Int32Array, vector: number, cause: number, interrupt: boolean): void {
  const mode = words[vector] & 3;
  const low = ((words[vector] & ~3) >>> 0) + (interrupt && mode === VECTORED ? 4 * cause : 0);
  words[Word.pc] = low | 0;
  words[Word.pc + 1] = words[vector + 1] + (low > 0xffff_ffff ? 1 : 0);
}

function resume(words: Int32Array, privilege: number, epc: number): void {
  words[Slot.privilege] = privilege;
  words[Word.pc] = words[epc];
  words[Word.pc + 1] = words[epc + 1];
}
