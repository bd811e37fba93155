import assert from "node:assert/strict";
import { test } from "node:test";
import { RAM_BASE } from "../memory.ts";
import { HartStatus } from "./hart-states.ts";
import { call, sampleHost } from "./sample-host.ts";

const entry = BigInt(RAM_BASE + 0x1000);

test("HSM: a stopped hart starts once, where it was told", () => {
  const host = sampleHost(2);
  host.states.stop(1);
  assert.deepEqual(call(host, "HSM", 2, 1n), [0n, BigInt(HartStatus.stopped)]);
  assert.deepEqual(call(host, "HSM", 0, 1n, entry, 77n), [0n, 0n]);
  assert.deepEqual(call(host, "HSM", 2, 1n), [0n, BigInt(HartStatus.startPending)]);
  assert.deepEqual(call(host, "HSM", 0, 1n, entry, 78n), [-6n, 0n]);
  assert.deepEqual(host.states.resume(1), { address: entry, opaque: 77n });
  assert.deepEqual(call(host, "HSM", 2, 1n), [0n, BigInt(HartStatus.started)]);
});

test("HSM: refuses to start what is no hart, where there is no memory, or what runs", () => {
  const host = sampleHost(2);
  host.states.stop(1);
  assert.deepEqual(call(host, "HSM", 0, 2n, entry), [-3n, 0n]);
  assert.deepEqual(call(host, "HSM", 0, -1n, entry), [-3n, 0n]);
  for (const address of [0n, entry + 1n, BigInt(RAM_BASE + 1024 * 1024), 1n << 63n, -2n])
    assert.deepEqual(call(host, "HSM", 0, 1n, address), [-5n, 0n]);
  assert.deepEqual(call(host, "HSM", 0, 0n, entry), [-6n, 0n]);
});

test("HSM: stop does not return", () => {
  const host = sampleHost(2);
  assert.equal(call(host, "HSM", 1), "left");
  assert.equal(host.states.status(0), HartStatus.stopped);
});

test("HSM: a retentive suspend returns when the hart wakes", () => {
  const host = sampleHost(1);
  assert.deepEqual(call(host, "HSM", 3, 0n), [0n, 0n]);
  assert.equal(host.states.status(0), HartStatus.suspended);
  assert.equal(host.states.resume(0), undefined);
});

test("HSM: a non-retentive suspend does not return but wakes at its address", () => {
  const host = sampleHost(1);
  assert.equal(call(host, "HSM", 3, 0xffff_ffff_8000_0000n, entry, 9n), "left");
  assert.deepEqual(host.states.resume(0), { address: entry, opaque: 9n });
});

test("HSM: refuses reserved and platform suspend types and bad resume addresses", () => {
  const host = sampleHost(1);
  for (const type of [1n, 0x1000_0000n, 0x8000_0001n, 0x9000_0000n])
    assert.deepEqual(call(host, "HSM", 3, type, entry), [-3n, 0n]);
  assert.deepEqual(call(host, "HSM", 3, 0x8000_0000n, 0n), [-5n, 0n]);
  assert.deepEqual(call(host, "HSM", 2, 1n), [-3n, 0n]);
  assert.equal(host.states.status(0), HartStatus.started);
});
