/**
 * Changes of privilege as WebAssembly: system calls from U-mode, `sret`, and the choice of TLB banks that goes with them.
 * Whatever is out of the ordinary stays with the hart: M-mode, MPRV, traps that are not delegated, banks not used lately.
 * @spec privileged "Privilege and Global Interrupt-Enable Stack in mstatus register", "Trap-Return Instructions"
 */
import { systemOperations } from "@bulkhead/isa";
import { Cause } from "../hart/cause.ts";
import { BankState, HartState, Signal } from "../hart/layout.ts";
import { Privilege, Slot } from "../hart/state.ts";
import { Envcfg, Status } from "../hart/status.ts";
import { MXR, SUM } from "../hart/tlb.ts";
import { type FunctionBuilder, Memory, Op, ValueType } from "../wasm/index.ts";

const { i32 } = ValueType;
const HART = 0;
/** SUM and MXR in `mstatus` lie so much higher than in the key of a bank. */
const KEY_SHIFT = Math.log2(Status.SUM / SUM);
const BLOCK_BYTES = 64;

/** Leaves the low half of a CSR's slot. */
export const low = (b: FunctionBuilder, slot: number): FunctionBuilder => b.get(HART).memory(Memory.i32_load, slot * 4);

/** Leaves whether any interrupt is pending that `mie` enables, be it deliverable or not; STIP may be stale. */
export function emitAnyInterrupt(b: FunctionBuilder): void {
  low(b, Slot.pending);
  low(b, Slot.lines).op(Op.i32_or);
  low(b, Slot.mie).op(Op.i32_and);
}

/**
 * Writes `select(hart, privilege, status)`: points the hart at the banks for S- or U-mode with SUM and MXR as in the low half of
 * `mstatus`, and gives 1; or 0 if the hart has to do it.
 */
export function emitSelect(b: FunctionBuilder): void {
  const [privilege, status] = [1, 2];
  const [key, bare, data, fetch, clock] = Array.from({ length: 5 }, () => b.local(i32));
  b.get(HART)
    .memory(Memory.i32_load, Slot.satp * 4 + 4)
    .i32(28)
    .op(Op.i32_shr_u)
    .op(Op.i32_eqz)
    .set(bare);
  b.get(status)
    .i32(KEY_SHIFT)
    .op(Op.i32_shr_u)
    .i32(SUM | MXR)
    .i32(MXR)
    .get(privilege)
    .op(Op.select)
    .op(Op.i32_and);
  // Without translation they mean nothing.
  b.i32(0).get(bare).op(Op.i32_eqz).op(Op.select);
  b.get(privilege).op(Op.i32_or).set(key);
  const recent = (emitKey: () => void): void => {
    b.get(HART);
    emitKey();
    b.i32(2).op(Op.i32_shl).op(Op.i32_add).memory(Memory.i32_load, HartState.recentBanks);
  };
  recent(() => b.get(key));
  b.set(data);
  recent(() => b.get(privilege));
  b.tee(fetch).op(Op.i32_eqz).get(data).op(Op.i32_eqz).op(Op.i32_or).if();
  b.i32(0).return().end();
  b.get(HART).get(HART).memory(Memory.i32_load, HartState.bankClock).i32(2).op(Op.i32_add).tee(clock);
  b.memory(Memory.i32_store, HartState.bankClock);
  for (const bank of [data, fetch]) b.get(bank).get(clock).memory(Memory.i32_store, BankState.lastUse);
  b.get(HART).get(fetch).memory(Memory.i32_load, BankState.space).memory(Memory.i32_store, HartState.fetchSpace);
  b.get(HART).get(fetch).memory(Memory.i32_store, HartState.fetchTlb);
  b.get(HART).get(data).memory(Memory.i32_store, HartState.dataTlb);
  b.i32(1);
}

/** Functions that the ones below call. */
export interface SystemCalls {
  readonly select: number;
  readonly trap: number;
  /** Page for a store, see `emitPage`. */
  readonly writePage: number;
  readonly callout: number;
}

