import assert from "node:assert/strict";
import { test } from "node:test";
import { Recording } from "./recording.ts";

function record(moments: number, harts: number, most: number) {
  const recording = new Recording(1, most);
  for (let moment = 0; moment < moments; moment++) {
    if (!recording.begin(harts)) continue;
    for (let hart = 0; hart < harts; hart++) recording.add(moment, hart, 0, moment);
  }
  return recording.finish();
}

test("Recording: keeps every sample while there is room", () => {
  const { timesMs, harts, stacks, intervalMs } = record(5, 2, 10);
  assert.deepEqual([...timesMs], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
  assert.deepEqual([...harts], [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
  assert.deepEqual([...stacks], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
  assert.equal(intervalMs, 1);
});

for (const [moments, harts] of [
  [1000, 1],
  [1000, 2],
  [777, 3],
]) {
  test(`Recording: spreads ${harts} harts' samples of ${moments} moments evenly over the room it has`, () => {
    const { timesMs, intervalMs } = record(moments, harts, 64);
    assert.ok(timesMs.length <= 64 && timesMs.length > 24, `${timesMs.length} samples`);
    const distinct = [...new Set(timesMs)];
    assert.equal(distinct.length * harts, timesMs.length);
    assert.ok(distinct.every((time, i) => time === i * intervalMs));
  });
}
