import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "./hart/clock.ts";
import { SliceLength, sliceBudget } from "./slice-budget.ts";

test("sliceBudget: shrinks towards the timer and never below what is worth a slice", () => {
  const clock = new ManualClock();
  clock.advance(1000);
  const { alone, turns } = SliceLength;
  for (const most of [alone, turns]) assert.equal(sliceBudget(undefined, clock, most), most);
  assert.equal(sliceBudget(1_000_000n, clock, alone), alone);
  const near = sliceBudget(1500n, clock, alone);
  assert.ok(near > 1000 && near < turns);
  for (const past of [0n, 999n, 1000n]) assert.equal(sliceBudget(past, clock, turns), 1000);
});