/** Writes `system(hart, operation, a, b)`, see `HartCallouts`. */
export function emitSystem(b: FunctionBuilder, calls: SystemCalls): void {
  const operation = 1;
  const cases = { ecall: userCall, sret: supervisorReturn, "cbo.zero": zeroBlock } as const;
  for (const [name, emit] of Object.entries(cases)) {
    b.get(operation)
      .i32(systemOperations.indexOf(name as keyof typeof cases))
      .op(Op.i32_eq)
      .if();
    const slow = b.block();
    emit(b, calls, () => b.brIf(slow));
    b.return().end().end();
  }
  b.get(HART).get(operation).get(2).get(3).call(calls.callout);
}

/**
 * Writes `trap(hart, cause, value)`: enters the handler of S-mode for an exception in S- or U-mode that is delegated, and gives
 * 1; or 0 if the hart has to do it.
 */
export function emitTrap(b: FunctionBuilder, select: number): void {
  const [cause, value] = [1, 2];
  const [status, privilege] = [b.local(i32), b.local(i32)];
  const slow = b.block();
  low(b, Slot.privilege).tee(privilege).i32(Privilege.supervisor).op(Op.i32_gt_u).brIf(slow);
  low(b, Slot.medeleg).get(cause).op(Op.i32_shr_u).i32(1).op(Op.i32_and).op(Op.i32_eqz).brIf(slow);
  low(b, Slot.mstatus).tee(status).i32(Status.MPRV).op(Op.i32_and).brIf(slow);
  b.get(HART).i32(Privilege.supervisor).get(status).call(select).op(Op.i32_eqz).brIf(slow);
  copySlot(b, HartState.pc, Slot.sepc * 4);
  const store = (slot: number) => b.memory(Memory.i64_store, slot * 4);
  b.get(HART).get(cause).op(Op.i64_extend_i32_u);
  store(Slot.scause);
  b.get(HART).get(value);
  store(Slot.stval);
  // SIE moves to SPIE, and SPP says where it came from.
  b.get(HART);
  b.get(status)
    .i32(~(Status.SIE | Status.SPIE | Status.SPP))
    .op(Op.i32_and);
  moveBit(b, status, Status.SIE, Status.SPIE).op(Op.i32_or);
  moveBit(b, privilege, Privilege.supervisor, Status.SPP).op(Op.i32_or);
  b.memory(Memory.i32_store, Slot.mstatus * 4);
  b.get(HART)
    .i32(Privilege.supervisor)
    .memory(Memory.i32_store, Slot.privilege * 4);
  b.get(HART);
  b.get(HART)
    .memory(Memory.i64_load, Slot.stvec * 4)
    .i64(-4n)
    .op(Op.i64_and);
  b.memory(Memory.i64_store, HartState.pc).i32(1).return();
  b.end();
  b.i32(0);
}

/**
 * Writes `takeException(hart)`: takes the trap for the exception that was recorded, and gives 1; or 0 for the hart's
 * `takeException`. It costs an instruction of the budget, which does not count as retired: a guest may fault forever.
 */
export function emitTakeException(b: FunctionBuilder, trap: number): void {
  const cause = b.local(i32);
  const slow = b.block();
  emitAnyInterrupt(b);
  b.brIf(slow);
  b.get(HART).memory(Memory.i32_load, HartState.cause).set(cause);
  // An illegal instruction is to be read for its value, and a call of S-mode may be for the hypervisor.
  b.i32((1 << Cause.illegal) | (1 << Cause.supervisorCall))
    .get(cause)
    .op(Op.i32_shr_u)
    .i32(1)
    .op(Op.i32_and)
    .brIf(slow);
  b.get(HART).get(cause).get(HART).memory(Memory.i64_load, HartState.exceptionValue).call(trap);
  b.op(Op.i32_eqz).brIf(slow);
  for (const at of [HartState.budget, HartState.budgetStart]) {
    b.get(HART).get(HART).memory(Memory.i32_load, at).i32(1).op(Op.i32_sub).memory(Memory.i32_store, at);
  }
  b.get(HART).i32(Signal.none).memory(Memory.i32_store, HartState.signal);
  b.i32(1).return().end();
  b.i32(0);
}

