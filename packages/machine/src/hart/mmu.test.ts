import assert from "node:assert/strict";
import { test } from "node:test";
import { RAM_BASE } from "../memory.ts";
import { Random, seedOf } from "../testing/random-node.ts";
import { Cause } from "./cause.ts";
import { Privilege, Slot } from "./state.ts";
import { type Access, oracleWalk, type Walk } from "./testing/oracle-walk.ts";
import { fillTables, randomAddress } from "./testing/random-tables.ts";
import {
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
const ADUE = 1n << 61n;
const PBMTE = 1n << 62n;
const MENVCFG = 0x30a;
const SATP = 0x180;
const SSTATUS = 0x100;
const SUM = 1n << 18n;
const MXR = 1n << 19n;
const TARGET = RAM_BASE + 0x20_0000;

/** A chain of pointers for `levels` levels down to a last-level entry for virtual page 0. */
function chain(mode: 8 | 9 | 10, leaf: bigint): Sample {
  const machine = sample("supervisor");
  const levels = mode - 5;
  for (let i = 0; i < levels - 1; i++) poke(machine.memory, table(i), entryFor(table(i + 1), 0n));
  poke(machine.memory, table(levels - 1), leaf);
  machine.hart.writeCsr(SATP, satpFor(mode, 0, table(0)));
  return machine;
}

/** Result of a one-byte access: "ok" or the exception's cause. */
function attempt({ hart }: Sample, access: Access, address: bigint): number | "ok" {
  if (access === "load") hart.load(address, 0);
  else if (access === "store") hart.store(address, 0, 0n);
  else hart.fetch(address);
  return outcome(hart).cause ?? "ok";
}

for (const [name, mode] of [
  ["Sv39", 8],
  ["Sv48", 9],
  ["Sv57", 10],
] as const) {
  test(`walk: ${name} reaches a page through all its levels`, () => {
    const machine = chain(mode, entryFor(TARGET, RWAD));
    poke(machine.memory, TARGET + 0x18, 99n);
    assert.equal(machine.hart.load(0x18n, 3), 99n);
  });

  test(`walk: ${name} refuses addresses that are not sign-extended`, () => {
    const machine = chain(mode, entryFor(TARGET, RWAD));
    const sign = 1n << BigInt(11 + 9 * (mode - 5));
    for (const address of [sign, sign * 2n, 1n << 63n, (1n << 64n) - sign * 2n - 1n]) {
      assert.equal(attempt(machine, "load", address), Cause.loadPage);
      assert.equal(attempt(machine, "store", address), Cause.storePage);
      assert.equal(attempt(machine, "fetch", address), Cause.fetchPage);
    }
  });

  test(`walk: ${name} maps a superpage on every level and refuses a misaligned one`, () => {
    const levels = mode - 5;
    for (let level = 1; level < levels; level++) {
      const machine = chain(mode, 0n);
      const pageBytes = 4096 * 512 ** level;
      const physical = Math.floor(TARGET / pageBytes) * pageBytes;
      poke(machine.memory, table(levels - 1 - level), entryFor(physical, RWAD));
      const address = BigInt(TARGET - physical + 0x123);
      machine.memory.view.setUint8(machine.memory.offsetOf(TARGET + 0x123, 1), 0x5a);
      assert.equal(machine.hart.load(address, 0), 0x5an, `level ${level}`);
      poke(machine.memory, table(levels - 1 - level), entryFor(physical + 0x1000, RWAD));
      machine.hart.fenceAddresses(undefined, undefined);
      assert.equal(attempt(machine, "load", address), Cause.loadPage);
    }
  });
}

test("walk: refuses invalid and reserved entries", () => {
  const reserved = [
    entryFor(TARGET, RWAD) & ~Pte.V,
    entryFor(TARGET, Pte.W | Pte.A | Pte.D),
    entryFor(TARGET, Pte.W | Pte.X | Pte.A | Pte.D),
    entryFor(table(9), 0n),
    entryFor(TARGET, RWAD) | (3n << 61n),
    ...[54n, 55n, 56n, 57n, 58n, 59n, 60n].map((at) => entryFor(TARGET, RWAD) | (1n << at)),
  ];
  for (const entry of reserved) {
    assert.equal(attempt(chain(8, entry), "load", 0n), Cause.loadPage, entry.toString(16));
  }
});

test("walk: refuses pointers with A, D, U, N or PBMT", () => {
  for (const bit of [Pte.A, Pte.D, Pte.U, Pte.N, 1n << 61n, 1n << 62n]) {
    const machine = chain(8, entryFor(TARGET, RWAD));
    poke(machine.memory, table(1), entryFor(table(2), bit));
    assert.equal(attempt(machine, "load", 0n), Cause.loadPage, bit.toString(16));
  }
});

test("walk: raises an access fault of the access's kind for a table outside RAM", () => {
  const machine = chain(8, 0n);
  poke(machine.memory, table(1), entryFor(0x1000, 0n));
  assert.equal(attempt(machine, "load", 0n), Cause.loadAccess);
  assert.equal(attempt(machine, "store", 0n), Cause.storeAccess);
  assert.equal(attempt(machine, "fetch", 0n), Cause.fetchAccess);
  machine.hart.writeCsr(SATP, satpFor(8, 0, RAM_BASE + RAM_SIZE));
  assert.equal(attempt(machine, "load", 0n), Cause.loadAccess);
});

test("walk: Svade refuses a page whose A bit is clear, and a store to one whose D bit is clear", () => {
  const clean = chain(8, entryFor(TARGET, Pte.R | Pte.W | Pte.X | Pte.A));
  assert.equal(attempt(clean, "load", 0n), "ok");
  assert.equal(attempt(clean, "store", 0n), Cause.storePage);
  const unused = chain(8, entryFor(TARGET, Pte.R | Pte.W | Pte.X | Pte.D));
  assert.equal(attempt(unused, "load", 0n), Cause.loadPage);
  assert.equal(attempt(unused, "fetch", 0n), Cause.fetchPage);
});

test("walk: Svadu sets A on a load and D on a store, and nothing on a refused access", () => {
  const machine = chain(8, entryFor(TARGET, Pte.R | Pte.W));
  machine.hart.writeCsr(MENVCFG, ADUE);
  assert.equal(attempt(machine, "fetch", 0n), Cause.fetchPage);
  assert.equal(peek(machine.memory, table(2)) & (Pte.A | Pte.D), 0n);
  assert.equal(attempt(machine, "load", 0n), "ok");
  assert.equal(peek(machine.memory, table(2)) & (Pte.A | Pte.D), Pte.A);
  assert.equal(attempt(machine, "store", 0n), "ok");
  assert.equal(peek(machine.memory, table(2)), entryFor(TARGET, RWAD));
});

test("walk: Svpbmt types are reserved until menvcfg.PBMTE is set", () => {
  const machine = chain(8, entryFor(TARGET, RWAD) | (1n << 61n));
  assert.equal(attempt(machine, "load", 0n), "ok");
  machine.hart.writeCsr(MENVCFG, 0n);
  assert.equal(attempt(machine, "load", 0n), Cause.loadPage);
  machine.hart.writeCsr(MENVCFG, PBMTE);
  assert.equal(attempt(machine, "load", 0n), "ok");
});

test("walk: Svnapot maps 64 KiB by the low bits of the page number and refuses other sizes", () => {
  const machine = chain(8, 0n);
  for (let page = 0; page < 16; page++) {
    poke(machine.memory, table(2) + 8 * page, entryFor(TARGET + 0x8000, RWAD) | Pte.N);
    poke(machine.memory, TARGET + page * 0x1000, BigInt(page));
    assert.equal(machine.hart.load(BigInt(page * 0x1000), 3), BigInt(page));
  }
  for (const wrong of [0x0000, 0x4000, 0x9000, 0x1_0000]) {
    poke(machine.memory, table(2) + 8 * 17, entryFor(TARGET + wrong, RWAD) | Pte.N);
    assert.equal(attempt(machine, "load", 0x11000n), Cause.loadPage);
  }
  poke(machine.memory, table(1) + 8, entryFor(TARGET, RWAD) | Pte.N);
  assert.equal(attempt(machine, "load", 0x20_0000n), Cause.loadPage);
});

test("walk: U, SUM and MXR decide who may use a page", () => {
  const user = entryFor(TARGET, RWAD | Pte.X | Pte.U);
  const executable = entryFor(TARGET, Pte.X | Pte.A);
  const cases: [string, bigint, number, bigint, Access, number | "ok"][] = [
    ["U-mode uses a user page", user, 0, 0n, "store", "ok"],
    ["U-mode executes a user page", user, 0, 0n, "fetch", "ok"],
    ["U-mode is kept from a supervisor page", entryFor(TARGET, RWAD), 0, SUM, "load", Cause.loadPage],
    ["S-mode is kept from a user page", user, 1, 0n, "load", Cause.loadPage],
    ["SUM opens a user page to S-mode", user, 1, SUM, "store", "ok"],
    ["SUM does not let S-mode execute a user page", user, 1, SUM, "fetch", Cause.fetchPage],
    ["an executable page is not readable", executable, 1, 0n, "load", Cause.loadPage],
    ["MXR makes it readable", executable, 1, MXR, "load", "ok"],
    ["MXR does not make it writable", executable, 1, MXR, "store", Cause.storePage],
    ["MXR does not make a readable page executable", entryFor(TARGET, RWAD), 1, MXR, "fetch", Cause.fetchPage],
  ];
  for (const [name, entry, privilege, status, access, expected] of cases) {
    const machine = chain(8, entry);
    machine.hart.writeCsr(SSTATUS, status);
    enterMode(machine.hart, privilege);
    assert.equal(attempt(machine, access, 0n), expected, name);
  }
});

test("walk: PMP applies to the tables as to S-mode, and to the page itself", () => {
  const machine = chain(8, entryFor(TARGET, RWAD));
  const { hart } = machine;
  hart.writeCsr(0x3b0, BigInt(table(1)) >> 2n);
  hart.writeCsr(0x3b1, BigInt(table(1) + 8) >> 2n);
  hart.writeCsr(0x3b2, -1n);
  hart.writeCsr(0x3a0, 0x1f_08_00n);
  assert.equal(attempt(machine, "load", 0n), Cause.loadAccess);
  hart.writeCsr(0x3a0, 0x1f_09_00n);
  assert.equal(attempt(machine, "load", 0n), "ok");
  hart.writeCsr(0x3a0, 0x19_09_00n);
  assert.equal(attempt(machine, "load", 0n), "ok");
  assert.equal(attempt(machine, "store", 0n), Cause.storeAccess);
});

test("walk: agrees with the specification's own steps on random tables", () => {
  const random = new Random(seedOf("mmu fuzz"));
  let reached = 0;
  for (let round = 0; round < 60; round++) {
    const machine = sample("machine");
    fillTables(machine.memory, random);
    for (let i = 0; i < 80; i++) reached += compare(machine, random) ? 1 : 0;
  }
  assert.ok(reached > 300, `only ${reached} translations succeeded`);
});

const accesses: readonly Access[] = ["load", "store", "fetch"];

/** Translates once with the walk and once with the oracle. True if there was a page. */
function compare({ hart, memory }: Sample, random: Random): boolean {
  const pmpaddr = [random.pick([0n, BigInt(table(3)) >> 2n]), BigInt(RAM_BASE + random.below(RAM_SIZE)) >> 2n, -1n];
  const pmpcfg = [random.pick([0, 0x19, 0x11]), random.pick([0, 0x08, 0x0b, 0x8f]), random.pick([0x1f, 0x1f, 0x19])];
  hart.words[Slot.pmpcfg] = 0;
  for (const [i, address] of pmpaddr.entries()) hart.writeCsr(0x3b0 + i, address);
  hart.writeCsr(0x3a0, BigInt(pmpcfg[0] | (pmpcfg[1] << 8) | (pmpcfg[2] << 16)));
  const menvcfg = BigInt(random.below(4)) << 61n;
  hart.writeCsr(MENVCFG, menvcfg);
  const sum = random.below(2) === 1;
  const mxr = random.below(2) === 1;
  hart.writeCsr(SSTATUS, (sum ? SUM : 0n) | (mxr ? MXR : 0n));
  hart.writeCsr(SATP, satpFor(random.pick([0, 8, 8, 9, 10]), random.below(4), table(random.below(8))));
  const privilege = random.pick([Privilege.user, Privilege.supervisor, Privilege.supervisor, Privilege.machine]);
  enterMode(hart, privilege);
  const written: [bigint, bigint][] = [];
  const walk: Walk = {
    privilege,
    satp: hart.readCsr(SATP),
    sum,
    mxr,
    adue: (menvcfg & ADUE) !== 0n,
    pbmte: (menvcfg & PBMTE) !== 0n,
    pmpcfg,
    pmpaddr: pmpaddr.map((address) => BigInt.asUintN(54, address)),
    read: (address) => (memory.offsetOf(Number(address), 8) < 0 ? undefined : peek(memory, Number(address))),
    write: (address, value) => written.push([address, value]),
  };
  const access = random.pick(accesses);
  const bytes = access === "fetch" ? 2 : random.pick([1, 2, 4, 8]);
  const va = randomAddress(random) & ~BigInt(bytes - 1);
  const expected = oracleWalk(walk, va, access, bytes);
  hart.splitValue(va);
  const bit = { load: 1, store: 2, fetch: 4 }[access];
  const space = access === "fetch" ? hart.fetchSpace : hart.dataSpace;
  const cause = hart.mmu.translate(space, hart.low, hart.high, bit, bytes);
  const found = cause !== 0 ? { cause } : { physical: (BigInt(hart.mmu.page) << 12n) | (va & 0xfffn) };
  assert.deepEqual(found, expected, `${access} of ${bytes} at 0x${va.toString(16)} in mode ${privilege}`);
  for (const [address, value] of written) assert.equal(peek(memory, Number(address)), value);
  return cause === 0 && privilege !== Privilege.machine;
}
