import assert from "node:assert/strict";
import { test } from "node:test";
import { cpuTicks, statusMiB, usageOf } from "./process-usage.ts";

test("cpuTicks: adds user and system time, whatever the process is called", () => {
  const rest = "S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20 0";
  assert.equal(cpuTicks(`42 (a) b (c) ${rest}`), 42);
});

test("statusMiB: reads kB, and 0 where the field is absent", () => {
  assert.equal(statusMiB("Name:\tx\nVmRSS:\t  2048 kB\n", "VmRSS"), 2);
  assert.equal(statusMiB("Name:\tx\n", "VmRSS"), 0);
});

test("usageOf: tells of a living process, and zeros of none", {
  skip: process.platform !== "linux" && "needs /proc",
}, () => {
  assert.ok(usageOf(process.pid).residentMiB > 10);
  assert.deepEqual(usageOf(2 ** 30), { cpuSeconds: 0, residentMiB: 0, peakMiB: 0 });
});
