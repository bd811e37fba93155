import assert from "node:assert/strict";
import { test } from "node:test";
import { GuestMemory } from "@bulkhead/machine";
import { BalloonOrders, balloonMemory } from "./balloon-orders.ts";
import { memoryReturn } from "./memory-return-node.ts";

const MIB = 1024 * 1024;
const memory = new GuestMemory(64 * MIB, 1);
const discard = memoryReturn(memory);
const skip = discard === undefined ? "this Node cannot give memory back to the host" : false;
const ram = memory.bytes.subarray(memory.ramOffset);

test("memoryReturn: gives memory back, which reads as zeros", { skip }, () => {
  ram.fill(1);
  const before = process.memoryUsage.rss();
  discard?.(ram.subarray(8 * MIB, 56 * MIB));
  assert.ok(before - process.memoryUsage.rss() > 40 * MIB);
  assert.equal(ram[8 * MIB - 1], 1);
  assert.ok(ram.subarray(8 * MIB, 56 * MIB).every((byte) => byte === 0));
  assert.equal(ram[56 * MIB], 1);
});

test("memoryReturn: leaves alone what is no whole page of the host's", { skip }, () => {
  const page = 64 * 1024;
  const aligned = ram.subarray(MIB, 2 * MIB).fill(1);
  discard?.(aligned.subarray(1, page - 1));
  discard?.(aligned.subarray(0, 0));
  discard?.(aligned.subarray(10, 3 * page - 10));
  assert.ok(aligned.subarray(0, 11).every((byte) => byte === 1));
  assert.ok(aligned.subarray(page, 2 * page).every((byte) => byte === 0));
  assert.ok(aligned.subarray(3 * page - 10).every((byte) => byte === 1));
});

test("BalloonOrders: a target, a size, and statistics as often as they are asked for", () => {
  const shared = balloonMemory();
  const [owner, thread] = [new BalloonOrders(shared), new BalloonOrders(shared)];
  owner.target = 5 * MIB + 1;
  assert.equal(thread.target, 5 * MIB);
  thread.actual = MIB;
  assert.equal(owner.actual, MIB);
  assert.equal(thread.takeQuestion(), false);
  const [first, second] = [owner.ask(), owner.ask()];
  assert.equal(thread.takeQuestion(), true);
  assert.equal(thread.takeQuestion(), false);
  assert.equal(first(), undefined);
  thread.answer({ free: 7 * MIB, total: 0 });
  assert.deepEqual(first(), { free: 7 * MIB, total: 0 });
  assert.deepEqual(second(), first());
  const third = owner.ask();
  assert.equal(third(), undefined);
});
