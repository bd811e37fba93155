import assert from "node:assert/strict";
import { test } from "node:test";
import { Plic } from "./plic.ts";

const CLAIM = 0x20_1004;
const THRESHOLD = 0x20_1000;

/** A PLIC for two harts; `prepare` and `raised` are about context 1, hart 0's S-mode. */
function machine() {
  const pending = new Map<string, boolean>();
  const plic = new Plic(2, (hart, bit, level) => pending.set(`${hart}:${bit}`, level));
  const enable = (context: number, source: number) => {
    const register = 0x2000 + context * 0x80 + (source >> 5) * 4;
    plic.write(register, 4, plic.read(register, 4) | (1 << (source & 31)));
  };
  const prepare = (source: number, priority: number) => {
    plic.write(source * 4, 4, priority);
    enable(1, source);
  };
  return { plic, pending, enable, prepare, raised: () => pending.get("0:9") ?? false };
}

test("claim: gives the highest priority, then the lowest source, then 0", () => {
  const { plic, prepare } = machine();
  for (const [source, priority] of [
    [40, 3],
    [10, 1],
    [33, 3],
    [95, 7],
    [5, 0],
  ] as const) {
    prepare(source, priority);
    plic.setLevel(source, true);
  }
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => plic.read(CLAIM, 4)),
    [95, 33, 40, 10, 0],
  );
});

test("claim: clears the pending bit and the interrupt until completion lets the gateway forward again", () => {
  const { plic, prepare, raised } = machine();
  prepare(10, 1);
  const line = plic.line(10);
  line.set(true);
  assert.equal(raised(), true);
  assert.equal(plic.read(0x1000, 4), 1 << 10);
  assert.equal(plic.read(CLAIM, 4), 10);
  assert.equal(raised(), false);
  line.set(false);
  line.set(true);
  assert.equal(plic.read(0x1000, 4), 0);
  plic.write(CLAIM, 4, 10);
  assert.equal(raised(), true);
  assert.equal(plic.read(CLAIM, 4), 10);
  line.set(false);
  plic.write(CLAIM, 4, 10);
  assert.equal(raised(), false);
});

test("setLevel: a forwarded request stays when the level goes away", () => {
  const { plic, prepare, raised } = machine();
  prepare(10, 1);
  plic.setLevel(10, true);
  plic.setLevel(10, false);
  assert.equal(raised(), true);
  assert.equal(plic.read(CLAIM, 4), 10);
});

test("complete: is ignored for a source that is not enabled for the context, and for sources that do not exist", () => {
  const { plic, prepare, raised } = machine();
  prepare(10, 1);
  plic.setLevel(10, true);
  plic.read(CLAIM, 4);
  plic.write(0x20_0004, 4, 10);
  for (const source of [0, 96, 0xffff_ffff]) plic.write(CLAIM, 4, source);
  assert.equal(raised(), false);
  plic.write(CLAIM, 4, 10);
  assert.equal(raised(), true);
});

test("threshold: masks the interrupt of equal and lower priorities but not the claim", () => {
  const { plic, prepare, raised } = machine();
  prepare(10, 3);
  plic.write(THRESHOLD, 4, 3);
  plic.setLevel(10, true);
  assert.equal(raised(), false);
  plic.write(THRESHOLD, 4, 2);
  assert.equal(raised(), true);
  plic.write(THRESHOLD, 4, 7);
  assert.equal(plic.read(CLAIM, 4), 10);
});

test("contexts: M- and S-mode of each hart have their own enables and bits", () => {
  const { plic, pending, enable } = machine();
  plic.write(8 * 4, 4, 1);
  enable(2, 8);
  enable(3, 8);
  plic.setLevel(8, true);
  assert.deepEqual(
    ["0:11", "0:9", "1:11", "1:9"].map((bit) => pending.get(bit)),
    [false, false, true, true],
  );
  assert.equal(plic.read(0x20_2004, 4), 8);
  assert.deepEqual(
    ["1:11", "1:9"].map((bit) => pending.get(bit)),
    [false, false],
  );
});

test("write: priorities and thresholds keep three bits, pending is read-only, source 0 does not exist", () => {
  const { plic, raised } = machine();
  plic.write(4, 4, 0xff);
  plic.write(THRESHOLD, 4, 0xff);
  plic.write(0, 4, 7);
  plic.write(0x1000, 4, 0xffff_ffff);
  plic.write(0x2080, 4, 0xffff_ffff);
  const registers = [4, THRESHOLD, 0, 0x1000, 0x2080].map((at) => plic.read(at, 4));
  assert.deepEqual(registers, [7, 7, 0, 0, 0xffff_fffe]);
  assert.equal(raised(), false);
});

test("line: only sources 1 to 95 exist", () => {
  const { plic } = machine();
  for (const source of [0, 96]) assert.throws(() => plic.line(source), /interrupt source/);
});

test("reset: forgets what the guest set up, keeps the levels", () => {
  const { plic, prepare, raised } = machine();
  prepare(10, 1);
  plic.setLevel(10, true);
  plic.reset();
  assert.equal(raised(), false);
  prepare(10, 1);
  assert.equal(raised(), true);
});

test("save: a restored PLIC raises the same interrupts", () => {
  const first = machine();
  first.prepare(10, 1);
  first.plic.setLevel(10, true);
  const second = machine();
  second.plic.restore(first.plic.save());
  assert.equal(second.raised(), true);
  assert.equal(second.plic.read(CLAIM, 4), 10);
});

test("state: any registers may be read and written without leaving the state", () => {
  const words = Plic.stateWords(1);
  const state = new Int32Array(new SharedArrayBuffer((words + 4096) * 4));
  const plic = new Plic(1, () => {}, state);
  for (let offset = 0; offset < 0x60_0000; offset += offset < 0x4000 ? 4 : 0x7c) {
    for (const bytes of [1, 2, 4]) {
      plic.write(offset, bytes, 0xffff_ffff);
      assert.ok(plic.read(offset, bytes) >= 0);
    }
  }
  assert.ok(state.subarray(words).every((word) => word === 0));
});

test("registers: are words, and the gaps between them read 0", () => {
  const { plic } = machine();
  plic.write(4, 2, 7);
  plic.write(6, 4, 7);
  assert.equal(plic.read(4, 4), 0);
  plic.write(4, 4, 7);
  assert.deepEqual([plic.read(4, 1), plic.read(4, 2)], [0, 0]);
  plic.write(THRESHOLD, 4, 7);
  plic.write(0x208c, 4, 1);
  assert.deepEqual([plic.read(0x208c, 4), plic.read(THRESHOLD, 4)], [0, 7]);
});

test("complete: a source beyond the last leaves the other bits alone", () => {
  const state = new Int32Array(Plic.stateWords(1));
  const plic = new Plic(1, () => {}, state);
  plic.line(1).set(true);
  plic.write(THRESHOLD, 4, 7);
  const before = state.slice();
  for (let source = 96; source < 256; source++) plic.write(CLAIM, 4, source);
  assert.deepEqual(state, before);
});
