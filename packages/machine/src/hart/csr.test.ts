import assert from "node:assert/strict";
import { test } from "node:test";
import { Cause } from "./cause.ts";
import { csrDeclarations } from "./csr-table.ts";
import type { Hart } from "./hart.ts";
import { Signal } from "./layout.ts";
import { Privilege, Word } from "./state.ts";
import { enterMode, outcome, sample, satpFor } from "./testing/sample.ts";

const numbers = new Map(csrDeclarations.map(({ name, number }) => [name, number]));
const at = (name: string): number => numbers.get(name) ?? assert.fail(name);

const WRITE = 0;
const SET = 1;
const CLEAR = 2;
const X0 = 1;
const NO_SOURCE = 2;

/** Runs a Zicsr instruction and says what came of it. */
function access(hart: Hart, name: string, operation = SET, suppress = NO_SOURCE, value = 0n): bigint | "illegal" {
  const old = BigInt.asUintN(64, hart.csr(at(name), operation, suppress, value));
  const { signal, cause } = outcome(hart);
  if (signal !== Signal.exception) return old;
  assert.equal(cause, Cause.illegal);
  return "illegal";
}

/** Everything that can be opened to lower modes is open. */
function openHart(): Hart {
  const { hart } = sample();
  hart.writeCsr(at("mcounteren"), -1n);
  hart.writeCsr(at("scounteren"), -1n);
  hart.writeCsr(at("menvcfg"), -1n);
  hart.writeCsr(at("mstatus"), 3n << 13n);
  return hart;
}

test("csrDeclarations: numbers and names are unique", () => {
  assert.equal(new Set(csrDeclarations.map(({ number }) => number)).size, csrDeclarations.length);
  assert.equal(numbers.size, csrDeclarations.length);
});

test("csrDeclarations: have what RVA22S64 requires", () => {
  const required = `fflags frm fcsr cycle time instret sstatus sie stvec scounteren senvcfg sscratch sepc scause stval sip
    satp stimecmp mvendorid marchid mimpid mhartid mconfigptr mstatus misa medeleg mideleg mie mtvec mcounteren menvcfg
    mcountinhibit mscratch mepc mcause mtval mip mcycle minstret tselect tdata1`;
  for (const name of required.split(/\s+/)) at(name);
  for (let n = 3; n < 32; n++) for (const prefix of ["mhpmcounter", "mhpmevent", "hpmcounter"]) at(`${prefix}${n}`);
  for (let n = 0; n < 64; n++) at(`pmpaddr${n}`);
  for (let n = 0; n < 16; n += 2) at(`pmpcfg${n}`);
});

test("csr: a number's bits 9 and 8 say the lowest mode, bits 11 and 10 whether it can be written", () => {
  for (const { name, number } of csrDeclarations) {
    for (const mode of [Privilege.user, Privilege.supervisor, Privilege.machine]) {
      const hart = openHart();
      enterMode(hart, mode);
      const readable = mode >= ((number >> 8) & 3);
      const writable = readable && number >> 10 !== 3;
      assert.equal(access(hart, name) !== "illegal", readable, `read ${name} in mode ${mode}`);
      const value = access(hart, name);
      const operand = value === "illegal" ? 0n : value;
      assert.equal(access(hart, name, WRITE, 0, operand) !== "illegal", writable, `write ${name} in mode ${mode}`);
      assert.equal(access(hart, name, SET, 0, 0n) !== "illegal", writable, `set ${name} in mode ${mode}`);
      assert.equal(access(hart, name, CLEAR, X0, 0n) !== "illegal", writable, `clear ${name} in mode ${mode}`);
    }
  }
});

test("csr: numbers that no CSR has are illegal in every mode", () => {
  const { hart } = sample();
  const used = new Set(numbers.values());
  for (let number = 0; number < 4096; number++) {
    if (used.has(number)) continue;
    hart.csr(number, SET, NO_SOURCE, 0n);
    assert.equal(outcome(hart).cause, Cause.illegal, number.toString(16));
  }
});

