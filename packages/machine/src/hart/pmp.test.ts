import assert from "node:assert/strict";
import { test } from "node:test";
import { Random, seedOf } from "../testing/random-node.ts";
import { DIVIDED, EXECUTE, type Pmp, READ, WRITE } from "./pmp.ts";
import { PMP_ENTRIES } from "./state.ts";
import { type Access, pmpAllows, type Walk } from "./testing/oracle-walk.ts";
import { sample } from "./testing/sample.ts";

const RWX = READ | WRITE | EXECUTE;
const OFF = 0;
const TOR = 0x08;
const NA4 = 0x10;
const NAPOT = 0x18;
const LOCKED = 0x80;

/** A unit with these entries: configuration byte and `pmpaddr`. */
function pmpWith(...entries: [number, bigint][]): Pmp {
  const { pmp } = sample().hart;
  for (const [i, [, address]] of entries.entries()) pmp.writeAddress(i, address);
  let [low, high] = [0, 0];
  for (const [i, [config]] of entries.entries()) {
    if (i < 4) low |= config << (8 * i);
    else high |= config << (8 * (i - 4));
  }
  pmp.writeConfig(0, low, high);
  return pmp;
}

test("ofPage: without entries M-mode may do all and the others nothing", () => {
  const pmp = pmpWith();
  assert.equal(pmp.ofPage(0x80000, true), RWX);
  assert.equal(pmp.ofPage(0x80000, false), 0);
});

test("ofPage: an open NAPOT entry over everything opens everything", () => {
  const pmp = pmpWith([NAPOT | RWX, -1n]);
  assert.equal(pmp.ofPage(0, false), RWX);
  assert.equal(pmp.ofPage(2 ** 44 - 1, false), RWX);
});

test("ofPage: NAPOT regions of one page and more have their size", () => {
  const page = pmpWith([NAPOT | READ, (0x8000_1000n >> 2n) | 0x1ffn]);
  assert.deepEqual(
    [0x80000, 0x80001, 0x80002].map((n) => page.ofPage(n, false)),
    [0, READ, 0],
  );
  const four = pmpWith([NAPOT | READ, (0x8000_4000n >> 2n) | 0x7ffn]);
  assert.deepEqual(
    [0x80003, 0x80004, 0x80007, 0x80008].map((n) => four.ofPage(n, false)),
    [0, READ, READ, 0],
  );
});

test("ofPage: says that a page is divided by a region's edge, in M-mode too", () => {
  const pmp = pmpWith([NA4 | READ, 0x8000_0100n >> 2n], [NAPOT | RWX, -1n]);
  assert.equal(pmp.ofPage(0x80000, false), DIVIDED);
  assert.equal(pmp.ofPage(0x80001, false), RWX);
  assert.equal(pmp.ofPage(0x80000, true), DIVIDED);
  assert.equal(pmp.ofPage(0x80001, true), RWX);
  assert.equal(pmpWith([NA4 | READ | LOCKED, 0x8000_0100n >> 2n]).ofPage(0x80000, true), DIVIDED);
});

test("ofAccess: needs one entry to match all bytes", () => {
  const pmp = pmpWith([NA4 | READ, 0x8000_0100n >> 2n], [NAPOT | RWX, -1n]);
  assert.equal(pmp.ofAccess(0x8000_0100, 4, false), READ);
  assert.equal(pmp.ofAccess(0x8000_0100, 8, false), 0);
  assert.equal(pmp.ofAccess(0x8000_00fc, 8, false), 0);
  assert.equal(pmp.ofAccess(0x8000_00fc, 4, false), RWX);
});

test("ofAccess: a top-of-range entry begins where the entry before it ends, and at 0 for the first", () => {
  const pmp = pmpWith([TOR | READ, 0x1000n >> 2n], [OFF, 0x3000n >> 2n], [TOR | WRITE | READ, 0x5000n >> 2n]);
  const found = [0, 0xffc, 0x1000, 0x3000, 0x4ffc, 0x5000].map((address) => pmp.ofAccess(address, 4, false));
  assert.deepEqual(found, [READ, READ, 0, READ | WRITE, READ | WRITE, 0]);
  assert.equal(pmpWith([OFF, 0x3000n >> 2n], [TOR | READ, 0x3000n >> 2n]).ofAccess(0x2ffc, 4, false), 0);
});

