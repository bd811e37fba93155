import assert from "node:assert/strict";
import { test } from "node:test";
import { HartState, hartBase } from "../hart/layout.ts";
import { RAM_BASE } from "../memory.ts";
import { answer, extensions, serveCall } from "./dispatch.ts";
import { sampleHost } from "./sample-host.ts";

test("serveCall: takes registers and gives a0 and a1, nothing else", () => {
  const host = sampleHost(2);
  const x = host.memory.doublewords.subarray((hartBase(1) + HartState.x) / 8).subarray(0, 32);
  for (let i = 1; i < 32; i++) x[i] = BigInt(i);
  x[17] = 0x10n;
  x[16] = 3n;
  x[10] = 0x53525354n;
  const before = [...x];
  assert.equal(serveCall(host, 1), true);
  assert.deepEqual([x[10], x[11]], [0n, 1n]);
  for (let i = 0; i < 32; i++) if (i !== 10 && i !== 11) assert.equal(x[i], before[i]);
});

test("serveCall: errors are sign-extended and an unknown extension is not supported", () => {
  const host = sampleHost(1);
  const x = host.memory.doublewords.subarray((hartBase(0) + HartState.x) / 8);
  for (const id of [0x11n, -1n, 1n << 40n]) {
    x[17] = id;
    assert.equal(serveCall(host, 0), true);
    assert.deepEqual([x[10], x[11]], [-2n, 0n]);
  }
});

test("answer: whatever the registers hold, there is an answer", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`seed ${seed}`);
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const corners = [0n, 1n, 2n, 3n, 0xffn, 0x8000_0000n, 0xffff_ffffn, 1n << 63n, (1n << 64n) - 1n, BigInt(RAM_BASE)];
  const wild = () => BigInt.asUintN(64, (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(state));
  const value = () => {
    const choice = random();
    if (choice < 0.5) return corners[Math.floor(random() * corners.length)];
    return choice < 0.8 ? BigInt(Math.floor(random() * 64)) : wild();
  };
  const ids = [...extensions.keys()];
  const host = sampleHost(3);
  host.console.room = 8;
  for (let i = 0; i < 50_000; i++) {
    const id = random() < 0.95 ? ids[Math.floor(random() * ids.length)] : value();
    const fid = random() < 0.9 ? BigInt(Math.floor(random() * 9)) : value();
    const hart = Math.floor(random() * 3);
    const result = answer(host, hart, id, fid, [value(), value(), value(), value(), value(), value()]);
    if (result !== "left") {
      assert.ok(result.error >= -9n && result.error < 256n, `error ${result.error}`);
      if (result.error < 0n) assert.ok(!result.value, "a failed call has no value");
    }
    for (let h = 0; h < 3; h++) {
      host.harts[h].log.length = 0;
      host.states.resume(h);
    }
    host.console.output = "";
  }
});