test("csr: write, set and clear give the old value", () => {
  const { hart } = sample();
  assert.equal(access(hart, "mscratch", WRITE, 0, 0xffff_0000_1234_5678n), 0n);
  assert.equal(access(hart, "mscratch", SET, 0, 0x8000_0000_8000_0001n), 0xffff_0000_1234_5678n);
  assert.equal(access(hart, "mscratch", CLEAR, 0, 0xff00_0000_0000_00f9n), 0xffff_0000_9234_5679n);
  assert.equal(access(hart, "mscratch", WRITE, X0, 1n), 0n);
  assert.equal(access(hart, "mscratch"), 1n);
});

test("csr: a read-only register may be read by csrrs with no source but not written with a value of 0", () => {
  const { hart } = sample();
  assert.equal(access(hart, "mhartid", SET, NO_SOURCE), 0n);
  assert.equal(access(hart, "mhartid", SET, 0, 0n), "illegal");
  assert.equal(access(hart, "mhartid", WRITE, NO_SOURCE), "illegal");
});

/** Name, what reads back after all bits are written, and after none. */
const patterns: readonly [string, bigint, bigint][] = [
  ["misa", 0x8000_0000_0014_112fn, 0x8000_0000_0014_112fn],
  ["mstatus", 0x8000_000a_007e_79aan, 0x0000_000a_0000_0000n],
  ["sstatus", 0x8000_0002_000c_6122n, 0x0000_0002_0000_0000n],
  ["mtvec", 0xffff_ffff_ffff_fffdn, 0n],
  ["stvec", 0xffff_ffff_ffff_fffdn, 0n],
  ["mepc", 0xffff_ffff_ffff_fffen, 0n],
  ["sepc", 0xffff_ffff_ffff_fffen, 0n],
  ["medeleg", 0xb3ffn, 0n],
  ["mideleg", 0x222n, 0n],
  ["mie", 0xaaan, 0n],
  ["mcounteren", 0xffff_ffffn, 0n],
  ["scounteren", 0xffff_ffffn, 0n],
  ["mcountinhibit", 5n, 0n],
  ["menvcfg", 0xe000_0000_0000_00f1n, 0n],
  ["senvcfg", 0xf1n, 0n],
  ["pmpcfg0", 0x9f9f_9f9f_9f9f_9f9fn, 0x9f9f_9f9f_9f9f_9f9fn],
  ["pmpcfg4", 0n, 0n],
  ["pmpaddr15", 0x003f_ffff_ffff_ffffn, 0n],
  ["pmpaddr16", 0n, 0n],
  ["scause", (1n << 64n) - 1n, 0n],
  ["stval", (1n << 64n) - 1n, 0n],
  ["mhpmcounter3", 0n, 0n],
  ["mhpmevent3", 0n, 0n],
  ["tselect", 0n, 0n],
  ["tdata1", 0n, 0n],
  ["fcsr", 0xffn, 0n],
];

test("csr: only the bits that exist can be written", () => {
  for (const [name, ones, zeros] of patterns) {
    const hart = openHart();
    hart.writeCsr(at(name), -1n);
    assert.equal(hart.readCsr(at(name)), ones, `${name} after ones`);
    hart.writeCsr(at(name), 0n);
    assert.equal(hart.readCsr(at(name)), zeros, `${name} after zeros`);
  }
});

test("csr: reserved values of MPP and CBIE leave the field as it was", () => {
  const { hart } = sample();
  for (const before of [0n, 1n, 3n]) {
    hart.writeCsr(at("mstatus"), before << 11n);
    hart.writeCsr(at("mstatus"), 2n << 11n);
    assert.equal((hart.readCsr(at("mstatus")) >> 11n) & 3n, before);
    for (const name of ["menvcfg", "senvcfg"]) {
      hart.writeCsr(at(name), before << 4n);
      hart.writeCsr(at(name), (2n << 4n) | 0x40n);
      assert.equal(hart.readCsr(at(name)), (before << 4n) | 0x40n);
    }
  }
});

