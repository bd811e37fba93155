import assert from "node:assert/strict";
import { test } from "node:test";
import { call, type SampleHost, sampleHost } from "./sample-host.ts";

const CYCLES = 1n;
const INSTRUCTIONS = 2n;
const fw = (code: bigint) => (15n << 16n) | code;
const ALL = 0b111_1111_1111_1111_1101n;
const counters = 19n;

/** All counters stopped and free, as Linux leaves them when it starts. */
function stopped(): SampleHost {
  const host = sampleHost(2);
  call(host, "PMU", 4, 0n, ALL, 1n);
  return host;
}

test("PMU: lists cycle and instret under their CSR offsets, then firmware counters", () => {
  const host = sampleHost();
  assert.deepEqual(call(host, "PMU", 0), [0n, counters]);
  assert.deepEqual(call(host, "PMU", 1, 0n), [0n, 0xc00n | (63n << 12n)]);
  assert.deepEqual(call(host, "PMU", 1, 1n), [-3n, 0n]);
  assert.deepEqual(call(host, "PMU", 1, 2n), [0n, 0xc02n | (63n << 12n)]);
  assert.deepEqual(call(host, "PMU", 1, 3n), [0n, 1n << 63n]);
  assert.deepEqual(call(host, "PMU", 1, counters), [-3n, 0n]);
  assert.deepEqual(call(host, "PMU", 1, -1n), [-3n, 0n]);
});

test("PMU: the hardware counters stop, take a value and start again", () => {
  const host = sampleHost();
  const inhibit = () => host.harts[0].readCsr(0x320);
  assert.deepEqual(call(host, "PMU", 3, 0n, 1n), [-7n, 0n]);
  assert.deepEqual(call(host, "PMU", 4, 0n, 0b101n), [0n, 0n]);
  assert.equal(inhibit(), 0b101n);
  assert.deepEqual(call(host, "PMU", 4, 0n, 0b101n), [-8n, 0n]);
  assert.deepEqual(call(host, "PMU", 3, 2n, 1n, 1n, 1234n), [0n, 0n]);
  assert.equal(inhibit(), 0b001n);
  assert.equal(host.harts[0].readCsr(0xb02), 1234n);
});

test("PMU: matching finds the one counter for cycles and for instructions", () => {
  const host = stopped();
  assert.deepEqual(call(host, "PMU", 2, 0n, ALL, 2n, CYCLES), [0n, 0n]);
  assert.deepEqual(call(host, "PMU", 2, 0n, ALL, 6n, INSTRUCTIONS), [0n, 2n]);
  assert.equal(host.harts[0].readCsr(0x320), 0b001n);
  assert.deepEqual(call(host, "PMU", 2, 0n, ALL, 0n, CYCLES), [-2n, 0n], "the counter is taken");
  assert.deepEqual(call(host, "PMU", 4, 0n, 1n, 1n), [-8n, 0n]);
  assert.deepEqual(call(host, "PMU", 2, 0n, ALL, 0n, CYCLES), [0n, 0n], "the counter was released");
});

test("PMU: a counter that runs is not matched, unless matching is skipped", () => {
  const host = sampleHost();
  assert.deepEqual(call(host, "PMU", 2, 0n, 1n, 0n, CYCLES), [-2n, 0n]);
  assert.deepEqual(call(host, "PMU", 2, 0n, 1n, 1n, CYCLES), [0n, 0n]);
});

test("PMU: events that nothing counts are not supported", () => {
  const host = stopped();
  for (const event of [0n, 3n, 10n, 1n << 16n, 2n << 16n, fw(22n), fw(65535n), 1n << 20n, -1n])
    assert.deepEqual(call(host, "PMU", 2, 0n, ALL, 0n, event), [-2n, 0n]);
});

test("PMU: firmware counters count their event while they run", () => {
  const host = stopped();
  call(host, "TIME", 0, 1n);
  const [error, index] = call(host, "PMU", 2, 0n, ALL, 2n, fw(5n)) as [bigint, bigint];
  assert.equal(error, 0n);
  const read = () => (call(host, "PMU", 5, index) as [bigint, bigint])[1];
  assert.deepEqual(call(host, "PMU", 3, index, 1n, 1n, 100n), [0n, 0n]);
  for (let i = 0; i < 3; i++) call(host, "TIME", 0, 1n);
  assert.equal(read(), 103n);
  assert.deepEqual(call(host, "PMU", 4, index, 1n, 0n), [0n, 0n]);
  call(host, "TIME", 0, 1n);
  assert.equal(read(), 103n);
  assert.deepEqual(call(host, "PMU", 3, index, 1n), [0n, 0n]);
  call(host, "TIME", 0, 1n);
  assert.equal(read(), 104n);
  assert.deepEqual(call(host, "PMU", 6, index), [0n, 0n]);
});

test("PMU: interrupts and fences are counted at both ends", () => {
  const host = stopped();
  const [, ipi] = call(host, "PMU", 2, 0n, ALL, 6n, fw(6n)) as [bigint, bigint];
  const [, fence] = call(host, "PMU", 2, 0n, ALL, 6n, fw(13n)) as [bigint, bigint];
  call(host, "sPI", 0, 0b11n, 0n);
  call(host, "RFNC", 2, 0b11n, 0n, 0n, 0n, 1n);
  assert.deepEqual(call(host, "PMU", 5, ipi), [0n, 2n]);
  assert.deepEqual(call(host, "PMU", 5, fence), [0n, 1n]);
});

test("PMU: refuses wrong counters, flags and snapshots", () => {
  const host = stopped();
  for (const [base, mask] of [
    [0n, 0b10n],
    [counters, 1n],
    [counters - 1n, 0b11n],
    [-1n, 1n],
  ])
    for (const fid of [2, 3, 4]) assert.deepEqual(call(host, "PMU", fid, base, mask), [-3n, 0n]);
  assert.deepEqual(call(host, "PMU", 3, 3n, 1n), [-3n, 0n], "no event yet");
  assert.deepEqual(call(host, "PMU", 3, 0n, 1n, 4n), [-3n, 0n]);
  assert.deepEqual(call(host, "PMU", 3, 0n, 1n, 2n), [-9n, 0n]);
  assert.deepEqual(call(host, "PMU", 4, 0n, 1n, 2n), [-9n, 0n]);
  assert.deepEqual(call(host, "PMU", 5, 0n), [-3n, 0n]);
  assert.deepEqual(call(host, "PMU", 7, 0n), [-2n, 0n]);
});
