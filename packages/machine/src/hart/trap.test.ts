import assert from "node:assert/strict";
import { test } from "node:test";
import { RAM_BASE } from "../memory.ts";
import { Cause } from "./cause.ts";
import { DELEGABLE_EXCEPTIONS } from "./csr-table.ts";
import { HartState, Signal } from "./layout.ts";
import { Privilege, Slot } from "./state.ts";
import { enterMode, sample, system } from "./testing/sample.ts";

const MSTATUS = 0x300;
const MEDELEG = 0x302;
const MIDELEG = 0x303;
const MIE = 0x304;
const MTVEC = 0x305;
const MEPC = 0x341;
const MCAUSE = 0x342;
const MTVAL = 0x343;
const STVEC = 0x105;
const SEPC = 0x141;
const SCAUSE = 0x142;
const STVAL = 0x143;

const SIE = 1n << 1n;
const MIE_BIT = 1n << 3n;
const SPIE = 1n << 5n;
const MPIE = 1n << 7n;
const SPP = 1n << 8n;
const MPP = 3n << 11n;
const MPRV = 1n << 17n;
const STATUS_STACK = SIE | MIE_BIT | SPIE | MPIE | SPP | MPP | MPRV;

const modes = [Privilege.user, Privilege.supervisor, Privilege.machine] as const;

/** A hart in a mode with both vectors set, at pc 0x8000_0400. */
function hartIn(mode: number, vectored = false) {
  const { hart } = sample();
  hart.writeCsr(MTVEC, 0x8000_1000n | (vectored ? 1n : 0n));
  hart.writeCsr(STVEC, 0xffff_ffff_8000_2000n | (vectored ? 1n : 0n));
  hart.pc = BigInt(RAM_BASE + 0x400);
  enterMode(hart, mode);
  return hart;
}

test("takeException: goes where medeleg says, for every cause and mode", () => {
  for (const cause of Object.values(Cause)) {
    for (const mode of modes) {
      for (const delegated of [0n, 1n << BigInt(cause)]) {
        const hart = hartIn(mode);
        hart.writeCsr(MEDELEG, delegated);
        hart.raise(cause, 0x1234, 0x5678);
        hart.takeException();
        const toSupervisor = mode < 3 && (delegated & DELEGABLE_EXCEPTIONS) !== 0n;
        const [epc, code, value] = toSupervisor ? [SEPC, SCAUSE, STVAL] : [MEPC, MCAUSE, MTVAL];
        assert.equal(hart.privilege, toSupervisor ? Privilege.supervisor : Privilege.machine);
        assert.equal(hart.pc, toSupervisor ? 0xffff_ffff_8000_2000n : 0x8000_1000n);
        assert.equal(hart.readCsr(epc), BigInt(RAM_BASE + 0x400));
        assert.equal(hart.readCsr(code), BigInt(cause));
        assert.equal(hart.readCsr(value), cause === Cause.illegal ? 0n : 0x5678_0000_1234n);
        assert.equal(hart.takeSignal(), Signal.none);
      }
    }
  }
});

test("takeException: keeps where it came from in mstatus", () => {
  for (const mode of modes) {
    for (const enabled of [0n, SIE | MIE_BIT]) {
      const hart = hartIn(mode);
      hart.writeCsr(MSTATUS, enabled);
      hart.raise(Cause.breakpoint, 0, 0);
      hart.takeException();
      const status = hart.readCsr(MSTATUS) & STATUS_STACK;
      const previous = (BigInt(mode) << 11n) | (enabled === 0n ? 0n : MPIE | SIE);
      assert.equal(status, previous, `from mode ${mode}`);
      if (mode === 3) continue;
      const delegated = hartIn(mode);
      delegated.writeCsr(MEDELEG, 8n);
      delegated.writeCsr(MSTATUS, enabled);
      delegated.raise(Cause.breakpoint, 0, 0);
      delegated.takeException();
      const supervisor = (mode === 1 ? SPP : 0n) | (enabled === 0n ? 0n : SPIE | MIE_BIT);
      assert.equal(delegated.readCsr(MSTATUS) & STATUS_STACK, supervisor);
    }
  }
});

