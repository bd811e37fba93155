import assert from "node:assert/strict";
import { test } from "node:test";
import { hartsOf } from "./hart-mask.ts";
import { call, type SampleHost, sampleHost } from "./sample-host.ts";

const pending = (host: SampleHost) => host.harts.map((hart) => hart.readCsr(0x344));

test("hartsOf: names the harts of a mask and its base", () => {
  assert.deepEqual(hartsOf(0b101n, 0n, 4), [0, 2]);
  assert.deepEqual(hartsOf(0b11n, 2n, 4), [2, 3]);
  assert.deepEqual(hartsOf(0n, 0n, 4), []);
  assert.deepEqual(hartsOf(0n, (1n << 64n) - 1n, 3), [0, 1, 2]);
  assert.deepEqual(hartsOf(1n, 64n, 66), [64]);
});

test("hartsOf: refuses a base or a bit that names no hart", () => {
  assert.equal(hartsOf(0b10000n, 0n, 4), undefined);
  assert.equal(hartsOf(0b11n, 3n, 4), undefined);
  assert.equal(hartsOf(0n, 4n, 4), undefined);
  assert.equal(hartsOf(1n, (1n << 64n) - 2n, 4), undefined);
});

test("sPI: makes the software interrupt pending in the named harts", () => {
  const host = sampleHost(3);
  assert.deepEqual(call(host, "sPI", 0, 0b110n, 0n), [0n, 0n]);
  assert.deepEqual(pending(host), [0n, 2n, 2n]);
});

test("sPI: leaves stopped harts alone", () => {
  const host = sampleHost(3);
  host.states.stop(1);
  assert.deepEqual(call(host, "sPI", 0, 0n, -1n), [0n, 0n]);
  assert.deepEqual(pending(host), [2n, 0n, 2n]);
});

test("sPI: interrupts nobody when one bit of the mask is wrong", () => {
  const host = sampleHost(2);
  assert.deepEqual(call(host, "sPI", 0, 0b101n, 0n), [-3n, 0n]);
  assert.deepEqual(pending(host), [0n, 0n]);
});
