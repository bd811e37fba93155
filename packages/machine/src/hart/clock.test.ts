import assert from "node:assert/strict";
import { test } from "node:test";
import { HostClock, ManualClock, millisecondsUntil } from "./clock.ts";

test("HostClock: counts up from where it starts, the same in both forms", () => {
  const clock = new HostClock(5_000_000);
  const first = clock.ticks();
  const second = clock.now();
  assert.ok(Number.isInteger(first) && first >= 5_000_000);
  assert.ok(second >= BigInt(first));
});

test("ManualClock: moves only when told to", () => {
  const clock = new ManualClock();
  assert.equal(clock.now(), 0n);
  clock.advance(25);
  assert.equal(clock.ticks(), 25);
  assert.equal(clock.now(), 25n);
});

test("millisecondsUntil: turns ticks into milliseconds and never goes below 0", () => {
  const clock = new ManualClock();
  clock.advance(10_000);
  assert.equal(millisecondsUntil(clock, 35_000n), 2.5);
  assert.equal(millisecondsUntil(clock, 3n), 0);
});
