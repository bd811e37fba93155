import assert from "node:assert/strict";
import { test } from "node:test";
import { RAM_BASE } from "../memory.ts";
import { call, sampleHost } from "./sample-host.ts";

const at = BigInt(RAM_BASE);

test("DBCN: writes bytes of RAM to the console", () => {
  const host = sampleHost();
  host.memory.writable(RAM_BASE + 4, 5)!.set(new TextEncoder().encode("hello"));
  assert.deepEqual(call(host, "DBCN", 0, 5n, at + 4n, 0n), [0n, 5n]);
  assert.equal(host.console.output, "hello");
});

test("DBCN: a full console takes a part and says how much", () => {
  const host = sampleHost();
  host.console.room = 3;
  assert.deepEqual(call(host, "DBCN", 0, 5n, at, 0n), [0n, 3n]);
  host.console.room = 0;
  assert.deepEqual(call(host, "DBCN", 2, 65n), [-1n, 0n]);
});

test("DBCN: one call moves a bounded number of bytes", () => {
  const host = sampleHost();
  assert.deepEqual(call(host, "DBCN", 0, 1024n * 1024n, at, 0n), [0n, 65536n]);
});

test("DBCN: reads what there is, and announces the write", () => {
  const host = sampleHost();
  const writes: number[][] = [];
  host.memory.onWrite = (address, length) => writes.push([address, length]);
  host.console.input = [1, 2, 3];
  assert.deepEqual(call(host, "DBCN", 1, 16n, at, 0n), [0n, 3n]);
  assert.deepEqual([...host.memory.readable(RAM_BASE, 4)!], [1, 2, 3, 0]);
  assert.deepEqual(writes, [[RAM_BASE, 3]]);
  assert.deepEqual(call(host, "DBCN", 1, 16n, at, 0n), [0n, 0n]);
});

test("DBCN: writes the low byte of a register", () => {
  const host = sampleHost();
  assert.deepEqual(call(host, "DBCN", 2, 0x141n), [0n, 0n]);
  assert.equal(host.console.output, "A");
});

test("DBCN: refuses ranges that are not all RAM", () => {
  const host = sampleHost();
  const size = BigInt(host.memory.ramSize);
  for (const fid of [0, 1]) {
    for (const args of [
      [1n, at - 1n, 0n],
      [1n, at + size, 0n],
      [size + 1n, at, 0n],
      [1n, at, 1n],
      [-1n, at, 0n],
      [1n, -1n, 0n],
      [0n, 0n, 0n],
    ])
      assert.deepEqual(call(host, "DBCN", fid, ...args), [-3n, 0n]);
  }
  assert.equal(host.console.output, "");
});
