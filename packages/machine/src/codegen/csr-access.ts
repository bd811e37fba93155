/**
 * The CSRs of system calls and of floating point as WebAssembly; all others, and every access that is not permitted, are
 * the hart's. @spec unprivileged "Zicsr". Who calls it: generated code, under the name of the call-out.
 */
import { HartState } from "../hart/layout.ts";
import { Privilege, Slot } from "../hart/state.ts";
import { Status, StatusHigh } from "../hart/status.ts";
import { type FunctionBuilder, type Label, Memory, Op, ValueType } from "../wasm/index.ts";
import { emitAnyInterrupt, low } from "./privilege.ts";

const { i32, i64 } = ValueType;
const [HART, NUMBER, OPERATION, SUPPRESS, VALUE] = [0, 1, 2, 3, 4];

const SSTATUS = 0x100;
const FCSR = 3;
/** Which of scratch, epc, cause and tval has a bit 0 that stays 0. */
const EPC = 1;

const SD = BigInt.asIntN(64, BigInt(StatusHigh.SD >>> 0) << 32n);
const FS = BigInt(Status.FS);
const WRITABLE = BigInt(Status.SIE | Status.SPIE | Status.SPP | Status.FS | Status.SUM | Status.MXR);
/** What of `mstatus` reads as `sstatus`, and what always reads 1. */
export const SSTATUS_BITS = WRITABLE | SD;
export const SSTATUS_FIXED = BigInt(StatusHigh.UXL64) << 32n;

/** Scratch, epc, cause and tval of a mode: four numbers and four slots in a row. */
export const trapRegisters = [
  { first: 0x140, slot: Slot.sscratch, privilege: Privilege.supervisor },
  { first: 0x340, slot: Slot.mscratch, privilege: Privilege.machine },
] as const;

/** Writes `csr(hart, number, operation, suppress, value)`, see `HartCallouts`. */
export function emitCsr(b: FunctionBuilder, select: number, callout: number): void {
  const slow = b.block();
  trapRegister(b, trapRegisters[0], slow);
  b.get(NUMBER).i32(SSTATUS).op(Op.i32_eq).if();
  supervisorStatus(b, select, slow);
  b.end();
  b.get(NUMBER).i32(1).op(Op.i32_sub).i32(FCSR).op(Op.i32_lt_u).if();
  floatRegister(b, slow);
  b.end();
  trapRegister(b, trapRegisters[1], slow);
  b.end();
  b.get(HART).get(NUMBER).get(OPERATION).get(SUPPRESS).get(VALUE).call(callout);
}

/** Goes to the hart unless the privilege suffices. */
function require(b: FunctionBuilder, privilege: number, slow: Label): void {
  low(b, Slot.privilege).i32(privilege).op(Op.i32_lt_u).brIf(slow);
}

function trapRegister(
  b: FunctionBuilder,
  { first, slot, privilege }: (typeof trapRegisters)[number],
  slow: Label,
): void {
  const at = b.local(i32);
  const old = b.local(i64);
  b.get(NUMBER).i32(first).op(Op.i32_sub).tee(at).i32(4).op(Op.i32_lt_u).if();
  require(b, privilege, slow);
  b.get(at).i32(3).op(Op.i32_shl).get(HART).op(Op.i32_add).tee(at);
  b.memory(Memory.i64_load, slot * 4).set(old);
  ifWrites(b, () => {
    b.get(at);
    combined(b, old, -1n);
    b.i64(-1n)
      .i64(-2n)
      .get(NUMBER)
      .i32(first + EPC)
      .op(Op.i32_ne)
      .op(Op.select)
      .op(Op.i64_and);
    b.memory(Memory.i64_store, slot * 4);
  });
  giveOld(b, () => b.get(old));
  b.end();
}

/** Between what is shown and what is stored lie the bits of `mstatus` that `sstatus` leaves out. */
function supervisorStatus(b: FunctionBuilder, select: number, slow: Label): void {
  const [old, next, changed] = [b.local(i64), b.local(i64), b.local(i64)];
  require(b, Privilege.supervisor, slow);
  b.get(HART)
    .memory(Memory.i64_load, Slot.mstatus * 4)
    .set(old);
  settleFloat(b, old);
  ifWrites(b, () => {
    combined(b, old, WRITABLE);
    b.tee(next).get(old).op(Op.i64_xor).set(changed);
    // Interrupts that become possible while one is pending are for the hart to look at.
    has(b, changed, BigInt(Status.SIE));
    has(b, next, BigInt(Status.SIE)).op(Op.i32_and);
    emitAnyInterrupt(b);
    b.i32(0).op(Op.i32_ne).op(Op.i32_and).brIf(slow);
    has(b, changed, BigInt(Status.SUM | Status.MXR)).if();
    has(b, old, BigInt(Status.MPRV));
    low(b, Slot.privilege).i32(Privilege.supervisor).op(Op.i32_ne).op(Op.i32_or).brIf(slow);
    b.get(HART).i32(Privilege.supervisor).get(next).op(Op.i32_wrap_i64).call(select).op(Op.i32_eqz).brIf(slow);
    b.end();
    has(b, changed, FS).if();
    b.get(HART);
    has(b, next, FS).memory(Memory.i32_store, HartState.floatEnabled);
    b.get(next).i64(~SD).op(Op.i64_and).i64(SD).i64(0n).get(next).i64(FS).op(Op.i64_and).i64(FS).op(Op.i64_eq);
    b.op(Op.select).op(Op.i64_or).set(next).end();
    b.get(HART)
      .get(next)
      .memory(Memory.i64_store, Slot.mstatus * 4);
  });
  giveOld(b, () => b.get(old).i64(SSTATUS_BITS).op(Op.i64_and).i64(SSTATUS_FIXED).op(Op.i64_or));
}

