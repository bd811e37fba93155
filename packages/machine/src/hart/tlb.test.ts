import assert from "node:assert/strict";
import { test } from "node:test";
import { RAM_BASE } from "../memory.ts";
import {
  BankState,
  HartState,
  JUMP_ENTRIES,
  JumpEntry,
  Signal,
  TLB_ADDEND,
  TLB_BANKS,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TlbTag,
} from "./layout.ts";
import { EXECUTE, READ, WRITE } from "./pmp.ts";
import { Privilege, Slot, Word } from "./state.ts";
import { enterMode, entryFor, Pte, poke, type Sample, sample, satpFor, system, table } from "./testing/sample.ts";

const SATP = 0x180;
const SSTATUS = 0x100;
const SUM = 1n << 18n;
const LEAF = Pte.R | Pte.W | Pte.X | Pte.A | Pte.D;
const A = RAM_BASE + 0x20_0000;
const B = RAM_BASE + 0x20_1000;
const ALL = -1n;

/** S-mode under Sv39 with virtual page 1 on page A, whose first word is 1; page B's is 2. */
function machine(asid = 1): Sample {
  const made = sample("supervisor");
  poke(made.memory, A, 1n);
  poke(made.memory, B, 2n);
  poke(made.memory, table(0), entryFor(table(1), 0n));
  poke(made.memory, table(1), entryFor(table(2), 0n));
  map(made, A);
  made.hart.writeCsr(SATP, satpFor(8, asid, table(0)));
  return made;
}

const map = ({ memory }: Sample, physical: number): void => poke(memory, table(2) + 8, entryFor(physical, LEAF));

const entryAt = (bank: number, address: bigint): number =>
  bank + Number((address >> 12n) & BigInt(TLB_ENTRIES - 1)) * TLB_ENTRY_BYTES;

/** What generated code would read: through the TLB if it hits, else by the call-out. */
function read({ hart, memory }: Sample, address = 0x1000n): bigint {
  const at = entryAt(hart.words[Word.dataTlb], address) + TlbTag.read;
  if (memory.view.getBigInt64(at, true) !== (address & ~0xfffn)) return hart.load(address, 3);
  const addend = memory.view.getInt32(at + TLB_ADDEND, true);
  return memory.view.getBigInt64((Number(address) + addend) >>> 0, true);
}

/** What generated code would execute. */
function fetched({ hart, memory }: Sample, address = 0x1000n): bigint {
  const at = entryAt(hart.words[Word.fetchTlb], address) + TlbTag.execute;
  const hit = memory.view.getBigInt64(at, true) === (address & ~0xfffn);
  const offset = hit ? Number(address) + memory.view.getInt32(at + TLB_ADDEND, true) : hart.fetch(address);
  return memory.view.getBigInt64(offset >>> 0, true);
}

test("select: one bank per address space, the same one when it comes back", () => {
  const made = machine();
  const { hart } = made;
  read(made);
  const bank = hart.words[Word.dataTlb];
  enterMode(hart, Privilege.user);
  assert.notEqual(hart.words[Word.dataTlb], bank);
  enterMode(hart, Privilege.supervisor);
  assert.equal(hart.words[Word.dataTlb], bank);
  map(made, B);
  assert.equal(read(made), 1n, "the translation is still cached");
});

test("select: SUM changes where data is looked up and leaves fetches alone", () => {
  const { hart } = machine();
  const [data, code] = [hart.words[Word.dataTlb], hart.words[Word.fetchTlb]];
  hart.writeCsr(SSTATUS, SUM);
  assert.notEqual(hart.words[Word.dataTlb], data);
  assert.equal(hart.words[Word.fetchTlb], code);
});

test("select: SUM means nothing to U-mode and no bit means anything without translation", () => {
  const { hart } = machine();
  const banks = [0, 4].map((bits) => hart.tlb.select(Privilege.user | bits));
  assert.equal(banks[0], banks[1]);
  hart.writeCsr(SATP, 0n);
  const bare = [0, 4, 8, 12].map((bits) => hart.tlb.select(Privilege.supervisor | bits));
  assert.equal(new Set(bare).size, 1);
});

test("select: an ASID is an address space of its own, and more of them than banks still translate right", () => {
  const made = machine();
  const roots = Array.from({ length: TLB_BANKS + 3 }, (_, i) => i);
  for (const i of roots) {
    poke(made.memory, table(10 + 3 * i), entryFor(table(11 + 3 * i), 0n));
    poke(made.memory, table(11 + 3 * i), entryFor(table(12 + 3 * i), 0n));
    poke(made.memory, table(12 + 3 * i) + 8, entryFor(A + 0x1000 * i, LEAF));
    poke(made.memory, A + 0x1000 * i, BigInt(1000 + i));
  }
  for (const round of [0, 1, 2]) {
    for (const i of round === 1 ? roots.toReversed() : roots) {
      made.hart.writeCsr(SATP, satpFor(8, i, table(10 + 3 * i)));
      assert.equal(read(made), BigInt(1000 + i));
    }
  }
});

