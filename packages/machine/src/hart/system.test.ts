import assert from "node:assert/strict";
import { test } from "node:test";
import { type SystemOperation, systemOperations } from "@bulkhead/isa";
import { RAM_BASE } from "../memory.ts";
import { Cause } from "./cause.ts";
import { Signal } from "./layout.ts";
import { Privilege } from "./state.ts";
import { DEVICE_BASE, enterMode, entryFor, Pte, peek, poke, sample, satpFor, system, table } from "./testing/sample.ts";

const MSTATUS = 0x300;
const MENVCFG = 0x30a;
const SENVCFG = 0x10a;
const TVM = 1n << 20n;
const TW = 1n << 21n;
const TSR = 1n << 22n;
const USER = 0;
const BOTH = 0xf0n;

/** The lowest mode that may execute it, and the `mstatus` bit that keeps it from S-mode. */
const rules: Partial<Record<SystemOperation, [number, bigint]>> = {
  mret: [Privilege.machine, 0n],
  sret: [Privilege.supervisor, TSR],
  wfi: [Privilege.supervisor, TW],
  "wrs.nto": [Privilege.user, 0n],
  "wrs.sto": [Privilege.user, 0n],
  "fence.i": [Privilege.user, 0n],
  "sfence.vma": [Privilege.supervisor, TVM],
  "sinval.vma": [Privilege.supervisor, TVM],
  "sfence.w.inval": [Privilege.supervisor, 0n],
  "sfence.inval.ir": [Privilege.supervisor, 0n],
};

for (const [name, [lowest, trap]] of Object.entries(rules) as [SystemOperation, [number, bigint]][]) {
  test(`${name}: is legal in its modes, traps in S-mode only where its mstatus bit says so`, () => {
    for (const mode of [Privilege.user, Privilege.supervisor, Privilege.machine]) {
      for (const status of [0n, TVM, TW, TSR]) {
        const { hart } = sample();
        hart.writeCsr(MSTATUS, status);
        enterMode(hart, mode);
        const legal = mode >= lowest && !(mode === Privilege.supervisor && status === trap && trap !== 0n);
        const { signal, cause } = system(hart, name, -1n, -1n);
        assert.equal(signal !== Signal.exception, legal, `mode ${mode}, mstatus ${status.toString(16)}`);
        if (!legal) assert.equal(cause, Cause.illegal);
      }
    }
  });
}

test("illegal: is illegal in every mode", () => {
  const { hart } = sample();
  assert.equal(system(hart, "illegal").cause, Cause.illegal);
});

test("system: serves every operation of the table without throwing", () => {
  for (const name of systemOperations) {
    for (const mode of [Privilege.user, Privilege.supervisor, Privilege.machine]) {
      const { hart } = sample();
      enterMode(hart, mode);
      system(hart, name, 0x8000_0000n, 0n);
    }
  }
});

test("fence.i: calls its hook and leaves", () => {
  const { hart } = sample();
  let calls = 0;
  hart.instructionFence = () => {
    calls++;
  };
  assert.deepEqual(system(hart, "fence.i"), { signal: Signal.leave });
  assert.equal(calls, 1);
});

const blockBits: [SystemOperation, bigint][] = [
  ["cbo.inval", 0x30n],
  ["cbo.clean", 0x40n],
  ["cbo.flush", 0x40n],
  ["cbo.zero", 0x80n],
];

test("cbo: needs its menvcfg field below M-mode and its senvcfg field in U-mode", () => {
  for (const [name, bits] of blockBits) {
    for (const machine of [0n, bits]) {
      for (const supervisor of [0n, bits]) {
        const { hart } = sample("supervisor");
        hart.writeCsr(MENVCFG, machine);
        hart.writeCsr(SENVCFG, supervisor);
        for (const mode of [Privilege.user, Privilege.supervisor, Privilege.machine]) {
          enterMode(hart, mode);
          const legal = mode === 3 || (machine !== 0n && (mode === 1 || supervisor !== 0n));
          const { signal } = system(hart, name, BigInt(RAM_BASE));
          assert.equal(signal !== Signal.exception, legal, `${name} in mode ${mode}`);
        }
      }
    }
  }
});

test("cbo.zero: clears the 64 bytes around the address and nothing else", () => {
  const { hart, memory } = sample();
  for (let at = 0; at < 256; at += 8) poke(memory, RAM_BASE + at, -1n);
  system(hart, "cbo.zero", BigInt(RAM_BASE + 64 + 37));
  for (let at = 0; at < 256; at += 8) {
    assert.equal(peek(memory, RAM_BASE + at) === 0n, at >= 64 && at < 128, `at ${at}`);
  }
});

test("cbo.zero: tells of the write when translated code is there", () => {
  const { hart, memory } = sample();
  const writes: [number, number][] = [];
  memory.onWrite = (address, length) => writes.push([address, length]);
  hart.isCodePage = (page) => page === RAM_BASE / 4096;
  system(hart, "cbo.zero", BigInt(RAM_BASE + 0x7f));
  system(hart, "cbo.zero", BigInt(RAM_BASE + 0x1000));
  assert.deepEqual(writes, [[RAM_BASE + 0x40, 64]]);
});

test("cbo.zero: clears through the TLB what it has entered there, and never a page that code was translated from since", () => {
  const { hart, memory } = sample("supervisor");
  const writes: number[] = [];
  memory.onWrite = (address) => writes.push(address);
  for (const offset of [0, 64, 128]) {
    poke(memory, RAM_BASE + offset + 56, -1n);
    assert.deepEqual(system(hart, "cbo.zero", BigInt(RAM_BASE + offset)), { signal: Signal.none });
    assert.equal(peek(memory, RAM_BASE + offset + 56), 0n);
  }
  hart.isCodePage = () => true;
  hart.dropWriteTags(RAM_BASE / 4096);
  system(hart, "cbo.zero", BigInt(RAM_BASE + 192));
  assert.deepEqual(writes, [RAM_BASE + 192]);
});

test("cbo: faults count as a store's and name the address given", () => {
  const { hart, memory } = sample("supervisor");
  poke(memory, table(0), entryFor(table(1), 0n));
  poke(memory, table(1), entryFor(table(2), 0n));
  poke(memory, table(2), entryFor(RAM_BASE, Pte.R | Pte.A));
  poke(memory, table(2) + 8, entryFor(DEVICE_BASE, Pte.R | Pte.W | Pte.A | Pte.D));
  hart.writeCsr(SENVCFG, BOTH);
  hart.writeCsr(0x180, satpFor(8, 0, table(0)));
  for (const [name] of blockBits) {
    const fault = (cause: number, value: bigint) => ({ signal: Signal.exception, cause, value });
    const readable = system(hart, name, 0x45n);
    if (name === "cbo.zero") assert.deepEqual(readable, fault(Cause.storePage, 0x45n));
    else assert.equal(readable.signal, Signal.none);
    assert.deepEqual(system(hart, name, 0x2045n), fault(Cause.storePage, 0x2045n));
    assert.deepEqual(system(hart, name, 0x1045n), fault(Cause.storeAccess, 0x1045n));
  }
  enterMode(hart, USER);
  assert.equal(system(hart, "cbo.clean", 0n).cause, Cause.storePage);
});