/** Folds what floating-point instructions have dirtied into FS and SD of `status`, in the local and in its slot. */
function settleFloat(b: FunctionBuilder, status: number): void {
  b.get(HART).memory(Memory.i32_load, HartState.floatDirty).if();
  b.get(HART).i32(0).memory(Memory.i32_store, HartState.floatDirty);
  has(b, status, FS).if();
  b.get(HART)
    .get(status)
    .i64(SD | FS)
    .op(Op.i64_or)
    .tee(status)
    .memory(Memory.i64_store, Slot.mstatus * 4);
  b.end().end();
}

/** `fflags`, `frm` and `fcsr`: flags in the low 5 bits, the rounding mode in the 3 above. */
function floatRegister(b: FunctionBuilder, slow: Label): void {
  const [all, old, next, shift] = [b.local(i32), b.local(i64), b.local(i64), b.local(i64)];
  const mask = b.local(i64);
  b.get(HART).memory(Memory.i32_load, HartState.floatEnabled).op(Op.i32_eqz).brIf(slow);
  b.get(HART).memory(Memory.i32_load, HartState.frm).i32(5).op(Op.i32_shl);
  b.get(HART).memory(Memory.i32_load, HartState.fflags).op(Op.i32_or).set(all);
  // Where the register lies in `fcsr`.
  b.i64(5n).i64(0n).get(NUMBER).i32(2).op(Op.i32_eq).op(Op.select).set(shift);
  b.i64(0xffn).i64(0x1fn).i64(7n).get(NUMBER).i32(1).op(Op.i32_eq).op(Op.select);
  b.get(NUMBER).i32(FCSR).op(Op.i32_eq).op(Op.select).set(mask);
  b.get(all).op(Op.i64_extend_i32_u).get(shift).op(Op.i64_shr_u).get(mask).op(Op.i64_and).set(old);
  ifWrites(b, () => {
    combined(b, old, -1n);
    b.get(mask).op(Op.i64_and).get(shift).op(Op.i64_shl);
    b.get(all).op(Op.i64_extend_i32_u).get(mask).get(shift).op(Op.i64_shl).i64(-1n).op(Op.i64_xor).op(Op.i64_and);
    b.op(Op.i64_or).set(next);
    b.get(HART).get(next).i64(31n).op(Op.i64_and).op(Op.i32_wrap_i64).memory(Memory.i32_store, HartState.fflags);
    b.get(HART).get(next).i64(5n).op(Op.i64_shr_u).op(Op.i32_wrap_i64).memory(Memory.i32_store, HartState.frm);
    b.get(HART).i32(1).memory(Memory.i32_store, HartState.floatDirty);
  });
  giveOld(b, () => b.get(old));
}

/** What an access writes only if it is CSRRW, or if its source is not x0 or 0. */
function ifWrites(b: FunctionBuilder, emit: () => void): void {
  b.get(OPERATION).op(Op.i32_eqz).get(SUPPRESS).i32(2).op(Op.i32_and).op(Op.i32_eqz).op(Op.i32_or).if();
  emit();
  b.end();
}

/** Leaves the value to write: of the bits in `mask` all, or those of the operand set or cleared. */
function combined(b: FunctionBuilder, old: number, mask: bigint): void {
  const bits = (): FunctionBuilder => (mask === -1n ? b.get(VALUE) : b.get(VALUE).i64(mask).op(Op.i64_and));
  b.get(OPERATION).op(Op.i32_eqz).if(i64);
  bits();
  if (mask !== -1n) b.get(old).i64(~mask).op(Op.i64_and).op(Op.i64_or);
  b.else();
  b.get(old);
  bits().op(Op.i64_or);
  b.get(old);
  bits().i64(-1n).op(Op.i64_xor).op(Op.i64_and);
  b.get(OPERATION).i32(1).op(Op.i32_eq).op(Op.select).end();
}

/** Leaves whether a local has any of some bits. */
function has(b: FunctionBuilder, local: number, bits: bigint): FunctionBuilder {
  return b.get(local).i64(bits).op(Op.i64_and).i64(0n).op(Op.i64_ne);
}

/** Returns what was read, or 0 if nobody asked. */
function giveOld(b: FunctionBuilder, emitOld: () => void): void {
  emitOld();
  b.i64(0n).get(SUPPRESS).i32(1).op(Op.i32_and).op(Op.i32_eqz).op(Op.select).return();
}

/** The slots of a mode's trap registers follow each other as their numbers do. */
const inOrder = [
  [Slot.sscratch, Slot.sepc, Slot.scause, Slot.stval],
  [Slot.mscratch, Slot.mepc, Slot.mcause, Slot.mtval],
].every((slots) => slots.every((slot, i) => slot === slots[0]! + 2 * i));
if (!inOrder) throw new Error("the slots of trap registers are not in the order of their numbers");
