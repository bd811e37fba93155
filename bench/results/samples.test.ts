import assert from "node:assert/strict";
import { test } from "node:test";
import { Samples } from "./samples.ts";

test("Samples: tells apart workloads and machines", () => {
  const samples = new Samples();
  samples.add("a", "x", 1);
  samples.add("a", "x", 3);
  samples.add("a", "y", 9);
  assert.deepEqual(samples.summary("a", "x")?.samples, [1, 3]);
  assert.equal(samples.summary("a", "y")?.median, 9);
  assert.equal(samples.summary("b", "x"), undefined);
});

test("disagreements: names machines whose programs computed different things, also from run to run", () => {
  const samples = new Samples();
  samples.add("same", "x", 1, "aa");
  samples.add("same", "y", 1, "aa");
  samples.add("none", "x", 1);
  assert.deepEqual(samples.disagreements(), []);
  samples.add("differs", "x", 1, "aa");
  samples.add("differs", "y", 1, "bb");
  samples.add("same", "y", 1, "cc");
  assert.deepEqual(samples.disagreements(), [
    "same: the results differ: x aa, y aa and cc",
    "differs: the results differ: x aa, y bb",
  ]);
});