test("select: the same ASID with another root does not reuse translations", () => {
  const made = machine();
  read(made);
  poke(made.memory, table(5), entryFor(table(6), 0n));
  poke(made.memory, table(6), entryFor(table(7), 0n));
  poke(made.memory, table(7) + 8, entryFor(B, LEAF));
  made.hart.writeCsr(SATP, satpFor(8, 1, table(5)));
  assert.equal(read(made), 2n);
});

const fences: [string, bigint, bigint][] = [
  ["all addresses, all ASIDs", ALL, ALL],
  ["one address, all ASIDs", 0x1000n, ALL],
  ["all addresses, one ASID", ALL, 1n],
  ["one address, one ASID", 0x1008n, 1n],
];

for (const name of ["sfence.vma", "sinval.vma"] as const) {
  for (const [what, address, asid] of fences) {
    test(`${name}: ${what}: the next access and the next fetch see the new table`, () => {
      const made = machine();
      const { hart } = made;
      assert.equal(fetched(made), 1n);
      assert.equal(read(made), 1n);
      map(made, B);
      system(hart, name, address, asid);
      assert.equal(read(made), 2n);
      assert.equal(fetched(made), 2n);
    });
  }
}

test("sfence.vma: leaves if the page of the instruction goes or the bank of data changes, and only then", () => {
  const rows: [string, bigint, bigint, number][] = [
    ["another page", 0x2000n, ALL, Signal.none],
    ["its own page", 0x1ffen, ALL, Signal.leave],
    ["its own page in another space", 0x1000n, 2n, Signal.none],
    ["all pages", ALL, ALL, Signal.leave],
    ["all pages of its space", ALL, 1n, Signal.leave],
    ["all pages of another space", ALL, 2n, Signal.none],
  ];
  for (const [what, address, asid, signal] of rows) {
    const made = machine();
    made.hart.pc = 0x1004n;
    fetched(made, 0x1000n);
    assert.deepEqual(system(made.hart, "sfence.vma", address, asid), { signal }, what);
  }
});

test("sfence.vma: for an ASID leaves M-mode only if its data moves to another bank; Bare spaces go with ASID 0", () => {
  const { hart } = machine();
  enterMode(hart, Privilege.machine);
  for (let asid = 0; asid < TLB_BANKS; asid++) {
    hart.writeCsr(SATP, satpFor(8, asid, table(0)));
    hart.writeCsr(0x300, (1n << 17n) | (1n << 11n));
    hart.pc = BigInt(A);
    hart.fetch(BigInt(A));
    const bank = hart.words[Word.dataTlb];
    const { signal } = system(hart, "sfence.vma", ALL, BigInt(asid));
    assert.equal(signal === Signal.leave, asid === 0 || hart.words[Word.dataTlb] !== bank, `ASID ${asid}`);
  }
});

test("sfence.vma: reaches spaces that are not current", () => {
  for (const [what, address, asid] of fences) {
    const made = machine();
    read(made);
    enterMode(made.hart, Privilege.machine);
    map(made, B);
    system(made.hart, "sfence.vma", address, asid);
    enterMode(made.hart, Privilege.supervisor);
    assert.equal(read(made), 2n, what);
  }
});

test("sfence.vma: another ASID or another address keeps what is cached", () => {
  const made = machine();
  read(made);
  map(made, B);
  system(made.hart, "sfence.vma", ALL, 2n);
  system(made.hart, "sfence.vma", 0x2000n, ALL);
  system(made.hart, "sfence.vma", 0x1000n, 2n);
  assert.equal(read(made), 1n);
});

test("sfence.vma: any address of a superpage drops all of its pages, in both halves of the address space", () => {
  for (const base of [0x4000_0000n, 0xffff_ffc0_4000_0000n]) {
    const made = sample("supervisor");
    const root = Number((base >> 30n) & 511n);
    poke(made.memory, table(0) + 8 * root, entryFor(table(1), 0n));
    poke(made.memory, table(1), entryFor(RAM_BASE, LEAF));
    poke(made.memory, table(1) + 8, entryFor(RAM_BASE + 0x20_0000, LEAF));
    made.hart.writeCsr(SATP, satpFor(8, 0, table(0)));
    poke(made.memory, RAM_BASE + 0x3000, 1n);
    poke(made.memory, RAM_BASE + 0x20_3000, 2n);
    assert.equal(made.hart.load(base + 0x3000n, 3), 1n);
    poke(made.memory, table(1), entryFor(RAM_BASE + 0x20_0000, LEAF));
    system(made.hart, "sfence.vma", base + 0x1f_0000n, ALL);
    const bank = made.hart.dataSpace;
    assert.equal(made.memory.view.getBigInt64(bank.offset + 3 * TLB_ENTRY_BYTES, true), -1n);
    assert.equal(made.hart.load(base + 0x3000n, 3), 2n);
  }
});

