import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGE_SIZE, RAM_BASE } from "../memory.ts";
import { Cause } from "./cause.ts";
import { HartState, Signal, TLB_ADDEND, TLB_ENTRIES, TLB_ENTRY_BYTES, TlbTag } from "./layout.ts";
import { Privilege, Slot } from "./state.ts";
import {
  DEVICE_BASE,
  enterMode,
  entryFor,
  outcome,
  Pte,
  peek,
  poke,
  RAM_SIZE,
  type Sample,
  sample,
  satpFor,
  table,
} from "./testing/sample.ts";

const RWAD = Pte.R | Pte.W | Pte.A | Pte.D;
const RX = Pte.R | Pte.X | Pte.A;

/** Sv39 in S-mode with the pages at virtual 0, 0x1000 … mapped as given. */
function mapped(...entries: bigint[]): Sample {
  const machine = sample("supervisor");
  poke(machine.memory, table(0), entryFor(table(1), 0n));
  poke(machine.memory, table(1), entryFor(table(2), 0n));
  for (const [i, entry] of entries.entries()) poke(machine.memory, table(2) + 8 * i, entry);
  machine.hart.writeCsr(0x180, satpFor(8, 1, table(0)));
  return machine;
}

/** The tag that generated code would compare, or undefined when the entry is empty. */
function tag({ hart, memory }: Sample, slot: number, address: bigint, which: "read" | "write" | "execute") {
  const bank = hart.words[slot];
  const index = Number((address >> 12n) & BigInt(TLB_ENTRIES - 1));
  const value = memory.view.getBigInt64(bank + index * TLB_ENTRY_BYTES + TlbTag[which], true);
  return value === -1n ? undefined : value;
}

const data = HartState.dataTlb / 4;
const code = HartState.fetchTlb / 4;

test("load: extends each size with zeros and fills the read entry", () => {
  const machine = sample();
  poke(machine.memory, RAM_BASE + 8, 0xf1f2_f3f4_f5f6_f7f8n);
  const address = BigInt(RAM_BASE + 8);
  const values = [0, 1, 2, 3].map((log) => BigInt.asUintN(64, machine.hart.load(address, log)));
  assert.deepEqual(values, [0xf8n, 0xf7f8n, 0xf5f6_f7f8n, 0xf1f2_f3f4_f5f6_f7f8n]);
  assert.equal(tag(machine, data, address, "read"), BigInt(RAM_BASE));
  assert.deepEqual(outcome(machine.hart), { signal: Signal.none });
});

test("load: the addend of the entry leads generated code to the same bytes", () => {
  const machine = mapped(entryFor(RAM_BASE + 0x5000, RWAD));
  poke(machine.memory, RAM_BASE + 0x5010, 77n);
  assert.equal(machine.hart.load(0x10n, 3), 77n);
  const addend = machine.memory.view.getInt32(machine.hart.words[data] + TlbTag.read + TLB_ADDEND, true);
  assert.equal(machine.memory.view.getBigInt64((0x10 + addend) >>> 0, true), 77n);
});

test("store: writes each size and nothing beside it", () => {
  const { hart, memory } = sample();
  const address = RAM_BASE + 0x100;
  for (const [log, expected] of [0xffff_ffff_ffff_ff08n, 0xffff_ffff_ffff_0708n, 0xffff_ffff_0506_0708n].entries()) {
    poke(memory, address, -1n);
    hart.store(BigInt(address), log, 0x0102_0304_0506_0708n);
    assert.equal(peek(memory, address), expected);
  }
  hart.store(BigInt(address), 3, -2n);
  assert.equal(peek(memory, address), 0xffff_ffff_ffff_fffen);
});

test("load and store: cross a page boundary at every offset", () => {
  const { hart, memory } = mapped(entryFor(RAM_BASE + 0x9000, RWAD), entryFor(RAM_BASE + 0x3000, RWAD));
  for (const log of [1, 2, 3]) {
    for (let offset = 1; offset < 1 << log; offset++) {
      const address = BigInt(PAGE_SIZE - offset);
      const value = BigInt.asUintN(8 << log, 0x1122_3344_5566_7788n);
      hart.store(address, log, value);
      assert.equal(BigInt.asUintN(8 << log, hart.load(address, log)), value);
      assert.equal(memory.view.getUint8(memory.offsetOf(RAM_BASE + 0x9000 + PAGE_SIZE - offset, 1)), 0x88);
    }
  }
  assert.deepEqual(outcome(hart), { signal: Signal.none });
});

test("store: a fault on the second page names that page and changes nothing on the first", () => {
  const { hart, memory } = mapped(entryFor(RAM_BASE + 0x9000, RWAD), entryFor(RAM_BASE + 0x3000, RX));
  hart.store(0xffcn, 3, -1n);
  assert.deepEqual(outcome(hart), { signal: Signal.exception, cause: Cause.storePage, value: 0x1000n });
  assert.equal(peek(memory, RAM_BASE + 0x9ff8), 0n);
});

