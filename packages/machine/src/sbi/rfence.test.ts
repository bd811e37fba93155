import assert from "node:assert/strict";
import { test } from "node:test";
import { call, type SampleHost, sampleHost } from "./sample-host.ts";

const logs = (host: SampleHost) => host.harts.map((hart) => hart.log);
const EVERYTHING = (1n << 64n) - 1n;

test("RFNC: FENCE.I reaches the named harts", () => {
  const host = sampleHost(3);
  assert.deepEqual(call(host, "RFNC", 0, 0b101n, 0n), [0n, 0n]);
  assert.deepEqual(logs(host), [["fence.i"], [], ["fence.i"]]);
});

test("RFNC: a short range is fenced page by page, partial pages included", () => {
  const host = sampleHost(1);
  assert.deepEqual(call(host, "RFNC", 1, 1n, 0n, 0x1ff8n, 0x1010n), [0n, 0n]);
  assert.deepEqual(host.harts[0].log, ["sfence 0x1000 all", "sfence 0x2000 all", "sfence 0x3000 all"]);
});

test("RFNC: an ASID limits the fence and is cut to 16 bits", () => {
  const host = sampleHost(1);
  assert.deepEqual(call(host, "RFNC", 2, 1n, 0n, 0x4000n, 1n, 0x1_0007n), [0n, 0n]);
  assert.deepEqual(host.harts[0].log, ["sfence 0x4000 7"]);
});

test("RFNC: 0 and 0, all ones, and a long range mean every address", () => {
  for (const [start, size] of [
    [0n, 0n],
    [0n, EVERYTHING],
    [0x1000n, EVERYTHING],
    [0x1000n, 1n << 40n],
  ]) {
    const host = sampleHost(1);
    assert.deepEqual(call(host, "RFNC", 1, 1n, 0n, start, size), [0n, 0n]);
    assert.deepEqual(host.harts[0].log, ["sfence all all"]);
  }
});

test("RFNC: a range may end at the top of the address space but not wrap around it", () => {
  const host = sampleHost(1);
  assert.deepEqual(call(host, "RFNC", 1, 1n, 0n, EVERYTHING - 0xfffn, 0x1000n), [0n, 0n]);
  assert.deepEqual(host.harts[0].log, ["sfence 0xfffffffffffff000 all"]);
  assert.deepEqual(call(host, "RFNC", 1, 1n, 0n, EVERYTHING - 0xfffn, 0x1001n), [-5n, 0n]);
});

test("RFNC: an empty range at an address fences nothing", () => {
  const host = sampleHost(1);
  assert.deepEqual(call(host, "RFNC", 1, 1n, 0n, 0x1000n, 0n), [0n, 0n]);
  assert.deepEqual(host.harts[0].log, []);
});

test("RFNC: refuses wrong masks and the hypervisor's fences", () => {
  const host = sampleHost(2);
  for (const fid of [0, 1, 2]) assert.deepEqual(call(host, "RFNC", fid, 0b100n, 0n), [-3n, 0n]);
  for (const fid of [3, 4, 5, 6]) assert.deepEqual(call(host, "RFNC", fid, 1n, 0n), [-2n, 0n]);
  assert.deepEqual(logs(host), [[], []]);
});