test("satp: takes Bare, Sv39, Sv48 and Sv57, and ignores a write of any other mode", () => {
  const { hart } = sample();
  for (let mode = 0; mode < 16; mode++) {
    hart.writeCsr(at("satp"), satpFor(8, 0x1234, 0x8000_0000));
    const wanted = satpFor(mode, 0xffff, 0x8765_4000);
    hart.writeCsr(at("satp"), wanted);
    const supported = mode === 0 || (mode >= 8 && mode <= 10);
    assert.equal(hart.readCsr(at("satp")), supported ? wanted : satpFor(8, 0x1234, 0x8000_0000));
  }
});

test("satp: is illegal in S-mode while TVM is set", () => {
  const { hart } = sample();
  hart.writeCsr(at("mstatus"), 1n << 20n);
  assert.equal(access(hart, "satp"), 0n);
  enterMode(hart, Privilege.supervisor);
  assert.equal(access(hart, "satp"), "illegal");
  assert.equal(access(hart, "satp", WRITE), "illegal");
});

test("stimecmp: is illegal in S-mode without menvcfg.STCE or mcounteren.TM", () => {
  for (const [stce, tm] of [
    [0n, 0n],
    [1n, 0n],
    [0n, 1n],
    [1n, 1n],
  ]) {
    const { hart } = sample();
    hart.writeCsr(at("menvcfg"), stce << 63n);
    hart.writeCsr(at("mcounteren"), tm << 1n);
    assert.notEqual(access(hart, "stimecmp"), "illegal");
    enterMode(hart, Privilege.supervisor);
    assert.equal(access(hart, "stimecmp") !== "illegal", stce === 1n && tm === 1n);
  }
});

test("cycle, time, instret, hpmcounter: need mcounteren in S-mode and scounteren too in U-mode", () => {
  const names = ["cycle", "time", "instret", ...Array.from({ length: 29 }, (_, i) => `hpmcounter${i + 3}`)];
  for (const [bit, name] of names.entries()) {
    for (let combination = 0; combination < 4; combination++) {
      const machine = (combination & 1) !== 0;
      const supervisor = (combination & 2) !== 0;
      const { hart } = sample();
      hart.writeCsr(at("mcounteren"), machine ? 1n << BigInt(bit) : ~(1n << BigInt(bit)));
      hart.writeCsr(at("scounteren"), supervisor ? 1n << BigInt(bit) : ~(1n << BigInt(bit)));
      assert.notEqual(access(hart, name), "illegal");
      enterMode(hart, Privilege.supervisor);
      assert.equal(access(hart, name) !== "illegal", machine, `${name} in S-mode`);
      enterMode(hart, Privilege.user);
      assert.equal(access(hart, name) !== "illegal", machine && supervisor, `${name} in U-mode`);
    }
  }
});

test("fflags, frm, fcsr: are one register, and illegal while FS is off", () => {
  const { hart } = sample();
  for (const name of ["fflags", "frm", "fcsr"]) assert.equal(access(hart, name), "illegal");
  hart.writeCsr(at("mstatus"), 1n << 13n);
  hart.writeCsr(at("fcsr"), 0b101_10011n);
  assert.equal(hart.readCsr(at("fflags")), 0b10011n);
  assert.equal(hart.readCsr(at("frm")), 0b101n);
  hart.writeCsr(at("fflags"), 0b100n);
  hart.writeCsr(at("frm"), 0b1010n);
  assert.equal(hart.readCsr(at("fcsr")), 0b010_00100n);
  assert.deepEqual([hart.words[Word.fflags], hart.words[Word.frm]], [4, 2]);
});

test("mstatus: FS becomes dirty, and SD says so, after a floating-point write and not without one", () => {
  const { hart } = sample();
  const sd = 1n << 63n;
  hart.writeCsr(at("sstatus"), 2n << 13n);
  assert.equal(hart.words[Word.floatEnabled], 1);
  assert.equal(hart.readCsr(at("sstatus")) & (sd | (3n << 13n)), 2n << 13n);
  hart.words[Word.floatDirty] = 1;
  assert.equal(hart.readCsr(at("sstatus")) & (sd | (3n << 13n)), sd | (3n << 13n));
  access(hart, "sstatus", CLEAR, 0, 1n << 13n);
  assert.equal(hart.readCsr(at("mstatus")) & (sd | (3n << 13n)), 2n << 13n);
  access(hart, "fflags", WRITE, X0, 0n);
  assert.equal(hart.readCsr(at("mstatus")) & (sd | (3n << 13n)), sd | (3n << 13n));
  access(hart, "mstatus", CLEAR, 0, 3n << 13n);
  assert.equal(hart.words[Word.floatEnabled], 0);
  assert.equal(hart.readCsr(at("mstatus")) & sd, 0n);
});