test("load: a fault on the first page of two names the address itself", () => {
  const { hart } = mapped(0n, entryFor(RAM_BASE + 0x3000, RWAD));
  hart.load(0xfffn, 1);
  assert.deepEqual(outcome(hart), { signal: Signal.exception, cause: Cause.loadPage, value: 0xfffn });
});

test("load: a crossing at the top of the address space continues at 0", () => {
  const machine = mapped(entryFor(RAM_BASE + 0x3000, RWAD));
  poke(machine.memory, table(0) + 511 * 8, entryFor(table(1), 0n));
  poke(machine.memory, table(1) + 511 * 8, entryFor(table(2), 0n));
  poke(machine.memory, table(2) + 511 * 8, entryFor(RAM_BASE + 0x9000, RWAD));
  poke(machine.memory, RAM_BASE + 0x9ff8, 0x1122_3344_5566_7788n);
  poke(machine.memory, RAM_BASE + 0x3000, 0xaabbn);
  assert.equal(machine.hart.load(0xffff_ffff_ffff_fffen, 2), 0xaabb_1122n);
});

test("load and store: reach a device with its offset and size, and leave the TLB alone", () => {
  const machine = sample();
  const { hart, device } = machine;
  assert.equal(hart.load(BigInt(DEVICE_BASE + 4), 2), 0xa5a5_a504n);
  hart.store(BigInt(DEVICE_BASE + 2), 1, 0x1_2345n);
  assert.deepEqual(device.accesses, [
    { offset: 4, bytes: 4 },
    { offset: 2, bytes: 2, value: 0x2345 },
  ]);
  assert.equal(tag(machine, data, BigInt(DEVICE_BASE), "read"), undefined);
  assert.equal(tag(machine, data, BigInt(DEVICE_BASE), "write"), undefined);
});

test("load and store: raise an access fault where nothing is, and for misaligned access to a device", () => {
  const { hart } = sample();
  const nowhere = [0n, BigInt(RAM_BASE - 1), BigInt(RAM_BASE + RAM_SIZE), 1n << 60n, (1n << 64n) - 8n];
  for (const address of [...nowhere, BigInt(DEVICE_BASE + 1), BigInt(DEVICE_BASE + 0xffe)]) {
    hart.load(address, 2);
    assert.deepEqual(outcome(hart).cause, Cause.loadAccess, `load at ${address.toString(16)}`);
    hart.store(address, 2, 0n);
    assert.deepEqual(outcome(hart).cause, Cause.storeAccess, `store at ${address.toString(16)}`);
  }
});

test("store: leaves when a device makes an interrupt deliverable", () => {
  const { hart, bus } = sample();
  bus.attach(0x200_0000, 0x1000, {
    read: () => 0,
    write: (_offset, _bytes, value) => hart.setPending(3, value !== 0),
  });
  hart.writeCsr(0x304, 8n);
  hart.store(0x200_0000n, 2, 1n);
  assert.deepEqual(outcome(hart), { signal: Signal.none });
  hart.writeCsr(0x300, 8n);
  hart.store(0x200_0000n, 2, 1n);
  assert.deepEqual(outcome(hart), { signal: Signal.leave });
});

test("atomicAddress: gives the operand's offset and faults on misalignment, devices and missing permission", () => {
  const { hart, memory } = mapped(entryFor(RAM_BASE + 0x9000, RWAD), entryFor(RAM_BASE + 0x3000, RX));
  assert.equal(hart.atomicAddress(0x18n, 3, 1), memory.offsetOf(RAM_BASE + 0x9018, 8));
  const faults: [bigint, number, number, number][] = [
    [0x14n, 3, 0, Cause.loadMisaligned],
    [0x12n, 2, 1, Cause.storeMisaligned],
    [0x8n, 4, 1, Cause.storeMisaligned],
    [0x1000n, 3, 1, Cause.storePage],
    [0x2000n, 3, 0, Cause.loadPage],
  ];
  for (const [address, log, write, cause] of faults) {
    assert.equal(hart.atomicAddress(address, log, write), 0);
    assert.deepEqual(outcome(hart), { signal: Signal.exception, cause, value: address });
  }
  enterMode(hart, Privilege.machine);
  assert.equal(hart.atomicAddress(BigInt(DEVICE_BASE), 2, 1), 0);
  assert.equal(outcome(hart).cause, Cause.storeAccess);
  assert.equal(hart.atomicAddress(BigInt(DEVICE_BASE), 2, 0), 0);
  assert.equal(outcome(hart).cause, Cause.loadAccess);
});

test("fetch: fills the execute entry and gives where the instruction lies", () => {
  const machine = mapped(entryFor(RAM_BASE + 0x9000, RX), entryFor(RAM_BASE + 0x3000, RWAD));
  assert.equal(machine.hart.fetch(0x10n), machine.memory.offsetOf(RAM_BASE + 0x9010, 2));
  assert.equal(tag(machine, code, 0x10n, "execute"), 0n);
  assert.equal(machine.hart.fetch(0x1000n), 0);
  assert.deepEqual(outcome(machine.hart), { signal: Signal.exception, cause: Cause.fetchPage, value: 0x1000n });
});

