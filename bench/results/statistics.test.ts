import assert from "node:assert/strict";
import { test } from "node:test";
import { geometricMean, median, quantile, spread, summarise } from "./statistics.ts";

test("median: takes the middle of samples in any order, or the mean of the two in the middle", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
});

test("quantile: interpolates between neighbours, leaves its input alone and refuses none", () => {
  const samples = [40, 10, 30, 20];
  assert.equal(quantile(samples, 0.25), 17.5);
  assert.equal(quantile(samples, 1), 40);
  assert.deepEqual(samples, [40, 10, 30, 20]);
  assert.throws(() => quantile([], 0.5), RangeError);
});

test("summarise: gives extremes and quartiles, spread is relative to the median", () => {
  const summary = summarise([2, 1, 3]);
  assert.deepEqual(summary, { median: 2, min: 1, max: 3, lowerQuartile: 1.5, upperQuartile: 2.5, samples: [2, 1, 3] });
  assert.equal(spread(summary), 1);
  assert.equal(spread(summarise([0])), 0);
});

test("geometricMean: treats twice as fast and half as fast as even", () => {
  assert.ok(Math.abs(geometricMean([2, 0.5]) - 1) < 1e-12);
  assert.ok(Math.abs(geometricMean([1, 4, 16]) - 4) < 1e-12);
  assert.ok(Number.isNaN(geometricMean([])));
});
