import assert from "node:assert/strict";
import { test } from "node:test";
import { Clint } from "./clint.ts";

function machine(harts = 2) {
  const clock = { at: 1000n, now: () => clock.at, ticks: () => Number(clock.at) };
  const pending = new Map<string, boolean>();
  const clint = new Clint(harts, clock, (hart, bit, level) => pending.set(`${hart}:${bit}`, level));
  const writeWide = (offset: number, value: bigint) => {
    clint.write(offset, 4, Number(value & 0xffff_ffffn));
    clint.write(offset + 4, 4, Number(value >> 32n));
  };
  return { clock, pending, clint, writeWide };
}

test("msip: bit 0 drives the software interrupt of its hart only", () => {
  const { pending, clint } = machine();
  clint.write(4, 4, 0xffff_ffff);
  assert.equal(clint.read(4, 4), 1);
  assert.equal(pending.get("1:3"), true);
  assert.equal(pending.get("0:3"), false);
  clint.write(4, 4, 0);
  assert.equal(pending.get("1:3"), false);
});

test("mtimecmp: raises the timer interrupt when its time has come and lowers it when it is moved on", () => {
  const { clock, pending, clint, writeWide } = machine();
  assert.equal(clint.deadline(), undefined);
  writeWide(0x4008, 1500n);
  assert.equal(pending.get("1:7"), false);
  assert.equal(clint.deadline(), 1500n);
  clock.at = 1500n;
  clint.update();
  assert.equal(pending.get("1:7"), true);
  assert.equal(pending.get("0:7"), false);
  assert.equal(clint.deadline(), undefined);
  writeWide(0x4008, 0x1_0000_0000n);
  assert.equal(pending.get("1:7"), false);
  assert.equal(clint.read(0x400c, 4), 1);
});

test("mtime: the two halves of an 8-byte read belong together", () => {
  const { clock, clint } = machine();
  clock.at = 0xffff_ffffn;
  assert.equal(clint.read(0xbff8, 4), 0xffff_ffff);
  clock.at = 0x1_0000_0000n;
  assert.equal(clint.read(0xbffc, 4), 0);
  assert.equal(clint.read(0xbffc, 4), 1);
});

test("mtime: a write moves the time, and the deadline stays in ticks of the clock", () => {
  const { clint, pending, writeWide } = machine();
  writeWide(0xbff8, 0x5_0000_0000n);
  assert.equal(clint.now(), 0x5_0000_0000n);
  writeWide(0x4000, 0x5_0000_0064n);
  assert.equal(clint.deadline(), 1100n);
  writeWide(0xbff8, 0x5_0000_0064n);
  assert.equal(pending.get("0:7"), true);
});

test("save: a restore under another clock keeps mtime and the comparators", () => {
  const first = machine();
  first.writeWide(0x4000, 2000n);
  const second = machine();
  second.clock.at = 77n;
  second.clint.restore(first.clint.save());
  assert.equal(second.clint.now(), 1000n);
  assert.equal(second.clint.deadline(), 1077n);
});

test("state: any registers may be read and written without leaving the state", () => {
  const words = Clint.stateWords(1);
  const state = new Int32Array(words + 0x4000);
  const clint = new Clint(1, { now: () => 0n, ticks: () => 0 }, () => {}, state);
  for (let offset = 0; offset < 0x1_0000; offset += 4) clint.write(offset, 4, 0xffff_ffff);
  assert.ok(state.subarray(words).every((word) => word === 0));
  assert.equal(clint.read(0, 4), 1);
});

test("read: unknown registers and other widths give 0 and take nothing", () => {
  const { clint } = machine();
  for (const offset of [8, 0x3ffc, 0x4010, 0xbff0, 0xfffc]) {
    clint.write(offset, 4, 0x1234);
    assert.equal(clint.read(offset, 4), 0);
  }
  clint.write(0, 1, 1);
  assert.equal(clint.read(0, 4), 0);
  assert.equal(clint.read(0xbff8, 2), 0);
});