test("ofAccess: the lowest-numbered matching entry decides", () => {
  const pmp = pmpWith([NAPOT | READ, (0x8000_0000n >> 2n) | 0x1ffn], [NAPOT | RWX, -1n]);
  assert.equal(pmp.ofAccess(0x8000_0000, 4, false), READ);
  assert.equal(pmp.ofAccess(0x8000_1000, 4, false), RWX);
});

test("writeConfig and writeAddress: leave locked entries alone, and the base of a locked top-of-range entry", () => {
  const pmp = pmpWith([OFF, 0x1000n >> 2n], [TOR | READ | LOCKED, 0x2000n >> 2n], [OFF, 0n]);
  pmp.writeConfig(0, 0x1f_1f_1f_1f, 0);
  assert.equal(pmp.ofAccess(0x1008, 4, true), READ);
  pmp.writeAddress(0, 0n);
  pmp.writeAddress(1, 0n);
  pmp.writeAddress(2, 7n);
  assert.deepEqual(
    [0, 1, 2].map((i) => pmp.readAddress(i)),
    [0x1000n >> 2n, 0x2000n >> 2n, 7n],
  );
});

test("ofAccess: an entry that matches a part of an access stops M-mode too, locked or not; an empty range matches nothing", () => {
  const pmp = pmpWith([NA4 | RWX, 0x7ffcn >> 2n], [TOR | READ, 0x7ffcn >> 2n]);
  assert.equal(pmp.ofAccess(0x7ff8, 8, true), 0);
  assert.equal(pmp.ofAccess(0x7ff8, 4, true), RWX);
  const empty = pmpWith([0, 0x7ffcn >> 2n], [TOR | READ, 0x7ffcn >> 2n], [NAPOT | RWX, -1n]);
  assert.equal(empty.ofAccess(0x7ff8, 8, false), RWX);
  assert.equal(empty.ofPage(7, false), RWX);
});

test("ofPage and ofAccess: agree with the specification's rules on random entries", () => {
  const random = new Random(seedOf("pmp fuzz"));
  for (let round = 0; round < 150; round++) {
    const { hart } = sample();
    for (let i = 0; i < PMP_ENTRIES; i++) hart.pmp.writeAddress(i, randomAddress(random));
    const configs = [0, 1].flatMap(() => [random.word() & random.word(), random.word() & random.word()]);
    hart.pmp.writeConfig(0, configs[0], configs[1]);
    hart.pmp.writeConfig(1, configs[2], configs[3]);
    const walk = {
      pmpcfg: [0x3a0, 0x3a2].flatMap((number) => bytesOf(hart.readCsr(number))),
      pmpaddr: Array.from({ length: PMP_ENTRIES }, (_, i) => hart.readCsr(0x3b0 + i)),
    } as unknown as Walk;
    for (let i = 0; i < 60; i++) compare(hart.pmp, walk, random);
  }
});

const accesses: readonly [Access, number][] = [
  ["load", READ],
  ["store", WRITE],
  ["fetch", EXECUTE],
];

function compare(pmp: Pmp, walk: Walk, random: Random): void {
  const bytes = random.pick([1, 2, 4, 8]);
  const address = random.below(64) * 512 - (random.below(512) & -bytes) + 512;
  for (const machine of [true, false]) {
    for (const [access, bit] of accesses) {
      const expected = pmpAllows(walk, BigInt(address), bytes, machine ? 3 : 1, access);
      assert.equal((pmp.ofAccess(address, bytes, machine) & bit) !== 0, expected);
      const page = pmp.ofPage(Math.floor(address / 4096), machine);
      if (page !== DIVIDED) assert.equal((page & bit) !== 0, expected, "the page says otherwise");
    }
  }
}

/** Mostly near the first pages, with runs of trailing ones. */
function randomAddress(random: Random): bigint {
  const ones = (1n << BigInt(random.below(14))) - 1n;
  return random.below(16) === 0 ? random.doubleword() : BigInt(random.below(0x3000)) | ones;
}

const bytesOf = (value: bigint): number[] =>
  Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
