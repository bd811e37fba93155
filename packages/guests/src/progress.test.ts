import assert from "node:assert/strict";
import { test } from "node:test";
import { type Progress, ProgressMeter } from "./progress.ts";

test("ProgressMeter: tells the share done and the time left, more by measurement as it goes", () => {
  const heard: Progress[] = [];
  let now = 0;
  const phases = [
    { name: "a", expectedMs: 1000 },
    { name: "b", expectedMs: 3000 },
  ];
  const meter = new ProgressMeter(
    phases,
    (progress) => heard.push(progress),
    () => now,
  );
  meter.enter("a", "start");
  assert.deepEqual(heard.at(-1), { phase: "a", text: "start", fraction: 0, secondsLeft: 4 });
  now = 2000;
  meter.step(0.5, "half");
  // Measured 2 s left of this phase, expected half a second; at half way they count alike.
  assert.deepEqual(heard.at(-1), { phase: "a", text: "half", fraction: 0.125, secondsLeft: Math.ceil(1.25 + 3) });
  meter.enter("b", "next");
  meter.step(2, "over");
  assert.deepEqual(heard.at(-1), { phase: "b", text: "over", fraction: 1, secondsLeft: 0 });
  meter.step(Number.NaN, "odd");
  assert.equal(heard.at(-1)?.fraction, 0.25);
});

test("ProgressMeter: refuses to go back", () => {
  const meter = new ProgressMeter([
    { name: "a", expectedMs: 1 },
    { name: "b", expectedMs: 1 },
  ]);
  meter.enter("b", "");
  assert.throws(() => meter.enter("a", ""), RangeError);
  assert.throws(() => meter.enter("c", ""), RangeError);
});
