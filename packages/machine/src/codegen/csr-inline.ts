/**
 * CSR accesses that translated code makes without any call, where the number is known: the registers of traps, reads of
 * `sstatus`, and turning its SIE on and off. @spec unprivileged "Zicsr". Who calls it: `WasmOperations.csr`.
 */
import type { CsrOperation } from "@bulkhead/isa";
import { HartState } from "../hart/layout.ts";
import { Privilege, Slot } from "../hart/state.ts";
import { Status } from "../hart/status.ts";
import { type FunctionBuilder, Memory, Op } from "../wasm/index.ts";
import { SSTATUS_BITS, SSTATUS_FIXED, trapRegisters } from "./csr-access.ts";
import type { Expression } from "./expression.ts";
import { emitAnyInterrupt, low } from "./privilege.ts";

const HART = 0;
const SSTATUS = 0x100;
const SIE = BigInt(Status.SIE);

/** An access of an instruction to a CSR that is worth it. */
export interface InlineCsr {
  /** Leaves whether the access has to be left to the call-out: for an exception, or for what depends on more. */
  emitIsForHart(b: FunctionBuilder): void;
  /** Reads the old value into an i64 local if asked to, then writes. */
  emitAccess(b: FunctionBuilder, old: number): void;
  /** The call-out may signal `leave`. */
  readonly mayLeave: boolean;
}

/** What is known of an access when code is generated. */
export interface KnownCsr {
  readonly number: number;
  readonly operation: CsrOperation;
  /** Whether rd is not x0, and whether the operation changes anything. */
  readonly reads: boolean;
  readonly writes: boolean;
  readonly value: Expression;
}

/** The inline form of an access, if there is one. */
export function inlineCsr(access: KnownCsr): InlineCsr | undefined {
  if (access.number === SSTATUS) return supervisorStatus(access);
  const register = trapRegisters.find(({ first }) => access.number - first >= 0 && access.number - first < 4);
  if (register === undefined) return undefined;
  const index = access.number - register.first;
  return trapRegister(access, (register.slot + 2 * index) * 4, register.privilege, index === EPC ? -2n : -1n);
}

/** `sepc` and `mepc` among the trap registers. */
const EPC = 1;

/** @param at offset in the hart's state. @param mask the bits that can be written. */
function trapRegister(access: KnownCsr, at: number, privilege: number, mask: bigint): InlineCsr {
  const { operation, reads, writes, value } = access;
  return {
    emitIsForHart: (b) => low(b, Slot.privilege).i32(privilege).op(Op.i32_lt_u),
    emitAccess: (b, old) => {
      const needsOld = reads || operation !== "write";
      if (needsOld) b.get(HART).memory(Memory.i64_load, at).set(old);
      if (!writes) return;
      b.get(HART);
      if (operation !== "write") b.get(old);
      value.emit(b);
      if (operation === "set") b.op(Op.i64_or);
      if (operation === "clear") b.i64(-1n).op(Op.i64_xor).op(Op.i64_and);
      if (mask !== -1n) b.i64(mask).op(Op.i64_and);
      b.memory(Memory.i64_store, at);
    },
    mayLeave: false,
  };
}

/** Only what leaves the banks of the TLB and floating point as they are. */
function supervisorStatus({ operation, reads, writes, value }: KnownCsr): InlineCsr | undefined {
  const at = Slot.mstatus * 4;
  if (writes && (operation === "write" || !value.isConstant(SIE))) return undefined;
  const enables = writes && operation === "set";
  return {
    emitIsForHart: (b) => {
      low(b, Slot.privilege).i32(Privilege.supervisor).op(Op.i32_lt_u);
      // FS has to be brought up to date before it is read, and an interrupt may become possible that is pending.
      if (reads) b.get(HART).memory(Memory.i32_load, HartState.floatDirty).op(Op.i32_or);
      if (enables) {
        emitAnyInterrupt(b);
        b.op(Op.i32_or);
      }
    },
    emitAccess: (b, old) => {
      if (reads) {
        b.get(HART).memory(Memory.i64_load, at).i64(SSTATUS_BITS).op(Op.i64_and);
        b.i64(SSTATUS_FIXED).op(Op.i64_or).set(old);
      }
      if (!writes) return;
      b.get(HART).get(HART).memory(Memory.i32_load, at);
      if (enables) b.i32(Status.SIE).op(Op.i32_or);
      else b.i32(~Status.SIE).op(Op.i32_and);
      b.memory(Memory.i32_store, at);
    },
    mayLeave: enables,
  };
}