test("takeException: an illegal instruction leaves its bits, 16 or 32 of them, also across pages", () => {
  for (const [pc, halves, expected] of [
    [RAM_BASE + 0x400, [0xabcd, 0x1234], 0xabcdn],
    [RAM_BASE + 0x400, [0xabcf, 0x9234], 0x9234_abcfn],
    [RAM_BASE + 0xffe, [0xabcf, 0x1234], 0x1234_abcfn],
  ] as const) {
    const { hart, memory } = sample();
    for (const [i, half] of halves.entries()) memory.view.setUint16(memory.offsetOf(pc + 2 * i, 2), half, true);
    hart.pc = BigInt(pc);
    hart.csr(0xfff, 0, 0, 0n);
    hart.takeException();
    assert.equal(hart.readCsr(MTVAL), expected);
  }
});

test("takeInterrupt: vectored mode adds four times the number, exceptions still go to the base", () => {
  const hart = hartIn(Privilege.user, true);
  hart.writeCsr(MIDELEG, 1n << 9n);
  hart.writeCsr(MIE, -1n);
  hart.setPending(9, true);
  assert.equal(hart.takeInterrupt(), true);
  assert.equal(hart.pc, 0xffff_ffff_8000_2000n + 36n);
  assert.equal(hart.readCsr(SCAUSE), (1n << 63n) | 9n);
  assert.equal(hart.readCsr(STVAL), 0n);
  hart.setPending(7, true);
  assert.equal(hart.takeInterrupt(), true);
  assert.equal(hart.pc, 0x8000_1000n + 28n);
  hart.raise(Cause.breakpoint, 0, 0);
  hart.takeException();
  assert.equal(hart.pc, 0x8000_1000n);
});

test("takeInterrupt: a vector at the end of the low half carries into the high one", () => {
  const hart = hartIn(Privilege.user);
  hart.writeCsr(MTVEC, 0x1_ffff_fffdn);
  hart.writeCsr(MIE, -1n);
  hart.setPending(3, true);
  hart.takeInterrupt();
  assert.equal(hart.pc, 0x2_0000_0008n);
});

test("mret: returns to MPP, restores MIE, makes MPP U and clears MPRV on the way out of M-mode", () => {
  for (const mode of modes) {
    for (const previous of [0n, MPIE]) {
      const hart = hartIn(Privilege.machine);
      hart.writeCsr(MSTATUS, (BigInt(mode) << 11n) | previous | MPRV | MIE_BIT);
      hart.writeCsr(MEPC, 0x8000_0803n);
      assert.deepEqual(system(hart, "mret"), { signal: Signal.jumped });
      assert.equal(hart.privilege, mode);
      assert.equal(hart.pc, 0x8000_0802n);
      const expected = MPIE | (previous === 0n ? 0n : MIE_BIT) | (mode === 3 ? MPRV : 0n);
      assert.equal(hart.readCsr(MSTATUS) & STATUS_STACK, expected);
    }
  }
});

test("sret: returns to SPP, restores SIE, makes SPP U and clears MPRV, from S- and from M-mode", () => {
  for (const from of [Privilege.supervisor, Privilege.machine]) {
    for (const [spp, to] of [
      [0n, Privilege.user],
      [SPP, Privilege.supervisor],
    ] as const) {
      const hart = hartIn(from);
      hart.writeCsr(MSTATUS, spp | SPIE | MPRV);
      hart.writeCsr(SEPC, 0x8000_0802n);
      assert.deepEqual(system(hart, "sret"), { signal: Signal.jumped });
      assert.equal(hart.privilege, to);
      assert.equal(hart.pc, 0x8000_0802n);
      assert.equal(hart.readCsr(MSTATUS) & STATUS_STACK, SPIE | SIE);
    }
  }
});

test("mret and sret: drop the reservation and point generated code at the address space they return to", () => {
  for (const name of ["mret", "sret"] as const) {
    const hart = hartIn(Privilege.machine);
    hart.writeCsr(MSTATUS, 0n);
    hart.doublewords[HartState.reservation / 8] = 0x1000n;
    const { fetchSpace } = hart;
    system(hart, name);
    assert.equal(hart.doublewords[HartState.reservation / 8], -1n);
    assert.notEqual(hart.fetchSpace, fetchSpace);
    assert.equal(hart.words[Slot.privilege], Privilege.user);
  }
});

test("ecall: raises the call of its mode with value 0; ebreak gives the pc", () => {
  const causes = { 0: Cause.userCall, 1: Cause.supervisorCall, 3: Cause.machineCall };
  for (const mode of modes) {
    const hart = hartIn(mode);
    assert.deepEqual(system(hart, "ecall"), { signal: Signal.exception, cause: causes[mode], value: 0n });
    const value = BigInt(RAM_BASE + 0x400);
    assert.deepEqual(system(hart, "ebreak"), { signal: Signal.exception, cause: Cause.breakpoint, value });
  }
});
