import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClockReading, clocksAgree } from "./clock-check.ts";

const reading = (guest: number, hostBefore: number, hostAfter: number): ClockReading => ({
  guest,
  hostBefore,
  hostAfter,
});
const begin = reading(100, 5, 5.01);

test("clocksAgree: bears a hundredth", () => {
  assert.ok(clocksAgree(begin, reading(110.05, 15, 15.01)));
  assert.ok(!clocksAgree(begin, reading(109.5, 15, 15.01)));
  assert.ok(!clocksAgree(begin, reading(110.5, 15, 15.01)));
});

test("clocksAgree: bears what a loaded host cannot tell, but no more", () => {
  assert.ok(clocksAgree(begin, reading(111, 15, 16.2)));
  assert.ok(clocksAgree(begin, reading(110, 15, 16.2)));
  assert.ok(!clocksAgree(begin, reading(111.6, 15, 16.2)));
});

test("clocksAgree: takes no clock for a wrong one", () => {
  assert.ok(!clocksAgree(begin, reading(Number.NaN, 15, 16)));
});