/** `ecall` in U-mode. */
function userCall(b: FunctionBuilder, { trap }: SystemCalls, slowIf: () => void): void {
  low(b, Slot.privilege);
  slowIf();
  b.get(HART).i32(Cause.userCall).i64(0n).call(trap).op(Op.i32_eqz);
  slowIf();
  jumped(b);
}

/** `sret` in S-mode. */
function supervisorReturn(b: FunctionBuilder, { select }: SystemCalls, slowIf: () => void): void {
  const [status, privilege] = [b.local(i32), b.local(i32)];
  low(b, Slot.privilege).i32(Privilege.supervisor).op(Op.i32_ne);
  low(b, Slot.mstatus)
    .tee(status)
    .i32(Status.MPRV | Status.TSR)
    .op(Op.i32_and)
    .op(Op.i32_or);
  slowIf();
  moveBit(b, status, Status.SPP, Privilege.supervisor).set(privilege);
  b.get(HART).get(privilege).get(status).call(select).op(Op.i32_eqz);
  slowIf();
  b.get(HART);
  b.get(status)
    .i32(~(Status.SIE | Status.SPP))
    .op(Op.i32_and);
  moveBit(b, status, Status.SPIE, Status.SIE).op(Op.i32_or).i32(Status.SPIE).op(Op.i32_or);
  b.memory(Memory.i32_store, Slot.mstatus * 4);
  b.get(HART)
    .get(privilege)
    .memory(Memory.i32_store, Slot.privilege * 4);
  copySlot(b, Slot.sepc * 4, HartState.pc);
  b.get(HART).i64(-1n).memory(Memory.i64_store, HartState.reservation);
  jumped(b);
}

/** `cbo.zero` of a block in RAM, where the environment allows it. */
function zeroBlock(b: FunctionBuilder, { writePage }: SystemCalls, slowIf: () => void): void {
  const address = 2;
  const at = b.local(i32);
  const page = b.local(i32);
  low(b, Slot.privilege).i32(Privilege.machine).op(Op.i32_eq);
  // U-mode needs both bits.
  low(b, Slot.menvcfg);
  low(b, Slot.senvcfg);
  low(b, Slot.privilege).i32(-1).op(Op.i32_mul).op(Op.i32_or).op(Op.i32_and);
  b.i32(Envcfg.CBZE).op(Op.i32_and).op(Op.i32_eqz).op(Op.i32_or);
  slowIf();
  b.get(HART).get(address).call(writePage).tee(page).op(Op.i32_eqz);
  slowIf();
  b.get(address)
    .op(Op.i32_wrap_i64)
    .i32(0xfff & -BLOCK_BYTES)
    .op(Op.i32_and)
    .get(page)
    .op(Op.i32_add)
    .set(at);
  for (let offset = 0; offset < BLOCK_BYTES; offset += 8) b.get(at).i64(0n).memory(Memory.i64_store, offset);
}

/** Leaves bit `to` if a local has bit `from`, else 0. */
function moveBit(b: FunctionBuilder, local: number, from: number, to: number): FunctionBuilder {
  b.get(local).i32(from).op(Op.i32_and);
  const distance = Math.log2(to) - Math.log2(from);
  if (distance !== 0) b.i32(Math.abs(distance)).op(distance > 0 ? Op.i32_shl : Op.i32_shr_u);
  return b;
}

function copySlot(b: FunctionBuilder, from: number, to: number): void {
  b.get(HART).get(HART).memory(Memory.i64_load, from).memory(Memory.i64_store, to);
}

function jumped(b: FunctionBuilder): void {
  b.get(HART).i32(Signal.jumped).memory(Memory.i32_store, HartState.signal);
}
