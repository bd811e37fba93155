import assert from "node:assert/strict";
import { test } from "node:test";
import { GuestMemory, RAM_BASE } from "@bulkhead/machine";
import { Chain } from "./chain.ts";

function machine() {
  const memory = new GuestMemory(65536, 1);
  memory.readable(RAM_BASE, 65536)?.forEach((_, i, all) => {
    all[i] = i;
  });
  const completed: number[] = [];
  const dropped: [number, number][] = [];
  memory.onWrite = (address, length) => dropped.push([address - RAM_BASE, length]);
  const segment = (offset: number, length: number) => ({ address: RAM_BASE + offset, length });
  const segments = { readable: [segment(0, 3), segment(16, 4)], writable: [segment(64, 2), segment(128, 5)] };
  return { memory, completed, dropped, chain: new Chain(memory, segments, (written) => completed.push(written)) };
}

test("read: goes across descriptors and stops at the end", () => {
  const { chain } = machine();
  assert.equal(chain.readable, 7);
  assert.deepEqual([...chain.read(4)], [0, 1, 2, 16]);
  assert.equal(chain.readable, 3);
  assert.deepEqual([...chain.read(100)], [17, 18, 19]);
  assert.deepEqual([...chain.read(1)], []);
});

test("readViews: shows guest memory itself", () => {
  const { chain, memory } = machine();
  const views = chain.readViews(5);
  assert.deepEqual(
    views.map((view) => [...view]),
    [
      [0, 1, 2],
      [16, 17],
    ],
  );
  assert.equal(views[1].buffer, memory.buffer);
});

test("write: goes across descriptors, stops at the end and announces each write", () => {
  const { chain, memory, dropped, completed } = machine();
  assert.equal(chain.write(Uint8Array.of(1, 2, 3)), 3);
  assert.equal(chain.write(new Uint8Array(10).fill(9)), 4);
  assert.deepEqual([...memory.readable(RAM_BASE + 64, 3)!], [1, 2, 66]);
  assert.deepEqual([...memory.readable(RAM_BASE + 128, 6)!], [3, 9, 9, 9, 9, 133]);
  assert.deepEqual(dropped, [
    [64, 2],
    [128, 1],
    [129, 4],
  ]);
  chain.complete();
  assert.deepEqual(completed, [7]);
});

test("skip: leaves bytes alone, and what is written behind them is not used length", () => {
  const { chain, memory, completed } = machine();
  chain.write(Uint8Array.of(7));
  chain.skip(chain.writable - 1);
  chain.write(Uint8Array.of(8));
  chain.complete();
  assert.deepEqual([...memory.readable(RAM_BASE + 64, 2)!], [7, 65]);
  assert.deepEqual([...memory.readable(RAM_BASE + 128, 5)!], [128, 129, 130, 131, 8]);
  assert.deepEqual(completed, [1]);
});

test("complete: twice is a broken invariant", () => {
  const { chain } = machine();
  chain.complete();
  assert.throws(() => chain.complete(), /twice/);
});
