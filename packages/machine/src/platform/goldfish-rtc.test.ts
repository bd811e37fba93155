import assert from "node:assert/strict";
import { test } from "node:test";
import { GoldfishRtc } from "./goldfish-rtc.ts";

function machine() {
  const seen = { level: false, now: 0x1234_5678_9abc_def0n };
  const rtc = new GoldfishRtc({ set: (level) => (seen.level = level) }, () => seen.now);
  return { rtc, seen };
}

test("time: reading the low half latches the high half", () => {
  const { rtc, seen } = machine();
  assert.equal(rtc.read(0, 4), 0x9abc_def0);
  seen.now += 0x1_0000_0000n;
  assert.equal(rtc.read(4, 4), 0x1234_5678);
});

test("time: the guest can set its clock without touching the host's", () => {
  const { rtc, seen } = machine();
  rtc.write(4, 4, 1);
  rtc.write(0, 4, 500);
  seen.now += 7n;
  assert.deepEqual([rtc.read(0, 4), rtc.read(4, 4)], [507, 1]);
});

test("alarm: raises the interrupt at its time if enabled, until cleared", () => {
  const { rtc, seen } = machine();
  const at = seen.now + 1000n;
  rtc.write(0x0c, 4, Number(at >> 32n));
  rtc.write(0x08, 4, Number(at & 0xffff_ffffn));
  rtc.write(0x10, 4, 1);
  assert.deepEqual([rtc.read(0x18, 4), rtc.untilAlarm(), seen.level], [1, 1000n, false]);
  seen.now = at;
  rtc.update();
  assert.deepEqual([rtc.read(0x18, 4), rtc.untilAlarm(), seen.level], [0, undefined, true]);
  rtc.write(0x10, 4, 0);
  assert.equal(seen.level, false);
  rtc.write(0x10, 4, 1);
  rtc.write(0x1c, 4, 1);
  assert.equal(seen.level, false);
});

test("alarm: one in the past comes at once, a cleared one never", () => {
  const { rtc, seen } = machine();
  rtc.write(0x10, 4, 1);
  rtc.write(0x08, 4, 5);
  assert.equal(seen.level, true);
  rtc.write(0x1c, 4, 1);
  rtc.write(0x0c, 4, 0x7fff_ffff);
  rtc.write(0x08, 4, 5);
  rtc.write(0x14, 4, 1);
  assert.equal(rtc.untilAlarm(), undefined);
  seen.now = 0x7fff_ffff_ffff_ffffn;
  rtc.update();
  assert.equal(seen.level, false);
});

test("save: a restored clock keeps its setting and its alarm", () => {
  const first = machine();
  first.rtc.write(4, 4, 0);
  first.rtc.write(0x0c, 4, 0);
  first.rtc.write(0x08, 4, 0xffff_fff0);
  const second = machine();
  second.rtc.restore(first.rtc.save());
  assert.equal(second.rtc.read(0, 4), 0x9abc_def0);
  assert.equal(second.rtc.read(4, 4), 0);
  assert.equal(second.rtc.untilAlarm(), 0xffff_fff0n - 0x9abc_def0n);
});
