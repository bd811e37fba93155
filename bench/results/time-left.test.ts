import assert from "node:assert/strict";
import { test } from "node:test";
import { TimeLeft } from "./time-left.ts";

test("TimeLeft: begins with what is expected and learns the pace", () => {
  const left = new TimeLeft(100);
  assert.equal(left.secondsLeft(50, 0), 100);
  left.done(50, 100);
  assert.equal(left.fraction, 0.5);
  assert.ok(left.secondsLeft(50, 0) > 80 && left.secondsLeft(50, 0) <= 100);
});

test("TimeLeft: counts down while a piece lasts, and up when it is overdue", () => {
  const left = new TimeLeft(100);
  assert.equal(left.secondsLeft(10, 4), 96);
  assert.equal(left.secondsLeft(10, 100), 115);
});

test("TimeLeft: does not wait for what is skipped", () => {
  const left = new TimeLeft(10);
  left.skip(10);
  assert.equal(left.secondsLeft(0, 0), 0);
  assert.equal(left.fraction, 1);
});