test("fetch: refuses a device and an address where nothing is", () => {
  const { hart } = sample();
  for (const address of [BigInt(DEVICE_BASE), 0n, BigInt(RAM_BASE + RAM_SIZE)]) {
    assert.equal(hart.fetch(address), 0);
    assert.deepEqual(outcome(hart), { signal: Signal.exception, cause: Cause.fetchAccess, value: address });
  }
});

test("fetch: on a page that PMP divides checks both halves of an instruction and keeps it out of the TLB", () => {
  const machine = sample();
  const { hart, memory } = machine;
  hart.writeCsr(0x3b0, BigInt(RAM_BASE + 0x104) >> 2n);
  hart.writeCsr(0x3a0, 0x0dn);
  enterMode(hart, Privilege.supervisor);
  memory.view.setUint32(memory.offsetOf(RAM_BASE + 0x100, 4), 0x0000_0013, true);
  memory.view.setUint16(memory.offsetOf(RAM_BASE + 0x102, 2), 0x0013, true);
  assert.notEqual(hart.fetch(BigInt(RAM_BASE + 0x100)), 0);
  assert.equal(tag(machine, code, BigInt(RAM_BASE), "execute"), undefined);
  assert.equal(hart.fetch(BigInt(RAM_BASE + 0x102)), 0);
  assert.deepEqual(outcome(hart).value, BigInt(RAM_BASE + 0x104));
  memory.view.setUint16(memory.offsetOf(RAM_BASE + 0x102, 2), 0x0001, true);
  assert.notEqual(hart.fetch(BigInt(RAM_BASE + 0x102)), 0);
});

test("store: tells of a write to a page of translated code and gives it no write entry", () => {
  const machine = sample();
  const { hart, memory } = machine;
  const codePage = (RAM_BASE + 0x2000) / PAGE_SIZE;
  const writes: [number, number][] = [];
  memory.onWrite = (address, length) => writes.push([address, length]);
  hart.isCodePage = (page) => page === codePage;
  hart.store(BigInt(RAM_BASE + 0x2010), 2, 1n);
  hart.store(BigInt(RAM_BASE + 0x1ffe), 2, 1n);
  hart.store(BigInt(RAM_BASE + 0x5000), 2, 1n);
  assert.deepEqual(writes, [
    [RAM_BASE + 0x2010, 4],
    [RAM_BASE + 0x2000, 2],
  ]);
  assert.equal(tag(machine, data, BigInt(RAM_BASE + 0x2000), "write"), undefined);
  assert.equal(tag(machine, data, BigInt(RAM_BASE + 0x5000), "write"), BigInt(RAM_BASE + 0x5000));
});

test("dropWriteTags: takes the write entry of a page in every bank and leaves the read entry", () => {
  const machine = mapped(entryFor(RAM_BASE + 0x9000, RWAD));
  const { hart } = machine;
  hart.load(0n, 3);
  hart.store(0n, 3, 1n);
  assert.equal(tag(machine, data, 0n, "write"), 0n);
  const supervisorBank = hart.words[data];
  enterMode(hart, Privilege.machine);
  hart.load(BigInt(RAM_BASE + 0x9000), 3);
  hart.store(BigInt(RAM_BASE + 0x9000), 3, 1n);
  assert.equal(tag(machine, data, BigInt(RAM_BASE + 0x9000), "write"), BigInt(RAM_BASE + 0x9000));
  hart.dropWriteTags((RAM_BASE + 0x9000) / PAGE_SIZE);
  assert.equal(tag(machine, data, BigInt(RAM_BASE + 0x9000), "write"), undefined);
  assert.equal(tag(machine, data, BigInt(RAM_BASE + 0x9000), "read"), BigInt(RAM_BASE + 0x9000));
  enterMode(hart, Privilege.supervisor);
  assert.equal(hart.words[data], supervisorBank);
  assert.equal(tag(machine, data, 0n, "write"), undefined);
  assert.equal(tag(machine, data, 0n, "read"), 0n);
});

test("load: enters a page for reading alone, so that the first store sees to its D bit", () => {
  const machine = mapped(entryFor(RAM_BASE + 0x9000, Pte.R | Pte.W | Pte.A), entryFor(RAM_BASE + 0x9000, RWAD));
  for (const address of [0n, 0x1000n]) {
    machine.hart.load(address, 3);
    assert.equal(tag(machine, data, address, "read"), address);
    assert.equal(tag(machine, data, address, "write"), undefined);
  }
});

test("load: MPRV makes M-mode see memory as MPP does, fetches stay physical", () => {
  const { hart, memory } = mapped(entryFor(RAM_BASE + 0x9000, RWAD));
  poke(memory, RAM_BASE + 0x9000, 42n);
  enterMode(hart, Privilege.machine);
  hart.writeCsr(0x300, (1n << 17n) | (1n << 11n));
  assert.equal(hart.load(0n, 3), 42n);
  assert.notEqual(hart.fetch(BigInt(RAM_BASE)), 0);
  assert.equal(hart.words[Slot.privilege], Privilege.machine);
});
