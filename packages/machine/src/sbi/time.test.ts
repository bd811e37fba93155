import assert from "node:assert/strict";
import { test } from "node:test";
import { call, sampleHost } from "./sample-host.ts";

test("TIME: sets the calling hart's stimecmp only", () => {
  const host = sampleHost();
  assert.deepEqual(call(host, "TIME", 0, 0x1234_5678_9abcn), [0n, 0n]);
  assert.equal(host.harts[0].readCsr(0x14d), 0x1234_5678_9abcn);
  assert.equal(host.harts[1].readCsr(0x14d), 0n);
});

test("TIME: a time that never comes is kept whole", () => {
  const host = sampleHost();
  call(host, "TIME", 0, -1n);
  assert.equal(host.harts[0].readCsr(0x14d), (1n << 64n) - 1n);
});