test("clear: empties every entry that was ever used, and can do so again", () => {
  const { hart, memory } = machine();
  const bank = hart.dataSpace;
  const tags = new BigInt64Array(memory.buffer, bank.offset, BankState.used / 8);
  for (const round of [0, 1]) {
    for (let page = 0; page < 3 * TLB_ENTRIES; page++) {
      bank.install(page * 4096, round, 0x10_0000, READ | WRITE | EXECUTE, 0);
      if (page % 5 === 0) bank.clearPage(page * 4096, round);
    }
    assert.ok(tags.some((tag) => tag !== -1n));
    bank.clear();
    for (let i = 0; i < tags.length; i += 2) assert.equal(tags[i], -1n);
  }
});

test("find: gives the page's offset for the accesses it was entered for", () => {
  const { hart } = machine();
  const bank = hart.dataSpace;
  const found = (low: number, high = 0) => [READ, WRITE, EXECUTE].map((access) => bank.find(low, high, access));
  assert.deepEqual(found(0x1000), [-1, -1, -1]);
  bank.install(0x1000, 0, 0x10_0000, READ | EXECUTE, 0);
  assert.deepEqual(found(0x1ffc), [0x10_0000, -1, 0x10_0000]);
  assert.deepEqual(found(0x1000, 1), [-1, -1, -1]);
  bank.install(0x1000, 0, 0x10_0000, WRITE, 0);
  assert.deepEqual(found(0x1000), [0x10_0000, 0x10_0000, 0x10_0000]);
});

/** Tags of the three entries for virtual page 1 and all that share them. */
function tagsOf({ hart, memory }: Sample): bigint[] {
  return Object.values(TlbTag).map((tag) =>
    memory.view.getBigInt64(hart.dataSpace.offset + TLB_ENTRY_BYTES + tag, true),
  );
}

test("install: another page takes over an entry for one kind of access and leaves the others", () => {
  const made = machine();
  const bank = made.hart.dataSpace;
  bank.install(0x1000, 0, 0x10_0000, READ | WRITE | EXECUTE, 0);
  assert.deepEqual(tagsOf(made), [0x1000n, 0x1000n, 0x1000n]);
  const other = 0x1000 + 4096 * TLB_ENTRIES;
  bank.install(other, 0, 0x20_0000, READ, 0);
  assert.deepEqual(tagsOf(made), [BigInt(other), 0x1000n, 0x1000n]);
  assert.equal(bank.find(other, 0, READ), 0x20_0000);
  assert.equal(bank.find(0x1000, 0, WRITE), 0x10_0000);
  bank.install(0x1000, -1, 0x10_0000, WRITE, 0);
  assert.deepEqual(tagsOf(made), [BigInt(other), BigInt.asIntN(64, 0xffff_ffff_0000_1000n), 0x1000n]);
  bank.clearPage(0x1000, 0);
  assert.deepEqual(tagsOf(made), [BigInt(other), BigInt.asIntN(64, 0xffff_ffff_0000_1000n), -1n]);
});

test("dropWriteTags: takes every entry for writing to a page and no other", () => {
  const made = machine();
  const bank = made.hart.dataSpace;
  bank.install(0x1000, 0, 0x10_0000, READ | WRITE | EXECUTE, 0);
  bank.install(0x7000, 0, 0x10_0000, READ | WRITE, 0);
  bank.install(0x8000, 0, 0x11_0000, WRITE, 0);
  bank.dropWriteTags(0x10_0000);
  assert.deepEqual(tagsOf(made), [0x1000n, -1n, 0x1000n]);
  assert.equal(bank.find(0x7000, 0, READ), 0x10_0000);
  assert.equal(bank.find(0x7000, 0, WRITE), -1);
  assert.equal(bank.find(0x8000, 0, WRITE), 0x11_0000);
});

test("csr: PMP and menvcfg drop every translation, satp changes the space of code", () => {
  const writes: [number, bigint][] = [
    [0x3b5, 1n],
    [0x3a0, 0x1fn],
    [0x30a, 1n << 62n],
    [SATP, satpFor(8, 2, table(0))],
  ];
  for (const [number, value] of writes) {
    const made = machine();
    assert.deepEqual([fetched(made), read(made)], [1n, 1n]);
    map(made, B);
    made.hart.writeCsr(number, value);
    assert.deepEqual([fetched(made), read(made)], [2n, 2n], number.toString(16));
  }
});

test("refresh: empties the TLB, the decode cache and the jump cache that memory was restored with", () => {
  const made = machine();
  read(made);
  const { hart, memory } = made;
  hart.words.fill(7, HartState.jumps / 4, HartState.tlbs / 4);
  hart.words[Slot.satp] = 0;
  hart.refresh();
  const area = memory.bytes.subarray(hart.words.byteOffset);
  const jumps = area.subarray(HartState.jumps, HartState.jumps + JUMP_ENTRIES * JumpEntry.bytes);
  assert.ok(jumps.every((byte) => byte === 0xff));
  assert.equal(memory.view.getBigInt64(hart.words[Word.dataTlb] + TLB_ENTRY_BYTES, true), -1n);
});
