import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "./hart/clock.ts";
import { sliceBudget } from "./slice-budget.ts";

test("sliceBudget: shrinks towards the timer and never below what is worth a slice", () => {
  const clock = new ManualClock();
  clock.advance(1000);
  const [alone, shared] = [sliceBudget(undefined, clock, false), sliceBudget(undefined, clock, true)];
  assert.ok(shared < alone);
  assert.equal(sliceBudget(1_000_000n, clock, false), alone);
  const near = sliceBudget(1500n, clock, false);
  assert.ok(near > 1000 && near < shared);
  for (const past of [0n, 999n, 1000n]) assert.equal(sliceBudget(past, clock, true), 1000);
});
