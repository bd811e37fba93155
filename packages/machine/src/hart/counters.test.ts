import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hart } from "./hart.ts";
import { Word } from "./state.ts";
import { sample } from "./testing/sample.ts";

const MCYCLE = 0xb00;
const MINSTRET = 0xb02;
const CYCLE = 0xc00;
const TIME = 0xc01;
const INSTRET = 0xc02;
const MCOUNTINHIBIT = 0x320;

const retire = (hart: Hart, instructions: number): void => {
  hart.words[Word.budget] -= instructions;
};

test("minstret: counts what slices retire, across slices and overdrawn budgets", () => {
  const { hart } = sample();
  hart.beginSlice(100);
  retire(hart, 30);
  assert.equal(hart.readCsr(MINSTRET), 30n);
  hart.beginSlice(50);
  retire(hart, 55);
  hart.beginSlice(10);
  assert.equal(hart.readCsr(INSTRET), 85n);
  assert.equal(hart.readCsr(CYCLE), 85n);
});

test("minstret: the instruction after a write reads the value written", () => {
  const { hart } = sample();
  hart.beginSlice(100);
  retire(hart, 7);
  hart.csr(MINSTRET, 0, 1, 0n);
  retire(hart, 1);
  assert.equal(hart.readCsr(MINSTRET), 0n);
  hart.csr(MINSTRET, 0, 1, -1n);
  retire(hart, 2);
  assert.equal(hart.readCsr(MINSTRET), 0n);
});

test("mcountinhibit: freezes each counter for itself and lets it go on from there", () => {
  const { hart } = sample();
  hart.beginSlice(1000);
  retire(hart, 10);
  hart.writeCsr(MCOUNTINHIBIT, 4n);
  retire(hart, 10);
  assert.equal(hart.readCsr(MINSTRET), 10n);
  assert.equal(hart.readCsr(MCYCLE), 20n);
  hart.beginSlice(1000);
  retire(hart, 5);
  hart.writeCsr(MINSTRET, 500n);
  hart.writeCsr(MCOUNTINHIBIT, 0n);
  retire(hart, 5);
  assert.equal(hart.readCsr(MINSTRET), 505n);
  assert.equal(hart.readCsr(MCYCLE), 30n);
});

test("time: reads the clock, beyond 32 bits too", () => {
  const { hart, clock } = sample();
  clock.advance(2 ** 33 + 0x8000_0001);
  assert.equal(hart.readCsr(TIME), 2n ** 33n + 0x8000_0001n);
});