test("sstatus: FS, SUM and MXR change what generated code reads again, and leave nothing", () => {
  const { hart } = sample("supervisor");
  hart.writeCsr(at("satp"), satpFor(8, 1, 0x8000_0000));
  for (const bits of [3n << 13n, 1n << 18n, 1n << 19n]) {
    const before = [hart.words[Word.dataTlb], hart.words[Word.floatEnabled]];
    for (const operation of [SET, CLEAR]) {
      hart.csr(at("sstatus"), operation, 0, bits);
      assert.deepEqual(outcome(hart), { signal: Signal.none });
      const now = [hart.words[Word.dataTlb], hart.words[Word.floatEnabled]];
      assert.equal(now.join() === before.join(), operation === CLEAR);
    }
  }
});

test("mstatus: MPRV changes the space of data and leaves nothing", () => {
  const { hart } = sample();
  hart.writeCsr(at("satp"), satpFor(8, 1, 0x8000_0000));
  const [data, code] = [hart.words[Word.dataTlb], hart.words[Word.fetchTlb]];
  hart.csr(at("mstatus"), SET, 0, 1n << 17n);
  assert.deepEqual(outcome(hart), { signal: Signal.none });
  assert.notEqual(hart.words[Word.dataTlb], data);
  assert.equal(hart.words[Word.fetchTlb], code);
});

test("satp: leaves, for code comes from elsewhere now", () => {
  const { hart } = sample("supervisor");
  hart.csr(at("satp"), WRITE, X0, satpFor(8, 1, 0x8000_0000));
  assert.deepEqual(outcome(hart), { signal: Signal.leave });
});

test("sstatus: is a window on mstatus that leaves machine fields alone", () => {
  const { hart } = sample();
  hart.writeCsr(at("mstatus"), -1n);
  const before = hart.readCsr(at("mstatus"));
  hart.writeCsr(at("sstatus"), 0n);
  const after = hart.readCsr(at("mstatus"));
  assert.equal(before & ~after, 0x8000_0000_000c_6122n);
});

test("reset: S-mode begins as firmware hands over", () => {
  const { hart } = sample("supervisor");
  hart.reset(0x8020_0000n, 0x8220_0000n);
  assert.equal(hart.privilege, Privilege.supervisor);
  assert.deepEqual([hart.pc, hart.getX(10), hart.getX(11)], [0x8020_0000n, 0n, 0x8220_0000n]);
  const values = ["satp", "sie", "stvec", "sstatus", "medeleg", "mideleg", "mcounteren"].map((n) =>
    hart.readCsr(at(n)),
  );
  assert.deepEqual(values, [0n, 0n, 0n, 2n << 32n, 0xb3ffn, 0x222n, 0xffff_ffffn]);
});

test("reset: M-mode begins with everything closed", () => {
  const { hart } = sample();
  hart.reset(0x8000_0000n, 0x8220_0000n);
  assert.equal(hart.privilege, Privilege.machine);
  const values = ["mstatus", "mie", "satp", "menvcfg", "pmpcfg0"].map((n) => hart.readCsr(at(n)));
  assert.deepEqual(values, [0xan << 32n, 0n, 0n, 0n, 0n]);
});

test("readCsr and writeCsr: refuse a number that does not exist, and signal nothing", () => {
  const { hart } = sample();
  assert.throws(() => hart.readCsr(0x7ff), /0x7ff/);
  assert.throws(() => hart.writeCsr(0x7ff, 0n), /0x7ff/);
  hart.writeCsr(at("satp"), satpFor(8, 0, 0x8000_0000));
  hart.writeCsr(at("mvendorid"), 5n);
  assert.equal(hart.readCsr(at("mvendorid")), 0n);
  assert.deepEqual(outcome(hart), { signal: Signal.none });
});
