import assert from "node:assert/strict";
import { test } from "node:test";
import { call, sampleHost } from "./sample-host.ts";

test("SRST: shutdown and both reboots do not return and keep the reason", () => {
  const host = sampleHost();
  for (const [type, reason] of [
    [0n, 0n],
    [1n, 0n],
    [2n, 1n],
  ])
    assert.equal(call(host, "SRST", 0, type, reason), "left");
  assert.deepEqual(host.resets, [
    { type: "shutdown", failed: false },
    { type: "reboot", failed: false },
    { type: "reboot", failed: true },
  ]);
});

test("SRST: refuses reserved types and reasons", () => {
  const host = sampleHost();
  for (const [type, reason] of [
    [3n, 0n],
    [0xf000_0000n, 0n],
    [0n, 2n],
    [0n, 0xe000_0000n],
  ])
    assert.deepEqual(call(host, "SRST", 0, type, reason), [-3n, 0n]);
  assert.deepEqual(host.resets, []);
});

test("SRST: looks at 32 bits of its arguments only", () => {
  const host = sampleHost();
  assert.equal(call(host, "SRST", 0, 0x1_0000_0000n, 0x1_0000_0000n), "left");
});
