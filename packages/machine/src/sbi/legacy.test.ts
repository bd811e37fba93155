import assert from "node:assert/strict";
import { test } from "node:test";
import { call, sampleHost } from "./sample-host.ts";

test("legacy: results go to a0 only, and a6 does not matter", () => {
  const host = sampleHost();
  assert.deepEqual(call(host, "set timer", 99, 5n), [0n, undefined]);
  assert.equal(host.harts[0].readCsr(0x14d), 5n);
});

test("legacy: the console takes and gives single bytes", () => {
  const host = sampleHost();
  assert.deepEqual(call(host, "console putchar", 0, 0x142n), [0n, undefined]);
  assert.equal(host.console.output, "B");
  host.console.input = [200];
  assert.deepEqual(call(host, "console getchar", 0), [200n, undefined]);
  assert.deepEqual(call(host, "console getchar", 0), [-1n, undefined]);
});

test("legacy: clear IPI says whether one was pending", () => {
  const host = sampleHost();
  assert.deepEqual(call(host, "clear IPI", 0), [0n, undefined]);
  host.harts[0].setPending(1, true);
  assert.deepEqual(call(host, "clear IPI", 0), [1n, undefined]);
  assert.equal(host.harts[0].readCsr(0x344), 0n);
});

test("legacy: masks are read from virtual memory; bits behind the last hart are ignored", () => {
  const host = sampleHost(3);
  host.harts[0].virtual.set(0x1000n, ~0n & 0xffff_fffen);
  assert.deepEqual(call(host, "send IPI", 0, 0x1000n), [0n, undefined]);
  assert.deepEqual(
    host.harts.map((hart) => hart.readCsr(0x344)),
    [0n, 2n, 2n],
  );
});

test("legacy: more than 64 harts take a second doubleword", () => {
  const host = sampleHost(65);
  host.harts[0].virtual.set(0x1000n, 0n).set(0x1008n, 1n);
  assert.deepEqual(call(host, "remote FENCE.I", 0, 0x1000n), [0n, undefined]);
  assert.deepEqual(host.harts[64].log, ["fence.i"]);
});

test("legacy: a mask that faults leaves the call, so that the fault is taken at the ECALL", () => {
  assert.equal(call(sampleHost(), "send IPI", 0, 0x5000n), "left");
});

test("legacy: fences cover a range and an address space", () => {
  const host = sampleHost(1);
  host.harts[0].virtual.set(0x1000n, 1n);
  assert.deepEqual(call(host, "remote SFENCE.VMA", 0, 0x1000n, 0x2000n, 0x1000n), [0n, undefined]);
  assert.deepEqual(call(host, "remote SFENCE.VMA with ASID", 0, 0x1000n, 0x2000n, 1n, 4n), [0n, undefined]);
  assert.deepEqual(host.harts[0].log, ["sfence 0x2000 all", "sfence 0x2000 4"]);
});

test("legacy: shutdown does not return", () => {
  const host = sampleHost();
  assert.equal(call(host, "shutdown", 0), "left");
  assert.deepEqual(host.resets, [{ type: "shutdown", failed: false }]);
});
